/** The task that indexes a large backlog: its own connections, one writer of the index while it lives. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { type TaskPort, taskPort } from '../../task.ts';
import { isDamage, openExisting } from './index-file.ts';
import { createIndexer, type StepLimits } from './indexer.ts';

export type IndexWorkerData = {
  readonly dataFolder: string;
  readonly vaultFile: string;
  /** It ends after this long without work, so that an idle agent stays small. */
  readonly idleMs: number;
};
export type ToIndexWorker = 'wake' | 'stop';
export type FromIndexWorker =
  | { readonly type: 'progress' }
  | { readonly type: 'problem'; readonly message: string }
  /** It gave up; `damaged` when the index must be made again. */
  | { readonly type: 'failed'; readonly message: string; readonly damaged: boolean };

/** As much as FTS5 keeps in memory before it writes; more per commit makes fewer and larger segments. */
const BULK: StepLimits = { documents: 4_000, bytes: 8_000_000 };

// Without its agent it must not write on: the next agent starts a task of its own.
const port = taskPort(() => process.exit(0));
if (port !== null) run(port, port.data as IndexWorkerData);

function run(port: TaskPort, { dataFolder, vaultFile, idleMs }: IndexWorkerData): void {
  const tell = (message: FromIndexWorker): void => port.send(message);
  const open = (): { readonly vault: Database.Database; readonly index: Database.Database } => {
    const index = openExisting(dataFolder);
    if (index === null) throw new Error('the search index is gone');
    const vault = new Database(join(dataFolder, vaultFile), { readonly: true, fileMustExist: true, timeout: 5_000 });
    vault.pragma('cache_size = -2000');
    return { vault, index };
  };

  let next: NodeJS.Immediate | null = null;
  let rest: NodeJS.Timeout | null = null;
  let close: () => void = () => undefined;

  const end = (): void => {
    if (next !== null) clearImmediate(next);
    if (rest !== null) clearTimeout(rest);
    close();
    port.close();
  };
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (cause) {
      tell({ type: 'failed', message: (cause as Error).message, damaged: isDamage(cause) });
      end();
    }
  };

  attempt(() => {
    const { vault, index } = open();
    close = () => {
      index.close();
      vault.close();
    };
    const indexer = createIndexer({
      index,
      vault,
      dataFolder,
      onProblem: (message) => tell({ type: 'problem', message }),
    });
    const step = (): void =>
      attempt(() => {
        next = null;
        if (indexer.step(BULK) > 0) tell({ type: 'progress' });
        else if (indexer.unmerged() === 0 || !indexer.merge()) {
          rest = setTimeout(end, idleMs);
          return;
        }
        next = setImmediate(step);
      });
    port.onMessage((message) => {
      if (message === 'stop') end();
      else if (next === null) {
        if (rest !== null) clearTimeout(rest);
        next = setImmediate(step);
      }
    });
    step();
  });
}
