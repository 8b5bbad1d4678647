import { rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';

/** The search index: a file of its own that can be made again from the vault at any time. */
export const INDEX_FILE = 'search.db';

/** `ANGI`: tells the index from any other SQLite file. */
const APPLICATION_ID = 0x414e4749;
/** Any other version is thrown away and made again. */
const INDEX_VERSION = 1;

/** The sources of documents in the vault, few and quick ones first; the index remembers how far it knows each. */
export const SOURCES = ['decision_vault', 'memories', 'files'] as const;
export type Source = (typeof SOURCES)[number];

// A changed document gets a new row, so the order of ids is the order of news. The words themselves are stored
// without their text (contentless): that lies in the vault already.
// Segments are merged by hand, in the worker: FTS5 would do it within somebody's save.
const SCHEMA = `
  CREATE TABLE docs (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    kind          TEXT NOT NULL CHECK (kind IN ('file', 'decision', 'memory')),
    file_id       INTEGER,
    record_id     TEXT,
    root_id       INTEGER,
    path          TEXT,
    title         TEXT NOT NULL,
    sha256        BLOB,
    changed_at_ms INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX docs_by_file ON docs (file_id) WHERE file_id IS NOT NULL;
  CREATE UNIQUE INDEX docs_by_record ON docs (kind, record_id) WHERE record_id IS NOT NULL;
  CREATE INDEX docs_by_time ON docs (changed_at_ms);
  CREATE TABLE state (
    key   TEXT PRIMARY KEY,
    value INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO state (key, value) VALUES ('files', 0), ('decision_vault', 0), ('memories', 0), ('unmerged', 0);
  CREATE TABLE vault (device_id TEXT NOT NULL) STRICT;
  CREATE VIRTUAL TABLE words USING fts5 (
    title, body, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
  );
  INSERT INTO words (words, rank) VALUES ('pgsz', 8150), ('hashsize', 8388608), ('automerge', 0),
    ('crisismerge', 1000), ('usermerge', 16);
`;

/** Which vault an index must belong to: its identity, and the newest change it has made. */
export type VaultMark = { readonly deviceId: string; readonly newestChange: number };

/**
 * Opens the index for reading and writing. One that is missing, damaged, of another version, of another vault or
 * ahead of its vault (which was restored, perhaps) is made new and empty, and `onProblem` hears why.
 */
export function openIndex(
  dataFolder: string,
  vault: VaultMark,
  onProblem: (message: string) => void,
): Database.Database {
  const existing = tryExisting(dataFolder, vault);
  if (existing.db !== null) return existing.db;
  const { reason } = existing;
  if (reason !== null) onProblem(`The search index is made again: ${reason}.`);
  removeIndex(dataFolder);
  const db = new Database(join(dataFolder, INDEX_FILE));
  db.pragma('page_size = 8192');
  db.pragma(`application_id = ${APPLICATION_ID}`);
  tune(db);
  db.transaction(() => {
    db.exec(SCHEMA);
    db.prepare('INSERT INTO vault (device_id) VALUES (?)').run(vault.deviceId);
    db.pragma(`user_version = ${INDEX_VERSION}`);
  })();
  return db;
}

type Existing =
  | { readonly db: Database.Database; readonly reason: null }
  | { readonly db: null; readonly reason: string | null };

function tryExisting(dataFolder: string, vault: VaultMark): Existing {
  let db: Database.Database | null = null;
  let reason: string | null = null;
  try {
    db = openExisting(dataFolder);
    if (db === null) return { db: null, reason: null };
    reason = whyUnusable(db, vault);
    if (reason === null) return { db, reason };
  } catch (cause) {
    reason = (cause as Error).message;
  }
  db?.close();
  return { db: null, reason };
}

/** Opens an index that {@link openIndex} made before; null when there is no file. */
export function openExisting(dataFolder: string): Database.Database | null {
  let db: Database.Database;
  try {
    db = new Database(join(dataFolder, INDEX_FILE), { fileMustExist: true });
  } catch (cause) {
    if (cause instanceof Database.SqliteError && cause.code === 'SQLITE_CANTOPEN') return null;
    throw cause;
  }
  try {
    tune(db);
    return db;
  } catch (cause) {
    db.close();
    throw cause;
  }
}

export function removeIndex(dataFolder: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal'])
    rmSync(join(dataFolder, INDEX_FILE + suffix), { force: true, recursive: true });
}

/** Whether an error means that the file itself is damaged, so that only making it again helps. */
export function isDamage(cause: unknown): boolean {
  return cause instanceof Database.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(cause.code);
}

function tune(db: Database.Database): void {
  db.pragma('journal_mode = WAL');
  // A power cut may take the newest commits with it, their progress marks included: they are indexed again.
  db.pragma('synchronous = NORMAL');
  db.pragma('busy_timeout = 5000');
  db.pragma('cache_size = -4000');
  db.pragma('wal_autocheckpoint = 4000');
  db.pragma('journal_size_limit = 33554432');
}

function whyUnusable(db: Database.Database, vault: VaultMark): string | null {
  if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID) return 'it is some other file';
  const version = db.pragma('user_version', { simple: true });
  if (version !== INDEX_VERSION) return `it has version ${String(version)} instead of ${INDEX_VERSION}`;
  const owner = db.prepare<[], { device_id: string }>('SELECT device_id FROM vault').get();
  if (owner?.device_id !== vault.deviceId) return 'it belongs to another vault';
  const known = db
    .prepare<[], { newest: number }>("SELECT max(value) AS newest FROM state WHERE key <> 'unmerged'")
    .get();
  if ((known?.newest ?? 0) > vault.newestChange) return 'it is ahead of the vault';
  db.prepare("SELECT count(*) FROM words WHERE words MATCH 'a'").get();
  return null;
}
