import type { ActivityKind, EditableRecord, Remote } from '../../shared/model.ts';
import type { ActivityStore } from './activities.ts';
import type { Store, Transaction } from './database.ts';
import type { Journal } from './journal.ts';
import type { JournalEntry } from './journal-lines.ts';
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
 * Writes records of different ids: rows, history, activities, outbox entries, and before all of them one write to the
 * journal. A record of which nothing differs is left as it is. Gives the records as they are then, in the same order.
 */
export type SaveAll = (tx: Transaction, orders: readonly SaveOrder[]) => readonly EditableRecord[];
export type Save = (tx: Transaction, order: SaveOrder) => EditableRecord;

/** The one way in which a record is written. */
export function createSave(store: Store, parts: RecordParts, saveRow: (record: EditableRecord) => void): Save {
  const saveAll = createSaveAll(store, parts, saveRow);
  return (tx, order) => {
    const [record] = saveAll(tx, [order]);
    if (record === undefined) throw new Error('a record was saved and is not there');
    return record;
  };
}

/** The same for many at once. */
export function createSaveAll(store: Store, parts: RecordParts, saveRow: (record: EditableRecord) => void): SaveAll {
  const history = prepareHistory(store.db);
  const number = (tx: Transaction, order: SaveOrder): Numbered => {
    const { before, after, origin } = order;
    const changes = changedFields(before, after);
    const confirmed = (order.confirmed ?? []).map((field) => unchanged(after, field));
    if (before !== null && changes.length + confirmed.length === 0) return { order, record: before, entry: null };
    const seq = tx.takeChange();
    const changedAtMs = order.editedAtMs ?? store.nowMs();
    const stamp = { seq, changedAtMs, origin, deviceId: store.deviceId, clock: store.clock.tick() };
    const record = { ...after, updatedAtMs: changedAtMs, changeSeq: seq };
    const all = [...changes, ...confirmed].map((change) => ({ ...stamp, ...change }));
    return { order, record, entry: { table: record.table, id: record.id, record, changes: all } };
  };
  return (tx, orders) => {
    const numbered = orders.map((order) => number(tx, order));
    const entries = numbered.flatMap(({ entry }) => entry ?? []);
    if (entries.length > 0) parts.journal.append(entries);
    for (const { order, record, entry } of numbered) {
      if (entry === null) continue;
      saveRow(record);
      history.add(entry.table, entry.id, entry.changes);
      if (order.remotes === undefined) parts.outbox.enqueue(tx, entry.table, entry.id, record.changeSeq);
      else parts.outbox.enqueueFor(tx, order.remotes.record, entry.table, entry.id, record.changeSeq);
      noteActivity(tx, parts, order, record);
    }
    return numbered.map(({ record }) => record);
  };
}

type Numbered = {
  readonly order: SaveOrder;
  readonly record: EditableRecord;
  /** null when nothing differs. */
  readonly entry: JournalEntry | null;
};

function noteActivity(tx: Transaction, parts: RecordParts, order: SaveOrder, record: EditableRecord): void {
  const fields = changedFields(order.before, record).map((change) => change.field);
  // The same value once more is no news.
  if (order.before !== null && fields.length === 0) return;
  const activity = {
    kind: order.kind,
    summary: recordSummary(order.kind, record, fields, order.heir),
    rootId: null,
    path: null,
    snapshotId: null,
    recordTable: record.table,
    recordId: record.id,
    origin: order.origin,
  };
  parts.activities.append(tx, activity, order.remotes?.activity);
}

function unchanged(record: EditableRecord, field: string): { field: string; before: unknown; after: unknown } {
  const value = (record as Readonly<Record<string, unknown>>)[field] ?? null;
  return { field, before: value, after: value };
}
