import { rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { AppError } from '../../shared/errors.ts';
import { translateSqliteError } from './database.ts';

/**
 * What a backup repository holds, for the one who writes the next backup: a file of its own beside the repository. It
 * is a cache and may be lost: everything in it can be read from the newest commit. Its write lock is the repository's.
 */
export type BackupIndex = {
  /**
   * Runs a whole backup as one transaction: all of it counts, or nothing. Throws `backup.busy` when another process
   * is in one.
   */
  readonly exclusively: <T>(work: () => Promise<T>) => Promise<T>;
  readonly get: (key: string) => string | null;
  readonly set: (key: string, value: string) => void;
  readonly blob: (sha256: Buffer) => IndexedBlob | undefined;
  readonly addBlob: (sha256: Buffer, blob: IndexedBlob) => void;
  readonly folder: (rootId: number, dir: string) => IndexedFolder | undefined;
  readonly subfolders: (rootId: number, dir: string) => readonly IndexedFolder[];
  readonly allFolders: () => Iterable<IndexedFolder>;
  readonly saveFolder: (folder: IndexedFolder) => void;
  readonly removeFolder: (rootId: number, dir: string) => void;
  readonly removeRoot: (rootId: number) => void;
  readonly rootIds: () => readonly number[];
  readonly chunks: (table: string) => readonly IndexedChunk[];
  readonly saveChunk: (table: string, chunk: IndexedChunk) => void;
  readonly clearChunks: (table: string) => void;
  /** Forgets everything. */
  readonly clear: () => void;
  readonly close: () => void;
};

/** Where a content lies: a blob, or a tree of that many chunks. */
export type IndexedBlob = { readonly oid: Buffer; readonly chunks: number; readonly redactions: number };

export type IndexedFolder = {
  readonly rootId: number;
  readonly dir: string;
  /** The tree in git, and the SHA-256 of the node in it. */
  readonly tree: Buffer;
  readonly node: Buffer;
  /** At and below it. */
  readonly files: number;
  readonly folders: number;
  readonly sizeBytes: number;
  readonly incomplete: number;
  readonly redacted: number;
  readonly mode: number | null;
  readonly mtimeUs: number | null;
  /** JSON of the symbolic links in it. */
  readonly links: string | null;
  readonly stamp: number | null;
};

export type IndexedChunk = {
  readonly chunk: string;
  readonly rows: number;
  readonly oid: Buffer;
  readonly sha256: Buffer;
};

const SCHEMA = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blobs (
  sha256 BLOB PRIMARY KEY, oid BLOB NOT NULL, chunks INTEGER NOT NULL, redactions INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS folders (
  root_id INTEGER NOT NULL, dir TEXT NOT NULL, parent TEXT, tree BLOB NOT NULL, node BLOB NOT NULL,
  files INTEGER NOT NULL, folders INTEGER NOT NULL, size_bytes INTEGER NOT NULL, incomplete INTEGER NOT NULL,
  redacted INTEGER NOT NULL, mode INTEGER, mtime_us INTEGER, links TEXT, stamp INTEGER,
  PRIMARY KEY (root_id, dir)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS folders_by_parent ON folders (root_id, parent);
CREATE TABLE IF NOT EXISTS chunks (
  name TEXT NOT NULL, chunk TEXT NOT NULL, rows INTEGER NOT NULL, oid BLOB NOT NULL, sha256 BLOB NOT NULL,
  PRIMARY KEY (name, chunk)
) STRICT, WITHOUT ROWID;`;

/** The shape of the tables above: an index of another one is made again. */
const VERSION = 1;

/** Opens the index; a damaged or foreign one is replaced by an empty one. */
export function openBackupIndex(file: string): BackupIndex {
  try {
    return createIndex(openFile(file), file);
  } catch (cause) {
    const translated = translateSqliteError(cause, file);
    if (!(translated instanceof AppError) || translated.code !== 'data.corrupt') throw translated;
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
    return createIndex(openFile(file), file);
  }
}

function openFile(file: string): Database.Database {
  const db = new Database(file, { timeout: 0 });
  try {
    db.pragma('journal_mode = WAL');
    // A lost last transaction is found by comparing with the branch; nothing of the user is in here.
    db.pragma('synchronous = NORMAL');
    db.pragma('cache_size = -32000');
    const version = db.pragma('user_version', { simple: true });
    if (version !== VERSION) {
      db.exec(
        'DROP TABLE IF EXISTS meta; DROP TABLE IF EXISTS blobs; DROP TABLE IF EXISTS folders; DROP TABLE IF EXISTS chunks;',
      );
      db.exec(SCHEMA);
      db.pragma(`user_version = ${VERSION}`);
    }
    return db;
  } catch (cause) {
    db.close();
    throw cause;
  }
}

type FolderRow = {
  root_id: number;
  dir: string;
  tree: Buffer;
  node: Buffer;
  files: number;
  folders: number;
  size_bytes: number;
  incomplete: number;
  redacted: number;
  mode: number | null;
  mtime_us: number | null;
  links: string | null;
  stamp: number | null;
};

function createIndex(db: Database.Database, file: string): BackupIndex {
  const get = db.prepare<[string], { value: string }>('SELECT value FROM meta WHERE key = ?');
  const set = db.prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value');
  const blob = db.prepare<[Buffer], IndexedBlob>('SELECT oid, chunks, redactions FROM blobs WHERE sha256 = ?');
  const addBlob = db.prepare('INSERT OR REPLACE INTO blobs VALUES (?, ?, ?, ?)');
  const columns =
    'root_id, dir, tree, node, files, folders, size_bytes, incomplete, redacted, mode, mtime_us, links, stamp';
  const folder = db.prepare<[number, string], FolderRow>(
    `SELECT ${columns} FROM folders WHERE root_id = ? AND dir = ?`,
  );
  const below = db.prepare<[number, string], FolderRow>(
    `SELECT ${columns} FROM folders WHERE root_id = ? AND parent = ?`,
  );
  const allFolders = db.prepare<[], FolderRow>(`SELECT ${columns} FROM folders`);
  const saveFolder = db.prepare(
    `INSERT OR REPLACE INTO folders (${columns}, parent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const removeFolder = db.prepare('DELETE FROM folders WHERE root_id = ? AND dir = ?');
  const removeRoot = db.prepare('DELETE FROM folders WHERE root_id = ?');
  const rootIds = db.prepare<[], { root_id: number }>('SELECT DISTINCT root_id FROM folders');
  const chunks = db.prepare<[string], IndexedChunk>(
    'SELECT chunk, rows, oid, sha256 FROM chunks WHERE name = ? ORDER BY chunk',
  );
  const saveChunk = db.prepare('INSERT OR REPLACE INTO chunks VALUES (?, ?, ?, ?, ?)');
  const clearChunks = db.prepare('DELETE FROM chunks WHERE name = ?');

  const exclusively = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      db.exec('BEGIN IMMEDIATE');
    } catch (cause) {
      const isBusy = cause instanceof Database.SqliteError && cause.code.startsWith('SQLITE_BUSY');
      if (isBusy || db.inTransaction) {
        throw new AppError('backup.busy', 'Another backup into this repository is running.', {
          cause,
          retryable: true,
        });
      }
      throw translateSqliteError(cause, file);
    }
    try {
      const result = await work();
      db.exec('COMMIT');
      return result;
    } catch (cause) {
      if (db.open && db.inTransaction) db.exec('ROLLBACK');
      throw translateSqliteError(cause, file);
    }
  };
  return {
    exclusively,
    get: (key) => get.get(key)?.value ?? null,
    set: (key, value) => void set.run(key, value),
    blob: (sha256) => blob.get(sha256),
    addBlob: (sha256, { oid, chunks: count, redactions }) => void addBlob.run(sha256, oid, count, redactions),
    folder: (rootId, dir) => {
      const row = folder.get(rootId, dir);
      return row === undefined ? undefined : toFolder(row);
    },
    subfolders: (rootId, dir) => below.all(rootId, dir).map(toFolder),
    *allFolders() {
      for (const row of allFolders.iterate()) yield toFolder(row);
    },
    saveFolder: (each) =>
      void saveFolder.run(
        each.rootId,
        each.dir,
        each.tree,
        each.node,
        each.files,
        each.folders,
        each.sizeBytes,
        each.incomplete,
        each.redacted,
        each.mode,
        each.mtimeUs,
        each.links,
        each.stamp,
        parentOf(each.dir),
      ),
    removeFolder: (rootId, dir) => void removeFolder.run(rootId, dir),
    removeRoot: (rootId) => void removeRoot.run(rootId),
    rootIds: () => rootIds.all().map((row) => row.root_id),
    chunks: (table) => chunks.all(table),
    saveChunk: (table, { chunk, rows, oid, sha256 }) => void saveChunk.run(table, chunk, rows, oid, sha256),
    clearChunks: (table) => void clearChunks.run(table),
    clear: () => db.exec('DELETE FROM meta; DELETE FROM blobs; DELETE FROM folders; DELETE FROM chunks;'),
    close: () => db.close(),
  };
}

function toFolder(row: FolderRow): IndexedFolder {
  const { root_id: rootId, size_bytes: sizeBytes, mtime_us: mtimeUs, ...rest } = row;
  return { ...rest, rootId, sizeBytes, mtimeUs };
}

/** The folder that a folder lies in; null for the root's own. */
function parentOf(dir: string): string | null {
  return dir === '' ? null : dir.slice(0, Math.max(dir.lastIndexOf('/'), 0));
}
