/** Looking into a backup: folders, search, one file. Nothing is written. */
import { createHash } from 'node:crypto';
import type { BackupEntryView } from '../../shared/contract-backup.ts';
import { AppError } from '../../shared/errors.ts';
import { splitPath } from '../path-names.ts';
import type { Catalog, FoundBackup } from './catalog.ts';
import type { BackupSource, SourceEntry } from './source.ts';

/** SHA-256 of the file that lies there now (hex), null when there is none, undefined when nobody looked. */
export type LookNow = (root: string, path: string, entry: SourceEntry) => string | null | undefined;

type BackupRootView = {
  readonly rootId: number;
  readonly path: string;
  readonly files: number;
  readonly sizeBytes: number;
};

/** Opens a backup for one question and closes it. */
export async function withSource<T>(
  catalog: Catalog,
  name: string,
  work: (source: BackupSource, found: FoundBackup) => Promise<T> | T,
): Promise<T> {
  const found = await catalog.find(name);
  const source = await catalog.open(found);
  try {
    return await work(source, found);
  } finally {
    await source.close();
  }
}

export function rootViews(source: BackupSource, found: FoundBackup): BackupRootView[] {
  if (found.kind === 'repository')
    return found.summary.roots.map(({ rootId, path, files, sizeBytes }) => ({ rootId, path, files, sizeBytes }));
  const sums = new Map(
    source.roots.map(({ rootId, path }) => [rootId, { rootId, path: path ?? '', files: 0, sizeBytes: 0 }]),
  );
  for (const entry of source.entries()) {
    const sum = sums.get(entry.rootId);
    if (sum === undefined || entry.kind !== 'file') continue;
    sum.files += 1;
    sum.sizeBytes += entry.sizeBytes;
  }
  return [...sums.values()];
}

/** What lies directly in a folder; archives know folders only by the files in them. */
export function browse(
  source: BackupSource,
  found: FoundBackup,
  at: { readonly rootId: number | undefined; readonly path: string },
  now: LookNow,
): BackupEntryView[] {
  if (at.rootId === undefined)
    return rootViews(source, found).map((root) => ({
      rootId: root.rootId,
      root: root.path,
      path: '',
      name: root.path,
      kind: 'folder',
      sizeBytes: root.sizeBytes,
      mtimeMs: null,
      sha256: null,
      redactions: 0,
      now: null,
    }));
  const root = rootPath(source, at.rootId);
  const { rootId } = at;
  if (found.kind === 'repository')
    return found.reader
      .readFolder(found.summary.commit, rootId, at.path)
      .map((entry) => viewOf(entry, root, now))
      .sort(foldersFirst);
  const folders = new Map<string, number>();
  const files: BackupEntryView[] = [];
  const prefix = at.path === '' ? '' : `${at.path}/`;
  for (const entry of source.entries()) {
    if (entry.rootId !== rootId || !entry.path.startsWith(prefix)) continue;
    const rest = entry.path.slice(prefix.length);
    const slash = rest.indexOf('/');
    if (slash < 0) files.push(viewOf(entry, root, now));
    else folders.set(rest.slice(0, slash), (folders.get(rest.slice(0, slash)) ?? 0) + entry.sizeBytes);
  }
  if (files.length + folders.size === 0 && at.path !== '')
    throw new AppError('not_found.backup', `${at.path} is not in the backup.`);
  const views = [...folders].map(
    ([name, sizeBytes]): BackupEntryView => ({
      rootId,
      root,
      path: `${prefix}${name}`,
      name,
      kind: 'folder',
      sizeBytes,
      mtimeMs: null,
      sha256: null,
      redactions: 0,
      now: null,
    }),
  );
  return [...views, ...files].sort(foldersFirst);
}

export function search(
  source: BackupSource,
  text: string,
  limit: number,
  now: LookNow,
): { readonly entries: BackupEntryView[]; readonly hasMore: boolean } {
  const wanted = text.toLowerCase();
  const entries: BackupEntryView[] = [];
  const roots = new Map(source.roots.map(({ rootId, path }) => [rootId, path ?? '']));
  for (const entry of source.entries()) {
    if (!entry.path.toLowerCase().includes(wanted)) continue;
    if (entries.length >= limit) return { entries, hasMore: true };
    entries.push(viewOf(entry, roots.get(entry.rootId) ?? '', now));
  }
  return { entries, hasMore: false };
}

/** The whole bytes of one file, for a comparison; null above `mostBytes`. */
export async function readOne(
  source: BackupSource,
  at: { readonly rootId: number; readonly path: string },
  mostBytes: number,
): Promise<{ readonly entry: SourceEntry; readonly bytes: Buffer | null }> {
  for (const entry of source.entries()) {
    if (entry.kind !== 'file' || entry.rootId !== at.rootId || entry.path !== at.path) continue;
    if (entry.sizeBytes > mostBytes) return { entry, bytes: null };
    const pieces: Buffer[] = [];
    for await (const piece of source.stream(entry)) pieces.push(piece as Buffer);
    const bytes = Buffer.concat(pieces);
    if (createHash('sha256').update(bytes).digest('hex') !== entry.sha256)
      throw new AppError('backup.damaged', `${at.path} in the backup does not match its checksum.`);
    return { entry, bytes };
  }
  throw new AppError('not_found.backup', `${at.path} is not in the backup.`);
}

export function rootPath(source: BackupSource, rootId: number): string {
  const root = source.roots.find((each) => each.rootId === rootId);
  if (root === undefined) throw new AppError('not_found.backup', `The backup has no folder with the number ${rootId}.`);
  return root.path ?? '';
}

function viewOf(entry: SourceEntry, root: string, now: LookNow): BackupEntryView {
  const here = entry.kind === 'file' ? now(root, entry.path, entry) : undefined;
  return {
    rootId: entry.rootId,
    root,
    path: entry.path,
    name: splitPath(entry.path).name,
    kind: entry.kind,
    sizeBytes: entry.sizeBytes,
    mtimeMs: entry.mtimeUs === null ? null : Math.floor(entry.mtimeUs / 1_000),
    sha256: entry.sha256,
    redactions: entry.redactions,
    now: here === undefined ? null : here === null ? 'missing' : here === entry.sha256 ? 'same' : 'differs',
  };
}

function foldersFirst(a: BackupEntryView, b: BackupEntryView): number {
  if ((a.kind === 'folder') !== (b.kind === 'folder')) return a.kind === 'folder' ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}
