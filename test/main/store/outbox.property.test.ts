/**
 * The outbox against a model of it: whatever happens in whatever order, the newest change of every record is either
 * acknowledged or waiting, nothing is sent twice after it was acknowledged, and no record is in two hands at once.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createActivityStore } from '../../../src/main/store/activities.ts';
import { createLinks, type OutboxTable } from '../../../src/main/store/links.ts';
import { createOutbox, type LeasedEntry, type Outbox } from '../../../src/main/store/outbox.ts';
import type { Remote } from '../../../src/shared/model.ts';
import { newVault, touchMemory } from './test-vault.ts';

type Step =
  | { readonly do: 'touch'; readonly record: number }
  | { readonly do: 'append' }
  | { readonly do: 'lease'; readonly remote: Remote; readonly limit: number; readonly leaseMs: number }
  | { readonly do: 'complete' | 'retry' | 'park'; readonly batch: number; readonly part: number }
  | { readonly do: 'unpark' | 'discard'; readonly remote: Remote }
  | { readonly do: 'configure'; readonly remotes: readonly Remote[] }
  | { readonly do: 'backlog'; readonly limit: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'restart' | 'expire' };

const remote = fc.constantFrom<Remote>('supabase', 'notion');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('touch'), record: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('append') }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('lease'),
      remote,
      limit: fc.integer({ min: 1, max: 4 }),
      leaseMs: fc.integer({ min: 1, max: 100 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('complete', 'complete', 'retry', 'park'),
      batch: fc.nat(5),
      part: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('unpark', 'discard'), remote }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('configure'), remotes: fc.uniqueArray(remote) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('backlog'), limit: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.integer({ min: -50, max: 150 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('restart', 'expire') }) },
);

type Key = `${Remote} ${OutboxTable} ${string}`;
const keyOf = (at: Remote, table: OutboxTable, id: string): Key => `${at} ${table} ${id}`;
const entryKey = (entry: LeasedEntry): Key => keyOf(entry.remote, entry.table, entry.recordId);

/** What must be true, kept beside the real thing. */
function createModel(vault: ReturnType<typeof newVault>) {
  let outbox: Outbox = createOutbox(vault.store);
  let activities = createActivityStore(vault.store, outbox);
  const links = createLinks(vault.store);
  const newest = new Map<string, { table: OutboxTable; id: string; seq: number }>();
  const configuredAt = new Map<Remote, number>();
  /** Backlog was walked to its end since the remote was configured. */
  const walked = new Set<Remote>();
  const heard = new Map<Key, number>();
  const inHand = new Map<Key, { leaseId: string; untilMs: number }>();
  const parked = new Map<Key, number>();
  const discarded = new Map<Key, number>();
  const batches: (readonly LeasedEntry[])[] = [];
  let seq = 0;

  const changed = (table: OutboxTable, id: string, changeSeq: number): void => {
    seq = changeSeq;
    newest.set(`${table} ${id}`, { table, id, seq: changeSeq });
    for (const at of configuredAt.keys()) parked.delete(keyOf(at, table, id));
  };
  const endLeases = (which: (key: Key) => boolean): void => {
    for (const key of inHand.keys()) if (which(key)) inHand.delete(key);
  };
  const steps = {
    touch: ({ record }: Extract<Step, { do: 'touch' }>) =>
      changed('memories', `m${record}`, touchMemory({ ...vault, outbox }, `m${record}`)),
    append: () => {
      vault.store.write((tx) =>
        activities.append(tx, {
          kind: 'agent.started',
          summary: null,
          rootId: null,
          path: null,
          snapshotId: null,
          recordTable: null,
          recordId: null,
          origin: 'agent',
        }),
      );
      const [activity] = activities.list({ limit: 1 }).activities;
      if (activity !== undefined) changed('activities', activity.id, activity.changeSeq);
    },
    lease: ({ remote: at, limit, leaseMs }: Extract<Step, { do: 'lease' }>) => {
      const { nowMs } = vault.clock;
      const entries = outbox.lease(at, limit, leaseMs);
      for (const entry of entries) {
        const held = inHand.get(entryKey(entry));
        expect(held === undefined || held.untilMs <= nowMs, 'two leases of one record').toBe(true);
        expect(entry.changeSeq, 'sent again').toBeGreaterThan(heard.get(entryKey(entry)) ?? 0);
        inHand.set(entryKey(entry), { leaseId: entry.leaseId, untilMs: nowMs + leaseMs });
      }
      expect(entries.map((entry) => entry.changeSeq)).toEqual(
        entries.map((entry) => entry.changeSeq).toSorted((a, b) => a - b),
      );
      if (entries.length > 0) batches.push(entries);
    },
    answer: ({ do: what, batch, part }: Extract<Step, { batch: number }>) => {
      const entries = batches[batch % Math.max(1, batches.length)]?.slice(0, part) ?? [];
      // A lease whose time is over still counts until somebody released it.
      const valid = entries.filter((entry) => inHand.get(entryKey(entry))?.leaseId === entry.leaseId);
      if (what === 'complete') {
        const result = outbox.complete(
          entries.map((entry) => ({ entry, remoteId: null, baseJson: null, baseVersion: null })),
        );
        expect(result.done + result.again).toBe(valid.length);
        for (const entry of valid) heard.set(entryKey(entry), entry.changeSeq);
      } else if (what === 'retry') outbox.retryLater(entries, vault.clock.nowMs + 20, 'code', 'message');
      else outbox.park(entries, 'code', 'message');
      for (const entry of valid) {
        inHand.delete(entryKey(entry));
        const isNewest = newest.get(`${entry.table} ${entry.recordId}`)?.seq === entry.changeSeq;
        if (what === 'park' && isNewest) parked.set(entryKey(entry), entry.changeSeq);
      }
    },
    unpark: (at: Remote) => {
      const expected = configuredAt.has(at) ? [...parked.keys()].filter((key) => key.startsWith(at)) : [];
      expect(outbox.unpark(outbox.parked(at, 100))).toBe(expected.length);
      for (const key of expected) parked.delete(key);
    },
    discard: (at: Remote) => {
      const gone = outbox.parked(at, 100);
      expect(outbox.discard(gone)).toBe(gone.length);
      for (const entry of gone) {
        parked.delete(keyOf(at, entry.table, entry.recordId));
        discarded.set(keyOf(at, entry.table, entry.recordId), entry.changeSeq);
      }
    },
    configure: (remotes: readonly Remote[]) => {
      outbox.setConfigured(remotes);
      for (const at of configuredAt.keys()) {
        if (remotes.includes(at)) continue;
        configuredAt.delete(at);
        walked.delete(at);
        endLeases((key) => key.startsWith(at));
        for (const key of discarded.keys()) if (key.startsWith(at)) discarded.delete(key);
      }
      for (const at of remotes) if (!configuredAt.has(at)) configuredAt.set(at, seq);
    },
    backlog: (limit: number) => {
      if (outbox.fillBacklog(limit)) return;
      for (const at of configuredAt.keys()) walked.add(at);
      // The walk itself gives a parked entry its new chance when the record changed while nobody listened.
      for (const key of parked.keys()) {
        const [at, table, id] = key.split(' ');
        const now = newest.get(`${table} ${id}`)?.seq ?? 0;
        if (configuredAt.has(at as Remote) && now > (parked.get(key) ?? 0)) parked.delete(key);
      }
    },
    restart: () => {
      outbox = createOutbox(vault.store);
      activities = createActivityStore(vault.store, outbox);
      endLeases(() => true);
    },
    expire: () => {
      outbox.releaseExpired();
      endLeases((key) => (inHand.get(key)?.untilMs ?? 0) <= vault.clock.nowMs);
    },
  };

  const run = (next: Step): void => {
    switch (next.do) {
      case 'touch':
        steps.touch(next);
        break;
      case 'append':
        steps.append();
        break;
      case 'lease':
        // Leasing releases what ran out at this remote.
        endLeases((key) => key.startsWith(next.remote) && (inHand.get(key)?.untilMs ?? 0) <= vault.clock.nowMs);
        steps.lease(next);
        break;
      case 'complete':
      case 'retry':
      case 'park':
        steps.answer(next);
        break;
      case 'unpark':
        steps.unpark(next.remote);
        break;
      case 'discard':
        steps.discard(next.remote);
        break;
      case 'configure':
        steps.configure(next.remotes);
        break;
      case 'backlog':
        steps.backlog(next.limit);
        break;
      case 'wait':
        vault.clock.nowMs += next.ms;
        break;
      case 'restart':
        steps.restart();
        break;
      case 'expire':
        steps.expire();
        break;
    }
  };

  const rows = vault.store.db.prepare<[], { key: Key; change_seq: number; state: string }>(
    "SELECT remote || ' ' || table_name || ' ' || record_id AS key, change_seq, state FROM outbox",
  );
  const check = (): void => {
    const entries = new Map(rows.all().map((row) => [row.key, row]));
    for (const row of entries.values()) {
      if (!configuredAt.has(row.key.split(' ')[0] as Remote)) expect(row.state, row.key).toBe('parked');
    }
    for (const [at, since] of configuredAt) {
      for (const { table, id, seq: last } of newest.values()) {
        if (last <= since && !walked.has(at)) continue;
        const key = keyOf(at, table, id);
        const acknowledged = links.find(at, table, id)?.acknowledgedSeq ?? 0;
        expect(acknowledged).toBe(heard.get(key) ?? 0);
        const isSafe = acknowledged === last || entries.get(key)?.change_seq === last || discarded.get(key) === last;
        expect(isSafe, `${key}: newest change ${last}`).toBe(true);
        if (acknowledged === last) expect(entries.get(key), `${key} waits though it was heard`).toBeUndefined();
      }
    }
    for (const key of parked.keys()) expect(entries.get(key)?.state, `${key} was parked`).toBe('parked');
  };

  /** Sends everything; then every remote has the newest of every record. */
  const drain = (): void => {
    while (outbox.fillBacklog(3));
    for (const at of configuredAt.keys()) {
      vault.clock.nowMs += 1_000;
      outbox.unpark(outbox.parked(at, 100));
      for (let entries = outbox.lease(at, 3, 100); entries.length > 0; entries = outbox.lease(at, 3, 100)) {
        outbox.complete(entries.map((entry) => ({ entry, remoteId: null, baseJson: null, baseVersion: null })));
      }
      for (const { table, id, seq: last } of newest.values()) {
        if (discarded.get(keyOf(at, table, id)) === last) continue;
        expect(links.find(at, table, id)?.acknowledgedSeq, `${at} ${table} ${id}`).toBe(last);
      }
    }
  };
  return { run, check, drain };
}

test('the newest change of every record is acknowledged or waits, whatever happens in whatever order', () => {
  const vault = newVault();
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (sequence) => {
      vault.store.write(() =>
        vault.store.db.exec(
          'DELETE FROM outbox; DELETE FROM links; DELETE FROM remotes; DELETE FROM memories; DELETE FROM activities',
        ),
      );
      vault.outbox.setConfigured([]);
      const model = createModel(vault);
      for (const next of sequence) {
        model.run(next);
        model.check();
      }
      model.drain();
    }),
    { numRuns: 300 },
  );
});
