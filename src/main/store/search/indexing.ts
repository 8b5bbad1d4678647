import { isDamage } from './index-file.ts';
import type { Indexer, StepLimits } from './indexer.ts';
import type { WorkerHandle, WorkerListeners, WorkerOutcome } from './worker-handle.ts';

/** Keeps the index following the vault: small changes in slices in this thread, large ones in a worker. */
export type Indexing = {
  readonly start: () => void;
  readonly wake: () => void;
  readonly idle: () => Promise<void>;
  /** The index turned out to be damaged: makes it again. */
  readonly remake: (reason: string) => void;
  readonly stop: () => Promise<void>;
};

export type IndexingOptions = {
  readonly startWorker: (listeners: WorkerListeners) => WorkerHandle;
  /** Of the open index; opens it, or makes it, when it is not open. Throws when neither is possible. */
  readonly indexer: () => Indexer;
  readonly newestChange: () => number;
  /** Throws the index away; the next `indexer()` makes a new one. */
  readonly remake: () => void;
  readonly onProblem: (message: string) => void;
  readonly nowMs: () => number;
};

/** More than this at once goes to the worker. */
const INLINE_DOCUMENTS = 64;
const INLINE_BYTES = 1_048_576;
/** One slice in the agent's own thread: a few milliseconds. */
const SLICE: StepLimits = { documents: 8, bytes: 131_072 };
/** The worker tidies up after this many small commits. */
const MOST_UNMERGED = 64;
const PAUSE_MS = 30_000;
/** An index that is damaged again so soon lies on a bad disk: making it again would not end. */
const SOONEST_REMAKE_MS = 60_000;

type Waiter = { readonly upTo: number; readonly resolve: () => void; readonly reject: (reason: Error) => void };

export function createIndexing(options: IndexingOptions): Indexing {
  let running = false;
  let worker: WorkerHandle | null = null;
  let next: NodeJS.Immediate | null = null;
  let pause: NodeJS.Timeout | null = null;
  let mustRemake = false;
  let remadeAtMs = Number.NEGATIVE_INFINITY;
  let waiters: readonly Waiter[] = [];

  const schedule = (): void => {
    if (running && next === null && pause === null) next = setImmediate(run);
  };
  const wake = (): void => {
    if (worker === null) schedule();
    else worker.wake();
  };

  const run = (): void => {
    next = null;
    try {
      if (worker === null) advance();
      settle();
    } catch (cause) {
      fail(cause);
    }
  };
  const advance = (): void => {
    if (mustRemake) remakeNow();
    const indexer = options.indexer();
    if (needsWorker(indexer)) startWorker();
    else if (indexer.step(SLICE) > 0) schedule();
  };
  const fail = (cause: unknown): void => {
    if (isDamage(cause)) remake((cause as Error).message);
    else rest((cause as Error).message);
  };

  const startWorker = (): void => {
    worker = options.startWorker({
      onProgress: () => {
        try {
          settle();
        } catch (cause) {
          fail(cause);
        }
      },
      onProblem: options.onProblem,
      onEnd: ({ failure }: WorkerOutcome) => {
        worker = null;
        if (failure?.damaged) remake(failure.message);
        else if (failure !== null) rest(failure.message);
        // What was committed while the thread was ending woke nobody.
        else schedule();
      },
    });
  };

  /** Waits before the next attempt: what failed (a full disk, say) rarely mends at once. */
  const rest = (reason: string): void => {
    if (!running || pause !== null) return;
    options.onProblem(`Indexing for search pauses for ${PAUSE_MS / 1_000} seconds: ${reason}`);
    pause = setTimeout(() => {
      pause = null;
      schedule();
    }, PAUSE_MS).unref();
  };

  const remake = (reason: string): void => {
    mustRemake = true;
    if (options.nowMs() - remadeAtMs < SOONEST_REMAKE_MS) {
      rest(`the search index is damaged again: ${reason}`);
      return;
    }
    options.onProblem(`The search index is damaged and is made again: ${reason}`);
    // A worker has the file open; it is made again when the worker is gone.
    if (worker === null) schedule();
    else void worker.stop();
  };

  const remakeNow = (): void => {
    options.remake();
    mustRemake = false;
    remadeAtMs = options.nowMs();
  };

  const settle = (): void => {
    if (waiters.length === 0) return;
    const { knows } = options.indexer();
    const known = waiters.filter((waiter) => knows(waiter.upTo));
    waiters = waiters.filter((waiter) => !known.includes(waiter));
    for (const { resolve } of known) resolve();
  };

  return {
    start: () => {
      running = true;
      schedule();
    },
    wake,
    idle: () =>
      new Promise((resolve, reject) => {
        if (!running) return reject(new Error('the search index is not running'));
        waiters = [...waiters, { upTo: options.newestChange(), resolve, reject }];
        // A worker that has nothing to do says nothing: perhaps all is known already.
        schedule();
        wake();
      }),
    remake,
    stop: async () => {
      running = false;
      if (next !== null) clearImmediate(next);
      if (pause !== null) clearTimeout(pause);
      next = null;
      pause = null;
      const pending = waiters;
      waiters = [];
      for (const { reject } of pending) reject(new Error('the search index was stopped'));
      await worker?.stop();
    },
  };
}

function needsWorker(indexer: Indexer): boolean {
  const backlog = indexer.backlog(INLINE_DOCUMENTS + 1);
  if (backlog.documents > INLINE_DOCUMENTS || backlog.bytes > INLINE_BYTES) return true;
  return indexer.unmerged() >= MOST_UNMERGED;
}
