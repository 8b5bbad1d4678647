/** Reads, hashes and compresses files off the main thread. Two of these are 10 to 20 times faster than asynchronous reads. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { AppError, type ErrorCode } from '../../shared/errors.ts';
import type { HashAnswer, HashJob, HashSettings, PackedResult } from './hash-pool.ts';
import { type ReadResult, readVersion } from './read-file.ts';

/**
 * Each compressed result holds a buffer of 64 kB until it is collected, however small it is, and V8 waits long with
 * what it does not see as its own. So the collector is called: memory that is never taken need not be given back.
 */
const COLLECT_EVERY = 64;
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options: { readonly type: 'minor' }) => void;

const settings = workerData as HashSettings;

parentPort?.on('message', (job: HashJob) => {
  void work(job).then(
    (answer) => parentPort?.postMessage(answer, answer.bytes === null ? [] : [answer.bytes]),
    (cause: unknown) => {
      const failure =
        cause instanceof AppError
          ? { code: cause.code, message: cause.message }
          : { code: 'internal' as ErrorCode, message: String(cause) };
      parentPort?.postMessage({ jobId: job.jobId, results: [], bytes: null, failure } satisfies HashAnswer);
    },
  );
});

async function work(job: HashJob): Promise<HashAnswer> {
  const read: ReadResult[] = [];
  for (const [index, path] of job.paths.entries()) {
    read.push(await readVersion({ path, maxBytes: job.maxBytes, dataFolder: settings.dataFolder }));
    if (index % COLLECT_EVERY === COLLECT_EVERY - 1) collect({ type: 'minor' });
  }
  return { jobId: job.jobId, ...packResults(read), failure: null };
}

/** All bytes of the results in one buffer that moves to the main thread without a copy. */
function packResults(read: readonly ReadResult[]): { results: PackedResult[]; bytes: ArrayBuffer } {
  const size = read.reduce(
    (sum, result) => sum + (result.kind === 'content' ? 32 + (result.content.data?.length ?? 0) : 0),
    0,
  );
  const packed = Buffer.allocUnsafeSlow(size);
  let offset = 0;
  const results = read.map((result): PackedResult => {
    if (result.kind !== 'content') return result;
    const { sha256, data, ...rest } = result.content;
    sha256.copy(packed, offset);
    data?.copy(packed, offset + 32);
    const packedResult: PackedResult = {
      kind: 'content',
      stat: result.stat,
      content: rest,
      offset,
      dataBytes: data?.length ?? null,
    };
    offset += 32 + (data?.length ?? 0);
    return packedResult;
  });
  return { results, bytes: packed.buffer as ArrayBuffer };
}
