/** When the next backup is made by itself, and why: decided from stored facts, so that a sleep or a crash loses none. */
import { lastOccurrence, nextOccurrence } from './local-time.ts';

export type NextBackupFacts = {
  readonly nowMs: number;
  readonly isOn: boolean;
  /** When backups began on this data folder: what was due before is not made up for. */
  readonly firstSeenAtMs: number;
  readonly lastDailyAtMs: number | null;
  readonly lastConfigAtMs: number | null;
  readonly isConfigChanged: boolean;
  readonly firstUnsavedAtMs: number | null;
  readonly lastUnsavedAtMs: number | null;
  readonly quietMs: number;
  readonly runTime: string;
  readonly timeZone: string;
  /** After a failure; null when the last one succeeded. */
  readonly notBeforeMs: number | null;
};

export type NextBackup = { readonly reason: 'change' | 'daily' | 'config'; readonly atMs: number };

/** Changes that never pause are backed up at the latest this long after the first of them. */
export const MOST_WAIT_MS = 10 * 60_000;
const CONFIG_EVERY_MS = 60_000;

/**
 * The earliest of: a daily backup (one that was missed is due now, once, however many days were slept through), a
 * pause in the changes, changed settings. null while backups are switched off.
 */
export function nextBackup(facts: NextBackupFacts): NextBackup | null {
  if (!facts.isOn) return null;
  const due = [daily(facts), ...change(facts), ...config(facts)].sort((a, b) => a.atMs - b.atMs)[0];
  if (due === undefined) return null;
  return { reason: due.reason, atMs: Math.max(due.atMs, facts.notBeforeMs ?? 0) };
}

function daily(facts: NextBackupFacts): NextBackup {
  const { nowMs, runTime, timeZone } = facts;
  const last = lastOccurrence(runTime, timeZone, nowMs);
  // A stamp from the future is one of a clock that was wrong: it must not silence the days until then.
  const doneAtMs = Math.min(facts.lastDailyAtMs ?? facts.firstSeenAtMs, nowMs);
  return { reason: 'daily', atMs: doneAtMs < last ? last : nextOccurrence(runTime, timeZone, nowMs) };
}

function change({ nowMs, firstUnsavedAtMs, lastUnsavedAtMs, quietMs }: NextBackupFacts): NextBackup[] {
  if (firstUnsavedAtMs === null || lastUnsavedAtMs === null) return [];
  // Times of versions are those of the wall clock: after a jump back they lie ahead.
  const last = Math.min(lastUnsavedAtMs, nowMs);
  const first = Math.min(firstUnsavedAtMs, last);
  return [{ reason: 'change', atMs: Math.min(last + quietMs, first + Math.max(MOST_WAIT_MS, quietMs)) }];
}

function config({ nowMs, isConfigChanged, lastConfigAtMs }: NextBackupFacts): NextBackup[] {
  if (!isConfigChanged) return [];
  const lastMs = Math.min(lastConfigAtMs ?? 0, nowMs);
  return [{ reason: 'config', atMs: Math.max(lastMs + CONFIG_EVERY_MS, 0) }];
}
