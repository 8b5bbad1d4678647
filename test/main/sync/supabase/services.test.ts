import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSupabaseConnection } from '../../../../src/main/sync/supabase/client.ts';
import { createSupabaseDevices } from '../../../../src/main/sync/supabase/devices.ts';
import { createSupabaseLeases, type LeaseAnswer } from '../../../../src/main/sync/supabase/leases.ts';
import { createSupabaseLogs, type OutgoingLog, type OutgoingRun } from '../../../../src/main/sync/supabase/logs.ts';
import { BACKUPS_BUCKET, createSupabaseStorage } from '../../../../src/main/sync/supabase/storage.ts';
import { needs } from '../../../support/needs.ts';
import { type Project, signal, startProject } from './harness.ts';

describe('leases, devices, logs and storage of Supabase', needs('postgres and postgrest'), () => {
  let project: Project;
  beforeAll(async () => {
    project = await startProject();
  }, 60_000);
  afterAll(() => project.stop());
  beforeEach(() => project.supabase.clear());
  const connection = (options: object = {}) => createSupabaseConnection({ ...project.config, ...options });

  const leases = (deviceId: string, options: object = {}) =>
    createSupabaseLeases({ connection: connection(options), deviceId, nowMs: () => performance.now() });
  const held = (answer: LeaseAnswer): number => {
    if ('heldBy' in answer) throw new Error(`held by ${answer.heldBy}`);
    return answer.fencing;
  };

  test('of many devices that take a lease at once exactly one has it, and the others hear who', async () => {
    const devices = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => leases(id));
    const answers = await Promise.all(devices.map((each) => each.take('notion', 30_000, signal())));
    const nowMs = performance.now();
    expect(answers.filter((each) => 'fencing' in each).length).toBe(1);
    const holder = 'abcdef'[answers.findIndex((each) => 'fencing' in each)];
    for (const answer of answers) {
      if (!('heldBy' in answer)) continue;
      const leftMs = answer.untilMs - nowMs;
      expect([answer.heldBy, leftMs > 20_000 && leftMs <= 30_000]).toEqual([holder, true]);
    }
  });

  test('the number grows with every change of holder and with every gap, never otherwise', async () => {
    const [a, b] = [leases('a'), leases('b')];
    const first = held(await a.take('sweep', 60_000, signal()));
    expect(held(await a.take('sweep', 60_000, signal()))).toBe(first);
    expect(await a.renew('sweep', first, 60_000, signal())).toBe(true);
    await a.release('sweep', first, signal());
    await a.release('sweep', first, signal());
    const second = held(await b.take('sweep', 200, signal()));
    expect(second).toBe(first + 1);
    expect(await a.renew('sweep', first, 60_000, signal())).toBe(false);
    await wait(250);
    expect(await b.renew('sweep', second, 60_000, signal())).toBe(false);
    const third = held(await b.take('sweep', 60_000, signal()));
    expect(third).toBe(second + 1);
    await b.release('sweep', second, signal());
    expect(await a.take('sweep', 60_000, signal())).toMatchObject({ heldBy: 'b' });
  });

  test('the time of a lease is reckoned from before the question, so that it never outlives the server’s', async () => {
    await project.supabase.fault({ fault: { kind: 'delay', ms: 1_000 }, path: 'angles_lease_take' });
    const before = performance.now();
    const answer = await leases('a').take('slow', 10_000, signal());
    expect(performance.now() - before).toBeGreaterThan(900);
    expect(answer.untilMs).toBeLessThan(before + 10_500);
  });

  test('a service key and the only user of the project compete for the same lease', async () => {
    const service = leases('server', { key: project.supabase.keys.secret, signIn: null });
    held(await service.take('shared', 60_000, signal()));
    expect(await leases('laptop').take('shared', 60_000, signal())).toMatchObject({ heldBy: 'server' });
  });

  test('devices say that they are there and what they hold; the list shows them by the server’s time', async () => {
    const devices = (deviceId: string) => createSupabaseDevices({ connection: connection(), deviceId });
    const report = { name: 'büro\0\ud800 😀', platform: 'linux', version: '0.1.0', unsent: { supabase: 3, notion: 0 } };
    await devices('one').report(report, signal());
    await devices('two').report({ ...report, name: 'two' }, signal());
    await devices('one').report({ ...report, unsent: { supabase: 7 } }, signal());
    const list = await devices('one').list(signal());
    expect(list.map(({ deviceId, isThis, name, unsent }) => ({ deviceId, isThis, name, unsent }))).toEqual([
      { deviceId: 'one', isThis: true, name: report.name, unsent: { supabase: 7 } },
      { deviceId: 'two', isThis: false, name: 'two', unsent: report.unsent },
    ]);
    for (const { firstSeenAtMs, lastSeenAtMs } of list) {
      expect(Math.abs(Date.now() - lastSeenAtMs)).toBeLessThan(20_000);
      expect(firstSeenAtMs).toBeLessThanOrEqual(lastSeenAtMs);
    }
  });

  test('log lines and runs arrive once, however often they are sent; a run is completed later', async () => {
    const logs = createSupabaseLogs({ connection: connection(), deviceId: 'one' });
    const line = (seq: number): OutgoingLog => ({
      table: 'system_logs',
      seq,
      timeMs: 1_767_225_600_000 + seq,
      level: 'info',
      component: 'sync',
      message: `line ${seq} \0`,
      runId: null,
      durationMs: 1.5,
      data: { nested: ['\ud800', { ok: true }] },
    });
    const run: OutgoingRun = {
      table: 'run_artifacts',
      id: 'run-1',
      kind: 'sync',
      startedAtMs: 1_767_225_600_000,
      finishedAtMs: null,
      outcome: null,
      data: {},
    };
    const lines = Array.from({ length: 1_200 }, (_, seq) => line(seq));
    await project.supabase.fault({ fault: { kind: 'cut-after' }, path: 'system_logs', skip: 1 });
    await expect(logs.pushLogs([...lines, run], signal())).rejects.toMatchObject({ code: 'remote.unreachable' });
    await logs.pushLogs([...lines, run], signal());
    await logs.pushLogs([{ ...run, finishedAtMs: 1_767_225_660_000, outcome: 'ok', data: { pushed: 2 } }], signal());
    const counted = await project.supabase.query(
      'SELECT count(*)::int AS n, count(DISTINCT owner_id)::int AS owners, min(message) AS message FROM system_logs',
    );
    expect(counted).toEqual([{ n: 1_200, owners: 1, message: 'line 0 \\u{0}' }]);
    expect(
      await project.supabase.query('SELECT outcome, data, finished_at IS NOT NULL AS ended FROM run_artifacts'),
    ).toEqual([{ outcome: 'ok', data: { pushed: 2 }, ended: true }]);
  });

  const storage = (options: object = {}, pageSize = 100) =>
    createSupabaseStorage({ connection: connection(options), bucket: BACKUPS_BUCKET, pageSize });
  const collect = async (chunks: AsyncIterable<Uint8Array>): Promise<Buffer> => {
    const all: Uint8Array[] = [];
    for await (const chunk of chunks) all.push(chunk);
    return Buffer.concat(all);
  };

  test('an object goes there, is read back, listed in pages, and removed', async () => {
    const bucket = storage({}, 3);
    const bytes = randomBytes(3_000_000);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const name = `manual/memory_backup_2026-01-02 (1)_tag.zip.gpg`;
    expect(await bucket.upload(name, new Uint8Array(bytes), signal())).toEqual({ sha256, sizeBytes: bytes.length });
    expect(await bucket.upload('daily/blob.zip', new Blob([bytes]), signal())).toEqual({
      sha256,
      sizeBytes: bytes.length,
    });
    for (let index = 0; index < 8; index += 1)
      await bucket.upload(`daily/${index}.zip`, new Uint8Array([index]), signal());
    expect((await collect(await bucket.download(name, signal()))).equals(bytes)).toBe(true);
    const all = await bucket.list('', signal());
    expect(all.map((each) => each.name)).toEqual([
      ...Array.from({ length: 8 }, (_, index) => `daily/${index}.zip`),
      'daily/blob.zip',
      name,
    ]);
    expect(all.at(-1)).toMatchObject({ sizeBytes: bytes.length, updatedAtMs: expect.any(Number) });
    expect((await bucket.list('manual', signal())).map((each) => each.name)).toEqual([name]);
    expect(await bucket.remove([name, 'daily/never.zip'], signal())).toEqual([name]);
    expect((await bucket.list('manual', signal())).length).toBe(0);
    await expect(bucket.download(name, signal())).rejects.toMatchObject({ code: 'not_found.backup' });
  });

  test('what is too large, cut, damaged, or of nobody is named; a listing that fails gives no part', async () => {
    const bucket = storage();
    await project.supabase.settings({ storage: { fileSizeLimitBytes: 1_000 } });
    await expect(bucket.upload('large', new Uint8Array(2_000), signal())).rejects.toMatchObject({
      code: 'remote.too_large',
    });
    await project.supabase.settings({ storage: { fileSizeLimitBytes: 50 * 1024 * 1024 } });
    await bucket.upload('whole', new Uint8Array(randomBytes(2_000_000)), signal());
    await project.supabase.fault({ fault: { kind: 'truncate' }, method: 'GET', path: '/whole' });
    await expect(bucket.upload('whole', new Uint8Array(randomBytes(1_000_000)), signal())).rejects.toMatchObject({
      code: 'remote.bad_answer',
      message: expect.stringContaining('other bytes'),
    });
    await project.supabase.fault({ fault: { kind: 'cut-within' }, method: 'GET', path: '/whole' });
    await expect(bucket.download('whole', signal()).then(collect)).rejects.toMatchObject({
      code: 'remote.unreachable',
    });
    await project.supabase.fault({ fault: { kind: 'answer', status: 503 }, path: '/object/list/' });
    await expect(bucket.list('', signal())).rejects.toMatchObject({ code: 'remote.unavailable' });
    await expect(storage({ signIn: null }).upload('mine', new Uint8Array(1), signal())).rejects.toMatchObject({
      code: 'remote.forbidden',
    });
    await expect(bucket.upload('a\0b', new Uint8Array(1), signal())).rejects.toMatchObject({
      code: expect.stringMatching(/^remote\./),
    });
    const missing = createSupabaseStorage({ connection: connection(), bucket: 'nowhere' });
    await expect(missing.upload('x', new Uint8Array(1), signal())).rejects.toMatchObject({ code: 'remote.schema' });
    await expect(storage({ url: 'http://127.0.0.1:9' }).list('', signal())).rejects.toMatchObject({
      code: 'remote.unreachable',
    });
  });

  test('users do not see each other’s objects', async () => {
    const other = await project.supabase.addUser();
    await storage().upload('private.zip', new Uint8Array([1]), signal());
    const theirs = storage({ signIn: other });
    expect(await theirs.list('', signal())).toEqual([]);
    await expect(theirs.download('private.zip', signal())).rejects.toMatchObject({ code: 'not_found.backup' });
    expect(await theirs.remove([`../${project.user.id}/private.zip`], signal())).toEqual([]);
    await collect(await storage().download('private.zip', signal()));
    await project.supabase.query('DELETE FROM auth.users WHERE id = $1', [other.id]);
  });
});
