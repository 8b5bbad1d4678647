import { type Dirent, readdirSync } from 'node:fs';
import { fsPath, isDoubtful, nameFromBytes } from '../path-names.ts';

export type EntryKind = 'file' | 'folder' | 'symlink' | 'special';
export type Entry = { readonly name: string; readonly kind: EntryKind };

/** The entries of a folder, with names that lose no byte. Throws the system's error when it cannot be read. */
export function listFolder(path: string): Entry[] {
  const target = fsPath(path);
  const entries = readdirSync(target, { withFileTypes: true });
  if (!entries.some((entry) => isDoubtful(entry.name))) return entries.map((entry) => toEntry(entry, entry.name));
  return readdirSync(target, { withFileTypes: true, encoding: 'buffer' }).map((entry) =>
    toEntry(entry, nameFromBytes(entry.name)),
  );
}

function toEntry(entry: Dirent<string | Buffer>, name: string): Entry {
  if (entry.isFile()) return { name, kind: 'file' };
  if (entry.isDirectory()) return { name, kind: 'folder' };
  return { name, kind: entry.isSymbolicLink() ? 'symlink' : 'special' };
}
