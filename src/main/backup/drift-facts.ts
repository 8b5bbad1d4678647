/** Gathers what {@link findDrift} compares: from the disk, the vault, the last backup and the remotes. Reads only. */
import { lstatSync } from 'node:fs';
import { fsPath } from '../path-names.ts';
import { isLiveSqlite } from '../store/sqlite-copy.ts';
import type { DriftItem, SideValue } from './drift.ts';
import { databaseOf, mayBeDatabase } from './live-database.ts';
import type { BackupSource } from './source.ts';
import { hashFileSync } from './target-state.ts';

export type VaultFile = {
  readonly rootId: number;
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly mtimeUs: number;
};

export type FileDriftQuery = {
  readonly roots: readonly { readonly rootId: number; readonly path: string }[];
  /** Files that the vault believes to be there. */
  readonly vault: Iterable<VaultFile>;
  /** Files that are on the disk, relative to their root: what the ignore rules leave out is not among them. */
  readonly disk: Iterable<{ readonly rootId: number; readonly path: string }>;
  /** null when there is none. */
  readonly lastBackup: BackupSource | null;
  /** Read every file, even where size and time say that it did not change. */
  readonly isThorough: boolean;
};

/** One item for each path that any side knows. */
export async function fileDriftItems(query: FileDriftQuery): Promise<DriftItem[]> {
  const folders = new Map(query.roots.map((root) => [root.rootId, root.path]));
  const items = new Map<string, { here: SideValue; vault: SideValue; backup: SideValue | undefined }>();
  const known = new Map<string, VaultFile>();
  const backupSide: SideValue | undefined = query.lastBackup === null ? undefined : null;
  const item = (rootId: number, path: string) => {
    const key = `${folders.get(rootId) ?? rootId}/${path}`;
    let found = items.get(key);
    if (found === undefined) {
      found = { here: null, vault: null, backup: backupSide };
      items.set(key, found);
    }
    return found;
  };
  for (const file of query.vault) {
    item(file.rootId, file.path).vault = file.sha256;
    known.set(`${file.rootId}/${file.path}`, file);
  }
  for (const entry of query.lastBackup?.entries() ?? [])
    if (entry.kind === 'file' && folders.has(entry.rootId)) item(entry.rootId, entry.path).backup = entry.sha256;
  let looked = 0;
  for (const { rootId, path } of query.disk) {
    const full = `${folders.get(rootId)}/${path}`;
    item(rootId, path).here = hashHere(full, known.get(`${rootId}/${path}`), query.isThorough);
    looked += 1;
    if (looked % 200 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  // A backup has its own copy of a database that is in use, and no log of it: there is nothing to compare.
  const names = new Set(items.keys());
  const inUse = new Set<string>();
  for (const key of names) if (mayBeDatabase(key, (name) => names.has(name)) && isLiveSqlite(key)) inUse.add(key);
  const isCompared = (key: string): boolean => !inUse.has(key) && !inUse.has(databaseOf(key) ?? '');
  return [...items].map(([key, { here, vault, backup }]) => ({
    kind: 'file',
    key,
    here,
    there: isCompared(key) ? { vault, backup } : { vault },
    base: isCompared(key) ? backup : undefined,
  }));
}

function hashHere(path: string, known: VaultFile | undefined, isThorough: boolean): SideValue {
  const stat = lstatSync(fsPath(path), { bigint: true, throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile()) return null;
  const isSame =
    known !== undefined && Number(stat.size) === known.sizeBytes && Number(stat.mtimeNs / 1_000n) === known.mtimeUs;
  return isSame && !isThorough ? known.sha256 : (hashFileSync(path) ?? 'unreadable');
}

export type RowDriftQuery = {
  readonly table: string;
  /** Hash of the fields that are synced, by id. */
  readonly here: ReadonlyMap<string, string>;
  /** The same at each remote; null when it could not be read. */
  readonly remotes: Readonly<Record<string, ReadonlyMap<string, string> | null>>;
  /** What was last agreed with each remote. */
  readonly bases: Readonly<Record<string, ReadonlyMap<string, string>>>;
};

/** Items by row and remote: each remote has a base of its own. */
export function rowDriftItems(query: RowDriftQuery): DriftItem[] {
  return Object.entries(query.remotes).flatMap(([remote, rows]) => {
    const bases = query.bases[remote] ?? new Map<string, string>();
    const ids = new Set([...query.here.keys(), ...(rows?.keys() ?? []), ...bases.keys()]);
    return [...ids].map((id): DriftItem => {
      const there = rows === null ? undefined : (rows.get(id) ?? null);
      return {
        kind: 'row',
        key: `${query.table}/${id}`,
        here: query.here.get(id) ?? null,
        there: { [remote]: there },
        base: bases.get(id),
      };
    });
  });
}
