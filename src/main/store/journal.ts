import { existsSync } from 'node:fs';
import { AppError } from '../../shared/errors.ts';
import { type Store, translateSqliteError } from './database.ts';
import { type AppendFile, openAppendFile } from './journal-file.ts';
import { encodeLine, type JournalEntry, journalPath, readTail } from './journal-lines.ts';
import { isWorthRewriting, rewriteJournal } from './journal-rewrite.ts';
import type { EditableTable } from './record-fields.ts';
import { prepareHistory } from './record-history.ts';

/**
 * Every write of a decision or a memory, once more, outside the vault: what a person wrote by hand survives
 * a vault that is destroyed. A line is durable before the transaction that it belongs to commits.
 */
export type Journal = {
  /**
   * Only inside a transaction, and before the rows of these entries are written: lines whose change is not in
   * the vault belong to a transaction that failed, and are taken back first.
   * Throws `data.full`, `data.unwritable` or `data.io_error`; then the journal is as it was.
   */
  readonly append: (entries: readonly JournalEntry[]) => void;
  readonly state: () => {
    readonly sizeBytes: number;
    /** Why the journal could not be made smaller; it goes on growing, nothing is lost. Null when all is well. */
    readonly problem: string | null;
  };
  readonly close: () => void;
};

export type JournalOptions = {
  /** Above this size it is rewritten from the vault, where that makes it much smaller. */
  readonly rewriteAboveBytes?: number;
};

const REWRITE_ABOVE_BYTES = 8_000_000;

type Unsettled = { readonly offset: number; readonly table: EditableTable; readonly id: string; readonly seq: number };

/** Opens the journal of an open vault; one that is missing is written from the vault. */
export function openJournal(store: Store, options: JournalOptions = {}): Journal {
  const path = journalPath(store.dataFolder);
  const rewriteAbove = options.rewriteAboveBytes ?? REWRITE_ABOVE_BYTES;
  const history = prepareHistory(store.db);
  if (!existsSync(path)) rewriteJournal(store);
  let file = openAppendFile(path);
  mendTail(file, store.dataFolder);
  let limitBytes = rewriteAbove;
  let problem: string | null = null;
  /** Lines of work that may still be rolled back, oldest first. */
  let unsettled: Unsettled[] = [];
  let isScheduled = false;
  let isClosed = false;

  const isInVault = ({ table, id, seq }: Unsettled): boolean => history.has(table, id, seq);
  const takeBackFailed = (): void => {
    for (let last = unsettled.at(-1); last !== undefined && !isInVault(last); last = unsettled.at(-1)) {
      file.cutAt(last.offset);
      unsettled.pop();
    }
  };
  const shrink = (): void => {
    if (!isWorthRewriting(store)) {
      limitBytes = Math.max(file.sizeBytes() + rewriteAbove, 1.5 * file.sizeBytes());
      return;
    }
    file.close();
    // After a failure it is tried again when as much has been added once more.
    limitBytes = file.sizeBytes() + rewriteAbove;
    try {
      rewriteJournal(store);
    } finally {
      file = openAppendFile(path);
    }
    limitBytes = Math.max(rewriteAbove, 2 * file.sizeBytes());
    problem = null;
  };
  /** SQLite work is synchronous: after the current turn every transaction has ended one way or the other. */
  const settle = (): void => {
    isScheduled = false;
    if (isClosed || !store.db.open) return;
    try {
      takeBackFailed();
      unsettled = [];
      if (file.sizeBytes() > limitBytes) shrink();
    } catch (cause) {
      const expected = translateSqliteError(cause, store.db.name);
      if (!(expected instanceof AppError)) throw cause;
      problem = expected.message;
    }
  };

  return {
    append: (entries) => {
      takeBackFailed();
      const offset = file.sizeBytes();
      file.append(Buffer.concat(entries.map(encodeLine)));
      for (const { table, id, changes } of entries) {
        const newest = changes.at(-1);
        if (newest !== undefined) unsettled.push({ offset, table, id, seq: newest.seq });
      }
      if (isScheduled) return;
      isScheduled = true;
      queueMicrotask(settle);
    },
    state: () => ({ sizeBytes: file.sizeBytes(), problem }),
    close: () => {
      if (isClosed) return;
      settle();
      isClosed = true;
      file.close();
    },
  };
}

/** What a crash in the middle of a write left at the end: a line that is whole is kept, half of one never counted. */
function mendTail(file: AppendFile, dataFolder: string): void {
  const tail = readTail(dataFolder);
  if (tail.kind === 'whole') file.append(Buffer.from('\n'));
  if (tail.kind === 'torn') file.cutAt(tail.offset);
}
