import type { ScanProgress } from '../../../shared/model.ts';
import { displayPath, formatBytes, formatDuration, grouped } from './format.ts';

/** What to print at a step of progress: `line` replaces the bar on a terminal, or is a line of its own elsewhere. */
export type ProgressView = {
  readonly update: (progress: ScanProgress) => string | null;
  /** True once every folder that began is done. */
  readonly isDone: () => boolean;
};

const STEP = 0.1;
const BAR_WIDTH = 20;

/**
 * The first capture in words: phase, items, bytes, rate, and the estimate once it is honest. The share shown never
 * goes back, also when a folder turns out larger than was known. A terminal of `width` characters gets every step,
 * anything else (null) one line per tenth.
 */
export function createProgressView(width: number | null): ProgressView {
  const folders = new Map<number, ScanProgress>();
  let shown = 0;
  let lastStep = -1;
  let listed = false;
  return {
    update: (progress) => {
      folders.set(progress.rootId, progress);
      const all = [...folders.values()];
      const share = all.every((one) => one.phase === 'done') ? 1 : Math.min(0.99, shareOf(all));
      shown = Math.max(shown, share);
      if (width !== null) return fitLine(barLine(all, shown), width);
      if (all.some((one) => one.phase === 'listing')) {
        if (listed) return null;
        listed = true;
        return `Listing ${displayPath(progress.root)}`;
      }
      // Nothing was captured: a start that finds nothing new is not worth a line.
      if (shown === 1 && lastStep < 0 && all.every((one) => one.doneFiles === 0)) return null;
      const step = Math.floor(shown / STEP + 1e-9);
      if (step <= lastStep) return null;
      lastStep = step;
      return plainLine(all, shown);
    },
    isDone: () => folders.size > 0 && [...folders.values()].every((one) => one.phase === 'done'),
  };
}

function sum(all: readonly ScanProgress[], of: (one: ScanProgress) => number): number {
  return all.reduce((total, one) => total + of(one), 0);
}

/** Files and bytes count alike: many small files cost time without bytes, few large ones the reverse. */
function shareOf(all: readonly ScanProgress[]): number {
  const files =
    sum(all, (one) => one.doneFiles) /
    Math.max(
      1,
      sum(all, (one) => one.totalFiles),
    );
  const bytes = sum(all, (one) => one.totalBytes);
  return bytes === 0 ? files : (files + sum(all, (one) => one.doneBytes) / bytes) / 2;
}

function amounts(all: readonly ScanProgress[]): string {
  const active = all.filter((one) => one.phase === 'capturing');
  const files = `${grouped(sum(all, (one) => one.doneFiles))} of ${grouped(sum(all, (one) => one.totalFiles))} files`;
  const bytes = `${formatBytes(sum(all, (one) => one.doneBytes))} of ${formatBytes(sum(all, (one) => one.totalBytes))}`;
  const rate = active.length === 0 ? '' : `, ${formatBytes(Math.round(sum(active, (one) => one.bytesPerSecond)))}/s`;
  const etas = active.flatMap((one) => one.etaMs ?? []);
  const eta =
    active.length === 0 || etas.length < active.length ? '' : `, about ${formatDuration(Math.max(...etas))} left`;
  return `${files}, ${bytes}${rate}${eta}`;
}

function barLine(all: readonly ScanProgress[], share: number): string {
  if (all.some((one) => one.phase === 'listing') && share === 0) {
    return `Listing files: ${grouped(sum(all, (one) => one.totalFiles))} found`;
  }
  const filled = Math.floor(share * BAR_WIDTH);
  return `Capturing [${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] ${Math.floor(share * 100)} %  ${amounts(all)}`;
}

function plainLine(all: readonly ScanProgress[], share: number): string {
  return `Capturing: ${Math.floor(share * 100 + 1e-9)} % (${amounts(all)})`;
}

function fitLine(line: string, width: number): string {
  return line.length < width ? line : `${line.slice(0, Math.max(0, width - 2))}…`;
}
