/** What the agent does by itself and when, from what is stored. Pure. */
import type { ScheduleEntry } from '../shared/contract-ops.ts';
import type { RemoteStatus } from '../shared/contract-sync.ts';
import type { BackupSchedule } from './backup/backup-schedule.ts';

export type ScheduleFacts = {
  readonly nowMs: number;
  /** False for a command without an agent: nothing runs by itself then. */
  readonly isRunning: boolean;
  readonly startedAtMs: number | null;
  readonly backup: BackupSchedule;
  readonly scan: {
    readonly roots: number;
    readonly everyMs: number;
    readonly lastAtMs: number | null;
    readonly nextAtMs: number | null;
  };
  readonly reconcileMs: number;
  readonly remotes: readonly Pick<
    RemoteStatus,
    'remote' | 'configured' | 'state' | 'reason' | 'lastPullAtMs' | 'nextTryAtMs'
  >[];
};

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;

export function describeSchedule(facts: ScheduleFacts): ScheduleEntry[] {
  const entries = [
    ...ofBackups(facts),
    ofScans(facts),
    ...facts.remotes.map((one) => ofRemote(one, facts)),
    ofTidy(facts),
  ];
  // Nobody is there to do it.
  if (facts.isRunning) return entries;
  return entries.map((entry) => ({ ...entry, state: 'off', nextAtMs: [], reason: 'No agent is running.' }));
}

const entry = (id: ScheduleEntry['id'], more: Partial<ScheduleEntry>): ScheduleEntry => ({
  id,
  state: 'on',
  everyMs: null,
  dailyAt: null,
  timeZone: null,
  lastAtMs: null,
  lastOutcome: null,
  nextAtMs: [],
  reason: null,
  ...more,
});

const known = (...times: (number | null)[]): number[] => times.filter((time) => time !== null);

function ofBackups({ backup }: ScheduleFacts): ScheduleEntry[] {
  const off = backup.isOn ? {} : { state: 'off' as const, reason: 'backup.auto_commit is false.' };
  const failing = backup.isOn && backup.problem !== null ? { state: 'failing' as const, reason: backup.problem } : {};
  const daily = { dailyAt: backup.runTime, timeZone: backup.timeZone };
  const lastOutcome = backup.problem !== null ? 'failed' : backup.lastBackupAtMs === null ? null : 'ok';
  return [
    entry('backup_changes', {
      state: backup.changesAtMs === null ? 'waiting' : 'on',
      everyMs: backup.quietMs,
      lastAtMs: backup.lastBackupAtMs,
      lastOutcome,
      nextAtMs: known(backup.changesAtMs),
      ...failing,
      ...off,
    }),
    entry('backup_daily', {
      ...daily,
      lastAtMs: backup.lastDailyAtMs,
      lastOutcome: backup.lastDailyAtMs === null ? null : lastOutcome,
      nextAtMs: [...backup.dailyAtMs],
      ...failing,
      ...off,
    }),
    entry('drill', {
      state: backup.drillAtMs === null ? 'waiting' : 'on',
      everyMs: WEEK_MS,
      lastAtMs: backup.lastDrill?.atMs ?? null,
      lastOutcome: backup.lastDrill === null ? null : backup.lastDrill.isOk ? 'ok' : 'failed',
      nextAtMs: backup.drillAtMs === null ? [] : weekly(backup.drillAtMs),
      ...off,
    }),
    // It follows the daily backup.
    entry('retention', {
      ...daily,
      lastAtMs: backup.lastPruneAtMs,
      lastOutcome: backup.lastPruneAtMs === null ? null : 'ok',
      nextAtMs: [...backup.dailyAtMs],
      ...off,
    }),
  ];
}

const weekly = (firstMs: number): number[] => [0, 1, 2].map((weeks) => firstMs + weeks * WEEK_MS);

function ofScans({ scan }: ScheduleFacts): ScheduleEntry {
  const { roots, everyMs, lastAtMs, nextAtMs } = scan;
  return entry('scan', {
    everyMs,
    lastAtMs,
    lastOutcome: lastAtMs === null ? null : 'ok',
    nextAtMs: known(nextAtMs),
    ...(roots === 0 ? { state: 'off', reason: 'No folder is watched.' } : {}),
  });
}

function ofRemote(
  { remote, configured, state, reason, lastPullAtMs, nextTryAtMs }: ScheduleFacts['remotes'][number],
  { reconcileMs }: ScheduleFacts,
): ScheduleEntry {
  const id = `sync_${remote}` as const;
  if (!configured || state === 'off')
    return entry(id, { state: 'off', everyMs: reconcileMs, lastAtMs: lastPullAtMs, reason });
  const isFailing = state === 'offline' || state === 'needs_you';
  return entry(id, {
    state: isFailing ? 'failing' : 'on',
    everyMs: reconcileMs,
    lastAtMs: lastPullAtMs,
    lastOutcome: isFailing ? 'failed' : lastPullAtMs === null ? null : 'ok',
    nextAtMs: known(nextTryAtMs ?? (lastPullAtMs === null || isFailing ? null : lastPullAtMs + reconcileMs)),
    reason: isFailing ? reason : null,
  });
}

/** Old lines of the log go once a day, counted from the start. */
function ofTidy({ nowMs, startedAtMs }: ScheduleFacts): ScheduleEntry {
  if (startedAtMs === null) return entry('tidy', { everyMs: DAY_MS });
  const rounds = Math.max(0, Math.floor((nowMs - startedAtMs) / DAY_MS));
  const lastAtMs = startedAtMs + rounds * DAY_MS;
  return entry('tidy', {
    everyMs: DAY_MS,
    lastAtMs,
    lastOutcome: 'ok',
    nextAtMs: [1, 2, 3].map((days) => lastAtMs + days * DAY_MS),
  });
}
