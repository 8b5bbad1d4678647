/** Threads that unpack, prove and write the files of a restore: most of its time is theirs. */
import { Worker } from 'node:worker_threads';
import { AppError, type ErrorCode } from '../../shared/errors.ts';
import { workerUrl } from '../worker-url.ts';
import type { SharedRepository } from './repository-types.ts';

/** A file to write into the staging folder of its root. */
export type LaneFile = {
  readonly rootId: number;
  /** Its folder below the staging folder, and its name there. */
  readonly dir: string;
  readonly name: string;
  /** The blob of its whole content. */
  readonly oid: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly mode: number;
  readonly mtimeUs: number | null;
};

export type LaneData = {
  readonly repository: SharedRepository;
  /** Staging folders by root: the place that it lies in, and its name there. */
  readonly staging: readonly { readonly rootId: number; readonly place: string; readonly name: string }[];
};

export type LaneJob = { readonly id: number; readonly files: readonly LaneFile[] };
/** `code`: of the catalogue; `errno`: of the system. */
export type LaneFailure = {
  readonly code: ErrorCode | null;
  readonly errno: string | null;
  readonly message: string;
};
export type LaneAnswer = { readonly id: number; readonly failure: LaneFailure | null };

export type Lanes = {
  /**
   * Writes all files, proven. When it rejects, no thread works any more. `onBatch` hears how many more are done.
   * Rejects with `backup.damaged`, with what the system says, or with the reason of the signal.
   */
  readonly run: (
    files: Iterable<LaneFile>,
    options: { readonly signal?: AbortSignal | undefined; readonly onBatch?: (files: number) => void },
  ) => Promise<void>;
  readonly close: () => Promise<void>;
};

const WIDTH = 2;
/** One is worked on while the next one waits. */
const JOBS_IN_FLIGHT = 2;
const BATCH_FILES = 256;
const BATCH_BYTES = 4 * 1_048_576;

export function openLanes(data: LaneData): Lanes {
  const lanes = Array.from({ length: WIDTH }, () => startLane(data));
  return {
    run: async (files, { signal, onBatch }) => {
      const batches = cutBatches(files);
      let failed = false;
      const drain = async (lane: Lane): Promise<void> => {
        for (let batch = batches.next(); !batch.done && !failed; batch = batches.next()) {
          signal?.throwIfAborted();
          await lane.send(batch.value);
          onBatch?.(batch.value.length);
        }
      };
      const all = lanes.flatMap((lane) =>
        Array.from({ length: JOBS_IN_FLIGHT }, () =>
          drain(lane).catch((cause: unknown) => {
            failed = true;
            throw cause;
          }),
        ),
      );
      // Whoever cleans up after a failure must not meet a thread that still writes.
      const ends = await Promise.allSettled(all);
      const end = ends.find((each) => each.status === 'rejected');
      if (end !== undefined) throw end.reason;
    },
    close: async () => {
      await Promise.all(lanes.map((lane) => lane.end()));
    },
  };
}

function* cutBatches(files: Iterable<LaneFile>): Generator<readonly LaneFile[], undefined> {
  let batch: LaneFile[] = [];
  let bytes = 0;
  for (const file of files) {
    batch.push(file);
    bytes += file.sizeBytes;
    if (batch.length < BATCH_FILES && bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
  return undefined;
}

type Lane = {
  readonly send: (files: readonly LaneFile[]) => Promise<void>;
  readonly end: () => Promise<void>;
};

function startLane(data: LaneData): Lane {
  const pending = new Map<number, { resolve: () => void; reject: (cause: unknown) => void }>();
  let nextId = 1;
  let ended: Error | null = null;
  const worker = new Worker(workerUrl('restore-worker'), {
    workerData: data,
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
  });
  const fail = (cause: Error): void => {
    ended ??= cause;
    for (const { reject } of pending.values()) reject(ended);
    pending.clear();
  };
  worker.on('message', ({ id, failure }: LaneAnswer) => {
    const job = pending.get(id);
    pending.delete(id);
    if (failure === null) job?.resolve();
    else job?.reject(toError(failure));
  });
  worker.on('error', (cause) => fail(cause instanceof Error ? cause : new Error(String(cause))));
  worker.on('exit', () => fail(new Error('a thread of the restore ended')));
  return {
    send: (files) =>
      new Promise((resolve, reject) => {
        if (ended !== null) {
          reject(ended);
          return;
        }
        const id = nextId++;
        pending.set(id, { resolve, reject });
        worker.postMessage({ id, files } satisfies LaneJob);
      }),
    end: async () => {
      await worker.terminate();
    },
  };
}

function toError({ code, errno, message }: LaneFailure): Error {
  if (code !== null) return new AppError(code, message);
  return Object.assign(new Error(message), errno === null ? {} : { code: errno });
}
