import { afterEach, expect, test } from 'vitest';
import { compareSides } from '../../../src/main/backup/drift.ts';
import { compareRows } from '../../../src/main/sync/compare-rows.ts';
import type { Fields, MergedTable } from '../../../src/main/sync/connector.ts';
import { AppError } from '../../../src/shared/errors.ts';
import type { EditableRecord } from '../../../src/shared/model.ts';
import { createMemoryRemote, type MemoryRemote } from '../../support/memory-connector.ts';
import { openDevice, type SyncDevice } from '../../support/sync-device.ts';

const DRIFTS = Number(process.env.DRIFTS ?? 120);
const TABLES: readonly MergedTable[] = ['decision_vault', 'memories'];

let device: SyncDevice | null = null;
afterEach(() => {
  device?.close();
  device = null;
});

function* everyRecord(of: SyncDevice, table: MergedTable): Generator<EditableRecord> {
  yield* of.records.list({ table, includeRetired: true, limit: 1_000 }).records;
}

async function driftOf(of: SyncDevice, remote: MemoryRemote): Promise<Map<string, string>> {
  const sides = await compareRows(
    { stores: of.stores, shell: { redact: (text) => ({ text, redactions: 0, kinds: [] }) } },
    remote.remote,
    remote.connect(),
    (table) => everyRecord(of, table),
    new AbortController().signal,
  );
  return new Map(
    sides.flatMap((row) => {
      const verdict = compareSides(row.here, row.there, row.base);
      return verdict === null ? [] : [[`${row.table}/${row.id}`, `${verdict.drift}: ${row.fields.join()}`] as const];
    }),
  );
}

/** mulberry32: small and seeded. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

test.each(['supabase', 'notion'] as const)(
  'every drift that was made in %s is found with the side that moved, and nothing else',
  async (name) => {
    let now = 1_790_000_000_000;
    const nowMs = (): number => (now += 1);
    const remote = createMemoryRemote({ remote: name, nowMs });
    device = openDevice({ remotes: [{ remote: name, connect: remote.connect }], nowMs });
    const random = generator(Number(process.env.SEED ?? 7));
    const ids: { table: MergedTable; id: string }[] = [];
    for (let index = 0; index < DRIFTS + 20; index += 1) {
      const table = TABLES[index % 2] ?? 'memories';
      const fields =
        table === 'memories' ? { title: `m ${index}`, content: 'text' } : { title: `d ${index}`, decision: 'text' };
      const { record } = device.records.create({ table, fields, origin: 'cli' } as Parameters<
        SyncDevice['records']['create']
      >[0]);
      ids.push({ table, id: record.id });
    }
    await device.run(name);
    expect(await driftOf(device, remote)).toEqual(new Map());

    const expected = new Map<string, string>();
    const rowOf = (id: string) => {
      const link = TABLES.map((table) => device?.stores.links.find(name, table, id)).find((each) => each !== undefined);
      return link?.remoteId ?? remote.rows().find((row) => row.id === id)?.remoteId ?? '';
    };
    const editHere = (table: MergedTable, id: string, fields: Fields): void =>
      void device?.records.edit({ table, id, fields, origin: 'cli' } as Parameters<SyncDevice['records']['edit']>[0]);
    for (const { table, id } of ids.slice(0, DRIFTS)) {
      const key = `${table}/${id}`;
      const kind = Math.floor(random() * 7);
      if (kind === 0) editHere(table, id, { title: 'here' });
      if (kind === 1) remote.edit(rowOf(id), { title: 'there', tags: ['x'] });
      if (kind === 2) {
        editHere(table, id, { title: 'here' });
        remote.edit(rowOf(id), { category: 'there' });
      }
      if (kind === 3) device.records.retire({ table, id, retired: true, origin: 'cli' });
      if (kind === 4) remote.remove(rowOf(id));
      if (kind === 5) {
        // The same edit on both sides is no drift.
        editHere(table, id, { title: 'the same' });
        remote.edit(rowOf(id), { title: 'the same' });
        continue;
      }
      if (kind === 6) continue;
      expected.set(
        key,
        ['changed here: title', 'changed there: title,tags', 'both: title,category', 'missing: ', 'extra: '][kind] ??
          '',
      );
    }
    const made = device.records.create({
      table: 'memories',
      fields: { title: 'new here', content: 'x' },
      origin: 'cli',
    });
    expected.set(`memories/${made.record.id}`, 'extra: ');
    const found = await driftOf(device, remote);
    for (const [key, kind] of expected)
      expect([key, found.get(key)?.replace('category,title', 'title,category')]).toEqual([key, kind]);
    expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
  },
);

test('a remote that cannot be read says so, and its cursor stays where it is', async () => {
  const nowMs = (): number => 1_790_000_000_000;
  const remote = createMemoryRemote({ remote: 'supabase', nowMs });
  device = openDevice({ remotes: [{ remote: 'supabase', connect: remote.connect }], nowMs });
  await device.run('supabase');
  const before = device.stores.states.read('supabase');
  await driftOf(device, remote);
  expect(device.stores.states.read('supabase')).toEqual(before);
  remote.setFault(() => new AppError('remote.unreachable', 'down'));
  await expect(driftOf(device, remote)).rejects.toMatchObject({ code: 'remote.unreachable' });
});
