import { readFileSync } from 'node:fs';

/**
 * Counts events without a pause between them. The kernel's queue overflows silently (libuv drops IN_Q_OVERFLOW), but
 * an overflow means that a whole queue was delivered at once: after that many events, when quiet returns, a scan finds
 * what was lost. One detector serves all roots, as they share the queue.
 */
export type BurstDetector = { readonly event: () => void; readonly stop: () => void };

export type BurstOptions = {
  readonly nowMs: () => number;
  /** From which count on events may have been lost. */
  readonly threshold: number;
  readonly onQuietAgain: () => void;
};

const GAP_MS = 1_000;

export function createBurstDetector(options: BurstOptions): BurstDetector {
  let count = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | null = null;
  const check = (): void => {
    timer = null;
    if (options.nowMs() - lastMs < GAP_MS) {
      timer = setTimeout(check, GAP_MS);
      return;
    }
    count = 0;
    options.onQuietAgain();
  };
  return {
    event: () => {
      const nowMs = options.nowMs();
      count = nowMs - lastMs > GAP_MS ? 1 : count + 1;
      lastMs = nowMs;
      if (count >= options.threshold && timer === null) timer = setTimeout(check, GAP_MS);
    },
    stop: () => {
      if (timer !== null) clearTimeout(timer);
    },
  };
}

/** A quarter of the kernel's queue (inotify(7): 16,384 by default), so that a burst is noticed well before it overflows. */
export function burstThreshold(platform: NodeJS.Platform): number {
  if (platform !== 'linux') return 1_024;
  try {
    const queued = Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8'));
    return Number.isFinite(queued) && queued > 0 ? Math.max(64, Math.min(4_096, Math.floor(queued / 4))) : 1_024;
  } catch {
    // No such limit to read: the small default costs one scan more at most.
    return 1_024;
  }
}
