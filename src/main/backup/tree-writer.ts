/** Writes the folders that changed, from the deepest up, and those above them. */
import { hash } from 'node:crypto';
import type { BackupIndex, IndexedFolder } from '../store/backup-index.ts';
import type { BackupSource, SourceFile } from '../store/backup-source.ts';
import type { ContentWriter, WrittenContent } from './content-writer.ts';
import type { RepositoryKeys } from './crypto.ts';
import { type FolderItem, writeFolder } from './folder-writer.ts';
import type { NodeEntry } from './format.ts';
import { databaseOf, mayBeDatabase } from './live-database.ts';
import type { LiveWriter } from './live-writer.ts';
import type { ObjectWriter } from './object-writer.ts';

/** What the disk tells of a folder beyond its files. */
export type FolderLook = {
  readonly mode: number;
  readonly mtimeUs: number;
  readonly links: readonly { readonly name: string; readonly target: string; readonly mtimeUs: number }[];
};
/** Folders of a root by their path, `''` for the root's own; only those that are not ignored. */
export type LookAtFolders = (root: {
  readonly rootId: number;
  readonly path: string;
}) => ReadonlyMap<string, FolderLook> | null;

export type TreeParts = {
  readonly source: BackupSource;
  readonly index: BackupIndex;
  readonly out: ObjectWriter;
  readonly keys: RepositoryKeys | null;
  readonly contents: ContentWriter;
  readonly live: LiveWriter;
  /** Where the root lies. */
  readonly rootPath: string;
  /** Called after each file: gives others their turn, throws when the backup was cancelled. */
  readonly onFile: () => Promise<void> | null;
};

/** Folders to write, deepest first: whatever is below a folder comes before it. */
export function deepestFirst(dirs: Iterable<string>): string[] {
  const all = new Set<string>();
  for (const dir of dirs) {
    for (let at = dir; !all.has(at); at = at.slice(0, Math.max(at.lastIndexOf('/'), 0))) {
      all.add(at);
      if (at === '') break;
    }
  }
  // With a slash at its end, a folder is the beginning of whatever is below it, and comes before it.
  const keyOf = (dir: string): string => (dir === '' ? '' : `${dir}/`);
  return [...all].sort((a, b) => (keyOf(a) < keyOf(b) ? 1 : -1));
}

/** Writes these folders of a root into the repository and the index. The root's own is always there afterwards. */
export async function writeFolders(
  parts: TreeParts,
  rootId: number,
  dirs: readonly string[],
  looks: ReadonlyMap<string, FolderLook> | null,
): Promise<void> {
  const { index } = parts;
  for (const dir of dirs) {
    const files = parts.source.filesIn(rootId, dir);
    const before = index.folder(rootId, dir);
    const below = index.subfolders(rootId, dir);
    const look = looks === null ? keepLook(before) : (looks.get(dir) ?? null);
    const isKept = dir === '' || files.length > 0 || below.length > 0 || look !== null;
    if (isKept) index.saveFolder(await writeOne(parts, { rootId, dir, files, below, look }));
    else if (before !== undefined) index.removeFolder(rootId, dir);
  }
}

/** Without a look at the disk, a folder that only files told of ends with its files. */
function keepLook(before: IndexedFolder | undefined): FolderLook | null {
  if (before === undefined || before.mode === null || before.mtimeUs === null) return null;
  const links = before.links === null ? [] : (JSON.parse(before.links) as FolderLook['links']);
  return { mode: before.mode, mtimeUs: before.mtimeUs, links };
}

type OneFolder = {
  readonly rootId: number;
  readonly dir: string;
  readonly files: readonly SourceFile[];
  readonly below: readonly IndexedFolder[];
  readonly look: FolderLook | null;
};

async function writeOne(parts: TreeParts, { rootId, dir, files, below, look }: OneFolder): Promise<IndexedFolder> {
  const items: FolderItem[] = [];
  const sums = { files: 0, folders: below.length, sizeBytes: 0, incomplete: 0, redacted: 0 };
  const all = new Set(files.map(({ name }) => name));
  const copied = new Set<string>();
  for (const file of files) {
    const path = dir === '' ? file.name : `${dir}/${file.name}`;
    // In the order of names a database comes before its log.
    if (copied.has(databaseOf(file.name) ?? '')) continue;
    const live = mayBeDatabase(file.name, (name) => all.has(name))
      ? await parts.live.put(`${parts.rootPath}/${path}`)
      : null;
    if (live?.content != null) copied.add(file.name);
    const isStale = live?.isStale ?? file.isStale;
    const content = live?.content ?? (await parts.contents.put(path, file.sha256, file.sizeBytes));
    if (content === null) sums.incomplete += 1;
    else {
      items.push({ entry: fileEntry({ ...file, isStale }, content), oid: content.oid });
      sums.files += 1;
      sums.sizeBytes += content.sizeBytes;
      if (isStale) sums.incomplete += 1;
      if (content.redactions > 0) sums.redacted += 1;
    }
    const turn = parts.onFile();
    if (turn !== null) await turn;
  }
  const names = new Set(items.map(({ entry }) => entry.n));
  for (const each of below) {
    const name = each.dir.slice(each.dir.lastIndexOf('/') + 1);
    if (names.has(name)) continue;
    names.add(name);
    items.push({ entry: folderEntry(name, each), oid: each.tree });
    for (const key of ['files', 'folders', 'sizeBytes', 'incomplete', 'redacted'] as const) sums[key] += each[key];
  }
  for (const link of look?.links ?? []) {
    if (!names.has(link.name))
      items.push({ entry: { n: link.name, k: 'l', t: link.mtimeUs, g: link.target }, oid: null });
  }
  return {
    rootId,
    dir,
    ...writeFolder(parts.out, parts.keys, items),
    ...sums,
    mode: look?.mode ?? null,
    mtimeUs: look?.mtimeUs ?? null,
    links: look === null || look.links.length === 0 ? null : JSON.stringify(look.links),
    stamp: parts.source.stampOf(rootId, dir),
  };
}

function fileEntry(file: SourceFile, content: WrittenContent): NodeEntry {
  return {
    n: file.name,
    k: 'f',
    m: file.mode,
    t: file.mtimeUs,
    s: content.sizeBytes,
    h: content.sha256.toString('hex'),
    ...(content.chunks > 0 ? { c: content.chunks } : {}),
    ...(content.redactions > 0 ? { r: content.redactions } : {}),
    ...(file.isStale ? { x: 1 as const } : {}),
  };
}

function folderEntry(name: string, folder: IndexedFolder): NodeEntry {
  return {
    n: name,
    k: 'd',
    ...(folder.mode === null ? {} : { m: folder.mode }),
    ...(folder.mtimeUs === null ? {} : { t: folder.mtimeUs }),
    h: folder.node.toString('hex'),
  };
}

/** The entry of a root in the commit's tree. */
export function rootKey(path: string): string {
  return `root\0${path}`;
}

export function plainRootEntry(rootId: number, path: string): string {
  const name = path.split(/[\\/]/).findLast((each) => each !== '') ?? '';
  const safe = name.replace(/[^\p{L}\p{N}_-]+/gu, '-').slice(0, 40);
  return `${safe === '' || safe.startsWith('-') ? 'root' : safe}-${rootId}-${hash('sha256', path, 'hex').slice(0, 6)}`;
}
