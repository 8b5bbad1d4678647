import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createCrashGuard } from '../../../src/main/sync/crash-guard.ts';
import type { RemoteParts, SyncEngine } from '../../../src/main/sync/engine-parts.ts';
import type { LeaseService } from '../../../src/main/sync/leader.ts';
import { createSyncEngine } from '../../../src/main/sync/sync-engine.ts';
import { AppError } from '../../../src/shared/errors.ts';
import type { Remote } from '../../../src/shared/model.ts';
import { createMemoryRemote, type MemoryRemote } from '../../support/memory-connector.ts';
import { openDevice, type SyncDevice } from '../../support/sync-device.ts';

const nowMs = (): number => Date.now();

type Setup = { readonly remotes: readonly MemoryRemote[]; readonly leases?: LeaseService; readonly crashes?: number };

function setUp({ remotes, leases, crashes = 0 }: Setup): {
  device: SyncDevice;
  engine: SyncEngine;
  keys: Map<Remote, string>;
  connect: (remote: Remote) => Promise<RemoteParts | null>;
} {
  const device = openDevice({ remotes: [], nowMs });
  const keys = new Map<Remote, string>(remotes.map(({ remote }) => [remote, 'key']));
  const notes = new Map<string, string>();
  const guard = createCrashGuard(
    { get: (key) => notes.get(key) ?? null, set: (key, value) => notes.set(key, value) },
    nowMs,
  );
  for (let crash = 0; crash < crashes; crash += 1) guard.noteStart(false);
  const connect = async (remote: Remote): Promise<RemoteParts | null> => {
    const found = remotes.find((one) => one.remote === remote);
    if (found === undefined) return null;
    if (keys.get(remote) === 'bad') throw new AppError('remote.wrong_project', 'The key is of another project.');
    return { connector: found.connect(), ...(remote === 'supabase' && leases !== undefined ? { leases } : {}) };
  };
  const engine = createSyncEngine({
    stores: device.stores,
    shell: {
      settings: () => ({
        limits: { over: 50, share: 0.2 },
        batchSize: 500,
        reconcileMs: 3_600_000,
        onSecret: 'redact',
      }),
      nowMs,
      random: () => 0.5,
      log: {
        info: () => undefined,
        warn: () => undefined,
        error: (message, data) => {
          throw data?.error ?? new Error(message);
        },
      },
      redact: (text) => ({ text, redactions: 0, kinds: [] }),
      onRecords: () => undefined,
      onState: () => undefined,
      onConflicts: () => undefined,
    },
    guard,
    configured: () => [...keys].map(([remote, key]) => ({ remote, key })),
    connect,
    reporting: () => ({ logLevel: 'off', runPages: false, dayPages: false, timeZone: 'UTC' }),
    device: { name: 'desk', version: '0.1.0' },
    monotonicMs: () => performance.now(),
    exportFolder: join(device.store.dataFolder, 'exports'),
    writeFile: (path, bytes) => {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, bytes, { flag: 'wx' });
    },
  });
  onTestFinished(async () => {
    await engine.stop();
    device.close();
  });
  return { device, engine, keys, connect };
}

const supabaseOf = () => createMemoryRemote({ remote: 'supabase', nowMs });
const write = (device: SyncDevice, title: string) =>
  device.records.create({ table: 'memories', fields: { title }, origin: 'cli' }).record;

/** Waits for what happens by itself; the test's own limit ends a wait for what does not. */
async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setImmediate(resolve));
}

test('a commit is sent by itself, soon; what is written over there comes with its hint', async () => {
  const supabase = supabaseOf();
  const { device, engine } = setUp({ remotes: [supabase] });
  await engine.start();
  write(device, 'from here');
  await until(() => supabase.rows('memories').length === 1);
  supabase.create('memories', {
    title: 'from there',
    content: '',
    kind: 'note',
    category: 'g',
    status: 'active',
    tags: [],
  });
  await until(() => device.records.list({ table: 'memories' }).records.length === 2);
  await until(() => engine.status().remotes[0]?.state === 'ok');
});

test('with no service set up everything is off, calmly', async () => {
  const { engine } = setUp({ remotes: [] });
  await engine.start();
  expect(engine.status()).toMatchObject({
    remotes: [
      { remote: 'supabase', configured: false, state: 'off', pending: 0 },
      { remote: 'notion', configured: false, state: 'off' },
    ],
    conflicts: 0,
    safeMode: null,
  });
  expect(await engine.methods['sync.run']({})).toMatchObject({ plans: [] });
  await expect(engine.methods['sync.run']({ remote: 'notion' })).rejects.toMatchObject({ code: 'sync.off' });
  expect(await engine.methods['devices.list']({})).toMatchObject({ devices: [{ name: 'desk', isThis: true }] });
});

test('a key that is replaced takes effect without a restart, and a wrong one says what is wrong', async () => {
  const supabase = supabaseOf();
  const { device, engine, keys } = setUp({ remotes: [supabase] });
  keys.set('supabase', 'bad');
  await engine.start();
  write(device, 'waits');
  expect(engine.status().remotes[0]).toMatchObject({ state: 'needs_you', code: 'remote.wrong_project' });
  expect((await engine.methods['sync.test']({ remote: 'supabase' })).remotes[0]?.steps).toMatchObject([
    { verdict: 'failed', code: 'remote.wrong_project' },
  ]);
  keys.set('supabase', 'good');
  await engine.configure();
  await until(() => supabase.rows('memories').length === 1);
});

test('three unexpected ends: sending is paused and says why, until a person syncs', async () => {
  const supabase = supabaseOf();
  const { device, engine } = setUp({ remotes: [supabase], crashes: 3 });
  await engine.start();
  write(device, 'waits');
  await new Promise((resolve) => setImmediate(resolve));
  expect(engine.status()).toMatchObject({ safeMode: { reason: expect.stringContaining('paused') } });
  expect(engine.status().remotes[0]).toMatchObject({ state: 'needs_you', code: 'sync.safe_mode', pending: 2 });
  expect(supabase.stats().pushCalls).toBe(0);
  await engine.methods['sync.run']({});
  expect(supabase.rows('memories')).toHaveLength(1);
  expect(engine.status().safeMode).toBeNull();
});

test('only the leader talks to Notion; when it is gone, another device takes over', async () => {
  let holder: string | null = 'other-device';
  let fencing = 1;
  const leases: LeaseService = {
    take: async () => {
      if (holder !== null && holder !== 'me') return { heldBy: holder, untilMs: nowMs() + 40_000 };
      holder = 'me';
      fencing += 1;
      return { fencing, untilMs: nowMs() + 40_000 };
    },
    renew: async (_name, own) => holder === 'me' && own === fencing,
    release: async () => {
      holder = null;
    },
  };
  const supabase = supabaseOf();
  const notion = createMemoryRemote({ remote: 'notion', tables: ['memories'], nowMs });
  const { device, engine } = setUp({ remotes: [supabase, notion], leases });
  await engine.start();
  write(device, 'one');
  await until(() => supabase.rows('memories').length === 1);
  expect(notion.stats().pushCalls).toBe(0);
  expect(engine.status().remotes[1]).toMatchObject({
    state: 'ok',
    leader: { kind: 'other_device', deviceId: 'other-device' },
  });
  expect((await engine.methods['sync.run']({ remote: 'notion' })).plans[0]?.problem).toMatchObject({ exitCode: 3 });
  holder = null;
  await engine.methods['sync.run']({ remote: 'notion' });
  expect(notion.rows()).toHaveLength(1);
  expect(engine.status().remotes[1]).toMatchObject({ leader: { kind: 'this_device' } });
});

test('a conflict is decided, undone, and the decision reaches the other side', async () => {
  const supabase = supabaseOf();
  const { device, engine } = setUp({ remotes: [supabase] });
  const { id } = write(device, 'one');
  await engine.methods['sync.run']({});
  device.records.edit({ table: 'memories', id, fields: { title: 'mine' }, origin: 'cli' });
  supabase.edit(id, { title: 'theirs' });
  await until(() => nowMs() > (supabase.rows('memories')[0]?.editedAtMs ?? 0));
  await engine.methods['sync.run']({});
  const { conflicts, open } = await engine.methods['conflicts.list']({});
  const [conflict] = conflicts;
  if (conflict === undefined) throw new Error('there is no conflict');
  expect({ open, choices: conflict.choices }).toEqual({ open: 1, choices: ['mine', 'theirs', 'edited'] });
  const loser = conflict.winner === 'mine' ? 'theirs' : 'mine';
  const resolve = (choice: 'mine' | 'theirs' | 'both') =>
    engine.methods['conflicts.resolve']({ ids: [conflict.id], choice, origin: 'cli' });
  expect((await resolve('both')).failed).toMatchObject([{ code: 'usage.bad_argument' }]);
  expect((await resolve(loser)).resolved).toMatchObject([{ current: loser, resolution: loser, canUndo: true }]);
  await engine.methods['sync.run']({});
  expect(supabase.rows('memories')[0]?.fields.title).toBe(loser);
  const undone = await engine.methods['conflicts.undo']({ ids: [conflict.id], origin: 'cli' });
  expect(undone.undone).toMatchObject([{ current: conflict.winner, resolvedAtMs: null }]);
  await engine.methods['sync.run']({});
  expect(supabase.rows('memories')[0]?.fields.title).toBe(conflict.winner);
  expect((await engine.methods['conflicts.show']({ id: conflict.id.slice(-8) })).record).toMatchObject({ id });
});

test('what makes no sense over there is overwritten only when a person says so', async () => {
  const supabase = supabaseOf();
  const { device, engine } = setUp({ remotes: [supabase] });
  const { id } = write(device, 'one');
  await engine.methods['sync.run']({});
  supabase.edit(id, { status: 'finished' }, [{ field: 'status', value: 'finished', reason: 'No status.' }]);
  await engine.methods['sync.run']({});
  expect(supabase.rows('memories')[0]?.fields.status).toBe('finished');
  const [conflict] = (await engine.methods['conflicts.list']({})).conflicts;
  expect(conflict).toMatchObject({ kind: 'invalid', choices: ['mine', 'edited'], reason: 'No status.' });
  await engine.methods['conflicts.resolve']({ ids: [conflict?.id ?? ''], choice: 'mine', origin: 'cli' });
  await engine.methods['sync.run']({});
  expect(supabase.rows('memories')[0]?.fields.status).toBe('active');
  expect(engine.status().conflicts).toBe(0);
});

test('the queue shows what would be sent, tries again, and discards only after an export', async () => {
  const supabase = supabaseOf();
  const { device, engine } = setUp({ remotes: [supabase] });
  const { id } = write(device, 'poison');
  supabase.setRefusal((record) => (record.id === id ? new AppError('remote.rejected', 'too long') : null));
  await engine.methods['sync.run']({});
  const listed = await engine.methods['queue.list']({ state: 'parked' });
  expect(listed).toMatchObject({ total: 1, entries: [{ recordId: id, title: 'poison', code: 'remote.rejected' }] });
  const shown = await engine.methods['queue.show']({ id: id.slice(-8) });
  expect(shown.entries[0]?.outgoing).toMatchObject({
    action: 'create',
    fields: { title: 'poison' },
    redactions: 0,
    held: false,
  });
  expect(await engine.methods['queue.retry']({})).toEqual({ retried: 1 });
  await engine.methods['sync.run']({});
  const key = { remote: 'supabase', table: 'memories', recordId: id } as const;
  const { discarded, exportedTo } = await engine.methods['queue.discard']({ keys: [key] });
  expect(discarded).toBe(1);
  expect(JSON.parse(readFileSync(exportedTo, 'utf8'))).toMatchObject({
    entries: [{ recordId: id, fields: { title: 'poison' } }],
  });
  await expect(engine.methods['queue.discard']({ keys: [key] })).rejects.toMatchObject({ code: 'not_found.entry' });
});
