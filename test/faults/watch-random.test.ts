import { afterAll, describe, expect, it } from 'vitest';
import { createWatchHarness } from '../support/watch-harness.ts';
import { createRandom, seedOfRun } from '../support/writer-random.ts';
import { changeTree, readTree } from '../support/writer-tree.ts';

const isAll = process.env.FAULTS === 'all';
const ROUNDS = isAll ? 500 : 8;
const CHANGES = 40;
const seed = seedOfRun();
let changes = 0;

afterAll(() => {
  process.stdout.write(
    `${changes} random changes of a tree, seen by their events alone. ` +
      `Replay: SEED=${seed} npx vitest run test/faults/watch-random.test.ts; all: FAULTS=all\n`,
  );
});

describe('random changes of a tree', () => {
  it('end in the vault as they ended on the disk, without any scan of the whole', {
    timeout: isAll ? 1_800_000 : 120_000,
  }, async () => {
    const random = createRandom(seed);
    // Deletions are many here; that they are held is proven elsewhere.
    const h = createWatchHarness({ limits: { holdOver: 1_000_000, holdShare: 1, maxWaitMs: 200 } });
    await h.start();
    const inVault = (): Record<string, string | null> =>
      Object.fromEntries(h.present().map((path) => [path, h.versions(path).at(-1) ?? null]));
    const onDisk = () =>
      Object.fromEntries(
        Object.entries(readTree(h.root)).map(([path, text]) => [path, Buffer.from(text).toString('latin1')]),
      );
    const sorted = (tree: object) => JSON.stringify(Object.entries(tree).sort(([a], [b]) => (a < b ? -1 : 1)));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let change = 0; change < CHANGES; change += 1) {
        changeTree(h.root, random);
        changes += 1;
        if (random.chance(0.2)) await new Promise((resolve) => setTimeout(resolve, random.below(80)));
      }
      const wanted = onDisk();
      await h.until(
        () => h.watch.waiting() === 0 && sorted(inVault()) === sorted(wanted),
        () => ({ seed, round, wanted, has: inVault() }),
      );
    }
    expect(h.log.filter(({ level }) => level === 'error')).toEqual([]);
    await h.stop();
  });
});
