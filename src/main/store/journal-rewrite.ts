import { copyFileSync } from 'node:fs';
import type { Store } from './database.ts';
import { inJournal, replaceWith } from './journal-file.ts';
import { countLines, encodeLine, type JournalEntry, journalLines, journalPath } from './journal-lines.ts';
import type { EditableTable } from './record-fields.ts';
import { type HistoryChange, prepareHistory, type RecordHistory } from './record-history.ts';
import { prepareRows } from './record-rows.ts';

/**
 * Writes the journal anew from the vault: the same records and values in fewer bytes, newest change last.
 * Lines that the vault does not know are carried over; a journal with damaged lines is kept beside the new one.
 */
export function rewriteJournal(store: Store): void {
  replaceWith(journalPath(store.dataFolder), lines(store));
}

/** Whether it would make the journal much smaller: a record is told of in two lines or more, the older ones in full. */
export function isWorthRewriting(store: Store): boolean {
  const count = (table: EditableTable): number =>
    store.db.prepare<[], { count: number }>(`SELECT count(*) AS count FROM ${table}`).get()?.count ?? 0;
  return countLines(store.dataFolder) >= 2 * (count('decision_vault') + count('memories'));
}

function* lines(store: Store): Generator<Buffer> {
  const path = journalPath(store.dataFolder);
  const history = prepareHistory(store.db);
  const rows = { decision_vault: prepareRows(store.db, 'decision_vault'), memories: prepareRows(store.db, 'memories') };
  let damaged = 0;
  for (const entry of journalLines(store.dataFolder)) {
    if (entry === null) damaged += 1;
    else if (!isInVault(history, entry)) yield encodeLine(entry);
  }
  if (damaged > 0) inJournal(() => copyFileSync(path, `${path}.damaged-${store.nowMs()}`));
  const records = store.db
    .prepare<[], { table_name: EditableTable; id: string }>(
      `SELECT 'decision_vault' AS table_name, id, change_seq FROM decision_vault
       UNION ALL SELECT 'memories', id, change_seq FROM memories ORDER BY change_seq`,
    )
    .all();
  for (const { table_name: table, id } of records) {
    const record = rows[table].get(id) ?? null;
    const changes = [...bySeq(history.of(table, id)).values()];
    const newest = changes.pop() ?? [];
    for (const older of changes) yield encodeLine({ table, id, record: null, changes: older });
    yield encodeLine({ table, id, record, changes: newest });
  }
}

function isInVault(history: RecordHistory, { table, id, changes }: JournalEntry): boolean {
  return changes.length > 0 && changes.every((change) => history.has(table, id, change.seq));
}

/** The changes of one write stay in one line: a repeated change number then replaces them as a whole. */
function bySeq(changes: readonly HistoryChange[]): Map<number, HistoryChange[]> {
  return Map.groupBy(changes, (change) => change.seq);
}
