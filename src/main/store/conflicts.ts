import { AppError } from '../../shared/errors.ts';
import type { Remote } from '../../shared/model.ts';
import { clockMs } from './clock.ts';
import type { Store, Transaction } from './database.ts';
import { uuidv7 } from './ids.ts';
import { parseSeqCursor } from './listing.ts';
import type { EditableTable } from './record-fields.ts';

export type ConflictResolution = 'mine' | 'theirs' | 'both' | 'edited' | 'gone';

/** A field on which two sides disagreed, with both values. Values are JSON values. */
export type StoredConflict = {
  readonly id: string;
  readonly changeSeq: number;
  readonly remote: Remote;
  readonly table: EditableTable;
  readonly recordId: string;
  readonly field: string;
  readonly kind: 'edit' | 'delete' | 'invalid';
  readonly mine: unknown;
  readonly theirs: unknown;
  readonly base: unknown;
  readonly mineEditedAtMs: number | null;
  readonly theirsEditedAtMs: number | null;
  readonly winner: 'mine' | 'theirs';
  readonly reason: string | null;
  readonly detectedAtMs: number;
  readonly resolvedAtMs: number | null;
  readonly resolution: ConflictResolution | null;
  /** The value in force before and after the resolution; undefined while open. */
  readonly before: unknown;
  readonly after: unknown;
};
export type NewConflict = Omit<
  StoredConflict,
  'id' | 'changeSeq' | 'detectedAtMs' | 'resolvedAtMs' | 'resolution' | 'before' | 'after'
>;

export type ConflictQuery = {
  readonly state?: 'open' | 'resolved' | 'all' | undefined;
  readonly remote?: Remote | undefined;
  readonly table?: EditableTable | undefined;
  readonly recordId?: string | undefined;
  readonly limit?: number | undefined;
  readonly cursor?: string | null | undefined;
};

/** The values that lost, and the ones that make no sense. Nothing here is ever deleted. */
export type ConflictStore = {
  /** Part of the caller's transaction. The same disagreement that is open already is not noted twice. */
  readonly add: (tx: Transaction, conflict: NewConflict) => void;
  /** Newest first; all that are open unless told. */
  readonly list: (query: ConflictQuery) => { readonly conflicts: StoredConflict[]; readonly next: string | null };
  /** By the whole id or a unique part. Throws `not_found.conflict` or `ambiguous.id`. */
  readonly get: (id: string) => StoredConflict;
  readonly countOpen: () => number;
  readonly openOf: (table: EditableTable, recordId: string) => StoredConflict[];
  /** Part of the caller's transaction. */
  readonly resolve: (
    tx: Transaction,
    id: string,
    outcome: { readonly resolution: ConflictResolution; readonly before: unknown; readonly after: unknown },
  ) => void;
  readonly reopen: (tx: Transaction, id: string) => void;
};

type Row = {
  id: string;
  change_seq: number;
  remote: Remote;
  table_name: EditableTable;
  record_id: string;
  field: string;
  kind: StoredConflict['kind'];
  mine_json: string;
  theirs_json: string;
  base_json: string;
  mine_edited_at_ms: number | null;
  theirs_edited_at_ms: number | null;
  winner: 'mine' | 'theirs';
  reason: string | null;
  detected_at_ms: number;
  resolved_at_ms: number | null;
  resolution: ConflictResolution | null;
  before_json: string | null;
  after_json: string | null;
};

const COLUMNS = `id, change_seq, remote, table_name, record_id, field, kind, mine_json, theirs_json, base_json,
  mine_edited_at_ms, theirs_edited_at_ms, winner, reason, detected_at_ms, resolved_at_ms, resolution, before_json, after_json`;
const DEFAULT_LIMIT = 100;
const SHORTEST_PART = 6;

export function createConflictStore(store: Store): ConflictStore {
  const { db } = store;
  const insert = db.prepare(
    `INSERT INTO conflicts (id, change_seq, remote, table_name, record_id, field, kind, mine_json, theirs_json, base_json,
       mine_edited_at_ms, theirs_edited_at_ms, winner, reason, detected_at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const same = db.prepare<[string, string, string, string, string, string, string], { id: string }>(
    `SELECT id FROM conflicts WHERE table_name = ? AND record_id = ? AND remote = ? AND field = ? AND kind = ?
       AND mine_json = ? AND theirs_json = ? AND resolved_at_ms IS NULL`,
  );
  const open = db.prepare<[], { count: number }>(
    'SELECT count(*) AS count FROM conflicts WHERE resolved_at_ms IS NULL',
  );
  const openOf = db.prepare<[string, string], Row>(
    `SELECT ${COLUMNS} FROM conflicts WHERE table_name = ? AND record_id = ? AND resolved_at_ms IS NULL
     ORDER BY change_seq DESC`,
  );
  const like = db.prepare<[{ part: string }], Row>(
    `SELECT ${COLUMNS} FROM conflicts
     WHERE substr(id, 1, length(@part)) = @part OR substr(id, -length(@part)) = @part LIMIT 3`,
  );
  const resolve = db.prepare<[number | null, string | null, string | null, string | null, number, string]>(
    `UPDATE conflicts SET resolved_at_ms = ?, resolution = ?, before_json = ?, after_json = ?, change_seq = ?
     WHERE id = ?`,
  );
  return {
    add: (tx, conflict) => {
      const { remote, table, recordId, field, kind } = conflict;
      const [mine, theirs, base] = [conflict.mine, conflict.theirs, conflict.base].map(toJson);
      if (same.get(table, recordId, remote, field, kind, mine ?? 'null', theirs ?? 'null') !== undefined) return;
      insert.run(
        uuidv7(clockMs(store.clock.tick())),
        tx.takeChange(),
        remote,
        table,
        recordId,
        field,
        kind,
        mine,
        theirs,
        base,
        conflict.mineEditedAtMs,
        conflict.theirsEditedAtMs,
        conflict.winner,
        conflict.reason,
        store.nowMs(),
      );
    },
    list: (query) => list(store, query),
    get: (id) => {
      const part = id.toLowerCase();
      const found = part.length < SHORTEST_PART ? [] : like.all({ part });
      const only = found.find((row) => row.id === part) ?? found[0];
      if (only === undefined) throw new AppError('not_found.conflict', `There is no conflict ${JSON.stringify(id)}.`);
      if (found.length > 1 && only.id !== part)
        throw new AppError('ambiguous.id', `More than one conflict has an id like ${JSON.stringify(id)}.`);
      return toConflict(only);
    },
    countOpen: () => open.get()?.count ?? 0,
    openOf: (table, recordId) => openOf.all(table, recordId).map(toConflict),
    resolve: (tx, id, { resolution, before, after }) => {
      resolve.run(store.nowMs(), resolution, toJson(before), toJson(after), tx.takeChange(), id);
    },
    reopen: (tx, id) => {
      resolve.run(null, null, null, null, tx.takeChange(), id);
    },
  };
}

const toJson = (value: unknown): string => JSON.stringify(value ?? null);

function list(store: Store, query: ConflictQuery): { conflicts: StoredConflict[]; next: string | null } {
  const where = ['TRUE'];
  const values: (string | number)[] = [];
  const add = (condition: string, ...given: (string | number)[]): void => {
    where.push(condition);
    values.push(...given);
  };
  const { state = 'open' } = query;
  if (state === 'open') add('resolved_at_ms IS NULL');
  if (state === 'resolved') add('resolved_at_ms IS NOT NULL');
  if (query.remote !== undefined) add('remote = ?', query.remote);
  if (query.table !== undefined) add('table_name = ?', query.table);
  if (query.recordId !== undefined) add('record_id = ?', query.recordId);
  if (typeof query.cursor === 'string') add('change_seq < ?', parseSeqCursor(query.cursor));
  const limit = query.limit ?? DEFAULT_LIMIT;
  const rows = store.db
    .prepare<unknown[], Row>(
      `SELECT ${COLUMNS} FROM conflicts WHERE ${where.join(' AND ')} ORDER BY change_seq DESC LIMIT ?`,
    )
    .all(...values, limit + 1);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    conflicts: page.map(toConflict),
    next: rows.length > limit && last !== undefined ? String(last.change_seq) : null,
  };
}

function toConflict(row: Row): StoredConflict {
  const fromJson = (json: string | null): unknown => (json === null ? undefined : JSON.parse(json));
  return {
    id: row.id,
    changeSeq: row.change_seq,
    remote: row.remote,
    table: row.table_name,
    recordId: row.record_id,
    field: row.field,
    kind: row.kind,
    mine: fromJson(row.mine_json),
    theirs: fromJson(row.theirs_json),
    base: fromJson(row.base_json),
    mineEditedAtMs: row.mine_edited_at_ms,
    theirsEditedAtMs: row.theirs_edited_at_ms,
    winner: row.winner,
    reason: row.reason,
    detectedAtMs: row.detected_at_ms,
    resolvedAtMs: row.resolved_at_ms,
    resolution: row.resolution,
    before: fromJson(row.before_json),
    after: fromJson(row.after_json),
  };
}
