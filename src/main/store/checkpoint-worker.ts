/** Copies the log of the vault into its file in a thread, over a connection of its own; see `checkpointer.ts`. */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import type { LogFrames } from './checkpointer.ts';
import { VAULT_FILE } from './database.ts';

export type CheckpointTask = { readonly dataFolder: string };
export type ToCheckpointWorker = 'copy' | 'end';
export type FromCheckpointWorker = {
  /** Everything that was there when it began is in the file; else somebody still reads an older state. */
  readonly isWhole: boolean;
  readonly failure: string | null;
};

const { dataFolder } = workerData as CheckpointTask;
const db = new Database(join(dataFolder, VAULT_FILE), { fileMustExist: true });
// The log is synced before it is copied, and the file after it, before the log may begin anew.
db.pragma('synchronous = FULL');
db.pragma('wal_autocheckpoint = 0');
db.pragma('cache_size = -256');

function copy(): FromCheckpointWorker {
  try {
    // Waits for nobody, and nobody waits for it.
    const [frames] = db.pragma('wal_checkpoint(PASSIVE)') as LogFrames[];
    return { isWhole: frames !== undefined && frames.checkpointed >= frames.log, failure: null };
  } catch (cause) {
    // A full disk, say: everything is durable in the log.
    return { isWhole: false, failure: String(cause) };
  }
}

parentPort?.on('message', (order: ToCheckpointWorker) => {
  if (order === 'end') {
    db.close();
    parentPort?.close();
    return;
  }
  parentPort?.postMessage(copy());
});
