import type { Remote } from '../../shared/model.ts';
import type { Store } from './database.ts';

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
  /** The remote has everything of the record up to this change. */
  readonly acknowledgedSeq: number;
  readonly acknowledgedAtMs: number;
};

export type Links = {
  readonly find: (remote: Remote, table: OutboxTable, recordId: string) => Link | undefined;
  /**
   * Notes what a remote has; only inside a transaction. A known remote id is kept when the new one is null,
   * and an older acknowledgement never replaces a newer one.
   */
  readonly acknowledge: (link: Omit<Link, 'acknowledgedAtMs'>) => void;
};

type Row = { remote_id: string | null; base_json: string | null; acknowledged_seq: number; acknowledged_at_ms: number };

export function createLinks(store: Store): Links {
  const find = store.db.prepare<[string, string, string], Row>(
    `SELECT remote_id, base_json, acknowledged_seq, acknowledged_at_ms FROM links
     WHERE remote = ? AND table_name = ? AND record_id = ?`,
  );
  const acknowledge = store.db.prepare<[string, string, string, string | null, string | null, number, number]>(
    `INSERT INTO links (remote, table_name, record_id, remote_id, base_json, acknowledged_seq, acknowledged_at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (remote, table_name, record_id) DO UPDATE SET
       remote_id = coalesce(excluded.remote_id, remote_id), base_json = excluded.base_json,
       acknowledged_seq = excluded.acknowledged_seq, acknowledged_at_ms = excluded.acknowledged_at_ms
     WHERE excluded.acknowledged_seq >= acknowledged_seq`,
  );
  return {
    find: (remote, table, recordId) => {
      const row = find.get(remote, table, recordId);
      if (row === undefined) return undefined;
      return {
        remote,
        table,
        recordId,
        remoteId: row.remote_id,
        baseJson: row.base_json,
        acknowledgedSeq: row.acknowledged_seq,
        acknowledgedAtMs: row.acknowledged_at_ms,
      };
    },
    acknowledge: (link) => {
      acknowledge.run(
        link.remote,
        link.table,
        link.recordId,
        link.remoteId,
        link.baseJson,
        link.acknowledgedSeq,
        store.nowMs(),
      );
    },
  };
}
