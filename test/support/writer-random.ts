/** Randomness that a seed repeats. */
import { hash } from 'node:crypto';

export type Random = {
  /** A whole number in [0, limit). */
  readonly below: (limit: number) => number;
  readonly chance: (share: number) => boolean;
};

export function createRandom(seed: string): Random {
  let count = 0;
  const next = (): number => {
    count += 1;
    return hash('sha256', `${seed} ${count}`, 'buffer').readUIntBE(0, 6) / 2 ** 48;
  };
  return { below: (limit) => Math.floor(next() * limit), chance: (share) => next() < share };
}

/** The seed of a run: `SEED` repeats one. */
export function seedOfRun(): string {
  return process.env.SEED ?? String(Date.now() % 1_000_000);
}
