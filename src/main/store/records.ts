import type { AgentMethods, MethodName, MethodOutput } from '../../shared/contract.ts';
import { AppError } from '../../shared/errors.ts';
import type { EditableRecord } from '../../shared/model.ts';
import { clockMs } from './clock.ts';
import type { Store } from './database.ts';
import { uuidv7 } from './ids.ts';
import { parseSeqCursor } from './listing.ts';
import { type EditableTable, newRecord, withFields, writtenFields } from './record-fields.ts';
import { prepareHistory } from './record-history.ts';
import { resolveRecord } from './record-ids.ts';
import { prepareRows } from './record-rows.ts';
import { createSave, type RecordParts } from './record-save.ts';
import { titleOf } from './record-summary.ts';

type Input<M extends MethodName> = Parameters<AgentMethods[M]>[0];

/**
 * Decisions and memories. Every write is one durable transaction with its history, its activity, its outbox
 * entries and a line in the journal. `id` may be a unique part (beginning or end, 6 characters or more);
 * otherwise `not_found.record` or `ambiguous.id`. Text that a database could not give back is `record.invalid`.
 */
export type RecordStore = {
  /** Newest change first, 100 unless told. A record that changes while pages are read may move out of sight. */
  readonly list: (query: Input<'records.list'>) => MethodOutput<'records.list'>;
  /** The record with every value that its fields ever held, newest first. */
  readonly show: (query: Input<'records.show'>) => MethodOutput<'records.show'>;
  readonly create: (input: Input<'records.create'>) => MethodOutput<'records.create'>;
  /** Equal values are no change. Throws `record.changed` when the record is not at `ifChangeSeq`. */
  readonly edit: (input: Input<'records.edit'>) => MethodOutput<'records.edit'>;
  /** Safe to repeat. */
  readonly retire: (input: Input<'records.retire'>) => MethodOutput<'records.retire'>;
  /** Throws `record.not_current` for a record that was superseded or retired before. */
  readonly supersede: (input: Input<'records.supersede'>) => MethodOutput<'records.supersede'>;
  /** Records of a table that are not retired. */
  readonly count: (table: EditableTable) => number;
};

export type { RecordParts };

export function createRecordStore(store: Store, parts: RecordParts): RecordStore {
  const rows = { decision_vault: prepareRows(store.db, 'decision_vault'), memories: prepareRows(store.db, 'memories') };
  const history = prepareHistory(store.db);
  const save = createSave(store, parts, (record) => rows[record.table].save(record));
  const find = (table: EditableTable, id: string): EditableRecord => resolveRecord(rows[table], table, id);

  return {
    list: (query) => list(rows[query.table], query),
    show: ({ table, id }) => {
      const record = find(table, id);
      const changes = history.of(table, record.id).map(({ clock: _clock, ...change }) => change);
      return { record, history: changes.reverse(), supersededBy: rows[table].supersededBy(record.id) };
    },
    create: ({ table, fields, origin }) =>
      store.write((tx) => {
        const record = newRecord(table, commonOf(store, origin), fields);
        return { record: save(tx, { kind: 'record.created', before: null, after: record, origin }) };
      }),
    edit: ({ table, id, fields, ifChangeSeq, origin }) =>
      store.write((tx) => {
        const before = find(table, id);
        if (ifChangeSeq !== undefined && ifChangeSeq !== before.changeSeq) throw changed(before, ifChangeSeq);
        return { record: save(tx, { kind: 'record.edited', before, after: withFields(before, fields), origin }) };
      }),
    retire: ({ table, id, retired, origin }) =>
      store.write((tx) => {
        const before = find(table, id);
        if (retired === (before.deletedAtMs !== null)) return { record: before };
        const after = { ...before, deletedAtMs: retired ? store.nowMs() : null };
        return { record: save(tx, { kind: retired ? 'record.retired' : 'record.restored', before, after, origin }) };
      }),
    supersede: ({ table, id, fields, origin }) =>
      store.write((tx) => {
        const old = find(table, id);
        if (old.deletedAtMs !== null || old.status === 'superseded')
          throw notCurrent(old, rows[table].supersededBy(old.id));
        const common = { ...commonOf(store, origin), supersedes: old.id, ownerId: old.ownerId };
        const heir = withFields(newRecord(table, common, writtenFields(old)), fields);
        const record = save(tx, { kind: 'record.created', before: null, after: heir, origin });
        const after = withFields(old, { status: 'superseded' });
        const superseded = save(tx, { kind: 'record.superseded', before: old, after, origin, heir: record });
        return { record, superseded };
      }),
    count: (table) => rows[table].count(),
  };
}

function commonOf(store: Store, origin: string) {
  const nowMs = store.nowMs();
  return {
    id: uuidv7(clockMs(store.clock.tick())),
    sourcePath: null,
    sourceSha256: null,
    supersedes: null,
    origin,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    deletedAtMs: null,
    deviceId: store.deviceId,
    ownerId: null,
    changeSeq: 0,
  };
}

const DEFAULT_LIMIT = 100;

function list(rows: ReturnType<typeof prepareRows>, query: Input<'records.list'>): MethodOutput<'records.list'> {
  const where = [query.includeRetired === true ? 'TRUE' : 'deleted_at_ms IS NULL'];
  const values: (string | number)[] = [];
  const add = (condition: string, value: string | number | undefined): void => {
    if (value === undefined) return;
    where.push(condition);
    values.push(value);
  };
  add('status = ?', query.status);
  add('category = ?', query.category);
  add('EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)', query.tag);
  add('change_seq < ?', typeof query.cursor === 'string' ? parseSeqCursor(query.cursor) : undefined);
  const limit = query.limit ?? DEFAULT_LIMIT;
  const found = rows.select(where.join(' AND '), values, limit + 1);
  const records = found.slice(0, limit);
  const last = records.at(-1);
  return { records, next: found.length > limit && last !== undefined ? String(last.changeSeq) : null };
}

function changed(record: EditableRecord, ifChangeSeq: number): AppError {
  return new AppError(
    'record.changed',
    `${titleOf(record)} is at change ${record.changeSeq}, the edit was made from ${ifChangeSeq}.`,
  );
}

function notCurrent(record: EditableRecord, heirId: string | null): AppError {
  if (record.deletedAtMs !== null)
    return new AppError('record.not_current', `${titleOf(record)} is retired.`, { hint: 'Bring it back first.' });
  return heirId === null
    ? new AppError('record.not_current', `${titleOf(record)} is superseded.`, { hint: 'Give it another status first.' })
    : new AppError('record.not_current', `${titleOf(record)} was superseded by ${heirId}.`, {
        hint: `Supersede or edit ${heirId} instead.`,
      });
}
