import { AppError } from '../../shared/errors.ts';
import type { ScanProgress } from '../../shared/model.ts';
import type { IndexedFile } from '../store/captures.ts';
import type { CandidateQueue } from './candidate-queue.ts';
import { captureInLanes } from './capture-lanes.ts';
import type { Candidate } from './capture-paths.ts';
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
/** Captures all candidates of a scan. Rejects with `interrupted` after `signal`, with `data.full` and the like. */
export async function captureAll(context: RootContext, options: CaptureAllOptions): Promise<void> {
  const { parts } = context;
  const { candidates, gone, meter, signal, onProgress } = options;
  const isFree = createOpenFileFilter(context);
  let reportedMs = 0;
  await captureInLanes(context, {
    gone,
    next: async () => {
      const chunk = await candidates.next();
      if (chunk === null) return null;
      if (signal.aborted) throw new AppError('interrupted', 'The scan was stopped.');
      // A file that changed since it was listed has waited since now, however long the scan takes.
      const firstMs = parts.monotonicMs();
      const free = chunk.filter(isFree).map((each) => ({ ...each, firstMs }));
      meter.add(chunk.length - free.length, 0);
      return free;
    },
    onRecorded: (files, bytes) => {
      meter.add(files, bytes);
      const nowMs = parts.monotonicMs();
      if (nowMs - reportedMs < PROGRESS_EVERY_MS) return;
      reportedMs = nowMs;
      onProgress(meter.at(nowMs));
    },
  });
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
