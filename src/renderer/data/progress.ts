import type { ScanProgress } from '../../shared/model.ts';

/** The newest progress of each root that is being read. */
export type ProgressByRoot = ReadonlyMap<number, ScanProgress>;

/** Takes in a report. A finished root leaves; while one goes on its numbers never fall, whatever order reports come in. */
export function takeProgress(known: ProgressByRoot, report: ScanProgress): ProgressByRoot {
  const next = new Map(known);
  const before = known.get(report.rootId);
  if (report.phase === 'done') next.delete(report.rootId);
  else if (before === undefined || before.phase !== report.phase) next.set(report.rootId, report);
  else {
    next.set(report.rootId, {
      ...report,
      doneFiles: Math.max(before.doneFiles, report.doneFiles),
      doneBytes: Math.max(before.doneBytes, report.doneBytes),
    });
  }
  return next;
}

/** The done share from 0 to 1, or null while the total is not known. By bytes, because files differ in size. */
export function progressShare(progress: ScanProgress): number | null {
  if (progress.phase === 'listing' || progress.totalFiles === 0) return null;
  const share =
    progress.totalBytes > 0 ? progress.doneBytes / progress.totalBytes : progress.doneFiles / progress.totalFiles;
  return Math.min(1, Math.max(0, share));
}
