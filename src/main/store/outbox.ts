import { type OutboxSummary, type Remote, remote as remoteSchema } from '../../shared/model.ts';
import type { Store, Transaction } from './database.ts';
import type { OutboxTable } from './links.ts';
import { createBacklog } from './outbox-backlog.ts';
import { createLeases, MAX_DELAY_MS } from './outbox-leases.ts';
import { type OutboxSql, prepareOutbox } from './outbox-sql.ts';

export type OutboxKey = { readonly remote: Remote; readonly table: OutboxTable; readonly recordId: string };

/** A record that one sender has in hand. Its payload is read when it is sent, and may be newer than `changeSeq`. */
export type LeasedEntry = OutboxKey & {
  /** The change the sender took; read the payload after leasing, so that it holds at least this one. */
  readonly changeSeq: number;
  readonly leaseId: string;
  /** Failed attempts so far. */
  readonly attempts: number;
};

/** What the remote answered to one entry. */
export type Acknowledgement = {
  readonly entry: LeasedEntry;
  readonly remoteId: string | null;
  readonly baseJson: string | null;
};

export type Completion = {
  /** Acknowledged, nothing newer waits. */
  readonly done: number;
  /** Acknowledged, and pending again: the record changed while it was sent. */
  readonly again: number;
  /** The lease was over; nothing was changed, whoever has the entry now sends it. */
  readonly late: number;
};

export type ParkedEntry = OutboxKey & {
  readonly changeSeq: number;
  readonly attempts: number;
  readonly enqueuedAtMs: number;
  readonly errorCode: string;
  readonly errorMessage: string;
};

/**
 * What each configured remote still has to hear: at most one entry per remote and record ("it is dirty").
 * Delivery is at least once: an entry leaves only when the remote acknowledged its newest change.
 */
export type Outbox = {
  /**
   * Says which remotes exist; not inside a transaction. Safe to repeat.
   * A new one gets everything it has not heard, through {@link Outbox.fillBacklog}. One that is no longer
   * configured loses its waiting entries (links and records give exactly these back when it returns);
   * its parked entries stay, since their reason is nowhere else.
   */
  readonly setConfigured: (remotes: readonly Remote[]) => void;
  /** Enqueues the next part of what new remotes have not heard, reading at most about `limit` rows; true = more to do. */
  readonly fillBacklog: (limit: number) => boolean;
  /** Marks a record as dirty for every configured remote. A newer change of a parked record makes it pending again. */
  readonly enqueue: (tx: Transaction, table: OutboxTable, recordId: string, changeSeq: number) => void;
  /** Takes due entries, oldest change first. A record is never in two leases of one remote. */
  readonly lease: (remote: Remote, limit: number, leaseMs: number) => readonly LeasedEntry[];
  /** Entries done and their links, in one transaction. */
  readonly complete: (acknowledgements: readonly Acknowledgement[]) => Completion;
  /** Gives entries back for a later attempt, at most {@link MAX_DELAY_MS} away. Late leases change nothing. */
  readonly retryLater: (entries: readonly LeasedEntry[], notBeforeMs: number, code: string, message: string) => void;
  /** Sets entries aside until a person decides or the record changes. Late leases change nothing. */
  readonly park: (entries: readonly LeasedEntry[], code: string, message: string) => void;
  /** Parked entries, oldest change first. */
  readonly parked: (remote: Remote, limit: number) => readonly ParkedEntry[];
  /** Makes parked entries of configured remotes pending again; returns how many there were. */
  readonly unpark: (keys: readonly OutboxKey[]) => number;
  /** Drops parked entries; returns how many. They come back when the record changes or the remote is configured anew. */
  readonly discard: (keys: readonly OutboxKey[]) => number;
  /** Makes entries pending again whose lease ran out; returns how many. */
  readonly releaseExpired: () => number;
  /** For every remote the program knows, configured or not. */
  readonly summary: () => OutboxSummary[];
};

export { MAX_DELAY_MS };

/** The caller is the only writer of the vault: leases found at this moment belong to a process that is gone. */
export function createOutbox(store: Store): Outbox {
  const sql = prepareOutbox(store.db);
  const backlog = createBacklog(store);
  const readConfigured = (): Remote[] => sql.configured.all().map((row) => remoteSchema.parse(row.remote));
  let configured = readConfigured();
  store.write(() => sql.releaseAll.run());

  return {
    ...createLeases(store, sql),
    setConfigured: (remotes) => {
      if (store.db.inTransaction) throw new Error('setConfigured inside a transaction');
      saveConfigured(store, sql, configured, remotes);
      configured = readConfigured();
    },
    fillBacklog: (limit) => backlog.fill(limit),
    enqueue: (_tx, table, recordId, changeSeq) => {
      if (configured.length === 0) return;
      const nowMs = store.nowMs();
      for (const remote of configured) sql.enqueue.run(remote, table, recordId, changeSeq, nowMs);
    },
    parked: (remote, limit) => sql.parked.all(remote, limit).map(toParked),
    unpark: (keys) => {
      const usable = keys.filter((key) => configured.includes(key.remote));
      return store.write(() => runEach(sql.unpark, usable));
    },
    discard: (keys) => store.write(() => runEach(sql.discard, keys)),
    summary: () => summarize(sql.summary.all(), configured),
  };
}

function saveConfigured(store: Store, sql: OutboxSql, before: readonly Remote[], after: readonly Remote[]): void {
  store.write(() => {
    for (const gone of before.filter((remote) => !after.includes(remote))) {
      sql.dropWaiting.run(gone);
      sql.dropRemote.run(gone);
    }
    for (const remote of after) sql.addRemote.run(remote, store.nowMs());
  });
}

function runEach(statement: OutboxSql['unpark'], keys: readonly OutboxKey[]): number {
  return keys.reduce((total, key) => total + statement.run(key.remote, key.table, key.recordId).changes, 0);
}

function summarize(
  rows: readonly { remote: string; state: string; entries: number; oldest: number }[],
  configured: readonly Remote[],
): OutboxSummary[] {
  return remoteSchema.options.map((remote) => {
    const of = (state: string) => rows.find((row) => row.remote === remote && row.state === state);
    const waiting = [of('pending'), of('leased')].flatMap((row) => (row === undefined ? [] : [row.oldest]));
    return {
      remote,
      configured: configured.includes(remote),
      pending: of('pending')?.entries ?? 0,
      leased: of('leased')?.entries ?? 0,
      parked: of('parked')?.entries ?? 0,
      oldestAtMs: waiting.length === 0 ? null : Math.min(...waiting),
    };
  });
}

function toParked(row: ReturnType<OutboxSql['parked']['all']>[number]): ParkedEntry {
  return {
    remote: row.remote,
    table: row.table_name,
    recordId: row.record_id,
    changeSeq: row.change_seq,
    attempts: row.attempts,
    enqueuedAtMs: row.enqueued_at_ms,
    errorCode: row.error_code ?? '',
    errorMessage: row.error_message ?? '',
  };
}
