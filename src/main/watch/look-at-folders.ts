/** What a backup wants to know of a root beyond the files that are captured: folders, links, and which files are there. */
import { lstatSync, readlinkSync } from 'node:fs';
import { fsPath, joinPath, nameFromBytes } from '../path-names.ts';
import { createIgnoreRules, type IgnoreOptions } from './ignore-rules.ts';
import { listFolder } from './list-folder.ts';

export type SeenFolder = {
  readonly mode: number;
  readonly mtimeUs: number;
  readonly links: readonly { readonly name: string; readonly target: string; readonly mtimeUs: number }[];
};

/**
 * Folders of a root that are not ignored, by path (`''` is the root's own), with their links. null when the root cannot
 * be read; a folder below that cannot be read is passed over.
 */
export function lookAtFolders(options: IgnoreOptions): ReadonlyMap<string, SeenFolder> | null {
  const folders = new Map<string, SeenFolder>();
  try {
    for (const { dir, links } of walk(options)) {
      const stat = lstatSync(fsPath(at(options.rootPath, dir)), { bigint: true });
      folders.set(dir, { mode: Number(stat.mode) & 0o7777, mtimeUs: Number(stat.mtimeNs / 1_000n), links });
    }
  } catch {
    // The root went away, or was never there: then nothing is known of its folders.
    return null;
  }
  return folders;
}

/** Paths of all files of a root that are not ignored. Throws when the root cannot be read. */
export function* listFiles(options: IgnoreOptions): Generator<string> {
  for (const { dir, files } of walk(options)) for (const name of files) yield joinPath(dir, name);
}

type Walked = { readonly dir: string; readonly files: readonly string[]; readonly links: SeenFolder['links'] };

function* walk(options: IgnoreOptions): Generator<Walked> {
  const rules = createIgnoreRules(options);
  const open = [''];
  for (let dir = open.pop(); dir !== undefined; dir = open.pop()) {
    const files: string[] = [];
    const links: SeenFolder['links'][number][] = [];
    for (const { name, kind } of entriesOf(options.rootPath, dir)) {
      if (rules.ignores(dir, name, kind === 'folder')) continue;
      const path = joinPath(dir, name);
      if (kind === 'folder') open.push(path);
      else if (kind === 'file') files.push(name);
      else if (kind === 'symlink') links.push(...readLink(options.rootPath, path, name));
    }
    links.sort((a, b) => (a.name < b.name ? -1 : 1));
    yield { dir, files, links };
  }
}

function entriesOf(rootPath: string, dir: string): ReturnType<typeof listFolder> {
  try {
    return listFolder(at(rootPath, dir));
  } catch (cause) {
    if (dir === '') throw cause;
    return [];
  }
}

function readLink(rootPath: string, path: string, name: string): SeenFolder['links'] {
  try {
    const full = fsPath(at(rootPath, path));
    const { mtimeNs } = lstatSync(full, { bigint: true });
    const target = nameFromBytes(readlinkSync(full, { encoding: 'buffer' }));
    return [{ name, target, mtimeUs: Number(mtimeNs / 1_000n) }];
  } catch {
    // Gone meanwhile.
    return [];
  }
}

function at(rootPath: string, path: string): string {
  return path === '' ? rootPath : `${rootPath}/${path}`;
}
