import { expect, test } from 'vitest';
import { createLinks } from '../../../src/main/store/links.ts';
import { createOutbox, type LeasedEntry, MAX_DELAY_MS } from '../../../src/main/store/outbox.ts';
import { newVault, START_MS, type TestVault, touchMemory } from './test-vault.ts';

const MINUTE = 60_000;
const acknowledge = (entries: readonly LeasedEntry[]) =>
  entries.map((entry) => ({ entry, remoteId: `page-${entry.recordId}`, baseJson: '{"title":"t"}', baseVersion: null }));
const supabaseOf = (vault: TestVault) => vault.outbox.summary().find((each) => each.remote === 'supabase');

test('with no remote configured nothing piles up', () => {
  const vault = newVault();
  for (let index = 0; index < 50; index += 1) touchMemory(vault, `m${index}`);
  expect(vault.outbox.summary()).toEqual([
    { remote: 'supabase', configured: false, pending: 0, leased: 0, parked: 0, oldestAtMs: null },
    { remote: 'notion', configured: false, pending: 0, leased: 0, parked: 0, oldestAtMs: null },
  ]);
});

test('100,000 marks cost next to nothing while no remote is configured', () => {
  const { store, outbox } = newVault();
  const startMs = performance.now();
  store.write((tx) => {
    for (let index = 0; index < 100_000; index += 1) outbox.enqueue(tx, 'activities', 'some-id', index);
  });
  expect(performance.now() - startMs).toBeLessThan(100);
});

test('changes of one record are one entry per remote, with the newest change and the oldest waiting time', () => {
  const vault = newVault();
  vault.outbox.setConfigured(['supabase', 'notion']);
  touchMemory(vault, 'm1');
  vault.clock.nowMs += MINUTE;
  const newest = touchMemory(vault, 'm1');
  expect(vault.outbox.summary()).toEqual([
    { remote: 'supabase', configured: true, pending: 1, leased: 0, parked: 0, oldestAtMs: START_MS },
    { remote: 'notion', configured: true, pending: 1, leased: 0, parked: 0, oldestAtMs: START_MS },
  ]);
  expect(vault.outbox.lease('supabase', 10, MINUTE).map((entry) => entry.changeSeq)).toEqual([newest]);
});

test('entries are leased oldest change first and to one sender only', () => {
  const vault = newVault();
  vault.outbox.setConfigured(['supabase']);
  for (const id of ['c', 'a', 'b', 'c']) touchMemory(vault, id);
  expect(vault.outbox.lease('supabase', 2, MINUTE).map((entry) => entry.recordId)).toEqual(['a', 'b']);
  expect(vault.outbox.lease('supabase', 9, MINUTE).map((entry) => entry.recordId)).toEqual(['c']);
  expect(vault.outbox.lease('supabase', 9, MINUTE)).toEqual([]);
});

test('a completed entry leaves the outbox together with its link', () => {
  const vault = newVault();
  vault.outbox.setConfigured(['supabase']);
  const seq = touchMemory(vault, 'm1');
  expect(vault.outbox.complete(acknowledge(vault.outbox.lease('supabase', 1, MINUTE)))).toEqual({
    done: 1,
    again: 0,
    late: 0,
  });
  expect(supabaseOf(vault)).toMatchObject({ pending: 0, leased: 0, parked: 0 });
  expect(createLinks(vault.store).find('supabase', 'memories', 'm1')).toEqual({
    remote: 'supabase',
    table: 'memories',
    recordId: 'm1',
    remoteId: 'page-m1',
    baseJson: '{"title":"t"}',
    baseVersion: null,
    acknowledgedSeq: seq,
    acknowledgedAtMs: START_MS,
  });
});

test('a link keeps the remote id it knows, and never goes back to an older acknowledgement', () => {
  const { store } = newVault();
  const links = createLinks(store);
  const link = { remote: 'notion', table: 'memories', recordId: 'm1', baseVersion: null } as const;
  store.write(() => {
    links.acknowledge({ ...link, remoteId: 'page', baseJson: '1', acknowledgedSeq: 5 });
    links.acknowledge({ ...link, remoteId: null, baseJson: '2', acknowledgedSeq: 7 });
    links.acknowledge({ ...link, remoteId: 'other', baseJson: '3', acknowledgedSeq: 6 });
  });
  expect(links.find('notion', 'memories', 'm1')).toMatchObject({ remoteId: 'page', baseJson: '2', acknowledgedSeq: 7 });
  expect(links.find('supabase', 'memories', 'm1')).toBeUndefined();
});

test('a record that changes while it is sent is pending again after its completion', () => {
  const vault = newVault();
  vault.outbox.setConfigured(['supabase']);
  touchMemory(vault, 'm1');
  const sent = vault.outbox.lease('supabase', 1, MINUTE);
  const newer = touchMemory(vault, 'm1');
  expect(vault.outbox.lease('supabase', 1, MINUTE)).toEqual([]);
  expect(vault.outbox.complete(acknowledge(sent))).toEqual({ done: 0, again: 1, late: 0 });
  expect(vault.outbox.lease('supabase', 1, MINUTE).map((entry) => entry.changeSeq)).toEqual([newer]);
});

test('a failed attempt waits for its time and is counted', () => {
  const vault = newVault();
  vault.outbox.setConfigured(['supabase']);
  touchMemory(vault, 'm1');
  const entries = vault.outbox.lease('supabase', 1, MINUTE);
  vault.outbox.retryLater(entries, vault.clock.nowMs + 5_000, 'offline', 'no route');
  vault.clock.nowMs += 4_999;
  expect(vault.outbox.lease('supabase', 1, MINUTE)).toEqual([]);
  vault.clock.nowMs += 1;
  expect(vault.outbox.lease('supabase', 1, MINUTE)).toMatchObject([{ recordId: 'm1', attempts: 1 }]);
});

test('the completion of a lease that ran out changes nothing, whoever has the entry now', () => {
  const vault = newVault();
  vault.outbox.setConfigured(['supabase']);
  touchMemory(vault, 'm1');
  const first = vault.outbox.lease('supabase', 1, MINUTE);
  vault.clock.nowMs += MINUTE;
  const second = vault.outbox.lease('supabase', 1, MINUTE);
  expect(second).toMatchObject([{ recordId: 'm1' }]);
  expect(vault.outbox.complete(acknowledge(first))).toEqual({ done: 0, again: 0, late: 1 });
  vault.outbox.retryLater(first, vault.clock.nowMs, 'x', 'x');
  vault.outbox.park(first, 'x', 'x');
  expect(supabaseOf(vault)).toMatchObject({ pending: 0, leased: 1, parked: 0 });
  expect(vault.outbox.complete(acknowledge(second))).toEqual({ done: 1, again: 0, late: 0 });
});

test('a parked entry keeps its reason, and a newer change gives it a new chance', () => {
  const vault = newVault();
  vault.outbox.setConfigured(['notion']);
  const seq = touchMemory(vault, 'm1');
  vault.outbox.park(vault.outbox.lease('notion', 1, MINUTE), 'too_long', 'The title is too long.');
  expect(vault.outbox.lease('notion', 1, MINUTE)).toEqual([]);
  expect(vault.outbox.parked('notion', 10)).toEqual([
    {
      remote: 'notion',
      table: 'memories',
      recordId: 'm1',
      changeSeq: seq,
      attempts: 1,
      enqueuedAtMs: START_MS,
      errorCode: 'too_long',
      errorMessage: 'The title is too long.',
    },
  ]);
  touchMemory(vault, 'm1');
  expect(vault.outbox.parked('notion', 10)).toEqual([]);
  expect(vault.outbox.lease('notion', 1, MINUTE)).toMatchObject([{ recordId: 'm1', attempts: 0 }]);
});

test('what changed while it was sent is not parked for the failure of the older change', () => {
  const vault = newVault();
  vault.outbox.setConfigured(['notion']);
  touchMemory(vault, 'm1');
  const entries = vault.outbox.lease('notion', 1, MINUTE);
  touchMemory(vault, 'm1');
  vault.outbox.park(entries, 'too_long', 'x');
  expect(vault.outbox.lease('notion', 1, MINUTE)).toMatchObject([{ recordId: 'm1', attempts: 0 }]);
});

test('parked entries are tried again or dropped when a person says so', () => {
  const vault = newVault();
  vault.outbox.setConfigured(['notion']);
  for (const id of ['m1', 'm2']) touchMemory(vault, id);
  vault.outbox.park(vault.outbox.lease('notion', 2, MINUTE), 'bad', 'x');
  const [first, second] = vault.outbox.parked('notion', 10);
  expect(vault.outbox.unpark(first === undefined ? [] : [first])).toBe(1);
  expect(vault.outbox.discard(second === undefined ? [] : [second])).toBe(1);
  // Only what is parked can be dropped.
  expect(vault.outbox.discard(first === undefined ? [] : [first])).toBe(0);
  expect(vault.outbox.lease('notion', 9, MINUTE)).toMatchObject([{ recordId: 'm1', attempts: 0 }]);
});

test('leases of a process that is gone are free at the next start', () => {
  const vault = newVault();
  vault.outbox.setConfigured(['supabase']);
  touchMemory(vault, 'm1');
  const [lost] = vault.outbox.lease('supabase', 1, MINUTE);
  const again = createOutbox(vault.store);
  expect(again.lease('supabase', 1, MINUTE)).toMatchObject([{ recordId: 'm1', changeSeq: lost?.changeSeq }]);
});

test('a clock that jumps back ten years delays nothing', () => {
  const vault = newVault();
  vault.outbox.setConfigured(['supabase']);
  for (const id of ['waits', 'held']) touchMemory(vault, id);
  const [waits] = vault.outbox.lease('supabase', 1, MINUTE);
  vault.outbox.retryLater(waits === undefined ? [] : [waits], vault.clock.nowMs + MAX_DELAY_MS * 100, 'x', 'x');
  vault.outbox.lease('supabase', 1, MINUTE);
  vault.clock.nowMs -= 10 * 365 * 24 * 60 * MINUTE;
  expect(vault.outbox.lease('supabase', 9, MINUTE).map((entry) => entry.recordId)).toEqual(['waits', 'held']);
});

test('a remote that is newly configured hears of everything that was there, in steps that survive a restart', () => {
  const vault = newVault();
  for (let index = 0; index < 25; index += 1) touchMemory(vault, `m${index}`);
  vault.store.write((tx) => {
    const nothing = { rootId: null, path: null, snapshotId: null, recordTable: null, recordId: null };
    vault.activities.append(tx, { ...nothing, kind: 'agent.started', summary: null, origin: 'agent' });
  });
  vault.outbox.setConfigured(['supabase']);
  let steps = 0;
  for (let more = true; more; steps += 1) more = createOutbox(vault.store).fillBacklog(10);
  expect(steps).toBe(8);
  expect(supabaseOf(vault)).toMatchObject({ pending: 26 });
  expect(vault.outbox.fillBacklog(10)).toBe(false);
});

test('a remote that comes back hears only of what it has not acknowledged', () => {
  const vault = newVault();
  vault.outbox.setConfigured(['supabase']);
  for (const id of ['heard', 'changed', 'waiting']) touchMemory(vault, id);
  vault.outbox.complete(acknowledge(vault.outbox.lease('supabase', 2, MINUTE)));
  vault.outbox.setConfigured([]);
  expect(supabaseOf(vault)).toMatchObject({ configured: false, pending: 0, leased: 0 });
  touchMemory(vault, 'changed');
  vault.outbox.setConfigured(['supabase']);
  for (let more = true; more; ) more = vault.outbox.fillBacklog(100);
  expect(vault.outbox.lease('supabase', 9, MINUTE).map((entry) => entry.recordId)).toEqual(['waiting', 'changed']);
});

test('what a remote refused stays known while it is not configured', () => {
  const vault = newVault();
  vault.outbox.setConfigured(['notion']);
  touchMemory(vault, 'm1');
  vault.outbox.park(vault.outbox.lease('notion', 1, MINUTE), 'bad', 'The reason.');
  vault.outbox.setConfigured([]);
  expect(vault.outbox.parked('notion', 9)).toMatchObject([{ recordId: 'm1', errorMessage: 'The reason.' }]);
  expect(vault.outbox.unpark(vault.outbox.parked('notion', 9))).toBe(0);
  vault.outbox.setConfigured(['notion']);
  for (let more = true; more; ) more = vault.outbox.fillBacklog(100);
  expect(vault.outbox.parked('notion', 9)).toMatchObject([{ recordId: 'm1', errorMessage: 'The reason.' }]);
});
