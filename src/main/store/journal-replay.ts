import Database from 'better-sqlite3';
import { AppError } from '../../shared/errors.ts';
import type { EditableRecord } from '../../shared/model.ts';
import type { Store, Transaction } from './database.ts';
import { type JournalEntry, readNewestEntry } from './journal-lines.ts';
import { createOutbox } from './outbox.ts';
import type { EditableTable } from './record-fields.ts';
import { type HistoryChange, prepareHistory } from './record-history.ts';
import { prepareRows } from './record-rows.ts';

export type ReplayResult = {
  /** Records that the vault did not have, or had older. */
  readonly records: number;
  /** Values of their history that the vault did not have. */
  readonly changes: number;
  /** Records that the vault could not take, by id, each with the reason. */
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
};

/**
 * Whether the journal knows a newer change than the vault: then the vault lost something and wants a replay.
 * Costs a read of the file; meant for every start.
 */
export function isBehindJournal(store: Store): boolean {
  const newest = readNewestEntry(store.dataFolder);
  const counter = store.db.prepare<[], { value: number }>("SELECT value FROM counters WHERE name = 'change'").get();
  return newest !== null && newestSeq(newest) > (counter?.value ?? 0);
}

/**
 * Brings the records, with their history, that the vault does not have or has older; meant for the start, before
 * anything else is written. All in one transaction; safe to repeat. A record that comes back gets a new
 * change number, so that search and remotes hear of it; its history keeps the old ones.
 */
export function replayJournal(store: Store, entries: readonly JournalEntry[]): ReplayResult {
  const outbox = createOutbox(store);
  const history = prepareHistory(store.db);
  const rows = { decision_vault: prepareRows(store.db, 'decision_vault'), memories: prepareRows(store.db, 'memories') };
  const result = { records: 0, changes: 0, refused: [] as { id: string; reason: string }[] };
  // Change numbers that were given out once must not be given out again.
  const raiseCounter = store.db.prepare<[number]>("UPDATE counters SET value = max(value, ?) WHERE name = 'change'");
  const bring = (tx: Transaction, { table, id, record, changes }: Replayed): void => {
    const known = rows[table].get(id);
    if (record !== null && (known === undefined || known.changeSeq < record.changeSeq)) {
      const changeSeq = tx.takeChange();
      rows[table].save({ ...record, changeSeq });
      outbox.enqueue(tx, table, id, changeSeq);
      result.records += 1;
    }
    result.changes += history.add(table, id, changes);
  };
  store.write((tx) => {
    raiseCounter.run(entries.reduce((newest, entry) => Math.max(newest, newestSeq(entry)), 0));
    for (const replayed of collect(entries)) {
      try {
        // Inside a transaction this is a savepoint: one record that cannot be taken keeps no other one out.
        store.db.transaction(() => bring(tx, replayed))();
      } catch (cause) {
        if (!isRefusal(cause)) throw cause;
        result.refused.push({ id: replayed.id, reason: cause.message });
      }
    }
  });
  return result;
}

type Replayed = {
  readonly table: EditableTable;
  readonly id: string;
  record: EditableRecord | null;
  readonly changes: readonly HistoryChange[];
};

/** One item per record, in the order of their newest change. A later line replaces an earlier one of the same change. */
function collect(entries: readonly JournalEntry[]): Replayed[] {
  type Seen = Omit<Replayed, 'changes'> & { bySeq: Map<number, readonly HistoryChange[]> };
  const records = new Map<string, Seen>();
  for (const { table, id, record, changes } of entries) {
    const seen = records.get(`${table} ${id}`) ?? { table, id, record: null, bySeq: new Map() };
    records.set(`${table} ${id}`, seen);
    if (record !== null && record.changeSeq >= (seen.record?.changeSeq ?? 0)) seen.record = record;
    for (const [seq, same] of Map.groupBy(changes, (change) => change.seq)) seen.bySeq.set(seq, same);
  }
  return [...records.values()]
    .map(({ table, id, record, bySeq }): Replayed => ({ table, id, record, changes: [...bySeq.values()].flat() }))
    .toSorted((a, b) => (a.record?.changeSeq ?? 0) - (b.record?.changeSeq ?? 0));
}

function newestSeq(entry: JournalEntry): number {
  return entry.changes.reduce((newest, change) => Math.max(newest, change.seq), entry.record?.changeSeq ?? 0);
}

function isRefusal(cause: unknown): cause is Error {
  if (cause instanceof AppError) return cause.code === 'record.invalid';
  return cause instanceof Database.SqliteError && /^SQLITE_(CONSTRAINT|MISMATCH|RANGE)/.test(cause.code);
}
