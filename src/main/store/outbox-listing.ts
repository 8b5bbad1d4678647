import type { Store } from './database.ts';
import type { Outbox, OutboxEntry, OutboxQuery } from './outbox.ts';
import type { OutboxListRow, OutboxSql } from './outbox-sql.ts';

/** The part of the outbox that faces use: what waits, and what was set aside. */
export function createListing(store: Store, sql: OutboxSql): Pick<Outbox, 'find' | 'like' | 'list' | 'parked'> {
  return {
    find: ({ remote, table, recordId }) => {
      const row = sql.entry.get(remote, table, recordId);
      return row === undefined ? undefined : toEntry(row);
    },
    like: (part, limit) => sql.like.all({ part, limit }).map(toEntry),
    list: (query) => list(store, query),
    parked: (remote, limit) =>
      sql.parked.all(remote, limit).map((row) => ({
        remote: row.remote,
        table: row.table_name,
        recordId: row.record_id,
        changeSeq: row.change_seq,
        attempts: row.attempts,
        enqueuedAtMs: row.enqueued_at_ms,
        errorCode: row.error_code ?? '',
        errorMessage: row.error_message ?? '',
      })),
  };
}

/** By rank, not by change: an entry may get a newer change while pages are read. */
function list(store: Store, query: OutboxQuery): { entries: OutboxEntry[]; total: number } {
  const where = ['TRUE'];
  const values: string[] = [];
  for (const [column, value] of [
    ['remote', query.remote],
    ['state', query.state],
    ['table_name', query.table],
  ] as const) {
    if (value === undefined) continue;
    where.push(`${column} = ?`);
    values.push(value);
  }
  const condition = where.join(' AND ');
  const total = store.db
    .prepare<unknown[], { count: number }>(`SELECT count(*) AS count FROM outbox WHERE ${condition}`)
    .get(...values);
  const rows = store.db
    .prepare<unknown[], OutboxListRow>(
      `SELECT remote, table_name, record_id, change_seq, state, attempts, not_before_ms, enqueued_at_ms, error_code,
         error_message FROM outbox WHERE ${condition} ORDER BY change_seq, remote LIMIT ? OFFSET ?`,
    )
    .all(...values, query.limit, query.offset);
  return { entries: rows.map(toEntry), total: total?.count ?? 0 };
}

function toEntry(row: OutboxListRow): OutboxEntry {
  return {
    remote: row.remote,
    table: row.table_name,
    recordId: row.record_id,
    changeSeq: row.change_seq,
    state: row.state,
    attempts: row.attempts,
    enqueuedAtMs: row.enqueued_at_ms,
    notBeforeMs: row.not_before_ms,
    errorCode: row.error_code,
    errorMessage: row.error_message,
  };
}
