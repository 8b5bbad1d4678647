import { join } from 'node:path';
import Database from 'better-sqlite3';
import { AppError } from '../../shared/errors.ts';
import { packageRoot } from '../package-root.ts';
import { createHybridClock, type HybridClock } from './clock.ts';
import { uuidv7 } from './ids.ts';
import { type Migration, migrate, readMigrations } from './migrate.ts';

export type Db = Database.Database;

/** What every part of the store works on: one writing connection, one clock, one numbering. */
export type Store = {
  readonly db: Db;
  readonly dataFolder: string;
  readonly deviceId: string;
  readonly clock: HybridClock;
  readonly nowMs: () => number;
  /**
   * Runs `work` in one immediate transaction: all of it is durable when this returns, or none of it happened.
   * Throws `data.full` when the disk is full; then nothing of it happened.
   */
  readonly write: <T>(work: (tx: Transaction) => T) => T;
  /** Calls back after each commit of `write`; the last listener counts. */
  readonly onCommit: (listener: () => void) => void;
  readonly close: () => void;
};

/** What may be used only inside a transaction. */
export type Transaction = {
  /** Takes `count` change numbers; returns the first. */
  readonly takeChanges: (count: number) => number;
  readonly takeChange: () => number;
};

/** `ANGL` as an integer: tells a vault from any other SQLite file. */
export const APPLICATION_ID = 0x414e474c;
export const VAULT_FILE = 'vault.db';
/** 32 MB of log before it is copied into the file: a first capture writes fewer pages twice. */
export const AUTOCHECKPOINT_FRAMES = 4_000;
/** Older versions carry the WAL-reset race that can damage a database (fixed in 3.51.3; sqlite.org/wal.html). */
const OLDEST_SQLITE = [3, 51, 3] as const;

export type OpenOptions = {
  readonly dataFolder: string;
  readonly nowMs: () => number;
  /** For tests of other versions; the program's own otherwise. */
  readonly migrations?: readonly Migration[];
};

/**
 * Opens the vault for writing and brings it to this version. The caller holds the data folder's lock.
 * Errors: `data.sqlite_too_old`, `data.foreign`, `data.from_future`, `data.migration_failed`, `data.corrupt`,
 * `data.unwritable`, `data.full`.
 */
export function openStore(options: OpenOptions): Store {
  const file = join(options.dataFolder, VAULT_FILE);
  const migrations = options.migrations ?? readMigrations(join(packageRoot(), 'migrations', 'local'));
  const db = openVault(file, migrations);
  try {
    return { ...prepare(db, options.nowMs), dataFolder: options.dataFolder, nowMs: options.nowMs };
  } catch (cause) {
    db.close();
    throw translateSqliteError(cause, file);
  }
}

function openVault(file: string, migrations: readonly Migration[]): Db {
  let db: Db;
  try {
    db = new Database(file);
  } catch (cause) {
    throw translateSqliteError(cause, file);
  }
  try {
    assertSqliteVersion(db);
    if (isNew(db)) {
      db.pragma('page_size = 8192');
      db.pragma(`application_id = ${APPLICATION_ID}`);
    } else if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID) {
      throw new AppError('data.foreign', `${file} is not a vault.`);
    }
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    db.pragma('busy_timeout = 5000');
    db.pragma('cache_size = -8000');
    db.pragma(`wal_autocheckpoint = ${AUTOCHECKPOINT_FRAMES}`);
    db.pragma('journal_size_limit = 67108864');
    migrate(db, migrations);
    return db;
  } catch (cause) {
    db.close();
    throw translateSqliteError(cause, file);
  }
}

function prepare(db: Db, nowMs: () => number): Omit<Store, 'dataFolder' | 'nowMs'> {
  const readCounter = db.prepare<[string], { value: number }>('SELECT value FROM counters WHERE name = ?');
  const saveChange = db.prepare<[number]>("UPDATE counters SET value = ? WHERE name = 'change'");
  const saveClock = db.prepare<[number]>("UPDATE counters SET value = ? WHERE name = 'clock'");
  const lastStamp = readCounter.get('clock')?.value;
  // Without its counters the vault would give one number to two changes.
  if (lastStamp === undefined || readCounter.get('change') === undefined) throw missingCounter(db);
  const clock = createHybridClock(nowMs, lastStamp);

  /** The last number given out in the transaction that runs; null until the first is taken. Written once at its end. */
  let lastChange: number | null = null;
  const takeChanges = (count: number): number => {
    if (lastChange === null) {
      const counter = readCounter.get('change');
      if (counter === undefined) throw missingCounter(db);
      lastChange = counter.value;
    }
    lastChange += count;
    return lastChange - count + 1;
  };
  const transaction: Transaction = { takeChanges, takeChange: () => takeChanges(1) };
  const run = db.transaction((work: (tx: Transaction) => unknown) => {
    const before = clock.last();
    lastChange = null;
    const result = work(transaction);
    if (lastChange !== null) saveChange.run(lastChange);
    lastChange = null;
    if (clock.last() !== before) saveClock.run(clock.last());
    return result;
  });
  let committed = (): void => undefined;
  const write = <T>(work: (tx: Transaction) => T): T => {
    if (db.inTransaction) return work(transaction);
    let result: T;
    try {
      result = run.immediate(work) as T;
    } catch (cause) {
      throw translateSqliteError(cause, db.name);
    }
    committed();
    return result;
  };

  const known = db.prepare<[], { value: string }>("SELECT value FROM meta WHERE key = 'device_id'").get();
  const deviceId = known?.value ?? uuidv7(nowMs());
  if (known === undefined) {
    write(() => db.prepare("INSERT INTO meta (key, value) VALUES ('device_id', ?)").run(deviceId));
  }
  const onCommit = (listener: () => void): void => {
    committed = listener;
  };
  return { db, deviceId, clock, write, onCommit, close: () => db.close() };
}

function missingCounter(db: Db): AppError {
  return new AppError('data.corrupt', `${db.name}: the counter of changes is missing.`);
}

/** Like `3.54.1`. */
export function sqliteVersion(db: Db): string {
  return db.prepare<[], { version: string }>('SELECT sqlite_version() AS version').get()?.version ?? '0';
}

function assertSqliteVersion(db: Db): void {
  const version = sqliteVersion(db);
  const parts = version.split('.').map(Number);
  for (const [index, oldest] of OLDEST_SQLITE.entries()) {
    const part = parts[index] ?? 0;
    if (part > oldest) return;
    if (part < oldest) {
      throw new AppError('data.sqlite_too_old', `SQLite ${version} is older than ${OLDEST_SQLITE.join('.')}.`);
    }
  }
}

/** Holds nothing at all: not there before, or its first start was cut off before the first migration. */
function isNew(db: Db): boolean {
  const schema = db.prepare<[], { objects: number }>('SELECT count(*) AS objects FROM sqlite_schema').get();
  const applicationId = db.pragma('application_id', { simple: true });
  return (
    schema?.objects === 0 &&
    db.pragma('user_version', { simple: true }) === 0 &&
    (applicationId === 0 || applicationId === APPLICATION_ID)
  );
}

/** A read beyond the end is no trouble of the disk: the file is shorter than it says. */
const DAMAGE = ['SQLITE_CORRUPT', 'SQLITE_NOTADB', 'SQLITE_IOERR_SHORT_READ'];

/** The vault beside its writer, for reading alone. Throws what opening a vault throws (`data.corrupt`, `data.unwritable`). */
export function openBeside(dataFolder: string): Db {
  const file = join(dataFolder, VAULT_FILE);
  try {
    return new Database(file, { readonly: true });
  } catch (cause) {
    throw translateSqliteError(cause, file);
  }
}

/** Turns SQLite's own errors into ours; everything else passes through. */
export function translateSqliteError(cause: unknown, file: string): unknown {
  if (!(cause instanceof Database.SqliteError)) return cause;
  const code = cause.code;
  // The index of its log could not grow: on a full disk that is the first thing which fails.
  if (code.startsWith('SQLITE_FULL') || code === 'SQLITE_IOERR_SHMSIZE')
    return new AppError('data.full', `No space is left for ${file}.`, { cause, retryable: true });
  if (DAMAGE.some((damage) => code.startsWith(damage)))
    return new AppError('data.corrupt', `${file}: ${cause.message}`, { cause });
  if (code.startsWith('SQLITE_CANTOPEN') || code.startsWith('SQLITE_READONLY') || code.startsWith('SQLITE_PERM')) {
    return new AppError('data.unwritable', `${file}: ${cause.message}`, { cause });
  }
  if (code.startsWith('SQLITE_IOERR')) {
    return new AppError('data.io_error', `${file}: ${cause.message}`, { cause, retryable: true });
  }
  return cause;
}
