/** The same work every time: what the crash tests write, so that a point of it can be met again by its number. */
import { createCipheriv } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type FileState, type LedgerLine, sha256Of } from './crash-ledger.ts';

export type DiskChange =
  | { readonly path: string; readonly content: Buffer }
  | { readonly path: string; readonly renameTo: string }
  | { readonly path: string; readonly remove: true };

/** Above the size from which contents are object files. */
const BIG_BYTES = 1_500_000;

/** Bytes that look random, compress badly and are always the same. */
export function noise(seed: string, bytes: number): Buffer {
  const cipher = createCipheriv('aes-128-ctr', Buffer.from(sha256Of(seed).slice(0, 32), 'hex'), Buffer.alloc(16));
  return cipher.update(Buffer.alloc(bytes));
}

function text(name: string, version: number): Buffer {
  return Buffer.from(`# ${name}, version ${version}\n${'A line of the notes.\n'.repeat(20)}`);
}

export const FIRST_CHANGES: readonly DiskChange[] = [
  { path: 'one.md', content: text('one', 1) },
  { path: 'two.md', content: text('two', 1) },
  { path: 'three.md', content: text('three', 1) },
  { path: 'notes/four.md', content: text('four', 1) },
  { path: 'notes/five.md', content: text('five', 1) },
  { path: 'notes/deep/six.json', content: Buffer.from('{"six": 6}\n') },
  { path: 'notes/empty.txt', content: Buffer.alloc(0) },
  { path: 'big.bin', content: noise('big 1', BIG_BYTES) },
];

export const SECOND_CHANGES: readonly DiskChange[] = [
  { path: 'one.md', content: text('one', 2) },
  { path: 'notes/four.md', content: text('four', 2) },
  { path: 'big.bin', content: noise('big 2', BIG_BYTES + 1) },
  { path: 'three.md', renameTo: 'notes/drei.md' },
  { path: 'two.md', remove: true },
  { path: 'new/seven.md', content: text('seven', 1) },
  { path: 'new/eight.md', content: text('eight', 1) },
];

export const DECISION = {
  title: 'Use SQLite',
  decision: `One file, one writer. ${'Because it is durable. '.repeat(200)}`,
  status: 'accepted',
  tags: ['storage', 'local'],
} as const;
export const DECISION_EDIT = {
  decision: 'One file, one writer, and a journal beside it.',
  status: 'superseded',
} as const;
export const MEMORY = { title: 'Mira prefers short answers', content: 'Said so twice.', kind: 'preference' } as const;
export const MEMORY_EDIT = { content: 'Said so three times.' } as const;

/** Files whose mtime is in the past are not waited for. */
const MTIME_S = 1_790_000_000;

/**
 * Carries out changes in a folder; each file appears whole, by a rename, and is told of before. `state` follows:
 * what the folder holds.
 */
export function applyChanges(
  root: string,
  changes: readonly DiskChange[],
  state: Record<string, FileState>,
  tell: (line: LedgerLine) => void,
): void {
  const set = (path: string, sha256: FileState): void => {
    tell({ kind: 'writes', path, sha256 });
    state[path] = sha256;
  };
  for (const change of changes) {
    const { path } = change;
    if ('content' in change) {
      set(path, sha256Of(change.content));
      save(root, path, change.content);
    } else if ('renameTo' in change) {
      const { renameTo } = change;
      const sha256 = state[path] ?? null;
      set(path, null);
      set(renameTo, sha256);
      mkdirSync(dirname(join(root, renameTo)), { recursive: true });
      renameSync(join(root, path), join(root, renameTo));
    } else {
      set(path, null);
      rmSync(join(root, path));
    }
  }
}

/** Writes beside the root and moves it in, with an old time. */
export function save(root: string, path: string, content: Buffer, mtimeS: number | null = MTIME_S): void {
  const staging = join(`${root}-staging`, basename(path));
  mkdirSync(dirname(staging), { recursive: true });
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(staging, content);
  if (mtimeS !== null) utimesSync(staging, mtimeS, mtimeS);
  renameSync(staging, join(root, path));
}
