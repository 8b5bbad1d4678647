import type { Store } from './database.ts';
import type { OutboxTable } from './links.ts';
import { RAISE_ENTRY } from './outbox-sql.ts';

/** In this order a new remote hears of what was there before it. */
const TABLES: readonly OutboxTable[] = ['decision_vault', 'memories', 'activities', 'file_snapshots'];

export type Backlog = {
  /** One durable step for one remote, over about `limit` rows; true when there is more to do. Resumes after a crash. */
  readonly fill: (limit: number) => boolean;
};

type Position = { remote: string; backlog_table: OutboxTable; backlog_after: number; tables_json: string | null };

export function createBacklog(store: Store): Backlog {
  const { db } = store;
  const next = db.prepare<[], Position>(
    `SELECT remote, backlog_table, backlog_after, tables_json FROM remotes
     WHERE backlog_table IS NOT NULL ORDER BY remote LIMIT 1`,
  );
  const advance = db.prepare<[table: string | null, after: number | null, remote: string]>(
    'UPDATE remotes SET backlog_table = ?, backlog_after = ? WHERE remote = ?',
  );
  const steps = new Map(TABLES.map((table) => [table, prepareStep(store, table)]));

  return {
    fill: (limit) =>
      store.write(() => {
        const position = next.get();
        if (position === undefined) return false;
        const { remote, backlog_table: table, backlog_after: after } = position;
        const isWanted =
          position.tables_json === null || (JSON.parse(position.tables_json) as string[]).includes(table);
        const reached = isWanted ? (steps.get(table)?.(remote, after, limit) ?? null) : null;
        const following = TABLES[TABLES.indexOf(table) + 1];
        if (reached !== null) advance.run(table, reached, remote);
        else if (following !== undefined) advance.run(following, 0, remote);
        else advance.run(null, null, remote);
        return next.get() !== undefined;
      }),
  };
}

/** Enqueues what the remote has not acknowledged of the next rows; gives the change number reached, null at the end. */
function prepareStep(store: Store, table: OutboxTable) {
  const bound = store.db.prepare<[after: number, limit: number], { reached: number | null }>(
    `SELECT max(change_seq) AS reached FROM
       (SELECT change_seq FROM ${table} WHERE change_seq > ? ORDER BY change_seq LIMIT ?)`,
  );
  const enqueue = store.db.prepare<[remote: string, nowMs: number, remote: string, after: number, reached: number]>(
    `INSERT INTO outbox (remote, table_name, record_id, change_seq, state, enqueued_at_ms)
     SELECT ?, '${table}', r.id, r.change_seq, 'pending', ? FROM ${table} AS r
     LEFT JOIN links AS l ON l.remote = ? AND l.table_name = '${table}' AND l.record_id = r.id
     WHERE r.change_seq > ? AND r.change_seq <= ? AND coalesce(l.acknowledged_seq, -1) < r.change_seq
     ${RAISE_ENTRY}`,
  );
  return (remote: string, after: number, limit: number): number | null => {
    const reached = bound.get(after, Math.max(1, limit))?.reached ?? null;
    if (reached !== null) enqueue.run(remote, store.nowMs(), remote, after, reached);
    return reached;
  };
}
