import type { ActivityKind, EditableRecord, Remote } from '../../shared/model.ts';
import type { ActivityStore } from './activities.ts';
import type { Store, Transaction } from './database.ts';
import type { Journal } from './journal.ts';
import type { Outbox } from './outbox.ts';
import { changedFields } from './record-fields.ts';
import { prepareHistory } from './record-history.ts';
import { recordSummary } from './record-summary.ts';

export type RecordParts = { readonly outbox: Outbox; readonly activities: ActivityStore; readonly journal: Journal };

export type SaveOrder = {
  readonly kind: Extract<ActivityKind, `record.${string}`>;
  /** null for a new record. */
  readonly before: EditableRecord | null;
  readonly after: EditableRecord;
  readonly origin: string;
  /** The record that takes its place. */
  readonly heir?: EditableRecord;
  /** When it was edited, where it was edited; now unless told. */
  readonly editedAtMs?: number | undefined;
  /** Fields that got the value they have once more, at that time: see `Merge.confirmed` of sync. */
  readonly confirmed?: readonly string[];
  /** The remotes that have to hear of the record, and of its activity; all unless told. */
  readonly remotes?: { readonly record: readonly Remote[]; readonly activity: readonly Remote[] };
};

/**
 * Writes a record: row, history, activity, outbox entries, and a line in the journal before all of them.
 * Nothing happens when nothing differs.
 */
export type Save = (tx: Transaction, order: SaveOrder) => EditableRecord;

/** The one way in which a record is written. */
export function createSave(store: Store, parts: RecordParts, saveRow: (record: EditableRecord) => void): Save {
  const history = prepareHistory(store.db);
  return (tx, order) => {
    const { kind, before, after, origin, remotes } = order;
    const changes = changedFields(before, after);
    const confirmed = (order.confirmed ?? []).map((field) => unchanged(after, field));
    if (before !== null && changes.length + confirmed.length === 0) return before;
    const seq = tx.takeChange();
    const changedAtMs = order.editedAtMs ?? store.nowMs();
    const stamp = { seq, changedAtMs, origin, deviceId: store.deviceId, clock: store.clock.tick() };
    const record = { ...after, updatedAtMs: changedAtMs, changeSeq: seq };
    const entry = {
      table: record.table,
      id: record.id,
      record,
      changes: [...changes, ...confirmed].map((change) => ({ ...stamp, ...change })),
    };
    parts.journal.append([entry]);
    saveRow(record);
    history.add(entry.table, entry.id, entry.changes);
    if (remotes === undefined) parts.outbox.enqueue(tx, entry.table, entry.id, seq);
    else parts.outbox.enqueueFor(tx, remotes.record, entry.table, entry.id, seq);
    if (before !== null && changes.length === 0) return record;
    const fields = changes.map((change) => change.field);
    const activity = {
      kind,
      summary: recordSummary(kind, record, fields, order.heir),
      rootId: null,
      path: null,
      snapshotId: null,
      recordTable: entry.table,
      recordId: entry.id,
      origin,
    };
    parts.activities.append(tx, activity, remotes?.activity);
    return record;
  };
}

function unchanged(record: EditableRecord, field: string): { field: string; before: unknown; after: unknown } {
  const value = (record as Readonly<Record<string, unknown>>)[field] ?? null;
  return { field, before: value, after: value };
}
