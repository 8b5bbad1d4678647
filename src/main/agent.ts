/** The composition root: builds the parts, hands each what it needs of another, starts and stops them in order. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { displayPath } from '../shared/display.ts';
import { ENVIRONMENT, type Settings } from '../shared/settings.ts';
import { createBackup } from './agent-backup.ts';
import { createHealth } from './agent-health.ts';
import { createFirstRoot, planRoots } from './agent-roots.ts';
import { createSync } from './agent-sync.ts';
import { createUpkeep } from './agent-upkeep.ts';
import { createApi } from './api.ts';
import type { AgentState } from './api-parts.ts';
import type { AgentMode, ShellAgent } from './api-types.ts';
import { createEventHub } from './event-hub.ts';
import type { Host } from './host.ts';
import { createLogFlush } from './log/flush.ts';
import { createLog } from './log/log.ts';
import { logLimits } from './log/rotation.ts';
import { giveBackMemory } from './memory.ts';
import { createPause } from './pause.ts';
import { createSettings, type SettingsSource } from './settings/settings.ts';
import { type Checkpointer, startCheckpointer } from './store/checkpointer.ts';
import { clearTemporaryObjects } from './store/contents.ts';
import { createIndexReader } from './store/index-reader.ts';
import { acquireLock } from './store/lock.ts';
import { createMeta } from './store/meta.ts';
import { createCrashGuard } from './sync/crash-guard.ts';
import { createParts, openVault, type Vault } from './vault.ts';
import { createHashPool } from './watch/hash-pool.ts';
import { watchLimits } from './watch/limits.ts';
import { createWriterProbe } from './watch/open-writers.ts';
import { createWatchService } from './watch/watch-service.ts';

/** What a shell gets: see {@link ShellAgent}. */
export type Agent = ShellAgent & {
  /** Resolves when everything that changed while no agent ran is durable, or has a reason why not. */
  readonly start: () => Promise<void>;
  /** Ends cleanly: what is being captured is finished, what waits is found by the next start. Safe to repeat. */
  readonly stop: () => Promise<void>;
};

/** How long a start waits for a holder of the data folder that is about to end (a command, a stopping agent). */
const LOCK_WAIT_MS = 2_000;

/**
 * Opens the data folder. Throws `data.held` when another process has it, and whatever is wrong with settings or vault;
 * then nothing is left open.
 */
export async function openAgent(host: Host, mode: AgentMode): Promise<Agent> {
  // Everything in the data folder is for its owner only.
  process.umask(0o077);
  const lock = acquireLock(host.dataFolder, LOCK_WAIT_MS);
  /** What is open so far, the last one first. */
  const opened: (() => void)[] = [lock.release];
  try {
    const settings = createSettings({
      dataFolder: host.dataFolder,
      environment: host.environment,
      nowMs: host.nowMs,
      secrets: host.secrets,
    });
    await settings.loadKept();
    return await buildAgent(host, mode, settings, opened);
  } catch (cause) {
    for (const close of opened) {
      try {
        close();
      } catch {
        // What went wrong first is what is told.
      }
    }
    throw cause;
  }
}

async function buildAgent(
  host: Host,
  mode: AgentMode,
  settings: SettingsSource,
  opened: (() => void)[],
): Promise<Agent> {
  const { dataFolder } = host;
  let sinkRecord: (entry: Parameters<Parameters<typeof createLog>[0]['onRecord']>[0]) => void = () => undefined;
  // Made here, as the log makes it only with its first line.
  mkdirSync(join(dataFolder, 'logs'), { recursive: true, mode: 0o700 });
  const log = createLog({
    folder: join(dataFolder, 'logs'),
    level: settings.current().logs.level,
    limits: logLimits(settings.current().logs),
    nowMs: host.nowMs,
    onRecord: (entry) => sinkRecord(entry),
  });
  opened.unshift(log.close);
  for (const { name, secret } of ENVIRONMENT) if (secret) log.addSecret(settings.environment(name) ?? '');
  const logger = log.component('agent');
  const hub = createEventHub((cause) => logger.error('A listener of events failed.', { error: cause }));
  const vault: Vault = openVault(host, logger);
  opened.unshift(vault.close);
  const parts = createParts(vault.store, { log, hub, nowMs: host.nowMs });
  opened.unshift(parts.journal.close);
  const flush = createLogFlush({ append: parts.logs.append, delayMs: 1_000, nowMs: host.nowMs });
  sinkRecord = (entry) => flush.add(entry);
  if (vault.recovery !== null) {
    const { text, movedTo } = vault.recovery;
    logger.error('The vault was damaged and has been rebuilt.', { movedTo, report: text });
    parts.note(
      'agent.recovered',
      `The vault was damaged and has been rebuilt; the report is in ${displayPath(movedTo)}.`,
    );
  }
  if (vault.caughtUp !== null) {
    logger.warn('The vault was older than its journal; records were brought back.', { caughtUp: vault.caughtUp });
    parts.note('agent.recovered', 'The vault was older than its journal of records; they were brought back.');
  }
  parts.outbox.setConfigured(settings.configuredRemotes());
  parts.outbox.releaseExpired();
  clearTemporaryObjects(dataFolder);
  let onPause = (): void => undefined;
  const pause = createPause({
    meta: createMeta(vault.store),
    nowMs: host.nowMs,
    onChange: () => {
      hub.statusChanged();
      onPause();
    },
  });

  let onChange = (): void => undefined;
  const watch = createWatchService({
    isWatching: mode === 'running',
    parts: {
      dataFolder,
      captures: parts.captures,
      roots: parts.roots,
      index: createIndexReader(vault.store.db),
      pool: createHashPool({ dataFolder }, { onFull: parts.releaseReserve, onIdle: giveBackMemory }),
      writers: createWriterProbe(process.platform),
      log: log.component('watch'),
      limits: () => watchLimits(settings.current()),
      wallMs: host.nowMs,
      monotonicMs: () => performance.now(),
      random: Math.random,
      platform: process.platform,
    },
    onCaptured: (counts) => {
      parts.onCaptured(counts);
      onChange();
    },
    onCondition: hub.statusChanged,
    onProgress: (progress) => hub.emit({ event: 'progress', payload: progress }),
  });

  const guard = createCrashGuard(createMeta(vault.store), host.nowMs);
  const health = createHealth({ nowMs: host.nowMs, log, vault, parts, waiting: watch.waiting });
  const sync = createSync({
    host,
    settings,
    log,
    hub,
    vault,
    parts,
    guard,
    onSent: health.sampler.noteSent,
    pausedUntilMs: pause.untilMs,
  });
  const state: AgentState = {
    plan: { watched: [], refused: [] },
    startedAtMs: null,
    wokeAtMs: null,
    createdFirstRoot: null,
    dashboardUrl: null,
    makeLink: null,
    safeSinceMs: null,
    damage: null,
  };
  const backup = createBackup({
    host,
    mode,
    settings,
    log,
    hub,
    vault,
    parts,
    watch,
    state,
    samples: health.samples,
    pausedUntilMs: pause.untilMs,
  });
  onChange = backup.changed;
  onPause = () => {
    sync.look();
    backup.wake();
  };
  const stopListeners: (() => void)[] = [];
  const api = createApi({
    host,
    mode,
    settings,
    log,
    hub,
    vault,
    parts,
    watch,
    sync,
    pause,
    backup,
    health,
    state,
    logFlush: flush,
    applyRoots,
    requestStop: () => {
      for (const listener of stopListeners) listener();
    },
  });
  let checkpointer: Checkpointer | null = null;
  const upkeep = createUpkeep({ nowMs: host.nowMs, settings: settings.current, log, store: vault.store, parts, sync });
  let unlisten: (() => void)[] = [];

  async function applyRoots(): Promise<void> {
    state.plan = planRoots(settings.current().roots, parts.roots, dataFolder);
    await watch.setRoots(state.plan.watched);
    hub.statusChanged();
  }

  const onSettings = (next: Settings): void => {
    log.setLevel(next.logs.level);
    log.setLimits(logLimits(next.logs));
    for (const { name, secret } of ENVIRONMENT) if (secret) log.addSecret(settings.environment(name) ?? '');
    parts.outbox.setConfigured(settings.configuredRemotes());
    void sync.configure();
    backup.wake();
    hub.emit({ event: 'settings', payload: {} });
    applyRoots().catch((cause: unknown) => logger.error('The watched folders could not be changed.', { error: cause }));
  };

  const start = async (): Promise<void> => {
    if (mode === 'offline') {
      await applyRoots();
      parts.search.start();
      return;
    }
    checkpointer = startCheckpointer(vault.store, {
      onProblem: (problem) => logger.warn('The log of the vault could not be copied; nothing is lost.', { problem }),
    });
    // The desktop app asks its person for the first folder instead.
    if (settings.current().roots.length === 0 && host.shell !== 'desktop') {
      state.createdFirstRoot = createFirstRoot(host.environment);
      settings.addRoot(state.createdFirstRoot);
    }
    unlisten = [
      hub.subscribe(({ event }) => {
        if (event === 'records') backup.changed();
      }),
      settings.onChange(onSettings),
      host.secrets?.onOpened?.(() => {
        settings
          .openKept()
          .then(hub.statusChanged, (error: unknown) =>
            logger.error('Keys of services could not be read or moved.', { error }),
          );
      }) ?? (() => undefined),
      settings.onProblem((error) =>
        logger.warn('The settings could not be used; the earlier ones stay in force.', { error }),
      ),
      host.onPower((event) => {
        if (event !== 'resume') return;
        state.wokeAtMs = host.nowMs();
        sync.wake();
        backup.wake();
        void watch.scanAll();
      }),
    ];
    await settings.start();
    state.startedAtMs = host.nowMs();
    parts.note('agent.started', `Angles ${host.version} started.`);
    guard.noteStart(vault.endedCleanly);
    await sync.start();
    parts.search.start();
    upkeep.start();
    await applyRoots();
    // These read much: a capture never waits for them.
    vault.checkInBackground((damage) => {
      state.damage = damage;
      logger.error('The vault file is damaged; a restart rebuilds it.', { damage });
      hub.statusChanged();
    });
    health.sampler.start();
    await backup.start();
    logger.info('Ready.', {
      pid: process.pid,
      roots: state.plan.watched.length,
      sinceStartMs: Math.round(performance.now()),
    });
  };

  let stopping: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    upkeep.stop();
    for (const each of unlisten) each();
    pause.close();
    await settings.stop();
    // First what reads and writes files, then what looks at them.
    await backup.stop();
    await watch.stop();
    await sync.stop();
    await parts.search.stop();
    health.sampler.stop();
    if (mode === 'running') parts.note('agent.stopped', 'Angles stopped.');
    flush.stop();
    hub.stop();
    await checkpointer?.stop();
    // Journal, vault, log, lock.
    for (const close of opened) close();
  };

  return {
    api,
    start,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
    settings: settings.current,
    log,
    describeStart: () => ({ createdFirstRoot: state.createdFirstRoot }),
    setDashboardUrl: (url) => {
      state.dashboardUrl = url;
    },
    setLinkMaker: (make) => {
      state.makeLink = make;
    },
    onStopRequested: (listener) => stopListeners.push(listener),
  };
}
