import { closeSync, constants, existsSync, openSync, readSync, rmSync } from 'node:fs';
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
  return isSqliteHeader(readHead(path, MAGIC.length)) && (existsSync(`${path}-wal`) || existsSync(`${path}-journal`));
}

/** The first bytes of a file; nothing of one that cannot be read. A link is not followed, and a pipe not waited for. */
function readHead(path: string, length: number): Buffer {
  const head = Buffer.alloc(length);
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch {
    return Buffer.alloc(0);
  }
  try {
    return head.subarray(0, readSync(descriptor, head, 0, length, 0));
  } catch {
    // A folder, or a disk that fails: no database that could be read.
    return Buffer.alloc(0);
  } finally {
    closeSync(descriptor);
  }
}

/** Whether a file is the log of a database, with something in it: whoever opens the database next plays it back. */
export function isSqliteLog(path: string): boolean {
  const head = readHead(path, 8).toString('hex');
  return /^377f068[23]/.test(head) || head === 'd9d505f920a163d7';
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
    const { totalPages } = await db.backup(target, { progress: pace() });
    // One that is locked from the beginning counts as copied there, with no page at all.
    if (totalPages === 0) throw new Error('database is locked');
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
const STALLS = 10;

/**
 * A few pages at a time, so that others get their turn. Each write of another program begins the copy anew: when that
 * goes on, the rest is taken at once, and when not even that can be had, it is an error.
 */
function pace(): (progress: { readonly remainingPages: number }) => number {
  let least = Number.POSITIVE_INFINITY;
  let stalls = 0;
  return ({ remainingPages }) => {
    stalls = remainingPages < least ? 0 : stalls + 1;
    least = Math.min(least, remainingPages);
    if (stalls > 2 * STALLS) throw new Error('database is locked');
    return stalls > STALLS ? ALL_PAGES : PAGES_A_STEP;
  };
}

const ALL_PAGES = 0x7fffffff;

/** The header of a copy still says "with a log beside it"; the copy has none and needs none. */
function toSingleFile(path: string): void {
  const db = new Database(path);
  try {
    db.pragma('journal_mode = DELETE');
  } finally {
    db.close();
  }
}
