import type { Remote } from '../../shared/model.ts';
import type { Store, Transaction } from './database.ts';

/** What a remote can hear of: each has an id and a change number. */
export type OutboxTable = 'decision_vault' | 'memories' | 'activities' | 'file_snapshots';

/** One record at one remote, and what both sides last agreed on (the merge base). */
export type Link = {
  readonly remote: Remote;
  readonly table: OutboxTable;
  readonly recordId: string;
  /** The row or page over there; null where it carries our id. */
  readonly remoteId: string | null;
  /** The fields as last agreed, as the connector wrote them; null for what is never merged. */
  readonly baseJson: string | null;
  /** The version of the remote that the base was read at; opaque. */
  readonly baseVersion: string | null;
  /** The remote has everything of the record up to this change. */
  readonly acknowledgedSeq: number;
  readonly acknowledgedAtMs: number;
};
export type NewLink = Omit<Link, 'acknowledgedAtMs'>;

export type Links = {
  readonly find: (remote: Remote, table: OutboxTable, recordId: string) => Link | undefined;
  /** The record behind a row or page over there. */
  readonly findByRemoteId: (remote: Remote, table: OutboxTable, remoteId: string) => Link | undefined;
  /**
   * Notes what a remote has; only inside a transaction. A known remote id is kept when the new one is null,
   * and an older acknowledgement never replaces a newer one.
   */
  readonly acknowledge: (link: NewLink) => void;
  /** Notes what a remote has, whatever was known before; only inside a transaction. */
  readonly save: (tx: Transaction, link: NewLink) => void;
  /** Forgets what one remote has of one record; only inside a transaction. */
  readonly remove: (tx: Transaction, remote: Remote, table: OutboxTable, recordId: string) => void;
  /** Forgets everything that a remote has; only inside a transaction. */
  readonly clear: (tx: Transaction, remote: Remote) => void;
  readonly count: (remote: Remote, table: OutboxTable) => number;
  /** The next links of a table, by the ids of their records. */
  readonly page: (remote: Remote, table: OutboxTable, afterId: string, limit: number) => readonly Link[];
};

type Row = {
  record_id: string;
  remote_id: string | null;
  base_json: string | null;
  base_version: string | null;
  acknowledged_seq: number;
  acknowledged_at_ms: number;
};
type Values = [string, string, string, string | null, string | null, string | null, number, number];

const COLUMNS = 'record_id, remote_id, base_json, base_version, acknowledged_seq, acknowledged_at_ms';
const UPSERT = `INSERT INTO links (remote, table_name, record_id, remote_id, base_json, base_version, acknowledged_seq,
    acknowledged_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (remote, table_name, record_id) DO UPDATE SET
    remote_id = coalesce(excluded.remote_id, remote_id), base_json = excluded.base_json,
    base_version = excluded.base_version, acknowledged_seq = excluded.acknowledged_seq,
    acknowledged_at_ms = excluded.acknowledged_at_ms`;

export function createLinks(store: Store): Links {
  const { db } = store;
  const find = db.prepare<[string, string, string], Row>(
    `SELECT ${COLUMNS} FROM links WHERE remote = ? AND table_name = ? AND record_id = ?`,
  );
  // Left to itself SQLite takes the primary key and reads every link of the table, once for each record that is read.
  const findByRemoteId = db.prepare<[string, string, string], Row>(
    `SELECT ${COLUMNS} FROM links INDEXED BY links_by_remote_id
     WHERE remote = ? AND table_name = ? AND remote_id = ? LIMIT 1`,
  );
  const acknowledge = db.prepare<Values>(`${UPSERT} WHERE excluded.acknowledged_seq >= acknowledged_seq`);
  const save = db.prepare<Values>(UPSERT);
  const remove = db.prepare<[string, string, string]>(
    'DELETE FROM links WHERE remote = ? AND table_name = ? AND record_id = ?',
  );
  const clear = db.prepare<[string]>('DELETE FROM links WHERE remote = ?');
  const count = db.prepare<[string, string], { count: number }>(
    'SELECT count(*) AS count FROM links WHERE remote = ? AND table_name = ?',
  );
  const page = db.prepare<[string, string, string, number], Row>(
    `SELECT ${COLUMNS} FROM links WHERE remote = ? AND table_name = ? AND record_id > ? ORDER BY record_id LIMIT ?`,
  );
  const valuesOf = (link: NewLink): Values => [
    link.remote,
    link.table,
    link.recordId,
    link.remoteId,
    link.baseJson,
    link.baseVersion,
    link.acknowledgedSeq,
    store.nowMs(),
  ];
  return {
    find: (remote, table, recordId) => toLink(remote, table, find.get(remote, table, recordId)),
    findByRemoteId: (remote, table, remoteId) => toLink(remote, table, findByRemoteId.get(remote, table, remoteId)),
    acknowledge: (link) => {
      acknowledge.run(...valuesOf(link));
    },
    save: (_tx, link) => {
      save.run(...valuesOf(link));
    },
    remove: (_tx, remote, table, recordId) => {
      remove.run(remote, table, recordId);
    },
    clear: (_tx, remote) => {
      clear.run(remote);
    },
    count: (remote, table) => count.get(remote, table)?.count ?? 0,
    page: (remote, table, afterId, limit) =>
      page.all(remote, table, afterId, limit).flatMap((row) => toLink(remote, table, row) ?? []),
  };
}

function toLink(remote: Remote, table: OutboxTable, row: Row | undefined): Link | undefined {
  if (row === undefined) return undefined;
  return {
    remote,
    table,
    recordId: row.record_id,
    remoteId: row.remote_id,
    baseJson: row.base_json,
    baseVersion: row.base_version,
    acknowledgedSeq: row.acknowledged_seq,
    acknowledgedAtMs: row.acknowledged_at_ms,
  };
}
