/** Random changes of a small tree, where names meet again and again, and what is there afterwards. */
import {
  appendFileSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Random } from './writer-random.ts';

const NAMES = ['a', 'b', 'c', 'B', 'caf\u00e9', 'two words '];

function somePath(random: Random): string {
  return Array.from({ length: 1 + random.below(3) }, () => NAMES[random.below(NAMES.length)] ?? 'a').join('/');
}

type Change = (root: string, random: Random) => void;

const CHANGES: readonly Change[] = [
  ...Array.from(
    { length: 4 },
    (): Change => (root, random) => {
      const path = join(root, somePath(random));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `text ${random.below(30)}`);
    },
  ),
  (root, random) => appendFileSync(join(root, somePath(random)), ` more ${random.below(5)}`),
  (root, random) => rmSync(join(root, somePath(random))),
  (root, random) => rmSync(join(root, somePath(random)), { recursive: true }),
  (root, random) => mkdirSync(join(root, somePath(random)), { recursive: true }),
  ...Array.from(
    { length: 3 },
    (): Change => (root, random) => {
      renameSync(join(root, somePath(random)), join(root, somePath(random)));
    },
  ),
  (root, random) => copyFileSync(join(root, somePath(random)), join(root, somePath(random))),
  (root, random) => symlinkSync(NAMES[random.below(NAMES.length)] ?? 'a', join(root, somePath(random))),
  // Gone and there again at once, as some programs save.
  (root, random) => {
    const path = join(root, somePath(random));
    const bytes = readFileSync(path);
    rmSync(path);
    writeFileSync(path, bytes);
  },
];

/** Makes one change; what the tree does not allow just does not happen. */
export function changeTree(root: string, random: Random): void {
  try {
    CHANGES[random.below(CHANGES.length)]?.(root, random);
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause)) throw cause;
  }
}

/** Every file below a folder with its text; links are none. */
export function readTree(root: string, dir = ''): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(join(root, dir)).sort()) {
    const path = dir === '' ? name : `${dir}/${name}`;
    const stats = lstatSync(join(root, path));
    if (stats.isDirectory()) Object.assign(found, readTree(root, path));
    else if (stats.isFile()) found[path] = readFileSync(join(root, path), 'utf8');
  }
  return found;
}
