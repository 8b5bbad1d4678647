import { type Remote, remote as remoteSchema } from '../../shared/model.ts';
import { clockMs } from './clock.ts';
import type { Store } from './database.ts';
import { uuidv7 } from './ids.ts';
import { createLinks, type OutboxTable } from './links.ts';
import type { LeasedEntry, Outbox } from './outbox.ts';
import type { OutboxSql } from './outbox-sql.ts';

/** No lease and no wait is longer than this, so that a clock that jumped back cannot silence an entry for years. */
export const MAX_DELAY_MS = 3_600_000;

/** The part of the outbox that senders use: take entries, and say what became of them. */
export function createLeases(
  store: Store,
  sql: OutboxSql,
): Pick<Outbox, 'lease' | 'complete' | 'retryLater' | 'park' | 'release' | 'releaseExpired'> {
  const links = createLinks(store);
  return {
    lease: (remote, limit, leaseMs, except = []) =>
      lease(store, sql, { remote, limit, leaseMs: Math.min(leaseMs, MAX_DELAY_MS), except }),
    complete: (acknowledgements) => {
      const counts = { done: 0, again: 0, late: 0 };
      store.write(() => {
        for (const { entry, remoteId, baseJson, baseVersion } of acknowledgements) {
          const outcome = stateOf(sql, entry);
          if (outcome !== 'late') {
            const { remote, table, recordId, changeSeq } = entry;
            const acknowledgedSeq = changeSeq;
            links.acknowledge({ remote, table, recordId, remoteId, baseJson, baseVersion, acknowledgedSeq });
            (outcome === 'done' ? sql.remove : sql.makePending).run(remote, table, recordId);
          }
          counts[outcome] += 1;
        }
      });
      return counts;
    },
    retryLater: (entries, notBeforeMs, code, message) => {
      const dueMs = Math.min(notBeforeMs, store.nowMs() + MAX_DELAY_MS);
      store.write(() => {
        for (const entry of entries) {
          if (stateOf(sql, entry) === 'late') continue;
          sql.retryLater.run(dueMs, code, message, entry.remote, entry.table, entry.recordId);
        }
      });
    },
    park: (entries, code, message) => {
      store.write(() => {
        for (const entry of entries) {
          const { remote, table, recordId } = entry;
          const outcome = stateOf(sql, entry);
          if (outcome === 'done') sql.park.run(code, message, remote, table, recordId);
          // What failed is not what the record is now: the newer change gets attempts of its own.
          else if (outcome === 'again') sql.makePending.run(remote, table, recordId);
        }
      });
    },
    release: (entries) => {
      store.write(() => {
        for (const entry of entries) {
          if (stateOf(sql, entry) !== 'late') sql.release.run(entry.remote, entry.table, entry.recordId);
        }
      });
    },
    releaseExpired: () =>
      store.write(() => remoteSchema.options.reduce((total, remote) => total + releaseExpired(store, sql, remote), 0)),
  };
}

/** What the end of a lease means: nothing newer waits, a newer change waits, or the lease was over before. */
function stateOf(sql: OutboxSql, entry: LeasedEntry): 'done' | 'again' | 'late' {
  const held = sql.held.get(entry.remote, entry.table, entry.recordId, entry.leaseId);
  if (held === undefined) return 'late';
  return held.change_seq > entry.changeSeq ? 'again' : 'done';
}

type LeaseOrder = {
  readonly remote: Remote;
  readonly limit: number;
  readonly leaseMs: number;
  readonly except: readonly OutboxTable[];
};

function lease(store: Store, sql: OutboxSql, { remote, limit, leaseMs, except }: LeaseOrder): LeasedEntry[] {
  return store.write(() => {
    releaseExpired(store, sql, remote);
    const nowMs = store.nowMs();
    const due = sql.due.all(remote, nowMs, nowMs + MAX_DELAY_MS, JSON.stringify(except), limit);
    // An empty answer must not cost a write to the disk.
    if (due.length === 0) return [];
    const leaseId = uuidv7(clockMs(store.clock.tick()));
    return due.map((row): LeasedEntry => {
      sql.lease.run(leaseId, nowMs + leaseMs, remote, row.table_name, row.record_id);
      return {
        remote,
        table: row.table_name,
        recordId: row.record_id,
        changeSeq: row.change_seq,
        leaseId,
        attempts: row.attempts,
        enqueuedAtMs: row.enqueued_at_ms,
      };
    });
  });
}

function releaseExpired(store: Store, sql: OutboxSql, remote: Remote): number {
  const nowMs = store.nowMs();
  return sql.releaseExpired.run(remote, nowMs, nowMs + MAX_DELAY_MS).changes;
}
