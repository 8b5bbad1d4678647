/**
 * The vault at one moment, for a backup: its tables, files and contents, and `long_term.db`, a database of its own
 * with the records and their history. Everything is read in one read transaction, so no save lies between.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import Database from 'better-sqlite3';
import { streamContent } from './content-stream.ts';
import { readContent } from './contents.ts';
import { translateSqliteError, VAULT_FILE } from './database.ts';

export type SnapshotFile = {
  readonly rootId: number;
  readonly path: string;
  readonly mode: number;
  readonly mtimeUs: number;
  readonly sizeBytes: number;
  readonly sha256: Buffer;
};
export type SnapshotRow = Readonly<Record<string, string | number | null>>;

export type BackupSnapshot = {
  /** Everything up to this change number is in here. */
  readonly change: number;
  readonly deviceId: string;
  /** `user_version` of the vault: which migrations made its tables. */
  readonly schemaNumber: number;
  readonly roots: () => readonly { readonly rootId: number; readonly path: string }[];
  /** Files whose content the vault has, by root and path, in steps. */
  readonly files: () => Generator<SnapshotFile>;
  /** Files of the index whose newest content was never captured, and why. */
  readonly skipped: () => readonly { readonly rootId: number; readonly path: string; readonly reason: string }[];
  readonly tables: readonly SnapshotTable[];
  /** Of `long_term.db`, so only after it was written: redacted where it is. */
  readonly count: (table: SnapshotTable) => number;
  readonly rows: (table: SnapshotTable) => Generator<SnapshotRow>;
  readonly read: (sha256: Buffer) => Buffer;
  readonly stream: (content: { readonly sha256: Buffer; readonly sizeBytes: number }) => Readable;
  /**
   * Writes `long_term.db`: the records, their history, activities and links; no contents of files, no index, no logs.
   * Yields between steps so that the caller can let others work. `redact` is asked for every text that is no key.
   */
  readonly writeLongTerm: (redact: ((table: SnapshotTable, text: string) => string) | null) => Generator<void>;
  readonly close: () => void;
};

/** What belongs to a person or explains it, in the order in which it is restored. */
export const SNAPSHOT_TABLES = ['decision_vault', 'memories', 'record_history', 'activities', 'links'] as const;
export type SnapshotTable = (typeof SNAPSHOT_TABLES)[number];

const STEP = 2_000;
/** What orders each table: unique, so that reading can go on after the last row. */
const ORDER: Readonly<Record<SnapshotTable, readonly string[]>> = {
  decision_vault: ['id'],
  memories: ['id'],
  record_history: ['table_name', 'record_id', 'change_seq', 'field'],
  activities: ['change_seq'],
  links: ['remote', 'table_name', 'record_id'],
};

/**
 * @param longTermFile where `long_term.db` is made; an older file there is replaced. It is whole after
 *   `writeLongTerm` has ended and the snapshot is closed.
 * Errors: `data.full`, `data.unwritable`, `data.corrupt`.
 */
export function openBackupSnapshot(dataFolder: string, longTermFile: string): BackupSnapshot {
  rmSync(longTermFile, { force: true });
  const db = translated(longTermFile, () => new Database(longTermFile));
  try {
    return translated(longTermFile, () => {
      // The file is thrown away when anything fails: it needs no journal, and is made durable by whoever publishes it.
      db.pragma('journal_mode = OFF');
      db.pragma('synchronous = OFF');
      db.prepare('ATTACH DATABASE ? AS vault').run(join(dataFolder, VAULT_FILE));
      db.exec('BEGIN');
      return createSnapshot(db, dataFolder, longTermFile);
    });
  } catch (cause) {
    db.close();
    throw cause;
  }
}

function createSnapshot(db: Database.Database, dataFolder: string, longTermFile: string): BackupSnapshot {
  const value = (sql: string): unknown => db.prepare<[], { value: unknown }>(sql).get()?.value;
  // The first read fixes the moment.
  const change = Number(value("SELECT value FROM vault.counters WHERE name = 'change'") ?? 0);
  const deviceId = String(value("SELECT value FROM vault.meta WHERE key = 'device_id'") ?? '');
  const schemaNumber = Number(db.pragma('vault.user_version', { simple: true }));
  return {
    change,
    deviceId,
    schemaNumber,
    roots: () =>
      db
        .prepare<[], { rootId: number; path: string }>(
          'SELECT id AS rootId, path FROM vault.roots WHERE removed_at_ms IS NULL ORDER BY path',
        )
        .all(),
    files: () => readFiles(db),
    skipped: () =>
      db
        .prepare<[], { rootId: number; path: string; reason: string }>(
          `SELECT root_id AS rootId, iif(dir = '', name, dir || '/' || name) AS path, reason FROM vault.files
           WHERE state = 'skipped' AND reason NOT IN ('file.special', 'file.symlink', 'file.excluded') LIMIT 10000`,
        )
        .all(),
    tables: SNAPSHOT_TABLES,
    count: (table) => Number(value(`SELECT count(*) AS value FROM main.${table}`)),
    rows: (table) => readRows(db, 'main', table),
    read: (sha256) => readContent(db, dataFolder, sha256),
    stream: (content) => streamContent(db, dataFolder, content),
    writeLongTerm: (redact) => writeLongTerm(db, longTermFile, schemaNumber, redact),
    close: () => {
      if (!db.open) return;
      try {
        // The end of the transaction writes the copy: the disk may be full just then.
        if (db.inTransaction) db.exec('COMMIT');
      } catch (cause) {
        throw translateSqliteError(cause, longTermFile);
      } finally {
        db.close();
      }
    },
  };
}

type FileRow = {
  root_id: number;
  dir: string;
  name: string;
  mode: number;
  mtime_us: number;
  size_bytes: number;
  sha256: Buffer;
};

function* readFiles(db: Database.Database): Generator<SnapshotFile> {
  // What could not be read lately is backed up as it was last: an older copy is more than none.
  const step = db.prepare<[{ root: number; dir: string; name: string }], FileRow>(
    `SELECT f.root_id, f.dir, f.name, f.mode, f.mtime_us, c.size_bytes, f.sha256
     FROM vault.files AS f JOIN vault.roots AS r ON r.id = f.root_id JOIN vault.contents AS c ON c.sha256 = f.sha256
     WHERE (f.root_id, f.dir, f.name) > (@root, @dir, @name) AND f.state <> 'deleted' AND f.sha256 IS NOT NULL
       AND r.removed_at_ms IS NULL AND coalesce(f.reason, '') <> 'file.excluded'
     ORDER BY f.root_id, f.dir, f.name LIMIT ${STEP}`,
  );
  let after = { root: -1, dir: '', name: '' };
  for (;;) {
    const rows = step.all(after);
    for (const row of rows) {
      yield {
        rootId: row.root_id,
        path: row.dir === '' ? row.name : `${row.dir}/${row.name}`,
        mode: row.mode & 0o7777,
        mtimeUs: row.mtime_us,
        sizeBytes: row.size_bytes,
        sha256: row.sha256,
      };
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < STEP) return;
    after = { root: last.root_id, dir: last.dir, name: last.name };
  }
}

function* readRows(db: Database.Database, schema: 'main' | 'vault', table: SnapshotTable): Generator<SnapshotRow> {
  const keys = ORDER[table];
  const names = keys.join(', ');
  const step = db.prepare<(string | number)[], SnapshotRow>(
    `SELECT * FROM ${schema}.${table} WHERE (${names}) > (${keys.map(() => '?').join(', ')}) ORDER BY ${names} LIMIT ${STEP}`,
  );
  const first = db.prepare<[], SnapshotRow>(`SELECT * FROM ${schema}.${table} ORDER BY ${names} LIMIT ${STEP}`);
  for (let rows = first.all(); ; ) {
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < STEP) return;
    rows = step.all(...keys.map((key) => last[key] as string | number));
  }
}

function* writeLongTerm(
  db: Database.Database,
  file: string,
  schemaNumber: number,
  redact: ((table: SnapshotTable, text: string) => string) | null,
): Generator<void> {
  const schema = db.prepare<[string], { sql: string }>(
    "SELECT sql FROM vault.sqlite_schema WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY type = 'index'",
  );
  translated(file, () => {
    for (const table of SNAPSHOT_TABLES) for (const { sql } of schema.all(table)) db.exec(sql);
    db.pragma(`user_version = ${schemaNumber}`);
  });
  for (const table of SNAPSHOT_TABLES) {
    let insert: Database.Statement<unknown[]> | null = null;
    let inStep = 0;
    for (const row of readRows(db, 'vault', table)) {
      const values = Object.entries(row).map(([column, each]) =>
        redact !== null && typeof each === 'string' && !ORDER[table].includes(column) ? redact(table, each) : each,
      );
      insert ??= db.prepare(
        `INSERT INTO main.${table} (${Object.keys(row).join(', ')}) VALUES (${values.map(() => '?').join(', ')})`,
      );
      const statement = insert;
      translated(file, () => statement.run(...values));
      inStep += 1;
      if (inStep % STEP === 0) yield;
    }
  }
}

function translated<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw translateSqliteError(cause, file);
  }
}
