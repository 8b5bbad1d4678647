/** Trees of files that are hard to give back, from a seed. */
import { nameFromBytes } from '../../src/main/path-names.ts';
import { HOSTILE_NAMES } from './hostile-names.ts';

export type Random = { readonly below: (limit: number) => number; readonly pick: <T>(items: readonly T[]) => T };

/** mulberry32: small, and the same everywhere. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    below,
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new Error('nothing to pick from');
      return item;
    },
  };
}

export type RandomFile = {
  readonly path: string;
  readonly content: Buffer;
  readonly mode: number;
  readonly mtimeMs: number;
};

const MODES = [0o644, 0o600, 0o755, 0o400, 0o444, 0o700, 0o664];

export function randomTree(random: Random, files: number): RandomFile[] {
  const names = [...HOSTILE_NAMES.map((name) => nameFromBytes(name.bytes)), 'a.md', 'b.txt', 'note', 'UPPER.MD'];
  const dirs = ['', 'docs', 'docs/deep/er', 'x'];
  const paths = new Set<string>();
  while (paths.size < files) {
    const dir = random.pick(dirs);
    const name = random.below(3) === 0 ? random.pick(names) : `file-${random.below(10_000)}.md`;
    paths.add(dir === '' ? name : `${dir}/${name}`);
  }
  return [...paths].map((path) => ({
    path,
    content: randomContent(random),
    mode: random.pick(MODES),
    mtimeMs: 1_600_000_000_000 + random.below(190_000_000) * 1_000 + random.below(1_000),
  }));
}

export function randomContent(random: Random): Buffer {
  const kind = random.below(5);
  if (kind === 0) return Buffer.alloc(0);
  const size = random.below(kind === 1 ? 200_000 : 3_000);
  const content = Buffer.alloc(size);
  for (let at = 0; at < size; at += 1) content[at] = kind === 2 ? random.below(256) : 97 + random.below(6);
  return content;
}
