/** What a session rests for, and what of that a restart must not forget. */
import { expect, onTestFinished, test } from 'vitest';
import { createSessionMemory } from '../../../src/main/sync/session-memory.ts';
import { AppError } from '../../../src/shared/errors.ts';
import { createMemoryRemote, type MemoryOptions } from '../../support/memory-connector.ts';
import { type DeviceOptions, openDevice, type SyncDevice } from '../../support/sync-device.ts';

const clock = { nowMs: 1_790_000_000_000 };
const tick = (ms = 1_000): number => (clock.nowMs += ms);
const nowMs = (): number => tick(1);
const memory = (options: Partial<MemoryOptions> = {}) => createMemoryRemote({ remote: 'supabase', nowMs, ...options });

function open(options: Partial<DeviceOptions> & Pick<DeviceOptions, 'remotes'>): SyncDevice {
  let device = openDevice({ nowMs, ...options });
  const { reopen } = device;
  const track = (next: SyncDevice): SyncDevice => {
    device = next;
    return { ...next, reopen: () => track(next.reopen()) };
  };
  onTestFinished(() => device.close());
  return { ...device, reopen: () => track(reopen()) };
}
const write = (device: SyncDevice, title: string): string =>
  device.records.create({ table: 'memories', fields: { title }, origin: 'cli' }).record.id;
const decide = (device: SyncDevice, title: string): string =>
  device.records.create({ table: 'decision_vault', fields: { title }, origin: 'cli' }).record.id;
const pausedTables = (device: SyncDevice): string[] => {
  const [summary] = device.stores.outbox.summary();
  if (summary === undefined) throw new Error('no summary');
  return device
    .session('supabase')
    .status(summary)
    .paused.map(({ table }) => table);
};

test('a table that pauses is still known to pause after a restart, and is tried again when its time is over', async () => {
  const supabase = memory();
  supabase.setRefusal(({ table }) =>
    table === 'memories' ? new AppError('remote.schema', 'memories has no column "title"') : null,
  );
  const device = open({ remotes: [supabase] });
  write(device, 'waits');
  decide(device, 'goes on');
  await device.run('supabase', { isAsked: false });
  expect(pausedTables(device)).toEqual(['memories']);
  expect(supabase.rows('decision_vault')).toHaveLength(1);
  const again = device.reopen();
  expect(pausedTables(again)).toEqual(['memories']);
  supabase.setRefusal(null);
  await again.run('supabase', { isAsked: false });
  expect(supabase.rows('memories')).toHaveLength(0);
  tick(30 * 60_000);
  await again.run('supabase', { isAsked: false });
  expect(supabase.rows('memories')).toHaveLength(1);
  expect(pausedTables(again)).toEqual([]);
});

async function heldRetirements(count: number) {
  const supabase = memory();
  const device = open({ remotes: [supabase], settings: { limits: { over: 5, share: 0.9 } } });
  const ids = Array.from({ length: 40 }, (_, index) => write(device, `number ${index}`));
  await device.run('supabase');
  for (const id of ids.slice(0, count)) device.records.retire({ table: 'memories', id, retired: true, origin: 'cli' });
  expect((await device.run('supabase')).hold?.kind).toBe('push');
  return { supabase, device, ids };
}
const retiredThere = (rows: readonly { readonly fields: Readonly<Record<string, unknown>> }[]): number =>
  rows.filter(({ fields }) => fields.deletedAtMs !== null && fields.deletedAtMs !== undefined).length;

test('what a person agreed to is sent after a restart, too', async () => {
  const { supabase, device } = await heldRetirements(10);
  await device.session('supabase').decide('accept');
  const again = device.reopen();
  expect((await again.run('supabase')).hold).toBeNull();
  expect(retiredThere(supabase.rows('memories'))).toBe(10);
});

test('what a person agreed to counts once: as many again are held again', async () => {
  const { supabase, device, ids } = await heldRetirements(10);
  await device.session('supabase').decide('accept');
  await device.run('supabase');
  expect(retiredThere(supabase.rows('memories'))).toBe(10);
  for (const id of ids.slice(10, 20)) device.records.retire({ table: 'memories', id, retired: true, origin: 'cli' });
  expect((await device.run('supabase')).hold).toMatchObject({ kind: 'push', deletes: 10 });
  expect(retiredThere(supabase.rows('memories'))).toBe(10);
});

test('what another version stored is forgotten rather than believed', () => {
  const values = new Map([['sync.session.notion', '{"pauses":[{"table":"games","untilMs":"soon"}],"allowance":-1}']]);
  const meta = {
    get: (key: string) => values.get(key) ?? null,
    set: (key: string, value: string) => void values.set(key, value),
  };
  const kept = createSessionMemory(meta, 'notion');
  expect([kept.pauses().size, kept.allowance()]).toEqual([0, 0]);
  kept.setAllowance(7);
  expect(createSessionMemory(meta, 'notion').allowance()).toBe(7);
});
