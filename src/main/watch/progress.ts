import type { ScanProgress } from '../../shared/model.ts';

/** Counts a scan so that its progress never goes back and its estimate is honest. Time is monotonic milliseconds. */
export type ProgressMeter = {
  readonly list: (files: number, bytes: number) => void;
  readonly add: (files: number, bytes: number) => void;
  readonly at: (nowMs: number) => ScanProgress;
  readonly finish: () => void;
};

const ETA_AFTER_MS = 5_000;
const ETA_AFTER_SHARE = 0.05;

export function createProgressMeter(rootId: number, root: string, startMs: number): ProgressMeter {
  let phase: ScanProgress['phase'] = 'listing';
  const total = { files: 0, bytes: 0 };
  const done = { files: 0, bytes: 0 };
  let smoothedEtaMs: number | null = null;
  return {
    list: (files, bytes) => {
      total.files += files;
      total.bytes += bytes;
    },
    add: (files, bytes) => {
      phase = 'capturing';
      done.files += files;
      done.bytes += bytes;
      total.files = Math.max(total.files, done.files);
      total.bytes = Math.max(total.bytes, done.bytes);
    },
    finish: () => {
      phase = 'done';
    },
    at: (nowMs) => {
      const elapsedMs = Math.max(1, nowMs - startMs);
      const share = shareDone(done, total);
      if (phase === 'capturing' && elapsedMs >= ETA_AFTER_MS && share >= ETA_AFTER_SHARE) {
        const etaMs = (elapsedMs * (1 - share)) / share;
        smoothedEtaMs = smoothedEtaMs === null ? etaMs : smoothedEtaMs * 0.7 + etaMs * 0.3;
      }
      return {
        rootId,
        root,
        phase,
        doneFiles: done.files,
        totalFiles: total.files,
        doneBytes: done.bytes,
        totalBytes: total.bytes,
        filesPerSecond: (done.files * 1_000) / elapsedMs,
        bytesPerSecond: (done.bytes * 1_000) / elapsedMs,
        etaMs: phase === 'capturing' ? smoothedEtaMs : null,
      };
    },
  };
}

/** Files and bytes count alike: many small files cost time without bytes, few large ones the reverse. */
function shareDone(done: { files: number; bytes: number }, total: { files: number; bytes: number }): number {
  const files = total.files === 0 ? 1 : done.files / total.files;
  const bytes = total.bytes === 0 ? files : done.bytes / total.bytes;
  return (files + bytes) / 2;
}
