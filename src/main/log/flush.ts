import type { LogEntry } from './log.ts';

/** Gathers log records and hands them on in batches, so that the vault is written once a second and not once a line. */
export type LogFlush = {
  readonly add: (entry: LogEntry) => void;
  /** Hands on what waits, now. Never throws: what could not be stored waits for the next time. */
  readonly flush: () => void;
  /** The last flush; no timer remains. What comes later is counted as dropped. */
  readonly stop: () => void;
  readonly stats: () => { readonly waiting: number; readonly dropped: number };
};

export type LogFlushOptions = {
  /** Stores the records in one transaction, or throws and stores none. */
  readonly append: (entries: readonly LogEntry[]) => void;
  readonly delayMs: number;
  readonly nowMs: () => number;
  /** The most records that wait while they cannot be stored; the oldest are dropped first. */
  readonly capacity?: number;
};

const LONGEST_DELAY_MS = 60_000;

/** While `append` fails, the delay doubles up to a minute. The first batch after a loss says how many records it lacks. */
export function createLogFlush({ append, delayMs, nowMs, capacity = 5_000 }: LogFlushOptions): LogFlush {
  let waiting: LogEntry[] = [];
  let dropped = 0;
  let untold = 0;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const drop = (count: number): void => {
    dropped += count;
    untold += count;
  };

  const schedule = (): void => {
    if (stopped || timer !== undefined || waiting.length === 0) return;
    timer = setTimeout(flush, Math.min(delayMs * 2 ** failures, LONGEST_DELAY_MS));
    timer.unref();
  };

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length === 0) return;
    const batch = untold === 0 ? waiting : [lossEntry(untold, nowMs()), ...waiting];
    waiting = [];
    try {
      append(batch);
      failures = 0;
      untold = 0;
    } catch {
      // The vault cannot take them now (full disk, say): its own writer reports that; here they wait.
      failures += 1;
      waiting = [...(untold === 0 ? batch : batch.slice(1)), ...waiting];
      trim();
    }
    schedule();
  };

  const trim = (): void => {
    if (waiting.length <= capacity) return;
    drop(waiting.length - capacity);
    waiting = waiting.slice(-capacity);
  };

  return {
    add: (entry) => {
      if (stopped) {
        drop(1);
        return;
      }
      waiting.push(entry);
      if (waiting.length > capacity * 1.1) trim();
      schedule();
    },
    flush,
    stop: () => {
      flush();
      stopped = true;
      clearTimeout(timer);
      timer = undefined;
      drop(waiting.length);
      waiting = [];
    },
    stats: () => ({ waiting: waiting.length, dropped }),
  };
}

function lossEntry(count: number, timeMs: number): LogEntry {
  return {
    timeMs,
    level: 'warn',
    component: 'log',
    message: `${count} log records could not be stored in the vault; they may be in the log files.`,
    runId: null,
    durationMs: null,
    data: { dropped: count },
  };
}
