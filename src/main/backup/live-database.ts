/**
 * Databases that other programs have open. What the watch captured of one may be half of a transaction, and the log
 * beside it is of another moment: a backup takes a copy through SQLite itself, and leaves the log out, which would be
 * played back over the copy.
 */
import { lstatSync } from 'node:fs';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { fsPath } from '../path-names.ts';
import { copySqliteFile, isLiveSqlite } from '../store/sqlite-copy.ts';

const LOGS = ['-wal', '-journal'];
const BESIDE = /^(.+)-(?:wal|shm|journal)$/;

/** The name of the database that a log or an index of one belongs to; null for any other name. */
export function databaseOf(name: string): string | null {
  return BESIDE.exec(name)?.[1] ?? null;
}

/** Whether it is worth a look at the disk: by its name, or by a log among the names beside it. */
export function mayBeDatabase(name: string, isBeside: (name: string) => boolean): boolean {
  return /\.(?:db|db3|sqlite3?)$/i.test(name) || LOGS.some((log) => isBeside(name + log));
}

/**
 * Copies a database that somebody may be writing to: its state after a whole transaction. `locked`: it cannot be copied
 * now, which becomes a warning.
 */
export async function copyLive(
  path: string,
  target: string,
  warnings: string[],
): Promise<'copied' | 'no database' | 'locked'> {
  if (typeof fsPath(path) !== 'string' || !isLiveSqlite(path)) return 'no database';
  try {
    await copySqliteFile(path, target);
    return 'copied';
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    warnings.push(`${displayPath(path)} is in use and was taken as it was before: ${cause.message}`);
    return 'locked';
  }
}

/** Differs when the database or its log is not as it was. Not by the time of change: to open a database changes that. */
export function stampOf(path: string): string {
  return ['', ...LOGS]
    .map((suffix) => {
      const stat = lstatSync(path + suffix, { bigint: true, throwIfNoEntry: false });
      return stat === undefined ? '-' : [stat.ino, stat.size, stat.mtimeNs].join('.');
    })
    .join(' ');
}
