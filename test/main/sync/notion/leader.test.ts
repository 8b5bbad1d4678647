/** Two devices, one Notion: who has lost the lease writes nothing more, not even in the middle of a batch. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OutgoingRecord, PushOutcome } from '../../../../src/main/sync/connector.ts';
import { createLeader, LEASE_TTL_MS, type Leader, type LeaseService } from '../../../../src/main/sync/leader.ts';
import { connectNotion } from '../../../../src/main/sync/notion/notion-connector.ts';
import { createNotionNotes } from '../../../../src/main/sync/notion/notion-notes.ts';
import { type Notion, startNotion } from '../../../support/notion/start.ts';
import { connect, type Database, decision, dump, makeDatabase, outgoing, signal } from './notion-harness.ts';

let notion: Notion;
beforeAll(async () => {
  notion = await startNotion();
});
afterAll(async () => notion?.stop());

/** The place where devices meet, with the time of the server. */
function makeLeases(server: { nowMs: number }) {
  let holder: { device: string; fencing: number; endsAtMs: number } | null = null;
  let fencing = 0;
  return (device: string): LeaseService => ({
    take: async (_, ttlMs) => {
      if (holder !== null && holder.device !== device && holder.endsAtMs > server.nowMs)
        return { heldBy: holder.device, untilMs: holder.endsAtMs };
      if (holder?.device !== device || holder.endsAtMs <= server.nowMs) fencing += 1;
      holder = { device, fencing, endsAtMs: server.nowMs + ttlMs };
      return { fencing, untilMs: holder.endsAtMs };
    },
    renew: async (_, own, ttlMs) => {
      if (holder?.device !== device || holder.fencing !== own || holder.endsAtMs <= server.nowMs) return false;
      holder = { ...holder, endsAtMs: server.nowMs + ttlMs };
      return true;
    },
    release: async () => undefined,
  });
}

function makeDevice(name: string, clock: { nowMs: number }, leases: (device: string) => LeaseService) {
  const leader: Leader = createLeader({
    name: 'notion',
    deviceId: name,
    monotonicMs: () => clock.nowMs,
    nowMs: () => clock.nowMs,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    onChange: () => undefined,
  });
  leader.setService(leases(name));
  return leader;
}

const writes = async (): Promise<number> =>
  (await notion.log()).filter(({ method, path }) => method !== 'GET' && !path.endsWith('/query')).length;
const kinds = (outcomes: readonly PushOutcome[]): string[] => [...new Set(outcomes.map(({ kind }) => kind))].sort();

test('the device that lost the lease while it pushed stops at once; the other one sends the rest, nothing twice', async () => {
  const clock = { nowMs: 0 };
  const leases = makeLeases(clock);
  const [first, second] = [makeDevice('first', clock, leases), makeDevice('second', clock, leases)];
  await first.check();
  await second.check();
  expect([first.isThisDevice(), second.isThisDevice()]).toEqual([true, false]);
  const database: Database = await makeDatabase(notion, 'decision_vault');
  const records: OutgoingRecord[] = Array.from({ length: 25 }, (_, index) =>
    outgoing(decision({ title: `number ${index}`, decision: 'word '.repeat(2_000) })),
  );
  let asked = 0;
  const own = connect(
    notion,
    { decision_vault: database.databaseId },
    {
      assertMayWrite: () => {
        asked += 1;
        // It stood still for a minute, as after a sleep, and somebody else took over meanwhile.
        if (asked === 8) clock.nowMs += LEASE_TTL_MS + 20_000;
        first.assert();
      },
    },
  );
  const outcomes = await own.push(records, signal);
  expect(kinds(outcomes)).toEqual(['done', 'failed']);
  await second.check();
  expect([first.isThisDevice(), second.isThisDevice()]).toEqual([false, true]);
  // Not a single request that changes something was begun after it.
  await notion.call('clearLog');
  const failed = outcomes.flatMap(({ id, kind }) => (kind === 'failed' ? [id] : []));
  const unsent = records.filter(({ id }) => failed.includes(id));
  const refused = await own.push(unsent, signal);
  expect(refused.map((one) => (one.kind === 'failed' ? one.error.code : one.kind))).toEqual(
    unsent.map(() => 'remote.unavailable'),
  );
  const connection = connectNotion({
    token: notion.token,
    baseUrl: notion.baseUrl,
    perSecond: 1_000,
    assertMayWrite: first.assert,
  });
  const notes = createNotionNotes(connection, { kind: 'database', id: database.databaseId });
  await expect(notes.put({ title: 'Sync', text: 'x' }, signal)).rejects.toMatchObject({ code: 'remote.unavailable' });
  expect(await writes()).toBe(0);

  const other = connect(notion, { decision_vault: database.databaseId }, { assertMayWrite: second.assert });
  const rest = await other.push(records, signal);
  expect(kinds(rest)).toEqual(['done']);
  const pages = await dump(notion, database);
  expect(pages).toHaveLength(records.length);
});

test('a person may test and set up the connection from any device', async () => {
  const made = await notion.call<Database>('database', { title: 'Plain', properties: { Name: { title: {} } } });
  const follower = connect(
    notion,
    { decision_vault: made.databaseId },
    {
      assertMayWrite: () => {
        throw new Error('not asked for this');
      },
    },
  );
  await (await follower.prepare(signal)).apply(signal);
  expect((await follower.check(signal)).filter(({ verdict }) => verdict === 'failed')).toEqual([]);
});
