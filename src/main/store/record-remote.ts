import type { ERROR_CATALOGUE } from '../../shared/errors.ts';
import type { ActivityKind, EditableRecord, FieldChange, Remote } from '../../shared/model.ts';
import type { Store, Transaction } from './database.ts';
import { type EditableTable, newRecord, type RecordCommon } from './record-fields.ts';
import { prepareHistory } from './record-history.ts';
import { prepareRows } from './record-rows.ts';
import { createSaveAll, type RecordParts } from './record-save.ts';

/** Values of fields by their names in `shared/model.ts`. */
export type FieldValues = Readonly<Record<string, unknown>>;

export type RemoteEdit = {
  readonly table: EditableTable;
  readonly id: string;
  /** What changes; for a record that is new here everything that is known of it. */
  readonly fields: FieldValues;
  /** Where the edit comes from: a remote, or the face in which a conflict was decided. */
  readonly origin: string;
  readonly editedAtMs: number | null;
  readonly confirmed: readonly string[];
  /** The remotes that have to hear of the record, and of its activity. */
  readonly remotes: { readonly record: readonly Remote[]; readonly activity: readonly Remote[] };
};

/** How sync reads and writes records. Values are expected to be valid: see `record-check.ts` of sync. */
export type RemoteRecords = {
  readonly get: (table: EditableTable, id: string) => EditableRecord | undefined;
  readonly many: (table: EditableTable, ids: readonly string[]) => readonly EditableRecord[];
  /** When each field got its value, by the clock of where it was edited. */
  readonly times: (table: EditableTable, id: string) => ReadonlyMap<string, number>;
  /** Every value that its fields ever got, oldest first. */
  readonly changes: (table: EditableTable, id: string) => readonly FieldChange[];
  /**
   * Writes edits of different records with history, journal, activities and outbox entries; part of the caller's
   * transaction. Gives the records as they are then, in the same order.
   */
  readonly apply: (tx: Transaction, edits: readonly RemoteEdit[]) => readonly EditableRecord[];
  /** Records that are not retired. */
  readonly count: (table: EditableTable) => number;
  /** Pending entries of records that are retired here and not over there, as far as the link knows. */
  readonly pendingRetirements: (remote: Remote, table: EditableTable) => number;
};

export function createRemoteRecords(store: Store, parts: RecordParts): RemoteRecords {
  const rows = { decision_vault: prepareRows(store.db, 'decision_vault'), memories: prepareRows(store.db, 'memories') };
  const history = prepareHistory(store.db);
  const saveAll = createSaveAll(store, parts, (record) => rows[record.table].save(record));
  const retirements = {
    decision_vault: prepareRetirements(store, 'decision_vault'),
    memories: prepareRetirements(store, 'memories'),
  };
  return {
    get: (table, id) => rows[table].get(id),
    many: (table, ids) => ids.flatMap((id) => rows[table].get(id) ?? []),
    times: history.times,
    changes: history.of,
    apply: (tx, edits) =>
      saveAll(
        tx,
        edits.map((edit) => {
          const before = rows[edit.table].get(edit.id) ?? null;
          const after = before === null ? created(store, edit) : ({ ...before, ...edit.fields } as EditableRecord);
          const { origin, confirmed, remotes } = edit;
          const editedAtMs = edit.editedAtMs ?? undefined;
          return { kind: kindOf(before, after), before, after, origin, editedAtMs, confirmed, remotes };
        }),
      ),
    count: (table) => rows[table].count(),
    pendingRetirements: (remote, table) => retirements[table].get(remote)?.count ?? 0,
  };
}

function prepareRetirements(store: Store, table: EditableTable) {
  return store.db.prepare<[string], { count: number }>(
    `SELECT count(*) AS count FROM outbox AS o
     JOIN ${table} AS r ON r.id = o.record_id AND r.deleted_at_ms IS NOT NULL
     JOIN links AS l ON l.remote = o.remote AND l.table_name = o.table_name AND l.record_id = o.record_id
     WHERE o.remote = ? AND o.table_name = '${table}' AND o.state <> 'leased'
       AND (o.state = 'pending' OR o.error_code = '${HELD}')
       AND l.base_json IS NOT NULL AND json_extract(l.base_json, '$.deletedAtMs') IS NULL`,
  );
}

/** The code under which entries are parked that the breaker holds. */
export const HELD = 'sync.held' satisfies keyof typeof ERROR_CATALOGUE;

function kindOf(before: EditableRecord | null, after: EditableRecord): Extract<ActivityKind, `record.${string}`> {
  if (before === null) return 'record.created';
  if (before.deletedAtMs === null && after.deletedAtMs !== null) return 'record.retired';
  if (before.deletedAtMs !== null && after.deletedAtMs === null) return 'record.restored';
  return 'record.edited';
}

function created(store: Store, { table, id, fields, origin, editedAtMs }: RemoteEdit): EditableRecord {
  const nowMs = store.nowMs();
  const text = (name: string): string | null => (typeof fields[name] === 'string' ? fields[name] : null);
  const time = (name: string): number | null => (typeof fields[name] === 'number' ? fields[name] : null);
  const common: RecordCommon = {
    id,
    sourcePath: text('sourcePath'),
    sourceSha256: text('sourceSha256'),
    supersedes: text('supersedes'),
    origin: text('origin') ?? origin,
    createdAtMs: time('createdAtMs') ?? editedAtMs ?? nowMs,
    updatedAtMs: editedAtMs ?? nowMs,
    deletedAtMs: time('deletedAtMs'),
    deviceId: text('deviceId') ?? store.deviceId,
    ownerId: text('ownerId'),
    changeSeq: 0,
  };
  return newRecord(table, common, fields);
}
