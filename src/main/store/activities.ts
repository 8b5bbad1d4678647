import type { AgentMethods, MethodOutput } from '../../shared/contract.ts';
import type { ActivityKind, ActivityRecord, RecordTable, Remote } from '../../shared/model.ts';
import { activitySummary } from './activity-summary.ts';
import { clockMs } from './clock.ts';
import type { Store, Transaction } from './database.ts';
import { uuidv7 } from './ids.ts';
import { parseSeqCursor } from './listing.ts';
import type { Outbox } from './outbox.ts';

/** Something that happened; id, number and time are given when it is appended. */
export type NewActivity = {
  readonly kind: ActivityKind;
  /** One plain sentence; null where it follows from kind and path. */
  readonly summary: string | null;
  readonly rootId: number | null;
  readonly path: string | null;
  readonly snapshotId: string | null;
  readonly recordTable: RecordTable | null;
  readonly recordId: string | null;
  readonly origin: string;
};

/** Roots are numbered by each device for itself: the activity of another one names none. */
export type ForeignActivity = Omit<ActivityRecord, 'changeSeq' | 'rootId' | 'summary'> & {
  readonly summary: string | null;
};

export type ActivityQuery = Parameters<AgentMethods['activities.list']>[0];

/** What happened, in the order of the change numbers. Never edited. */
export type ActivityStore = {
  /** Part of the caller's transaction: it is durable when that one is. All remotes hear of it unless told. */
  readonly append: (tx: Transaction, activity: NewActivity, remotes?: readonly Remote[]) => void;
  /**
   * Adds what another device noted, under its own id and time; false when it is known already. Part of the caller's
   * transaction. Only `remotes` hear of it.
   */
  readonly addForeign: (tx: Transaction, activity: ForeignActivity, remotes: readonly Remote[]) => boolean;
  readonly get: (id: string) => ActivityRecord | undefined;
  /** Newest first, 100 unless told. Throws `usage.bad_argument` for a cursor that is not ours. */
  readonly list: (query: ActivityQuery) => MethodOutput<'activities.list'>;
  readonly count: () => number;
  /** The change number of the newest one; 0 when there is none. */
  readonly newestSeq: () => number;
  /** How many of each kind came after this change number. */
  readonly countSince: (afterSeq: number) => readonly { readonly kind: ActivityKind; readonly count: number }[];
};

type Row = {
  change_seq: number;
  id: string;
  kind: ActivityKind;
  summary: string | null;
  root_id: number | null;
  path: string | null;
  previous_path: string | null;
  snapshot_id: string | null;
  record_table: RecordTable | null;
  record_id: string | null;
  origin: string;
  occurred_at_ms: number;
  device_id: string;
};

const DEFAULT_LIMIT = 100;
const SELECT = `SELECT a.change_seq, a.id, a.kind, a.summary, a.root_id, a.path, s.previous_path, a.snapshot_id,
    a.record_table, a.record_id, a.origin, a.occurred_at_ms, a.device_id
  FROM activities AS a LEFT JOIN file_snapshots AS s ON a.kind = 'file.renamed' AND s.id = a.snapshot_id`;

export function createActivityStore(store: Store, outbox: Outbox): ActivityStore {
  const insert = store.db.prepare(
    `INSERT INTO activities (change_seq, id, kind, summary, root_id, path, snapshot_id, record_table, record_id, origin,
       occurred_at_ms, device_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const count = store.db.prepare<[], { count: number }>('SELECT count(*) AS count FROM activities');
  const known = store.db.prepare<[string], Row>(`${SELECT} WHERE a.id = ?`);
  const newest = store.db.prepare<[], { seq: number }>('SELECT coalesce(max(change_seq), 0) AS seq FROM activities');
  const countSince = store.db.prepare<[number], { kind: ActivityKind; count: number }>(
    'SELECT kind, count(*) AS count FROM activities WHERE change_seq > ? GROUP BY kind ORDER BY kind',
  );
  return {
    append: (tx, activity, remotes) => {
      const id = uuidv7(clockMs(store.clock.tick()));
      const changeSeq = tx.takeChange();
      insert.run(
        changeSeq,
        id,
        activity.kind,
        activity.summary,
        activity.rootId,
        activity.path,
        activity.snapshotId,
        activity.recordTable,
        activity.recordId,
        activity.origin,
        store.nowMs(),
        store.deviceId,
      );
      if (remotes === undefined) outbox.enqueue(tx, 'activities', id, changeSeq);
      else outbox.enqueueFor(tx, remotes, 'activities', id, changeSeq);
    },
    addForeign: (tx, activity, remotes) => {
      if (known.get(activity.id) !== undefined) return false;
      const changeSeq = tx.takeChange();
      insert.run(
        changeSeq,
        activity.id,
        activity.kind,
        activity.summary,
        null,
        activity.path,
        activity.snapshotId,
        activity.recordTable,
        activity.recordId,
        activity.origin,
        activity.occurredAtMs,
        activity.deviceId,
      );
      outbox.enqueueFor(tx, remotes, 'activities', activity.id, changeSeq);
      return true;
    },
    get: (id) => {
      const row = known.get(id);
      return row === undefined ? undefined : toActivity(row);
    },
    list: (query) => list(store, query),
    count: () => count.get()?.count ?? 0,
    newestSeq: () => newest.get()?.seq ?? 0,
    countSince: (afterSeq) => countSince.all(afterSeq),
  };
}

function list(store: Store, query: ActivityQuery): MethodOutput<'activities.list'> {
  const { where, values } = conditions(query);
  const limit = query.limit ?? DEFAULT_LIMIT;
  const rows = store.db
    .prepare<unknown[], Row>(
      `${SELECT}
       WHERE ${where.join(' AND ')} ORDER BY a.change_seq DESC LIMIT ?`,
    )
    .all(...values, limit + 1);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    activities: page.map(toActivity),
    next: rows.length > limit && last !== undefined ? String(last.change_seq) : null,
  };
}

function conditions(query: ActivityQuery): { where: string[]; values: (string | number)[] } {
  const where = ['TRUE'];
  const values: (string | number)[] = [];
  const add = (condition: string, ...given: (string | number)[]): void => {
    where.push(condition);
    values.push(...given);
  };
  if (query.kinds !== undefined) add(`a.kind IN (${query.kinds.map(() => '?').join(', ')})`, ...query.kinds);
  if (query.rootId !== undefined) add('a.root_id = ?', query.rootId);
  if (query.path !== undefined && query.path !== '') add('instr(lower(a.path), lower(?)) > 0', query.path);
  if (query.sinceMs !== undefined) add('a.occurred_at_ms >= ?', query.sinceMs);
  if (typeof query.cursor === 'string') add('a.change_seq < ?', parseSeqCursor(query.cursor));
  return { where, values };
}

function toActivity(row: Row): ActivityRecord {
  return {
    id: row.id,
    kind: row.kind,
    summary: row.summary ?? activitySummary(row.kind, row.path, row.previous_path),
    rootId: row.root_id,
    path: row.path,
    snapshotId: row.snapshot_id,
    recordTable: row.record_table,
    recordId: row.record_id,
    origin: row.origin,
    occurredAtMs: row.occurred_at_ms,
    deviceId: row.device_id,
    changeSeq: row.change_seq,
  };
}
