/**
 * Which changed paths are ripe. Two clocks, as a save is many events: a path is due when it was quiet for
 * `quietMs`, and at the latest `maxWaitMs` after its first event. Pure but for its own map; time is handed in
 * (a monotonic clock, so that a wall clock that jumps changes nothing).
 */
export type Coalescer = {
  /** Notes an event; returns when the path is due. */
  readonly note: (path: string, nowMs: number) => number;
  /** Holds a path back until a time, keeping its first event: a file that is still being written. */
  readonly postpone: (path: string, firstMs: number, untilMs: number) => void;
  /** Takes out what is due, in the order of the first events. */
  readonly take: (nowMs: number) => readonly DuePath[];
  /** When the next path is due; null when there is none. */
  readonly nextDueMs: () => number | null;
  readonly has: (path: string) => boolean;
  readonly size: () => number;
};

export type DuePath = { readonly path: string; readonly firstMs: number };
export type CoalesceLimits = { readonly quietMs: number; readonly maxWaitMs: number };

type Waiting = { readonly firstMs: number; dueMs: number };

/** @param limits read at each event, so that settings take effect while running */
export function createCoalescer(limits: () => CoalesceLimits): Coalescer {
  const waiting = new Map<string, Waiting>();
  return {
    note: (path, nowMs) => {
      const { quietMs, maxWaitMs } = limits();
      const entry = waiting.get(path);
      const firstMs = entry?.firstMs ?? nowMs;
      const dueMs = Math.min(nowMs + quietMs, Math.max(firstMs + maxWaitMs, nowMs));
      if (entry === undefined) waiting.set(path, { firstMs, dueMs });
      else entry.dueMs = dueMs;
      return dueMs;
    },
    postpone: (path, firstMs, untilMs) => {
      const entry = waiting.get(path);
      waiting.set(path, {
        firstMs: Math.min(firstMs, entry?.firstMs ?? firstMs),
        dueMs: Math.max(untilMs, entry?.dueMs ?? 0),
      });
    },
    take: (nowMs) => {
      const due: DuePath[] = [];
      for (const [path, { firstMs, dueMs }] of waiting) {
        if (dueMs > nowMs) continue;
        due.push({ path, firstMs });
        waiting.delete(path);
      }
      return due.sort((a, b) => a.firstMs - b.firstMs);
    },
    nextDueMs: () => {
      let next: number | null = null;
      for (const { dueMs } of waiting.values()) if (next === null || dueMs < next) next = dueMs;
      return next;
    },
    has: (path) => waiting.has(path),
    size: () => waiting.size,
  };
}
