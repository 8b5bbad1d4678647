/** Reads, hashes and compresses files off the main thread. Two of these are 10 to 20 times faster than asynchronous reads. */
import { hash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { AppError, type ErrorCode } from '../../shared/errors.ts';
import { openContentLookup, type StoredContent } from '../store/contents.ts';
import { createPackWriter, type PackedContent } from '../store/pack-writer.ts';
import type { HashAnswer, HashJob, HashRequest, HashWorkerData, PackedResult } from './hash-pool.ts';
import { type ReadResult, readVersion } from './read-file.ts';

/**
 * V8 waits long with what it does not see as its own, such as the bytes behind a buffer. So the collector is called:
 * memory that is never taken need not be given back.
 */
const COLLECT_EVERY = 256;
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options: { readonly type: 'minor' }) => void;

const { dataFolder, lane, lanes } = workerData as HashWorkerData;
const packs = createPackWriter({ dataFolder, lane, lanes });
const known = openContentLookup(dataFolder);
/** What this worker put into packs lately and the vault may not refer to yet: equal files often come together. */
const recent = new Map<string, PackedContent>();
const RECENT = 2_048;

parentPort?.on('message', (job: HashRequest) => {
  if (job === 'forget') {
    recent.clear();
    packs.abandon();
    return;
  }
  void work(job).then(
    (answer) => parentPort?.postMessage(answer, answer.bytes === null ? [] : [answer.bytes]),
    (cause: unknown) => {
      // Nobody hears where its contents lie: on a full disk their space is needed.
      recent.clear();
      packs.rollBack();
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
    read.push(await readVersion({ path, maxBytes: job.maxBytes, dataFolder, keep: keepInPack }));
    if (index % COLLECT_EVERY === COLLECT_EVERY - 1) collect({ type: 'minor' });
  }
  packs.flush();
  return { jobId: job.jobId, ...packResults(read), failure: null };
}

function keepInPack(bytes: Buffer): StoredContent {
  const sha256 = hash('sha256', bytes, 'buffer');
  const key = sha256.toString('latin1');
  const before = recent.get(key);
  if (before !== undefined) return before;
  if (known.isKnown(sha256))
    return { sha256, sizeBytes: bytes.length, encoding: 'raw', data: null, storedBytes: 0, place: 'known' };
  const content = packs.add(sha256, bytes);
  if (recent.size >= RECENT) recent.clear();
  recent.set(key, content);
  return content;
}

/** All checksums in one buffer that moves to the main thread without a copy. */
function packResults(read: readonly ReadResult[]): { results: PackedResult[]; bytes: ArrayBuffer } {
  const packed = Buffer.allocUnsafeSlow(32 * read.length);
  const results = read.map((result, index): PackedResult => {
    if (result.kind !== 'content') return result;
    const { sha256, ...content } = result.content;
    sha256.copy(packed, 32 * index);
    return { ...result, content };
  });
  return { results, bytes: packed.buffer as ArrayBuffer };
}
