import { type OutboxSummary, type Remote, remote as remoteSchema } from '../../shared/model.ts';
import type { Store, Transaction } from './database.ts';
import type { OutboxTable } from './links.ts';
import { createBacklog } from './outbox-backlog.ts';
import { createLeases, MAX_DELAY_MS } from './outbox-leases.ts';
import { createListing } from './outbox-listing.ts';
import { type OutboxSql, prepareOutbox } from './outbox-sql.ts';

export type OutboxKey = { readonly remote: Remote; readonly table: OutboxTable; readonly recordId: string };

/** A record that one sender has in hand. Its payload is read when it is sent, and may be newer than `changeSeq`. */
export type LeasedEntry = OutboxKey & {
  /** The change the sender took; read the payload after leasing, so that it holds at least this one. */
  readonly changeSeq: number;
  readonly leaseId: string;
  /** Failed attempts so far. */
  readonly attempts: number;
  /** When the first change that waits was enqueued. */
  readonly enqueuedAtMs: number;
};

/** What the remote answered to one entry. */
export type Acknowledgement = {
  readonly entry: LeasedEntry;
  readonly remoteId: string | null;
  readonly baseJson: string | null;
  readonly baseVersion: string | null;
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

/** An entry in whatever state, as it is shown. */
export type OutboxEntry = OutboxKey & {
  readonly changeSeq: number;
  readonly state: 'pending' | 'leased' | 'parked';
  readonly attempts: number;
  readonly enqueuedAtMs: number;
  /** 0 for at once. */
  readonly notBeforeMs: number;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
};

export type OutboxQuery = {
  readonly remote?: Remote | undefined;
  readonly state?: OutboxEntry['state'] | undefined;
  readonly table?: OutboxTable | undefined;
  readonly limit: number;
  /** The rank of the first entry that is given. */
  readonly offset: number;
};

/** The tables that a remote takes. */
export type RemoteTables = { readonly [R in Remote]?: readonly OutboxTable[] };

/**
 * What each configured remote still has to hear: at most one entry per remote and record ("it is dirty").
 * Delivery is at least once: an entry leaves only when the remote acknowledged its newest change.
 */
export type Outbox = {
  /**
   * Says which remotes exist; not inside a transaction. Safe to repeat.
   * A new one gets everything it has not heard, through {@link Outbox.fillBacklog}. One that is no longer
   * configured loses its waiting entries (links and records give exactly these back when it returns);
   * its parked entries stay, since their reason is nowhere else. A remote hears only of its `tables`: those that
   * were said last, all for one that is new and has none there. When they change, what it has not heard of the new
   * ones is enqueued by the backlog, too.
   */
  readonly setConfigured: (remotes: readonly Remote[], tables?: RemoteTables) => void;
  /** Enqueues the next part of what new remotes have not heard, reading at most about `limit` rows; true = more to do. */
  readonly fillBacklog: (limit: number) => boolean;
  /** Marks a record as dirty for every configured remote. A newer change of a parked record makes it pending again. */
  readonly enqueue: (tx: Transaction, table: OutboxTable, recordId: string, changeSeq: number) => void;
  /** The same for some remotes only: what came from one of them need not go back there. */
  readonly enqueueFor: (
    tx: Transaction,
    remotes: readonly Remote[],
    table: OutboxTable,
    recordId: string,
    changeSeq: number,
  ) => void;
  /** The remotes that hear of a table. */
  readonly remotesFor: (table: OutboxTable) => readonly Remote[];
  /** Calls back soon after something was enqueued, once for many; returns how to stop listening. */
  readonly onEnqueued: (listener: () => void) => () => void;
  /** Takes due entries, oldest change first, but none of the tables `except`. A record is never in two leases of one remote. */
  readonly lease: (
    remote: Remote,
    limit: number,
    leaseMs: number,
    except?: readonly OutboxTable[],
  ) => readonly LeasedEntry[];
  /** When the next pending entry is due; 0 for at once, null when none is pending. */
  readonly nextDueMs: (remote: Remote, except?: readonly OutboxTable[]) => number | null;
  /** Gives entries back as if they had never been taken. Late leases change nothing. */
  readonly release: (entries: readonly LeasedEntry[]) => void;
  /** The remote was found to have this record as it is: nothing waits any more, unless it is being sent just now. */
  readonly settle: (tx: Transaction, key: OutboxKey) => void;
  /** Enqueues everything again that the remote has not acknowledged, through {@link Outbox.fillBacklog}. */
  readonly restartBacklog: (tx: Transaction, remote: Remote) => void;
  /**
   * Makes entries due at once that wait for a later attempt; without keys all of a remote, but those that it asked to
   * wait with (`remote.rate_limited`).
   */
  readonly hurry: (remote: Remote, keys?: readonly OutboxKey[]) => void;
  readonly find: (key: OutboxKey) => OutboxEntry | undefined;
  /** Entries of records whose id begins or ends like this. */
  readonly like: (idPart: string, limit: number) => readonly OutboxEntry[];
  readonly list: (query: OutboxQuery) => { readonly entries: readonly OutboxEntry[]; readonly total: number };
  /** Makes entries pending again that were parked with this code; returns how many. */
  readonly unparkCode: (remote: Remote, code: string) => number;
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
  let configured = readConfigured(sql);
  const bell = createBell();
  store.write(() => sql.releaseAll.run());
  const remotesFor = (table: OutboxTable): Remote[] =>
    configured.filter(({ tables }) => tables === null || tables.has(table)).map(({ remote }) => remote);
  const enqueueFor: Outbox['enqueueFor'] = (_tx, remotes, table, recordId, changeSeq) => {
    if (configured.length === 0) return;
    const nowMs = store.nowMs();
    for (const { remote, tables } of configured) {
      if (!remotes.includes(remote) || (tables !== null && !tables.has(table))) continue;
      sql.enqueue.run(remote, table, recordId, changeSeq, nowMs);
      bell.ring();
    }
  };

  return {
    ...createLeases(store, sql),
    ...createListing(store, sql),
    setConfigured: (remotes, tables = {}) => {
      if (store.db.inTransaction) throw new Error('setConfigured inside a transaction');
      saveConfigured(store, sql, { before: configured.map(({ remote }) => remote), after: remotes, tables });
      configured = readConfigured(sql);
    },
    fillBacklog: (limit) => {
      const isMore = backlog.fill(limit);
      bell.ring();
      return isMore;
    },
    enqueue: (tx, table, recordId, changeSeq) => enqueueFor(tx, ALL_REMOTES, table, recordId, changeSeq),
    enqueueFor,
    remotesFor,
    onEnqueued: bell.listen,
    nextDueMs: (remote, except = []) => {
      const not = JSON.stringify(except);
      if (sql.anyDue.get(remote, store.nowMs(), not) !== undefined) return 0;
      return sql.nextDue.get(remote, not)?.at ?? null;
    },
    settle: (_tx, { remote, table, recordId }) => {
      sql.settle.run(remote, table, recordId);
    },
    restartBacklog: (_tx, remote) => {
      sql.restartBacklog.run(remote);
    },
    hurry: (remote, keys) => {
      if (keys === undefined) store.write(() => sql.hurryAll.run(remote));
      else store.write(() => runEach(sql.hurry, keys));
      bell.ring();
    },
    unpark: (keys) => {
      const usable = keys.filter((key) => configured.some(({ remote }) => remote === key.remote));
      const count = store.write(() => runEach(sql.unpark, usable));
      bell.ring();
      return count;
    },
    unparkCode: (remote, code) => {
      const count = store.write(() => sql.unparkCode.run(remote, code).changes);
      bell.ring();
      return count;
    },
    discard: (keys) => store.write(() => runEach(sql.discard, keys)),
    summary: () =>
      summarize(
        sql.summary.all(),
        configured.map(({ remote }) => remote),
      ),
  };
}

const ALL_REMOTES = remoteSchema.options;

type Configured = { readonly remote: Remote; readonly tables: ReadonlySet<string> | null };

function readConfigured(sql: OutboxSql): Configured[] {
  return sql.configured.all().map(({ remote, tables_json }) => ({
    remote: remoteSchema.parse(remote),
    tables: tables_json === null ? null : new Set(JSON.parse(tables_json) as string[]),
  }));
}

/** Tells listeners once for everything that happens in a turn: by then every transaction of it has ended. */
function createBell(): { readonly ring: () => void; readonly listen: (listener: () => void) => () => void } {
  const listeners = new Set<() => void>();
  let isRinging = false;
  return {
    ring: () => {
      if (isRinging || listeners.size === 0) return;
      isRinging = true;
      queueMicrotask(() => {
        isRinging = false;
        for (const listener of listeners) listener();
      });
    },
    listen: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function saveConfigured(
  store: Store,
  sql: OutboxSql,
  {
    before,
    after,
    tables,
  }: { readonly before: readonly Remote[]; readonly after: readonly Remote[]; readonly tables: RemoteTables },
): void {
  store.write(() => {
    for (const gone of before.filter((remote) => !after.includes(remote))) {
      sql.dropWaiting.run(gone);
      sql.dropRemote.run(gone);
    }
    for (const remote of after) {
      const json = tables[remote] === undefined ? null : JSON.stringify([...tables[remote]].sort());
      sql.addRemote.run(remote, store.nowMs(), json);
      // Whoever does not know the tables leaves them as they are.
      if (tables[remote] === undefined) continue;
      if (sql.setTables.run(json, remote, json).changes > 0 && json !== null) sql.dropForeign.run(remote, json);
    }
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
