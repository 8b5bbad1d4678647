import { Worker } from 'node:worker_threads';
import { AppError } from '../../shared/errors.ts';
import { workerUrl } from '../worker-url.ts';
import { type Db, translateSqliteError } from './database.ts';

/**
 * Tests the structure of the whole file (SQLite's quick_check): null when it is sound, else what is wrong in a few
 * words. Reads every page: about a second per gigabyte. Never throws for damage.
 */
export function quickCheck(db: Db): string | null {
  return runCheck(db, 'quick_check');
}

/** Like {@link quickCheck}, and compares every index with its table (SQLite's integrity_check): several times slower. */
export function integrityCheck(db: Db): string | null {
  return runCheck(db, 'integrity_check');
}

export type CheckKind = 'quick_check' | 'integrity_check';

function runCheck(db: Db, kind: CheckKind): string | null {
  try {
    const lines = db.prepare<[], string>(`PRAGMA ${kind}(5)`).pluck().all() as string[];
    if (lines.length === 1 && lines[0] === 'ok') return null;
    return lines.length === 0 ? 'the test of the file gave no answer' : lines.join('; ');
  } catch (cause) {
    const translated = translateSqliteError(cause, db.name);
    if (translated instanceof AppError && translated.code === 'data.corrupt') return translated.message;
    throw translated;
  }
}

/**
 * {@link quickCheck} of an open vault in a thread of its own, over a connection that only reads: nobody waits for it.
 * Rejects when the test itself could not be made; that says nothing about the vault.
 */
export function startQuickCheck(dataFolder: string): Promise<string | null> {
  return startCheck(dataFolder, 'quick_check');
}

/** {@link integrityCheck}, likewise: for once a day. */
export function startIntegrityCheck(dataFolder: string): Promise<string | null> {
  return startCheck(dataFolder, 'integrity_check');
}

function startCheck(dataFolder: string, kind: CheckKind): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerUrl('check-worker'), { workerData: { dataFolder, kind } satisfies CheckTask });
    worker.unref();
    worker.once('message', (damage: string | null) => resolve(damage));
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the test of the vault ended with code ${code}`)));
  });
}

export type CheckTask = { readonly dataFolder: string; readonly kind: CheckKind };
