/** Notices an agent that ends unexpectedly again and again: what it sends may be what it falls over. */
import { z } from 'zod';

export const CRASHES = 3;
export const CRASH_WINDOW_MS = 5 * 60_000;

export type SafeMode = { readonly sinceMs: number };

export type CrashGuard = {
  /** To be called once at the start of an agent that runs. */
  readonly noteStart: (endedCleanly: boolean) => void;
  readonly safeMode: () => SafeMode | null;
  /** A person says that sending is to go on. */
  readonly leave: () => void;
};

type Notes = { readonly get: (key: string) => string | null; readonly set: (key: string, value: string) => void };

const KEY = 'crashes';
const stored = z.object({ atMs: z.array(z.number()), safeSinceMs: z.number().nullable() });
type Stored = z.infer<typeof stored>;
const NONE: Stored = { atMs: [], safeSinceMs: null };

/** The crashes that count after one more start. Pure. */
export function afterStart(known: Stored, nowMs: number, endedCleanly: boolean): Stored {
  // A time in the future comes from before a clock jumped back.
  const recent = known.atMs.filter((atMs) => Math.abs(nowMs - atMs) <= CRASH_WINDOW_MS);
  const atMs = endedCleanly ? recent : [...recent, nowMs];
  return { atMs, safeSinceMs: known.safeSinceMs ?? (atMs.length >= CRASHES ? nowMs : null) };
}

export function createCrashGuard(notes: Notes, nowMs: () => number): CrashGuard {
  const read = (): Stored => {
    const text = notes.get(KEY);
    if (text === null) return NONE;
    const parsed = stored.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : NONE;
  };
  let now = read();
  const save = (next: Stored): void => {
    if (JSON.stringify(next) === JSON.stringify(now)) return;
    now = next;
    notes.set(KEY, JSON.stringify(next));
  };
  return {
    noteStart: (endedCleanly) => save(afterStart(now, nowMs(), endedCleanly)),
    safeMode: () => (now.safeSinceMs === null ? null : { sinceMs: now.safeSinceMs }),
    leave: () => save(NONE),
  };
}
