/** The stand-ins against what the documentation of the hosted services says (the sources are in their headers). */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { createClient } from '@supabase/supabase-js';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { needs } from '../../../support/needs.ts';
import { createFaults } from '../../../support/supabase/faults.ts';
import { signJwt, verifyJwt } from '../../../support/supabase/keys.ts';
import { type LocalSupabase, startSupabase } from '../../../support/supabase/start-supabase.ts';

describe('the local project', needs('postgres and postgrest'), () => {
  let supabase: LocalSupabase;
  beforeAll(async () => {
    supabase = await startSupabase();
    await supabase.query(`
      CREATE TABLE notes (id bigint PRIMARY KEY, owner_id uuid DEFAULT auth.uid(), text text NOT NULL CHECK (text <> 'no'));
      ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
      CREATE POLICY own ON notes TO authenticated USING (owner_id = auth.uid());
      ALTER PUBLICATION supabase_realtime ADD TABLE notes;
      CREATE TABLE unpublished (id bigint PRIMARY KEY, owner_id uuid);
      INSERT INTO storage.buckets (id, name, public, file_size_limit) VALUES ('box', 'box', false, 100), ('large', 'large', false, NULL);
      CREATE POLICY box ON storage.objects FOR ALL TO authenticated USING ((storage.foldername(name))[1] = auth.uid()::text);
      NOTIFY pgrst, 'reload schema'`);
    // A reading reaches the table before PostgREST's schema cache knows it; a writing does not.
    const nothing = { method: 'POST', body: '[]' };
    while ((await rest('/notes', { apikey: supabase.keys.secret }, nothing)).status === 404)
      await new Promise(setImmediate);
  }, 60_000);
  afterAll(() => supabase.stop());
  beforeEach(() => supabase.clear());

  const request = async (path: string, init: RequestInit = {}): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(`${supabase.url}${path}`, init);
    const text = await response.text();
    return {
      status: response.status,
      body: response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text,
    };
  };
  const rest = (path: string, headers: Record<string, string>, init: RequestInit = {}) =>
    request(`/rest/v1${path}`, { ...init, headers: { 'content-type': 'application/json', ...headers } });
  const signIn = async (email: string, password: string) =>
    request('/auth/v1/token?grant_type=password', {
      method: 'POST',
      headers: { apikey: supabase.keys.publishable, 'content-type': 'application/json' },
      body: JSON.stringify({ email, password }),
    });
  const tokenOf = async (user: { email: string; password: string }): Promise<string> =>
    ((await signIn(user.email, user.password)).body as { access_token: string }).access_token;

  describe('gateway', () => {
    test('keys become roles; no key and a wrong key are refused as documented', async () => {
      const { publishable, secret, anonJwt, serviceJwt } = supabase.keys;
      expect(await rest('/notes', {})).toMatchObject({ status: 401, body: { message: 'No API key found in request' } });
      expect(await rest('/notes', { apikey: 'sb_secret_no' })).toMatchObject({
        status: 401,
        body: { message: 'Invalid API key' },
      });
      for (const key of [secret, serviceJwt]) {
        expect(await rest('/notes', { apikey: key })).toMatchObject({ status: 200 });
        expect(await rest('/notes', { apikey: key, authorization: `Bearer ${key}` })).toMatchObject({ status: 200 });
      }
      for (const key of [publishable, anonJwt])
        expect(await rest('/notes', { apikey: key })).toEqual({ status: 200, body: [] });
    });
    test('a bearer decides whose rows are seen; PostgREST judges it', async () => {
      const [one, two] = [await supabase.addUser(), await supabase.addUser()];
      const as = async (user: typeof one) => ({
        apikey: supabase.keys.publishable,
        authorization: `Bearer ${await tokenOf(user)}`,
      });
      const insert = { method: 'POST', body: '[{"id":1,"text":"mine"}]' };
      expect((await rest('/notes', await as(one), insert)).status).toBe(201);
      expect((await rest('/notes?select=text', await as(one))).body).toEqual([{ text: 'mine' }]);
      expect((await rest('/notes?select=text', await as(two))).body).toEqual([]);
      expect(await rest('/notes', await as(one), { method: 'POST', body: '[{"id":2,"text":"no"}]' })).toMatchObject({
        status: 400,
        body: { code: '23514' },
      });
      expect(await rest('/nothing', await as(one))).toMatchObject({ status: 404, body: { code: '42P01' } });
      const over = signJwt({ role: 'authenticated', sub: one.id, exp: 1_000_000 }, supabase.keys.jwtSecret);
      expect(
        await rest('/notes', { apikey: supabase.keys.publishable, authorization: `Bearer ${over}` }),
      ).toMatchObject({ status: 401, body: { code: 'PGRST301' } });
    });
    test('faults are made as ordered, as often as ordered, and requests are logged', async () => {
      const headers = { apikey: supabase.keys.secret };
      await supabase.fault({
        fault: { kind: 'answer', status: 429, headers: { 'retry-after': '3' } },
        path: '/notes',
        skip: 1,
        times: 2,
      });
      const statuses: number[] = [];
      for (let count = 0; count < 4; count += 1) statuses.push((await rest('/notes', headers)).status);
      expect(statuses).toEqual([200, 429, 429, 200]);
      await supabase.fault({ fault: { kind: 'cut-after' }, method: 'POST' });
      await expect(rest('/notes', headers, { method: 'POST', body: '[{"id":77,"text":"kept"}]' })).rejects.toThrow();
      expect((await rest('/notes?id=eq.77&select=text', headers)).body).toEqual([{ text: 'kept' }]);
      await supabase.fault({ fault: { kind: 'cut-before' }, method: 'POST' });
      await expect(rest('/notes', headers, { method: 'POST', body: '[{"id":78,"text":"lost"}]' })).rejects.toThrow();
      expect((await rest('/notes?id=eq.78', headers)).body).toEqual([]);
      expect((await supabase.requests()).map(({ method, status }) => [method, status])).toEqual([
        ['GET', 200],
        ['GET', 429],
        ['GET', 429],
        ['GET', 200],
        ['POST', 201],
        ['GET', 200],
        ['POST', 0],
        ['GET', 200],
      ]);
    });
    test('a statement of a user has 8 seconds, one of nobody 3', async () => {
      const settings = await supabase.query(
        `SELECT rolname AS role, rolconfig AS config FROM pg_roles WHERE rolname IN ('anon', 'authenticated') ORDER BY 1`,
      );
      expect(settings).toEqual([
        { role: 'anon', config: ['statement_timeout=3s'] },
        { role: 'authenticated', config: ['statement_timeout=8s'] },
      ]);
    });
    test('the user of SUPABASE_DB_URL is no superuser', async () => {
      expect(await supabase.query('SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user')).toEqual([
        { rolsuper: false, rolbypassrls: true },
      ]);
    });
  });

  describe('auth', () => {
    test('a password grant answers a session whose token says whose it is', async () => {
      const user = await supabase.addUser();
      const { status, body } = await signIn(user.email, user.password);
      expect([status, body]).toMatchObject([
        200,
        {
          token_type: 'bearer',
          expires_in: 3_600,
          user: { id: user.id, email: user.email },
          refresh_token: expect.any(String),
        },
      ]);
      const claims = verifyJwt((body as { access_token: string }).access_token, supabase.keys.jwtSecret);
      expect(claims).toMatchObject({ sub: user.id, role: 'authenticated', aud: 'authenticated', email: user.email });
    });
    test('a wrong password is 400 invalid_credentials', async () => {
      const user = await supabase.addUser();
      expect(await signIn(user.email, 'wrong')).toEqual({
        status: 400,
        body: { code: 400, error_code: 'invalid_credentials', msg: 'Invalid login credentials' },
      });
      expect((await signIn('nobody@example.test', 'x')).status).toBe(400);
    });
    test('the official client signs in', async () => {
      const user = await supabase.addUser();
      const client = createClient(supabase.url, supabase.keys.publishable, {
        auth: { persistSession: false, autoRefreshToken: false },
      });
      const { data, error } = await client.auth.signInWithPassword(user);
      expect([error, data.user?.id]).toEqual([null, user.id]);
    });
  });

  describe('storage', () => {
    const as = async () => {
      const user = await supabase.addUser();
      return {
        id: user.id,
        headers: { apikey: supabase.keys.publishable, authorization: `Bearer ${await tokenOf(user)}` },
      };
    };
    const put = (path: string, headers: Record<string, string>, body: string) =>
      request(`/storage/v1/object/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/octet-stream', ...headers },
        body,
      });
    test('errors are 400 with a statusCode of their own; too large is 413', async () => {
      const { id, headers } = await as();
      expect(await put(`box/${id}/a`, headers, 'x')).toMatchObject({ status: 200, body: { Key: `box/${id}/a` } });
      expect(await put(`box/${id}/a`, headers, 'y')).toEqual({
        status: 400,
        body: { statusCode: '409', error: 'Duplicate', message: 'The resource already exists' },
      });
      expect((await put(`box/${id}/a`, { ...headers, 'x-upsert': 'true' }, 'z')).status).toBe(200);
      expect(await put('box/elsewhere/a', headers, 'x')).toMatchObject({
        status: 400,
        body: { statusCode: '403', error: 'Unauthorized' },
      });
      expect(await put(`nowhere/${id}/a`, headers, 'x')).toMatchObject({
        status: 400,
        body: { statusCode: '404', error: 'Bucket not found' },
      });
      expect(await put(`box/${id}/a%00b`, headers, 'x')).toMatchObject({ status: 400, body: { error: 'InvalidKey' } });
      expect(await put(`box/${id}/ü`, headers, 'x')).toMatchObject({ status: 400, body: { error: 'InvalidKey' } });
      expect(await put(`box/${id}/long`, headers, 'x'.repeat(101))).toMatchObject({
        status: 413,
        body: { statusCode: '413' },
      });
      expect(await request(`/storage/v1/object/box/${id}/a`, { headers })).toEqual({ status: 200, body: 'z' });
      expect(await request(`/storage/v1/object/box/${id}/none`, { headers })).toMatchObject({
        status: 400,
        body: { statusCode: '404', error: 'not_found' },
      });
    });
    test('a listing gives one level, folders without an id, at most 100, by offset', async () => {
      const { id, headers } = await as();
      for (let index = 0; index < 105; index += 1)
        await put(`large/${id}/f${String(index).padStart(3, '0')}`, headers, 'x');
      await put(`large/${id}/sub/deep`, headers, 'x');
      const list = async (options: object): Promise<{ name: string; id: string | null }[]> =>
        (
          await request('/storage/v1/object/list/large', {
            method: 'POST',
            headers: { ...headers, 'content-type': 'application/json' },
            body: JSON.stringify({ prefix: id, ...options }),
          })
        ).body as never;
      expect((await list({})).length).toBe(100);
      expect((await list({ offset: 100 })).map(({ name, id: found }) => [name, found === null])).toEqual([
        ['f100', false],
        ['f101', false],
        ['f102', false],
        ['f103', false],
        ['f104', false],
        ['sub', true],
      ]);
    });
    test('the official client uploads every kind of body, lists and removes', async () => {
      const client = createClient(supabase.url, supabase.keys.secret, { auth: { persistSession: false } });
      const bucket = client.storage.from('large');
      for (const [name, body] of [
        ['buffer', Buffer.from('one')],
        ['blob', new Blob(['one'])],
        ['text', 'one'],
      ] as const) {
        expect((await bucket.upload(`kinds/${name}`, body)).error).toBe(null);
        expect(await (await bucket.download(`kinds/${name}`)).data?.text()).toBe('one');
      }
      expect((await bucket.list('kinds')).data?.map(({ name }) => name)).toEqual(['blob', 'buffer', 'text']);
      expect((await bucket.remove(['kinds/blob', 'kinds/none'])).data?.map(({ name }) => name)).toEqual(['kinds/blob']);
    });
  });

  describe('realtime', () => {
    type Frame = [string | null, string | null, string, string, Record<string, never>];
    const open = async (key = supabase.keys.secret) => {
      const socket = new WebSocket(
        `${supabase.url.replace('http', 'ws')}/realtime/v1/websocket?apikey=${key}&vsn=2.0.0`,
      );
      const frames: Frame[] = [];
      const waiting: (() => void)[] = [];
      socket.on('message', (data) => {
        frames.push(JSON.parse(String(data)) as Frame);
        for (const wake of waiting.splice(0)) wake();
      });
      await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
      const find = async (matches: (frame: Frame) => boolean): Promise<Frame> => {
        for (;;) {
          const found = frames.find(matches);
          if (found !== undefined) return found;
          await new Promise<void>((resolve) => waiting.push(resolve));
        }
      };
      const join = (topic: string, table: string, token?: string): void =>
        socket.send(
          JSON.stringify([
            '1',
            topic,
            topic,
            'phx_join',
            { config: { postgres_changes: [{ event: '*', schema: 'public', table }] }, access_token: token },
          ]),
        );
      return { socket, frames, find, join };
    };
    test('a join is answered with ids, then by the system; a change comes with its id', async () => {
      const { socket, find, join } = await open();
      join('realtime:a', 'notes');
      const [, , , , reply] = await find(([, ref, , event]) => ref === 'realtime:a' && event === 'phx_reply');
      expect(reply).toMatchObject({
        status: 'ok',
        response: { postgres_changes: [{ id: expect.any(Number), table: 'notes' }] },
      });
      expect((await find(([, , , event]) => event === 'system'))[4]).toMatchObject({
        status: 'ok',
        extension: 'postgres_changes',
      });
      await supabase.query(`INSERT INTO notes (id, text) VALUES (100, 'x')`);
      expect((await find(([, , , event]) => event === 'postgres_changes'))[4]).toMatchObject({
        data: { table: 'notes', type: 'INSERT', record: { id: 100 } },
      });
      socket.send(JSON.stringify([null, '9', 'phoenix', 'heartbeat', {}]));
      expect((await find(([, ref]) => ref === '9'))[4]).toMatchObject({ status: 'ok' });
      socket.terminate();
    });
    test('a table that is not published is refused by the system; a hundred channels are the limit', async () => {
      const { socket, find, join } = await open();
      join('realtime:b', 'unpublished');
      expect((await find(([, , , event]) => event === 'system'))[4]).toMatchObject({
        status: 'error',
        message: expect.stringContaining('table: unpublished'),
      });
      for (let index = 0; index < 100; index += 1) {
        join(`realtime:${index}`, 'notes');
        await find(([, , topic, event]) => topic === `realtime:${index}` && event === 'system');
      }
      join('realtime:100', 'notes');
      expect((await find(([, ref, , event]) => ref === 'realtime:100' && event === 'phx_reply'))[4]).toMatchObject({
        status: 'error',
        response: { reason: expect.stringContaining('ChannelRateLimitReached') },
      });
      socket.terminate();
    });
    test('a user hears of their own rows only; a wrong key hears nothing', async () => {
      const [one, two] = [await supabase.addUser(), await supabase.addUser()];
      const { socket, frames, find, join } = await open(supabase.keys.publishable);
      join('realtime:mine', 'notes', await tokenOf(one));
      await find(([, , , event]) => event === 'system');
      await supabase.query(
        `INSERT INTO notes (id, text, owner_id) VALUES (200, 'theirs', '${two.id}'), (201, 'mine', '${one.id}')`,
      );
      await find(([, , , event, payload]) => event === 'postgres_changes' && JSON.stringify(payload).includes('201'));
      expect(JSON.stringify(frames)).not.toContain('"id":200');
      socket.terminate();
      await expect(open('wrong')).rejects.toThrow('401');
    });
  });
});

describe('the processes of a local project', needs('postgres and postgrest'), () => {
  const SUPERVISOR = join(import.meta.dirname, '../../../support/supabase/supervisor.ts');
  const START = join(import.meta.dirname, '../../../support/supabase/start-supabase.ts');
  const isRunning = (pid: number): boolean => existsSync(`/proc/${pid}`);
  const gone = async (pids: readonly number[]): Promise<void> => {
    while (pids.some(isRunning)) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const firstLine = (child: ChildProcess): Promise<string> =>
    new Promise((resolve, reject) => {
      child.on('exit', (code) => reject(new Error(`ended with ${code}`)));
      if (child.stdout !== null) createInterface({ input: child.stdout }).once('line', resolve);
    });

  test.each<[string, (child: ChildProcess) => void]>([
    ['its input closes', (child) => child.stdin?.end()],
    ['it is killed', (child) => child.kill('SIGKILL')],
  ])('when the supervisor ends because %s, the servers end with it', async (_, end) => {
    const child = spawn(process.execPath, ['--no-warnings', SUPERVISOR], { stdio: ['pipe', 'pipe', 'inherit'] });
    const place = JSON.parse(await firstLine(child)) as { pids: number[]; socketFolder: string };
    expect(place.pids.map(isRunning)).toEqual([true, true]);
    expect(dirname(place.socketFolder)).not.toBe('/');
    end(child);
    await gone([...place.pids, child.pid ?? 0]);
  });

  test('when who started it is killed, everything ends', async () => {
    const script = `import { startSupabase } from ${JSON.stringify(START)}; const s = await startSupabase(); console.log(s.pid); setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = Number(await firstLine(parent));
    expect(isRunning(pid)).toBe(true);
    parent.kill('SIGKILL');
    await gone([pid]);
  });
});

test('a fault meets the requests it is ordered for, and no others', () => {
  const faults = createFaults();
  faults.order({ fault: { kind: 'hang' }, method: 'POST', path: '/a', skip: 1, times: 2 });
  const taken = [
    ['GET', '/a'],
    ['POST', '/b'],
    ['POST', '/a'],
    ['POST', '/a?x'],
    ['POST', '/a'],
    ['POST', '/a'],
  ].map(([method = '', path = '']) => faults.take(method, path)?.kind ?? null);
  expect(taken).toEqual([null, null, null, 'hang', 'hang', null]);
});
