import type { FieldChange } from '../../shared/model.ts';
import type { Db } from './database.ts';
import type { EditableTable } from './record-fields.ts';

/** One value a field held, with the stamp of the hybrid clock that orders it among devices. */
export type HistoryChange = FieldChange & { readonly clock: number };

/** Every value that any field of a record ever held. Rows are added, never changed. */
export type RecordHistory = {
  /** Returns how many were not known yet. */
  readonly add: (table: EditableTable, recordId: string, changes: readonly HistoryChange[]) => number;
  /** Oldest change first. */
  readonly of: (table: EditableTable, recordId: string) => HistoryChange[];
  /** When each field got the value that it has, by the clock of where it was edited. */
  readonly times: (table: EditableTable, recordId: string) => ReadonlyMap<string, number>;
  readonly has: (table: EditableTable, recordId: string, seq: number) => boolean;
};

type Row = {
  change_seq: number;
  field: string;
  before_json: string;
  after_json: string;
  changed_at_ms: number;
  clock: number;
  origin: string;
  device_id: string;
};

export function prepareHistory(db: Db): RecordHistory {
  const add = db.prepare(
    `INSERT INTO record_history (change_seq, table_name, record_id, field, before_json, after_json, changed_at_ms, clock,
       origin, device_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const of = db.prepare<[string, string], Row>(
    `SELECT change_seq, field, before_json, after_json, changed_at_ms, clock, origin, device_id FROM record_history
     WHERE table_name = ? AND record_id = ? ORDER BY change_seq, field`,
  );
  const times = db.prepare<[string, string], { field: string; changed_at_ms: number }>(
    `SELECT field, changed_at_ms FROM record_history WHERE table_name = ? AND record_id = ? ORDER BY change_seq`,
  );
  const has = db.prepare<[string, string, number], { found: number }>(
    'SELECT 1 AS found FROM record_history WHERE table_name = ? AND record_id = ? AND change_seq = ? LIMIT 1',
  );
  return {
    add: (table, recordId, changes) => {
      let added = 0;
      for (const change of changes) {
        added += add.run(
          change.seq,
          table,
          recordId,
          change.field,
          JSON.stringify(change.before ?? null),
          JSON.stringify(change.after ?? null),
          change.changedAtMs,
          change.clock,
          change.origin,
          change.deviceId,
        ).changes;
      }
      return added;
    },
    of: (table, recordId) => of.all(table, recordId).map(toChange),
    // In the order of the changes: the newest of a field is what stays in the map.
    times: (table, recordId) =>
      new Map(times.all(table, recordId).map(({ field, changed_at_ms }) => [field, changed_at_ms])),
    has: (table, recordId, seq) => has.get(table, recordId, seq) !== undefined,
  };
}

function toChange(row: Row): HistoryChange {
  return {
    seq: row.change_seq,
    field: row.field,
    before: JSON.parse(row.before_json),
    after: JSON.parse(row.after_json),
    changedAtMs: row.changed_at_ms,
    clock: row.clock,
    origin: row.origin,
    deviceId: row.device_id,
  };
}
