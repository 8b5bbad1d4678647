import { Worker } from 'node:worker_threads';
import { workerUrl } from '../worker-url.ts';
import type { CheckpointTask, FromCheckpointWorker, ToCheckpointWorker } from './checkpoint-worker.ts';
import { AUTOCHECKPOINT_FRAMES, type Db, type Store } from './database.ts';

/**
 * Takes the copying of the log into the file away from whoever writes: a commit waits for one sync of the log and not,
 * now and then, for thousands of pages and two syncs more. What is durable stays what it was: a commit is in the synced
 * log, and the log is copied and synced into the file before it begins anew (sqlite.org/wal.html).
 */
export type Checkpointer = {
  /** Ends after the copy that runs; the connection that writes does it by itself again. Safe to repeat. */
  readonly stop: () => Promise<void>;
};

/** How much of the log is there, and how much of it is in the file, in pages. */
export type LogFrames = { readonly log: number; readonly checkpointed: number };

export type CheckpointerOptions = {
  /** So many pages are worth a copy; as many as a connection of its own would let come together. */
  readonly everyFrames?: number;
  /** Without work for so long the thread ends. */
  readonly lingerMs?: number;
  readonly onProblem: (message: string) => void;
};

/** When the thread does not keep up, or cannot start, the writing connection copies by itself from here on. */
const LIMIT_TIMES = 4;
/** So small a part of it is copied in a few milliseconds: 250 pages. */
const FEW = 1 / 16;
const MOST_PASSES = 4;
const LINGER_MS = 10_000;

export function readFrames(db: Db): LogFrames {
  const [frames] = db.pragma('wal_checkpoint(NOOP)') as LogFrames[];
  return frames ?? { log: 0, checkpointed: 0 };
}

export function startCheckpointer(store: Store, options: CheckpointerOptions): Checkpointer {
  const { everyFrames = AUTOCHECKPOINT_FRAMES, lingerMs = LINGER_MS, onProblem } = options;
  const frames = store.db.prepare<[], LogFrames>('PRAGMA wal_checkpoint(NOOP)');
  let worker: Worker | null = null;
  let ended: Promise<unknown> = Promise.resolve();
  let isCopying = false;
  let isOver = false;
  let passes = 0;
  let linger: NodeJS.Timeout | null = null;
  /** How long the log was when a reader kept a copy from its end: not again before as much has come once more. */
  let keptAt: number | null = null;

  const waiting = (): number => {
    const { log, checkpointed } = frames.get() ?? { log: 0, checkpointed: 0 };
    return log - checkpointed;
  };
  const copy = (): void => {
    passes += 1;
    isCopying = true;
    if (linger !== null) clearTimeout(linger);
    worker ??= start();
    worker.postMessage('copy' satisfies ToCheckpointWorker);
  };
  const look = (): void => {
    if (isCopying || isOver || waiting() < everyFrames) return;
    const { log } = readFrames(store.db);
    if (keptAt !== null && log >= keptAt && log < keptAt + everyFrames) return;
    passes = 0;
    copy();
  };
  const copied = ({ isWhole, failure }: FromCheckpointWorker): void => {
    isCopying = false;
    linger = setTimeout(end, lingerMs);
    linger.unref();
    if (isOver) return;
    if (failure !== null) onProblem(failure);
    keptAt = isWhole ? null : readFrames(store.db).log;
    if (!isWhole) return;
    // What was written meanwhile; each time it is less.
    if (waiting() > everyFrames * FEW && passes < MOST_PASSES) copy();
    else copyRest();
  };
  /** Only a log that is copied to its end can begin anew, and between two writes nothing is added to it. */
  const copyRest = (): void => {
    try {
      store.db.pragma('wal_checkpoint(PASSIVE)');
    } catch (cause) {
      onProblem(String(cause));
    }
  };
  const start = (): Worker => {
    const made = new Worker(workerUrl('checkpoint-worker'), {
      workerData: { dataFolder: store.dataFolder } satisfies CheckpointTask,
      resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 32 },
    });
    made.unref();
    made.on('message', copied);
    made.on('error', (cause) => {
      giveUp();
      onProblem(String(cause));
    });
    ended = Promise.all([ended, new Promise<void>((resolve) => made.on('exit', () => resolve()))]);
    return made;
  };
  const end = (): void => {
    if (linger !== null) clearTimeout(linger);
    worker?.postMessage('end' satisfies ToCheckpointWorker);
    worker = null;
  };
  /** The connection that writes copies by itself, as it does without this. */
  const giveUp = (): void => {
    isOver = true;
    worker = null;
    store.onCommit(() => undefined);
    if (store.db.open) store.db.pragma(`wal_autocheckpoint = ${AUTOCHECKPOINT_FRAMES}`);
  };

  store.db.pragma(`wal_autocheckpoint = ${LIMIT_TIMES * everyFrames}`);
  store.onCommit(look);
  return {
    stop: async () => {
      end();
      giveUp();
      await ended;
    },
  };
}
