import { Worker } from 'node:worker_threads';
import { AppError, type ErrorCode } from '../../shared/errors.ts';
import type { StoredContent } from '../store/contents.ts';
import { syncPacks } from '../store/packs.ts';
import { workerUrl } from '../worker-url.ts';
import type { ReadResult } from './read-file.ts';

export type HashSettings = { readonly dataFolder: string };
export type HashWorkerData = HashSettings & { readonly lane: number; readonly lanes: number };
/** A job, or `forget`: what was written cannot be trusted, so that nothing may refer to it any more. */
export type HashRequest = HashJob | 'forget';
export type HashJob = { readonly jobId: number; readonly paths: readonly string[]; readonly maxBytes: number };
/** Without the checksum, which lies beside: the one of result n at 32 n. */
export type PackedResult =
  | Exclude<ReadResult, { kind: 'content' }>
  | (Omit<Extract<ReadResult, { kind: 'content' }>, 'content'> & { readonly content: Omit<StoredContent, 'sha256'> });
export type HashAnswer = {
  readonly jobId: number;
  readonly results: readonly PackedResult[];
  readonly bytes: ArrayBuffer | null;
  readonly failure: { readonly code: ErrorCode; readonly message: string } | null;
};

export type HashPool = {
  /**
   * Reads all paths; answers in their order. Contents up to 1 MiB are in packs then, and durable after `syncPacks`.
   * Rejects with `data.full` and the like.
   */
  readonly read: (paths: readonly string[], maxBytes: number) => Promise<readonly ReadResult[]>;
  /**
   * Makes these packs durable: the vault may refer to them when this resolves. Rejects with `data.full` and the like;
   * then nothing of what was read may be recorded, and all of it is to be read again.
   */
  readonly sync: (packs: ReadonlySet<number>) => Promise<void>;
  /** Starts the workers before there is a job, as that takes a while: for a burst that is seen coming. */
  readonly warm: () => void;
  /** How many jobs keep all workers busy. */
  readonly width: number;
  readonly stop: () => Promise<void>;
};

const WORKERS = 2;
/** An idle agent stays small: workers end after this long without work. */
const LINGER_MS = 10_000;

type Pending = {
  readonly resolve: (results: readonly ReadResult[]) => void;
  readonly reject: (cause: unknown) => void;
};
type Slot = { worker: Worker | null; readonly pending: Map<number, Pending>; linger: NodeJS.Timeout | null };

export type HashPoolListeners = {
  /** Contents could not be written because the disk is full. */
  readonly onFull?: () => void;
  /** The last worker ended, as there was nothing to do for a while. */
  readonly onIdle?: () => void;
};

export function createHashPool(settings: HashSettings, listeners: HashPoolListeners = {}): HashPool {
  const slots: Slot[] = Array.from({ length: WORKERS }, () => ({ worker: null, pending: new Map(), linger: null }));
  /** Packs that could not be made durable: after a failed sync the system may say that all is well (fsync(2), EIO). */
  const distrusted = new Set<number>();
  let nextJobId = 1;

  const start = (slot: Slot): Worker => {
    const worker = new Worker(workerUrl('hash-worker'), {
      workerData: { ...settings, lane: slots.indexOf(slot), lanes: WORKERS } satisfies HashWorkerData,
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    });
    worker.on('message', (answer: HashAnswer) => {
      const pending = slot.pending.get(answer.jobId);
      slot.pending.delete(answer.jobId);
      rest(slot);
      if (answer.failure?.code === 'data.full') listeners.onFull?.();
      if (answer.failure === null) pending?.resolve(unpack(answer));
      else pending?.reject(new AppError(answer.failure.code, answer.failure.message, { retryable: true }));
    });
    worker.on('error', (cause) => fail(slot, worker, cause));
    worker.on('exit', () => fail(slot, worker, new Error('the reading worker ended')));
    slot.worker = worker;
    return worker;
  };

  const fail = (slot: Slot, worker: Worker, cause: unknown): void => {
    if (slot.worker !== worker) return;
    slot.worker = null;
    for (const pending of slot.pending.values()) pending.reject(cause);
    slot.pending.clear();
  };

  const rest = (slot: Slot): void => {
    if (slot.pending.size > 0) return;
    slot.linger = setTimeout(() => void end(slot).then(tellIdle), LINGER_MS);
    slot.linger.unref();
  };

  const tellIdle = (): void => {
    if (slots.every(({ worker }) => worker === null)) listeners.onIdle?.();
  };

  const end = async (slot: Slot): Promise<void> => {
    if (slot.linger !== null) clearTimeout(slot.linger);
    const worker = slot.worker;
    if (worker === null) return;
    // Pending jobs first: their callers must hear that they were not done.
    fail(slot, worker, new AppError('interrupted', 'The agent is stopping.'));
    await worker.terminate();
  };

  const sync = async (packs: ReadonlySet<number>): Promise<void> => {
    try {
      if ([...packs].some((pack) => distrusted.has(pack)))
        throw new AppError('data.io_error', 'A pack file could not be synced.');
      await syncPacks(settings.dataFolder, packs);
    } catch (cause) {
      if (cause instanceof AppError && cause.code === 'data.full') listeners.onFull?.();
      for (const pack of packs) distrusted.add(pack);
      for (const slot of slots) slot.worker?.postMessage('forget' satisfies HashRequest);
      throw cause;
    }
  };

  return {
    width: WORKERS,
    sync,
    warm: () => {
      for (const slot of slots) {
        if (slot.worker !== null) continue;
        start(slot);
        rest(slot);
      }
    },
    read: (paths, maxBytes) =>
      new Promise((resolve, reject) => {
        const slot = slots.reduce((least, each) => (each.pending.size < least.pending.size ? each : least));
        if (slot.linger !== null) clearTimeout(slot.linger);
        slot.linger = null;
        const jobId = nextJobId;
        nextJobId += 1;
        slot.pending.set(jobId, { resolve, reject });
        (slot.worker ?? start(slot)).postMessage({ jobId, paths, maxBytes } satisfies HashJob);
      }),
    stop: async () => {
      await Promise.all(slots.map(end));
    },
  };
}

function unpack(answer: HashAnswer): ReadResult[] {
  const bytes = Buffer.from(answer.bytes ?? new ArrayBuffer(0));
  return answer.results.map((result, index): ReadResult => {
    if (result.kind !== 'content') return result;
    return { ...result, content: { ...result.content, sha256: bytes.subarray(32 * index, 32 * index + 32) } };
  });
}
