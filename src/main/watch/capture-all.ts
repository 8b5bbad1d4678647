import { AppError } from '../../shared/errors.ts';
import type { ScanProgress } from '../../shared/model.ts';
import type { IndexedFile } from '../store/captures.ts';
import type { CandidateQueue } from './candidate-queue.ts';
import { type Candidate, commitChunks, type ReadChunk, readChunk } from './capture-paths.ts';
import type { ProgressMeter } from './progress.ts';
import type { RootContext } from './root-context.ts';

export type CaptureAllOptions = {
  readonly candidates: CandidateQueue;
  /** Files that are gone; those that turn out to be renamed are taken out. */
  readonly gone: Map<string, IndexedFile>;
  readonly meter: ProgressMeter;
  readonly onProgress: (progress: ScanProgress) => void;
  readonly signal: AbortSignal;
};

const PROGRESS_EVERY_MS = 250;
const COMMIT_FILES = 3_000;
const COMMIT_BYTES = 32_000_000;

/**
 * Reads in several lanes and records together what they read: one durable transaction costs the disk as much as
 * hundreds of files cost the processor.
 */
export async function captureAll(context: RootContext, options: CaptureAllOptions): Promise<void> {
  const { parts } = context;
  const { candidates, gone, meter, signal, onProgress } = options;
  const isFree = createOpenFileFilter(context);
  let read: ReadChunk[] = [];
  let readFiles = 0;
  let readBytes = 0;
  let reportedMs = 0;
  const commit = (): void => {
    const batch = read;
    read = [];
    commitChunks(context, batch, gone);
    meter.add(readFiles, readBytes);
    readFiles = 0;
    readBytes = 0;
    const nowMs = parts.monotonicMs();
    if (nowMs - reportedMs < PROGRESS_EVERY_MS) return;
    reportedMs = nowMs;
    onProgress(meter.at(nowMs));
  };
  let hasFailed = false;
  const lane = async (): Promise<void> => {
    for (let chunk = await candidates.next(); chunk !== null; chunk = await candidates.next()) {
      if (signal.aborted) throw new AppError('interrupted', 'The scan was stopped.');
      if (hasFailed) return;
      // A file that changed since it was listed has waited since now, however long the scan takes.
      const firstMs = parts.monotonicMs();
      const listed = chunk.filter(isFree).map((each) => ({ ...each, firstMs }));
      // In two steps: another lane may put a new list into `read` while this one waits.
      const done = await readChunk(context, listed);
      read.push(done);
      readFiles += chunk.length;
      readBytes += chunk.reduce((sum, candidate) => sum + candidate.stat.sizeBytes, 0);
      if (readFiles >= COMMIT_FILES || readBytes >= COMMIT_BYTES) commit();
    }
  };
  const untilFailure = async (): Promise<void> => {
    try {
      await lane();
    } catch (cause) {
      hasFailed = true;
      throw cause;
    }
  };
  // Two jobs for each worker: one is read while the results of the other are recorded.
  const lanes = await Promise.allSettled(Array.from({ length: parts.pool.width * 2 }, untilFailure));
  // After the last lane has ended, also when one failed: what was read is whole.
  if (read.length > 0) commit();
  for (const each of lanes) if (each.status === 'rejected') throw each.reason;
}

/** A file that a program is writing (a download, say) waits for its writer like any save. */
function createOpenFileFilter(context: RootContext): (candidate: Candidate) => boolean {
  const open = context.parts.writers.openBelow(context.rootPath);
  return (candidate) => {
    if (!open.has(`${context.rootPath}/${candidate.path}`)) return true;
    context.coalescer.note(candidate.path, candidate.firstMs);
    context.wake();
    return false;
  };
}
