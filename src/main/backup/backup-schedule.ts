/** When backups do what by themselves: the last and the next of each, from stored facts. */
import { drillAtMs, nextOf } from './automatic.ts';
import { nextOccurrence } from './local-time.ts';
import { viewProblem } from './problems.ts';
import { coveredChange, type ServiceParts } from './service-parts.ts';

export type BackupSchedule = {
  readonly isOn: boolean;
  readonly runTime: string;
  readonly timeZone: string;
  readonly quietMs: number;
  readonly lastBackupAtMs: number | null;
  readonly lastDailyAtMs: number | null;
  /** When what changed is backed up; null while nothing waits. */
  readonly changesAtMs: number | null;
  /** At most three; the first may be past, then it is due. */
  readonly dailyAtMs: readonly number[];
  readonly lastDrill: { readonly atMs: number; readonly isOk: boolean } | null;
  readonly drillAtMs: number | null;
  readonly lastPruneAtMs: number | null;
  /** What the last backup failed of; it is tried again. */
  readonly problem: string | null;
};

export function readSchedule(parts: ServiceParts): BackupSchedule {
  const { deps, memory } = parts;
  const known = memory.read();
  const settings = deps.settings();
  const next = nextOf(parts);
  const hasUnsaved = deps.facts.unsavedSince(coveredChange(parts)).count > 0;
  const [drill] = deps.runs.list('drill', 1);
  const [first] = next?.reason === 'daily' ? [next.atMs] : [];
  return {
    isOn: settings.isAutomatic,
    runTime: settings.runTime,
    timeZone: settings.timeZone,
    quietMs: settings.quietMs,
    lastBackupAtMs: known.lastSuccessAtMs,
    lastDailyAtMs: known.lastDailyAtMs,
    changesAtMs: hasUnsaved && next !== null ? next.atMs : null,
    dailyAtMs: settings.isAutomatic ? threeDays(first ?? null, settings, deps.nowMs()) : [],
    lastDrill: drill === undefined ? null : { atMs: drill.finishedMs, isOk: drill.outcome === 'ok' },
    drillAtMs: drillAtMs(parts),
    lastPruneAtMs: known.lastPruneAtMs,
    problem: known.problem === null ? null : viewProblem(known.problem).message,
  };
}

/** A daily backup that is due counts as the first; those of the coming days follow. */
function threeDays(
  dueAtMs: number | null,
  { runTime, timeZone }: { readonly runTime: string; readonly timeZone: string },
  nowMs: number,
): number[] {
  const times = dueAtMs !== null && dueAtMs <= nowMs ? [dueAtMs] : [];
  for (let atMs = nowMs; times.length < 3; ) {
    atMs = nextOccurrence(runTime, timeZone, atMs);
    times.push(atMs);
  }
  return times;
}
