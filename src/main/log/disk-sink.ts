import { createLineFile } from './line-file.ts';
import type { LogEntry, LogStats } from './log.ts';
import type { LogLimits } from './rotation.ts';

/** Puts records on the disk, and lives through a disk that does not take them. */
export type DiskSink = {
  /** Never throws. */
  readonly write: (entry: LogEntry) => void;
  readonly setLimits: (limits: LogLimits) => void;
  readonly stats: () => LogStats;
  readonly close: () => void;
};

const MOST_HELD = 200;
/** A disk that failed is asked again after this long, not for each record. */
const RETRY_AFTER_MS = 10_000;

/**
 * While the disk fails the newest 200 records are held and older ones counted as dropped. When it works again, a record
 * says how many were lost, the held ones follow, and writing goes on.
 */
export function createDiskSink(folder: string, limits: LogLimits, render: (entry: LogEntry) => string): DiskSink {
  const file = createLineFile(folder, limits);
  const held: LogEntry[] = [];
  let dropped = 0;
  let untold = 0;
  let failing: { readonly reason: string; readonly triedAtMs: number } | null = null;

  const put = (entry: LogEntry, nowMs: number): void => file.append(render(entry), nowMs);

  /** Writes what is held; each record leaves the queue when it is on the disk. */
  const release = (nowMs: number): void => {
    if (untold > 0) put(lossEntry(untold, held.length, nowMs), nowMs);
    untold = 0;
    for (let entry = held[0]; entry !== undefined; entry = held[0]) {
      put(entry, nowMs);
      held.shift();
    }
  };

  const attempt = (work: () => void, nowMs: number): void => {
    try {
      work();
      failing = null;
    } catch (error) {
      failing = { reason: (error as Error).message, triedAtMs: nowMs };
    }
  };

  return {
    write: (entry) => {
      const nowMs = entry.timeMs;
      held.push(entry);
      // The difference counts in both directions: the clock may jump back.
      if (failing === null || Math.abs(nowMs - failing.triedAtMs) >= RETRY_AFTER_MS)
        attempt(() => release(nowMs), nowMs);
      if (held.length <= MOST_HELD) return;
      held.shift();
      dropped += 1;
      untold += 1;
    },
    setLimits: file.setLimits,
    stats: () => ({ failing: failing?.reason ?? null, dropped }),
    close: () => {
      const last = held.at(-1);
      // The last chance for what is held; what a failing disk still refuses is lost with the process.
      if (last !== undefined) attempt(() => release(last.timeMs), last.timeMs);
      try {
        file.close();
      } catch (error) {
        failing = { reason: (error as Error).message, triedAtMs: 0 };
      }
    },
  };
}

function lossEntry(lost: number, kept: number, timeMs: number): LogEntry {
  return {
    timeMs,
    level: 'warn',
    component: 'log',
    message: `The log could not be written for a while: ${lost} records are lost, the ${kept} after this one were kept in memory.`,
    runId: null,
    durationMs: null,
    data: { lost, kept },
  };
}
