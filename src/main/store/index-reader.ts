import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { FileState, SkipReason } from '../../shared/model.ts';
import { VAULT_FILE } from './database.ts';

/** What a scan needs of a known file: enough to see that it did not change. */
export type KnownFile = {
  readonly name: string;
  readonly state: FileState;
  readonly reason: SkipReason | null;
  readonly size_bytes: number;
  readonly mtime_us: number;
  readonly ctime_us: number;
  readonly inode: number;
};

/** Reads the file index over a connection of its own, in whatever thread. */
export type IndexReader = {
  /** Files of one folder that are not deleted. */
  readonly filesIn: (rootId: number, dir: string) => readonly KnownFile[];
  /** Folders, at or below one, that have such files. */
  readonly foldersBelow: (rootId: number, dir: string) => readonly string[];
  readonly close: () => void;
};

export function openIndexReader(dataFolder: string): IndexReader {
  const db = new Database(join(dataFolder, VAULT_FILE), { readonly: true });
  db.pragma('cache_size = -4000');
  return { ...createIndexReader(db), close: () => db.close() };
}

/** The same over a connection that somebody else owns; closing does nothing. */
export function createIndexReader(db: Database.Database): IndexReader {
  const files = db.prepare<[number, string], KnownFile>(
    "SELECT name, state, reason, size_bytes, mtime_us, ctime_us, inode FROM files WHERE root_id = ? AND dir = ? AND state <> 'deleted'",
  );
  const all = db.prepare<[number], { dir: string }>(
    "SELECT DISTINCT dir FROM files WHERE root_id = ? AND state <> 'deleted'",
  );
  // `/` is followed by `0` in ASCII: the range holds exactly the folders below. An OR would read the whole root.
  const below = db.prepare<[{ root: number; dir: string; from: string; to: string }], { dir: string }>(
    `SELECT DISTINCT dir FROM files WHERE root_id = @root AND dir = @dir AND state <> 'deleted'
     UNION ALL SELECT DISTINCT dir FROM files WHERE root_id = @root AND dir >= @from AND dir < @to AND state <> 'deleted'`,
  );
  return {
    filesIn: (rootId, dir) => files.all(rootId, dir),
    foldersBelow: (rootId, dir) =>
      (dir === '' ? all.all(rootId) : below.all({ root: rootId, dir, from: `${dir}/`, to: `${dir}0` })).map(
        (row) => row.dir,
      ),
    close: () => undefined,
  };
}
