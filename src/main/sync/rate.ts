/** How fast a queue drains, told only when it can be told honestly. */
export type Rate = {
  readonly add: (records: number) => void;
  readonly perSecond: () => number;
  /** null until 5 seconds and a twentieth of the work have passed. */
  readonly etaMs: (left: number) => number | null;
};

const WINDOW_MS = 10_000;
const HONEST_MS = 5_000;
const HONEST_SHARE = 0.05;

export function createRate(monotonicMs: () => number): Rate {
  let samples: { readonly atMs: number; readonly records: number }[] = [];
  let begunAtMs: number | null = null;
  let done = 0;
  const recent = (): typeof samples => {
    const nowMs = monotonicMs();
    samples = samples.filter((sample) => nowMs - sample.atMs <= WINDOW_MS);
    // A pause ends the work: what comes after it is measured for itself.
    if (samples.length === 0) {
      begunAtMs = null;
      done = 0;
    }
    return samples;
  };
  const perSecond = (): number => {
    const own = recent();
    if (begunAtMs === null) return 0;
    const spanMs = Math.max(1_000, Math.min(WINDOW_MS, monotonicMs() - begunAtMs));
    return Math.round((own.reduce((sum, sample) => sum + sample.records, 0) * 10_000) / spanMs) / 10;
  };
  return {
    add: (records) => {
      recent();
      begunAtMs ??= monotonicMs();
      done += records;
      samples.push({ atMs: monotonicMs(), records });
    },
    perSecond,
    etaMs: (left) => {
      const rate = perSecond();
      if (left === 0 || rate === 0 || begunAtMs === null) return null;
      if (monotonicMs() - begunAtMs < HONEST_MS || done < (done + left) * HONEST_SHARE) return null;
      return Math.round((left / rate) * 1_000);
    },
  };
}
