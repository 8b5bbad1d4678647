import type { AgentMethods, AgentStatus } from '../shared/contract.ts';
import type { BackupStatus } from '../shared/contract-backup.ts';
import type { SyncStatus } from '../shared/contract-sync.ts';
import { ERROR_CATALOGUE } from '../shared/errors.ts';
import type { RootInfo } from '../shared/model.ts';
import { overdueJobs } from './agent-overdue.ts';
import { refusalText } from './agent-roots.ts';
import { type Attention, describeRoot, judgeSafety, listAttention, type SafetyFacts } from './agent-status.ts';
import { collectDoctorFacts } from './api-doctor.ts';
import type { ApiParts } from './api-parts.ts';
import { runChecks } from './ops/health/doctor.ts';
import { lockedWarnings } from './settings/show.ts';

type StatusMethods = Pick<
  AgentMethods,
  'agent.status' | 'agent.stop' | 'agent.link' | 'agent.pause' | 'agent.resume' | 'doctor.run'
>;

export function createStatusMethods(all: ApiParts): StatusMethods {
  return {
    'agent.status': async () => status(all, await (await all.backup.service()).status()),
    'agent.stop': async () => {
      // After the answer has left.
      setTimeout(all.requestStop, 50);
      return {};
    },
    'agent.link': async () => ({ url: all.state.makeLink?.() ?? all.state.dashboardUrl ?? '' }),
    'agent.pause': async ({ untilMs }) => {
      all.pause.start(untilMs);
      return { pausedUntilMs: untilMs };
    },
    'agent.resume': async () => {
      all.pause.end();
      return {};
    },
    'doctor.run': async () => ({ checks: runChecks(await collectDoctorFacts(all)) }),
  };
}

function status(all: ApiParts, backup: BackupStatus): AgentStatus {
  const { host, mode, parts, watch, state, vault, settings } = all;
  const roots = parts.roots
    .list()
    .map((root) => describeRoot(root, parts.roots.counts(root.rootId), watch.condition(root.rootId)));
  const facts: SafetyFacts = {
    isWatching: mode === 'running',
    roots,
    codes: new Map(
      roots.flatMap(({ rootId }) => {
        const code = watch.condition(rootId)?.code ?? null;
        return code === null ? [] : [[rootId, code] as const];
      }),
    ),
    refused: state.plan.refused.map(refusalText),
    problems: [...problems(all), ...backupProblems(backup), ...late(all, roots, backup)],
    waiting: watch.waiting(),
    progress: watch.progress(),
  };
  const attention = listAttention(facts);
  const { verdict, summary } = judgeSafety(facts, attention);
  if (verdict === 'attention') state.safeSinceMs = null;
  else if (verdict === 'safe') state.safeSinceMs ??= host.nowMs();
  const { snapshots, storedBytes, lastCaptureAtMs } = parts.files.totals();
  return {
    version: host.version,
    mode,
    safety: { verdict, summary, sinceMs: verdict === 'safe' ? state.safeSinceMs : null },
    attention,
    next: nextSteps(all),
    dataFolder: host.dataFolder,
    isSample: host.isSample === true,
    deviceId: vault.store.deviceId,
    pid: process.pid,
    startedAtMs: state.startedAtMs,
    nowMs: host.nowMs(),
    dashboardUrl: state.dashboardUrl,
    roots,
    totals: {
      files: roots.reduce((sum, root) => sum + root.files, 0),
      sizeBytes: roots.reduce((sum, root) => sum + root.sizeBytes, 0),
      snapshots,
      storedBytes,
      decisions: parts.records.count('decision_vault'),
      memories: parts.records.count('memories'),
      activities: parts.activities.count(),
    },
    lastCaptureAtMs,
    waiting: { capture: watch.waiting(), index: parts.search.waiting() },
    progress: [...watch.progress()],
    outbox: parts.outbox
      .summary()
      .filter((remote) => remote.configured || settings.configuredRemotes().includes(remote.remote)),
    sync: all.sync.status(),
    pausedUntilMs: all.pause.untilMs(),
    backup: {
      state: backup.state,
      summary: backup.summary,
      lastBackupAtMs: backup.lastBackupAtMs,
      nextAtMs: backup.nextAtMs,
      lastProvenAtMs: backup.lastProvenAtMs,
      proofIsStale: backup.proofIsStale,
      progress: backup.progress,
    },
  };
}

/** What should have run by itself and did not. */
function late(all: ApiParts, roots: readonly RootInfo[], backup: BackupStatus): Attention[] {
  const { host, state, settings, pause } = all;
  const { startedAtMs, wokeAtMs } = state;
  // Nobody is there to do it, or a person said that it rests.
  if (startedAtMs === null || pause.untilMs() !== null) return [];
  const { watch, backup: backing } = settings.current();
  return overdueJobs({
    nowMs: host.nowMs(),
    awakeSinceMs: Math.max(startedAtMs, wokeAtMs ?? 0),
    scanEveryMs: watch.rescan_minutes * 60_000,
    roots,
    backup: {
      isExpected: backing.auto_commit && roots.length > 0 && /^(ok|waiting)$/.test(backup.state),
      lastAtMs: backup.lastBackupAtMs,
    },
  });
}

/** What of the backups waits for a person. */
function backupProblems({ state, summary, problem, interruptedRestore, proofIsStale }: BackupStatus): Attention[] {
  const found: Attention[] = [];
  if (state === 'needs_you') {
    const code = interruptedRestore === null ? (problem?.code ?? 'internal') : 'restore.interrupted';
    const fix = interruptedRestore === null ? problem?.fix : ERROR_CATALOGUE['restore.interrupted'].fix;
    found.push({ code, message: summary, fix: fix ?? '', rootId: null });
  }
  if (proofIsStale)
    found.push({
      code: 'backup.unproven',
      message: ERROR_CATALOGUE['backup.unproven'].title,
      fix: ERROR_CATALOGUE['backup.unproven'].fix,
      rootId: null,
    });
  return found;
}

/** What is wrong with the agent itself, not with one folder. */
function problems({ state, log, settings, sync }: ApiParts): Attention[] {
  const found: Attention[] = [];
  if (state.damage !== null) {
    found.push({
      code: 'data.corrupt',
      message: `The vault file is damaged: ${state.damage}`,
      fix: 'Restart the agent (`angles stop`, then `angles start`): what is readable is carried into a new vault.',
      rootId: null,
    });
  }
  const { failing } = log.stats();
  if (failing !== null)
    found.push({
      code: 'log.failing',
      message: `The log cannot be written: ${failing}`,
      fix: 'Check space and rights of the data folder.',
      rootId: null,
    });
  found.push(...syncProblems(sync.status()));
  const locked = settings.locked();
  const [first] = locked;
  if (first !== undefined)
    found.push({
      code: 'keychain.locked',
      message: `${locked.map(({ name }) => name).join(', ')}: ${first.error.message}`,
      fix: first.error.hint,
      rootId: null,
    });
  // What is locked is told once, not once a name.
  const told = new Set(lockedWarnings({ locked }).map(({ message }) => message));
  for (const warning of settings.show().warnings.filter(({ message }) => !told.has(message)))
    found.push({ code: 'config.warning', message: warning.message, fix: warning.fix, rootId: null });
  return found;
}

/** What only a person can get going again. That a service cannot be reached is none of it. */
function syncProblems({ remotes, conflicts, safeMode }: SyncStatus): Attention[] {
  const found: Attention[] = [];
  if (safeMode !== null)
    found.push({ code: 'sync.safe_mode', message: safeMode.reason, fix: safeMode.fix, rootId: null });
  for (const { remote, configured, state, code, reason, fix } of remotes) {
    if (!configured || state !== 'needs_you' || code === 'sync.safe_mode') continue;
    found.push({ code: code ?? 'sync.off', message: `${remote}: ${reason ?? ''}`, fix: fix ?? '', rootId: null });
  }
  if (conflicts > 0) {
    const { meaning, fix } = ERROR_CATALOGUE['sync.conflict'];
    const message = `${conflicts} ${conflicts === 1 ? 'field was' : 'fields were'} changed on two sides. ${meaning}`;
    found.push({ code: 'sync.conflict', message, fix, rootId: null });
  }
  return found;
}

function nextSteps({ parts, watch, mode }: ApiParts): AgentStatus['next'] {
  if (mode === 'offline') return [];
  const index = parts.search.waiting();
  const scanAtMs = watch.nextScanAtMs();
  return [
    ...(index > 0
      ? [{ what: `Making ${index} captured ${index === 1 ? 'document' : 'documents'} searchable`, atMs: null }]
      : []),
    ...(scanAtMs === null ? [] : [{ what: 'Safety scan of all folders', atMs: scanAtMs }]),
  ];
}
