import type { Remote } from '../../shared/model.ts';
import type { Db } from './database.ts';
import type { OutboxTable } from './links.ts';

type DueRow = {
  table_name: OutboxTable;
  record_id: string;
  change_seq: number;
  attempts: number;
  enqueued_at_ms: number;
};
type ParkedRow = DueRow & {
  remote: Remote;
  error_code: string | null;
  error_message: string | null;
};
type Key = [remote: string, table: string, recordId: string];
type ListRow = ParkedRow & { state: 'pending' | 'leased' | 'parked'; not_before_ms: number };

/**
 * What happens when a record is dirty and has an entry already: the newest change counts, a lease goes on
 * (its completion notices the newer change), and what was parked gets a new chance.
 */
export const RAISE_ENTRY = `ON CONFLICT (remote, table_name, record_id) DO UPDATE SET
    change_seq = excluded.change_seq,
    attempts = iif(state = 'parked', 0, attempts),
    not_before_ms = iif(state = 'parked', 0, not_before_ms),
    error_code = iif(state = 'parked', NULL, error_code),
    error_message = iif(state = 'parked', NULL, error_message),
    state = iif(state = 'parked', 'pending', state)
  WHERE excluded.change_seq > change_seq`;

const THIS = 'remote = ? AND table_name = ? AND record_id = ?';
const FRESH = `state = 'pending', attempts = 0, not_before_ms = 0, lease_id = NULL, lease_until_ms = NULL,
  error_code = NULL, error_message = NULL`;

const LISTED = `remote, table_name, record_id, change_seq, state, attempts, not_before_ms, enqueued_at_ms, error_code,
  error_message`;

/** Every statement of the outbox, prepared once. */
export function prepareOutbox(db: Db) {
  return {
    configured: db.prepare<[], { remote: string; tables_json: string | null }>(
      'SELECT remote, tables_json FROM remotes ORDER BY remote',
    ),
    addRemote: db.prepare<[remote: string, nowMs: number, tablesJson: string | null]>(
      `INSERT INTO remotes (remote, configured_at_ms, backlog_table, backlog_after, tables_json)
       VALUES (?, ?, 'decision_vault', 0, ?) ON CONFLICT (remote) DO NOTHING`,
    ),
    /** Another set of tables: what is new of it was never enqueued, what left it waits for nobody. */
    setTables: db.prepare<[tablesJson: string | null, remote: string, tablesJson: string | null]>(
      `UPDATE remotes SET tables_json = ?, backlog_table = 'decision_vault', backlog_after = 0
       WHERE remote = ? AND tables_json IS NOT ?`,
    ),
    dropForeign: db.prepare<[remote: string, tablesJson: string]>(
      `DELETE FROM outbox WHERE remote = ? AND state <> 'parked'
         AND table_name NOT IN (SELECT value FROM json_each(?))`,
    ),
    restartBacklog: db.prepare<[remote: string]>(
      "UPDATE remotes SET backlog_table = 'decision_vault', backlog_after = 0 WHERE remote = ?",
    ),
    dropRemote: db.prepare<[remote: string]>('DELETE FROM remotes WHERE remote = ?'),
    dropWaiting: db.prepare<[remote: string]>("DELETE FROM outbox WHERE remote = ? AND state <> 'parked'"),
    enqueue: db.prepare<[...Key, changeSeq: number, nowMs: number]>(
      `INSERT INTO outbox (remote, table_name, record_id, change_seq, state, enqueued_at_ms)
       VALUES (?, ?, ?, ?, 'pending', ?) ${RAISE_ENTRY}`,
    ),
    /** A due time further away than any legitimate one comes from before a clock jumped back. */
    due: db.prepare<[remote: string, nowMs: number, farMs: number, except: string, limit: number], DueRow>(
      `SELECT table_name, record_id, change_seq, attempts, enqueued_at_ms FROM outbox
       WHERE remote = ? AND state = 'pending' AND (not_before_ms <= ? OR not_before_ms > ?)
         AND table_name NOT IN (SELECT value FROM json_each(?))
       ORDER BY change_seq LIMIT ?`,
    ),
    /** Found at once in a long queue of which most is due; only where nothing is due the whole of it is looked at. */
    anyDue: db.prepare<[remote: string, nowMs: number, except: string], { found: number }>(
      `SELECT 1 AS found FROM outbox WHERE remote = ? AND state = 'pending' AND not_before_ms <= ?
         AND table_name NOT IN (SELECT value FROM json_each(?)) LIMIT 1`,
    ),
    nextDue: db.prepare<[remote: string, except: string], { at: number | null }>(
      `SELECT min(not_before_ms) AS at FROM outbox
       WHERE remote = ? AND state = 'pending' AND table_name NOT IN (SELECT value FROM json_each(?))`,
    ),
    /** A lease that ends as if it had never been. */
    release: db.prepare<Key>(
      `UPDATE outbox SET state = 'pending', lease_id = NULL, lease_until_ms = NULL WHERE ${THIS}`,
    ),
    /** What the remote is found to have already needs no sending; one that is being sent is told by its sender. */
    settle: db.prepare<Key>(`DELETE FROM outbox WHERE ${THIS} AND state <> 'leased'`),
    entry: db.prepare<Key, ListRow>(`SELECT ${LISTED} FROM outbox WHERE ${THIS}`),
    like: db.prepare<[{ part: string; limit: number }], ListRow>(
      `SELECT ${LISTED} FROM outbox
       WHERE substr(record_id, 1, length(@part)) = @part OR substr(record_id, -length(@part)) = @part
       ORDER BY change_seq LIMIT @limit`,
    ),
    unparkCode: db.prepare<[remote: string, code: string]>(
      `UPDATE outbox SET ${FRESH} WHERE remote = ? AND state = 'parked' AND error_code = ?`,
    ),
    hurry: db.prepare<Key>(`UPDATE outbox SET not_before_ms = 0 WHERE ${THIS} AND state = 'pending'`),
    /** But what the remote itself asked to wait with. */
    hurryAll: db.prepare<[remote: string]>(
      `UPDATE outbox SET not_before_ms = 0
       WHERE remote = ? AND state = 'pending' AND not_before_ms > 0 AND error_code IS NOT 'remote.rate_limited'`,
    ),
    lease: db.prepare<[leaseId: string, untilMs: number, ...Key]>(
      `UPDATE outbox SET state = 'leased', lease_id = ?, lease_until_ms = ? WHERE ${THIS}`,
    ),
    held: db.prepare<[...Key, leaseId: string], { change_seq: number }>(
      `SELECT change_seq FROM outbox WHERE ${THIS} AND state = 'leased' AND lease_id = ?`,
    ),
    remove: db.prepare<Key>(`DELETE FROM outbox WHERE ${THIS}`),
    makePending: db.prepare<Key>(`UPDATE outbox SET ${FRESH} WHERE ${THIS}`),
    retryLater: db.prepare<[notBeforeMs: number, code: string, message: string, ...Key]>(
      `UPDATE outbox SET state = 'pending', attempts = attempts + 1, not_before_ms = ?, lease_id = NULL,
         lease_until_ms = NULL, error_code = ?, error_message = ? WHERE ${THIS}`,
    ),
    park: db.prepare<[code: string, message: string, ...Key]>(
      `UPDATE outbox SET state = 'parked', attempts = attempts + 1, not_before_ms = 0, lease_id = NULL,
         lease_until_ms = NULL, error_code = ?, error_message = ? WHERE ${THIS}`,
    ),
    parked: db.prepare<[remote: string, limit: number], ParkedRow>(
      `SELECT remote, table_name, record_id, change_seq, attempts, enqueued_at_ms, error_code, error_message
       FROM outbox WHERE remote = ? AND state = 'parked' ORDER BY change_seq LIMIT ?`,
    ),
    unpark: db.prepare<Key>(`UPDATE outbox SET ${FRESH} WHERE ${THIS} AND state = 'parked'`),
    discard: db.prepare<Key>(`DELETE FROM outbox WHERE ${THIS} AND state = 'parked'`),
    releaseAll: db.prepare(
      "UPDATE outbox SET state = 'pending', lease_id = NULL, lease_until_ms = NULL WHERE state = 'leased'",
    ),
    releaseExpired: db.prepare<[remote: string, nowMs: number, farMs: number]>(
      `UPDATE outbox SET state = 'pending', lease_id = NULL, lease_until_ms = NULL
       WHERE remote = ? AND state = 'leased' AND (lease_until_ms <= ? OR lease_until_ms > ?)`,
    ),
    summary: db.prepare<[], { remote: string; state: string; entries: number; oldest: number }>(
      'SELECT remote, state, count(*) AS entries, min(enqueued_at_ms) AS oldest FROM outbox GROUP BY remote, state',
    ),
  };
}

export type OutboxListRow = ListRow;
export type OutboxSql = ReturnType<typeof prepareOutbox>;
