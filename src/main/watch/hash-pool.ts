import { Worker } from 'node:worker_threads';
import { AppError, type ErrorCode } from '../../shared/errors.ts';
import type { StoredContent } from '../store/contents.ts';
import { workerUrl } from '../worker-url.ts';
import type { ReadResult } from './read-file.ts';

export type HashSettings = { readonly dataFolder: string };
export type HashJob = { readonly jobId: number; readonly paths: readonly string[]; readonly maxBytes: number };
export type PackedResult =
  | Exclude<ReadResult, { kind: 'content' }>
  | (Omit<Extract<ReadResult, { kind: 'content' }>, 'content'> & {
      readonly content: Omit<StoredContent, 'sha256' | 'data'>;
      readonly offset: number;
      readonly dataBytes: number | null;
    });
export type HashAnswer = {
  readonly jobId: number;
  readonly results: readonly PackedResult[];
  readonly bytes: ArrayBuffer | null;
  readonly failure: { readonly code: ErrorCode; readonly message: string } | null;
};

export type HashPool = {
  /** Reads all paths; answers in their order. Rejects with `data.full` and the like. */
  readonly read: (paths: readonly string[], maxBytes: number) => Promise<readonly ReadResult[]>;
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

export function createHashPool(settings: HashSettings): HashPool {
  const slots: Slot[] = Array.from({ length: WORKERS }, () => ({ worker: null, pending: new Map(), linger: null }));
  let nextJobId = 1;

  const start = (slot: Slot): Worker => {
    const worker = new Worker(workerUrl('hash-worker'), {
      workerData: settings,
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    });
    worker.on('message', (answer: HashAnswer) => {
      const pending = slot.pending.get(answer.jobId);
      slot.pending.delete(answer.jobId);
      rest(slot);
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
    slot.linger = setTimeout(() => void end(slot), LINGER_MS);
    slot.linger.unref();
  };

  const end = async (slot: Slot): Promise<void> => {
    if (slot.linger !== null) clearTimeout(slot.linger);
    const worker = slot.worker;
    if (worker === null) return;
    // Pending jobs first: their callers must hear that they were not done.
    fail(slot, worker, new AppError('interrupted', 'The agent is stopping.'));
    await worker.terminate();
  };

  return {
    width: WORKERS,
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
  return answer.results.map((result): ReadResult => {
    if (result.kind !== 'content') return result;
    const { offset, dataBytes } = result;
    return {
      kind: 'content',
      stat: result.stat,
      content: {
        ...result.content,
        sha256: bytes.subarray(offset, offset + 32),
        data: dataBytes === null ? null : bytes.subarray(offset + 32, offset + 32 + dataBytes),
      },
    };
  });
}
