import { closeSync, existsSync, openSync, readSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { AppError } from '../../shared/errors.ts';

const MAGIC = Buffer.from('SQLite format 3\0');

/** Whether bytes begin like an SQLite database. */
export function isSqliteHeader(head: Buffer): boolean {
  return head.length >= MAGIC.length && head.subarray(0, MAGIC.length).equals(MAGIC);
}

/**
 * Whether somebody may be writing to a database file: then its bytes alone may be half of a transaction, and
 * {@link copySqliteFile} is the way to read it. False when the file is not there or is no database.
 */
export function isLiveSqlite(path: string): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch {
    return false;
  }
  try {
    const head = Buffer.alloc(MAGIC.length);
    readSync(descriptor, head, 0, head.length, 0);
    return isSqliteHeader(head) && (existsSync(`${path}-wal`) || existsSync(`${path}-journal`));
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Copies a database that other programs may be writing to, through SQLite's own backup: the copy is the state after a
 * whole transaction. Never writes to the original. `target` must not exist; it is removed when the copy fails.
 * Throws `backup.unreadable`.
 */
export async function copySqliteFile(path: string, target: string): Promise<void> {
  let db: Database.Database | null = null;
  try {
    db = new Database(path, { readonly: true, timeout: 5_000, fileMustExist: true });
    await db.backup(target, { progress: () => PAGES_A_STEP });
    toSingleFile(target);
  } catch (cause) {
    rmSync(target, { force: true });
    throw new AppError(
      'backup.unreadable',
      `${path} is a database that cannot be copied: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  } finally {
    db?.close();
  }
}

const PAGES_A_STEP = 500;

/** The header of a copy still says "with a log beside it"; the copy has none and needs none. */
function toSingleFile(path: string): void {
  const db = new Database(path);
  try {
    db.pragma('journal_mode = DELETE');
  } finally {
    db.close();
  }
}
