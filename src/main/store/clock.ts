/**
 * A hybrid logical clock: wall milliseconds * 1024 + counter, which never goes back, whatever the wall clock does.
 * Order over changes comes from it and from change numbers; wall times are for people.
 * (Kulkarni et al., "Logical Physical Clocks", 2014. 43 bits of milliseconds reach to the year 2248.)
 */

export type HybridClock = {
  /** The next stamp; strictly greater than every one before. */
  readonly tick: () => number;
  readonly last: () => number;
};

const COUNTER = 1_024;

/** @param last the newest stamp ever given out (0 for a new vault) */
export function createHybridClock(nowMs: () => number, last: number): HybridClock {
  let newest = last;
  return {
    tick: () => {
      newest = Math.max(newest + 1, Math.trunc(nowMs()) * COUNTER);
      return newest;
    },
    last: () => newest,
  };
}

export function clockMs(stamp: number): number {
  return Math.floor(stamp / COUNTER);
}
