import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { AppError } from '../../shared/errors.ts';

/**
 * One writer per data folder, by a lock that the kernel releases when its process dies, however it dies.
 *
 * Node has no file lock of its own; SQLite takes a POSIX record lock (LockFileEx on Windows), so an open
 * exclusive transaction on a database that holds nothing else is that lock. No second handle to the file may be
 * opened in this process: closing it would release the lock (fcntl(2), "advisory record locking").
 */
export type DataFolderLock = { readonly release: () => void };

const LOCK_FILE = 'lock.db';

/**
 * Takes the lock, waiting up to `waitMs` for a holder that is about to end.
 * Throws `data.held` (naming the holder when it is known) or `data.unwritable`.
 */
export function acquireLock(dataFolder: string, waitMs: number): DataFolderLock {
  let db: Database.Database;
  try {
    mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
    db = new Database(join(dataFolder, LOCK_FILE), { timeout: waitMs });
  } catch (cause) {
    throw new AppError('data.unwritable', `${dataFolder}: ${(cause as Error).message}`, { cause });
  }
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    db.close();
    const code = cause instanceof Database.SqliteError ? cause.code : '';
    if (code.startsWith('SQLITE_BUSY')) {
      throw new AppError('data.held', `${describeHolder(dataFolder)} holds ${dataFolder}.`, { retryable: true });
    }
    throw new AppError('data.unwritable', `${dataFolder}: ${(cause as Error).message}`, { cause });
  }
  return { release: () => db.close() };
}

/** Who holds the folder, as far as its endpoint file tells; the file is a hint, the lock is the truth. */
function describeHolder(dataFolder: string): string {
  try {
    const endpoint = JSON.parse(readFileSync(join(dataFolder, 'agent.json'), 'utf8')) as {
      pid?: unknown;
      url?: unknown;
    };
    return `The agent with process id ${String(endpoint.pid)} (${String(endpoint.url)})`;
  } catch {
    return 'Another process';
  }
}
