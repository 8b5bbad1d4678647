/** Tests the vault's file in a thread of its own; posts null, or what is wrong. */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { VAULT_FILE } from './database.ts';
import { type CheckTask, integrityCheck, quickCheck } from './quick-check.ts';

const { dataFolder, kind } = workerData as CheckTask;
const db = new Database(join(dataFolder, VAULT_FILE), { readonly: true, fileMustExist: true });
try {
  parentPort?.postMessage(kind === 'quick_check' ? quickCheck(db) : integrityCheck(db));
} finally {
  db.close();
}
