import type { Candidate } from './capture-paths.ts';
import { CHUNK_BYTES, CHUNK_FILES } from './read-paths.ts';

/** Files to read, handed out in chunks while more are still being found. */
export type CandidateQueue = {
  readonly push: (candidate: Candidate) => void;
  /** Nothing more will be pushed. Safe to repeat. */
  readonly end: () => void;
  /** The next full chunk, or what is left after the end; null when all are handed out. Several may wait. */
  readonly next: () => Promise<readonly Candidate[] | null>;
  /** How many were pushed in all. */
  readonly pushed: () => number;
};

export function createCandidateQueue(): CandidateQueue {
  let open: Candidate[] = [];
  let openBytes = 0;
  let count = 0;
  let hasEnded = false;
  const full: (readonly Candidate[])[] = [];
  const waiting: (() => void)[] = [];
  const close = (): void => {
    if (open.length > 0) full.push(open);
    open = [];
    openBytes = 0;
  };
  const wakeAll = (): void => {
    for (const wake of waiting.splice(0)) wake();
  };
  return {
    push: (candidate) => {
      count += 1;
      open.push(candidate);
      openBytes += candidate.stat.sizeBytes;
      if (open.length < CHUNK_FILES && openBytes < CHUNK_BYTES) return;
      close();
      wakeAll();
    },
    end: () => {
      hasEnded = true;
      close();
      wakeAll();
    },
    next: async () => {
      while (full.length === 0 && !hasEnded) await new Promise<void>((resolve) => waiting.push(resolve));
      return full.shift() ?? null;
    },
    pushed: () => count,
  };
}
