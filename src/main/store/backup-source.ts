import type Database from 'better-sqlite3';
import { openStoredContent, type StoredBytes } from './contents.ts';
import { openBeside, translateSqliteError } from './database.ts';

/** A file of the index as a backup needs it. */
export type SourceFile = {
  readonly name: string;
  readonly sha256: Buffer;
  readonly sizeBytes: number;
  readonly mtimeUs: number;
  readonly mode: number;
  /** True when the newest state of the file could not be captured: the content is the one before. */
  readonly isStale: boolean;
};

export type SourceRoot = { readonly rootId: number; readonly path: string };
export type SourceRow = Readonly<Record<string, string | number | null>>;
export type SourceFolder = { readonly rootId: number; readonly dir: string };

/** Tables of a backup; `key` tells which rows belong together. */
export const SOURCE_TABLES = {
  decision_vault: { key: 'id', by: 'change_seq' },
  memories: { key: 'id', by: 'change_seq' },
  activities: { key: 'change_seq', by: 'change_seq' },
  record_history: { key: 'change_seq', by: 'change_seq' },
  run_artifacts: { key: 'id', by: 'change_seq' },
} as const;
export type SourceTable = keyof typeof SOURCE_TABLES;

/** The vault at one moment: everything below is read in one transaction of a connection of its own. */
export type BackupSource = {
  /** The newest change number of that moment. */
  readonly change: number;
  readonly deviceId: string;
  readonly roots: () => readonly SourceRoot[];
  /** Folders with a file that changed after `change`. */
  readonly changedFolders: (change: number) => readonly SourceFolder[];
  /** A number per folder that differs when any file in it is not as it was, its times and mode included. */
  readonly stamps: () => Iterable<SourceFolder & { readonly stamp: number }>;
  readonly stampOf: (rootId: number, dir: string) => number | null;
  readonly filesIn: (rootId: number, dir: string) => readonly SourceFile[];
  /** Files that were never captured, so that no backup can hold them. */
  readonly countUncaptured: (rootId: number) => number;
  readonly countFiles: () => number;
  readonly openContent: (sha256: Buffer) => StoredBytes;
  readonly countRows: (table: SourceTable) => number;
  /** Keys of rows that changed after `change`. */
  readonly changedKeys: (table: SourceTable, change: number) => readonly (string | number)[];
  /** Rows of a table keyed by id whose id ends with this text; '' for all. In order of their keys. */
  readonly rowsEndingWith: (table: SourceTable, ending: string) => Iterable<SourceRow>;
  /** Rows of a table keyed by change number, `from` inclusive, `to` exclusive. */
  readonly rowsBetween: (table: SourceTable, from: number, to: number) => Iterable<SourceRow>;
  readonly close: () => void;
};

/** What a backup holds: what is there, and what was there when it can only not be read any more. */
const HELD = `f.sha256 IS NOT NULL AND (f.state = 'present'
  OR (f.state = 'skipped' AND f.reason IN ('file.too_large', 'file.unreadable', 'file.io_error')))`;
const STAMP =
  'sum(((f.mtime_us % 1000003) + f.mode * 31 + f.change_seq % 1000033) * (f.id % 1009 + 1)) % 4503599627370496';

type FileRow = {
  name: string;
  state: string;
  size_bytes: number;
  mtime_us: number;
  mode: number;
  sha256: Buffer;
  content_bytes: number | null;
};

/** Opens the vault beside its writer. Throws what opening a vault throws (`data.corrupt`, `data.unwritable`). */
export function openBackupSource(dataFolder: string): BackupSource {
  const db = openBeside(dataFolder);
  try {
    db.pragma('cache_size = -16000');
    db.exec('BEGIN');
    return createSource(db, dataFolder);
  } catch (cause) {
    db.close();
    throw translateSqliteError(cause, db.name);
  }
}

function createSource(db: Database.Database, dataFolder: string): BackupSource {
  const change =
    db.prepare<[], { value: number }>("SELECT value FROM counters WHERE name = 'change'").get()?.value ?? 0;
  const device = db.prepare<[], { value: string }>("SELECT value FROM meta WHERE key = 'device_id'").get()?.value ?? '';
  // The size is that of the content: a skipped file's row has the size that it has on the disk now.
  const files = db.prepare<[number, string], FileRow>(
    `SELECT f.name, f.state, f.size_bytes, f.mtime_us, f.mode, f.sha256,
       CASE f.state WHEN 'present' THEN f.size_bytes ELSE (SELECT size_bytes FROM contents c WHERE c.sha256 = f.sha256) END
         AS content_bytes
     FROM files f WHERE f.root_id = ? AND f.dir = ? AND ${HELD} ORDER BY f.name`,
  );
  // Left to itself, SQLite walks the index of all names to find the distinct ones.
  const changed = db.prepare<[number], SourceFolder>(
    'SELECT DISTINCT root_id AS rootId, dir FROM files INDEXED BY files_by_change WHERE change_seq > ?',
  );
  // Weighted by the row, so that two files that swap their times are seen; reduced, so that no sum overflows.
  const stamps = db.prepare<[], SourceFolder & { stamp: number }>(
    `SELECT root_id AS rootId, dir, ${STAMP} AS stamp FROM files f WHERE ${HELD} GROUP BY root_id, dir`,
  );
  const stampOf = db.prepare<[number, string], { stamp: number | null }>(
    `SELECT ${STAMP} AS stamp FROM files f WHERE f.root_id = ? AND f.dir = ? AND ${HELD}`,
  );
  const uncaptured = db.prepare<[number], { count: number }>(
    "SELECT count(*) AS count FROM files WHERE root_id = ? AND state = 'skipped' AND sha256 IS NULL",
  );
  const all = db.prepare<[], { count: number }>(`SELECT count(*) AS count FROM files f WHERE ${HELD}`);
  const roots = db.prepare<[], SourceRoot>(
    'SELECT id AS rootId, path FROM roots WHERE removed_at_ms IS NULL ORDER BY id',
  );
  return {
    change,
    deviceId: device,
    roots: () => roots.all(),
    changedFolders: (after) => changed.all(after),
    stamps: () => stamps.iterate(),
    stampOf: (rootId, dir) => stampOf.get(rootId, dir)?.stamp ?? null,
    filesIn: (rootId, dir) =>
      files.all(rootId, dir).map((row) => ({
        name: row.name,
        sha256: row.sha256,
        sizeBytes: row.content_bytes ?? row.size_bytes,
        mtimeUs: row.mtime_us,
        mode: row.mode & 0o7777,
        isStale: row.state !== 'present',
      })),
    countUncaptured: (rootId) => uncaptured.get(rootId)?.count ?? 0,
    countFiles: () => all.get()?.count ?? 0,
    openContent: (sha256) => openStoredContent(db, dataFolder, sha256),
    countRows: (table) => db.prepare<[], { count: number }>(`SELECT count(*) AS count FROM ${table}`).get()?.count ?? 0,
    changedKeys: (table, after) =>
      db
        .prepare<[number], { key: string | number }>(
          `SELECT DISTINCT ${SOURCE_TABLES[table].key} AS key FROM ${table} WHERE ${SOURCE_TABLES[table].by} > ?`,
        )
        .all(after)
        .map((row) => row.key),
    rowsEndingWith: (table, ending) =>
      db
        .prepare<[{ ending: string }], SourceRow>(
          `SELECT * FROM ${table} WHERE @ending = '' OR substr(id, -length(@ending)) = @ending ORDER BY id`,
        )
        .iterate({ ending }),
    rowsBetween: (table, from, to) =>
      db
        .prepare<[number, number], SourceRow>(
          `SELECT * FROM ${table} WHERE change_seq >= ? AND change_seq < ? ORDER BY change_seq`,
        )
        .iterate(from, to),
    close: () => {
      if (db.inTransaction) db.exec('COMMIT');
      db.close();
    },
  };
}
