import { isDeepStrictEqual } from 'node:util';
import type { Store } from './database.ts';
import type { JournalContent } from './journal-lines.ts';
import { replayJournal } from './journal-replay.ts';
import { prepareRows } from './record-rows.ts';

/**
 * Brings back what the journal knows. Its lines are proven by a checksum and salvaged rows are not: where both tell
 * of the same change and differ, the row gives way.
 */
export function bringBackRecords(store: Store, journal: JournalContent): void {
  const { db } = store;
  const rows = { decision_vault: prepareRows(db, 'decision_vault'), memories: prepareRows(db, 'memories') };
  const dropRow = {
    decision_vault: db.prepare<[string]>('DELETE FROM decision_vault WHERE id = ?'),
    memories: db.prepare<[string]>('DELETE FROM memories WHERE id = ?'),
  };
  const dropChange = db.prepare<unknown[]>(
    `DELETE FROM record_history WHERE table_name = ? AND record_id = ? AND change_seq = ? AND field = ?
       AND (before_json <> ? OR after_json <> ? OR changed_at_ms <> ? OR clock <> ? OR origin <> ? OR device_id <> ?)`,
  );
  store.write(() => {
    for (const { table, id, record, changes } of journal.entries) {
      const row = record === null ? undefined : rows[table].get(id);
      if (row?.changeSeq === record?.changeSeq && !isDeepStrictEqual(row, record ?? undefined)) dropRow[table].run(id);
      for (const { seq, field, before, after, changedAtMs, clock, origin, deviceId } of changes) {
        const values = [
          JSON.stringify(before ?? null),
          JSON.stringify(after ?? null),
          changedAtMs,
          clock,
          origin,
          deviceId,
        ];
        dropChange.run(table, id, seq, field, ...values);
      }
    }
  });
  replayJournal(store, journal.entries);
}
