/**
 * What people and services do wrong, seen as a person sees it: `angles sync` names the cause and the fix, the other
 * service and the vault go on, and when it is mended what waited arrives.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Conflict, SyncPlan, SyncStatus } from '../../src/shared/contract-sync.ts';
import type { Remote } from '../../src/shared/model.ts';
import { FAKETIME_LIBRARY, needs } from '../support/needs.ts';
import { signJwt } from '../support/supabase/keys.ts';
import {
  bodyOf,
  type Device,
  makePlace,
  type Servers,
  startDevice,
  startServers,
  textOf,
  until,
} from '../support/sync-whole.ts';

type Saved = { readonly record: { readonly id: string } };
type Ran = { readonly plans: readonly SyncPlan[]; readonly status: SyncStatus };
type Trouble = { readonly code: string; readonly message: string; readonly fix: string };

describe('bad input of sync', needs('postgres and postgrest', 'faketime'), () => {
  let servers: Servers;
  let device: Device;
  let environment: Record<string, string>;
  let titles = 0;

  /** Writes `.env`; the running agent reads it by itself. */
  const setEnvironment = (changes: Record<string, string> = {}): void => {
    const lines = Object.entries({ ...environment, ...changes }).map(([name, value]) => `${name}=${value}`);
    writeFileSync(join(device.place.dataFolder, '.env'), `${lines.join('\n')}\n`, { mode: 0o600 });
  };
  const query = (sql: string) => servers.supabase.query(sql);
  /** PostgREST learns of a changed schema when it hears of it. */
  const alter = async (sql: string): Promise<void> => {
    await query(sql);
    await query(`NOTIFY pgrst, 'reload schema'`);
  };

  beforeAll(async () => {
    servers = await startServers();
    const { NOTION_BASE_URL = '', NOTION_PER_SECOND = '', ...others } = servers.services;
    environment = others;
    const place = makePlace({ NOTION_BASE_URL, NOTION_PER_SECOND });
    mkdirSync(place.dataFolder, { mode: 0o700 });
    writeFileSync(join(place.dataFolder, '.env'), '', { mode: 0o600 });
    device = await startDevice(place);
    setEnvironment();
    await until(async () => (await device.cli('sync', '--test', '--create', '--yes')).code === 0, 30_000);
    await until(async () => (await device.cli('sync')).code === 0, 30_000);
  });
  afterAll(async () => {
    await device?.stop();
    await servers?.stop();
  });

  const sync = async (only: Remote): Promise<Ran & { readonly exit: number | null }> => {
    const { code, stdout, stderr } = await device.cli('sync', '--json', '--only', only);
    if (stdout === '') throw new Error(stderr);
    return { ...(JSON.parse(stdout) as Ran), exit: code };
  };
  const troubleOf = ({ plans, status }: Ran, remote: Remote): Trouble | undefined => {
    const problem = plans.find((plan) => plan.remote === remote)?.problem;
    if (problem !== null && problem !== undefined) return problem;
    const [pause] = status.remotes.find((one) => one.remote === remote)?.paused ?? [];
    return pause === undefined ? undefined : { code: pause.code, message: pause.reason, fix: pause.fix };
  };
  const isThere = async (remote: Remote, id: string): Promise<boolean> => {
    if (remote === 'notion') return (await servers.page(id)) !== undefined;
    const [table] = await query(`SELECT to_regclass('public.decision_vault') AS name`);
    return table?.name !== null && (await servers.row('decision_vault', id)) !== undefined;
  };
  const decide = async (title: string, ...args: readonly string[]): Promise<string> =>
    (await device.json<Saved>('decisions', 'add', title, ...args)).record.id;

  type Case = {
    readonly remote: Remote;
    readonly spoil: () => unknown;
    readonly mend: () => unknown;
    readonly code: string;
    readonly exit: number;
    /** In the message or its fix. */
    readonly words: RegExp;
  };
  const notion = (op: string, args: Record<string, unknown>) => () => servers.notion.call(op, args);
  const onSource = (op: string, args: Record<string, unknown>) => () =>
    servers.notion.call(op, { dataSourceId: servers.dataSourceId, ...args });
  const CASES: readonly [string, Case][] = [
    [
      'an address where nobody answers',
      {
        remote: 'supabase',
        spoil: () => setEnvironment({ SUPABASE_URL: 'http://127.0.0.1:1' }),
        mend: () => setEnvironment(),
        code: 'remote.unreachable',
        exit: 3,
        words: /127\.0\.0\.1|refuse|SUPABASE_URL/,
      },
    ],
    [
      'a wrong key',
      {
        remote: 'supabase',
        spoil: () => setEnvironment({ SUPABASE_KEY: ['sb', 'publishable', 'of-nobody'].join('_') }),
        mend: () => setEnvironment(),
        code: 'remote.unauthorized',
        exit: 3,
        words: /key|SUPABASE_KEY/i,
      },
    ],
    [
      'a key of another project',
      {
        remote: 'supabase',
        spoil: () =>
          setEnvironment({
            SUPABASE_URL: 'https://abcdefghijklmnopqrst.supabase.co',
            SUPABASE_KEY: keyOf('zyxwvutsrqponmlkjihg'),
          }),
        mend: () => setEnvironment(),
        code: 'remote.wrong_project',
        exit: 3,
        words: /abcdefghijklmnopqrst.*zyxwvutsrqponmlkjihg/,
      },
    ],
    [
      'a policy that denies writing',
      {
        remote: 'supabase',
        spoil: () =>
          query(
            'CREATE POLICY read_only ON public.decision_vault AS RESTRICTIVE FOR INSERT TO authenticated WITH CHECK (false)',
          ),
        mend: () => query('DROP POLICY read_only ON public.decision_vault'),
        code: 'remote.forbidden',
        exit: 3,
        words: /row-level security|policy/i,
      },
    ],
    [
      'a table that is missing',
      {
        remote: 'supabase',
        spoil: () => alter('ALTER TABLE public.decision_vault RENAME TO decisions_of_before'),
        mend: () => alter('ALTER TABLE public.decisions_of_before RENAME TO decision_vault'),
        code: 'remote.schema',
        exit: 3,
        words: /decision_vault/,
      },
    ],
    [
      'a column that was retyped',
      {
        remote: 'supabase',
        spoil: () =>
          alter(
            'ALTER TABLE public.decision_vault ALTER tags DROP DEFAULT, ALTER tags TYPE jsonb USING to_jsonb(tags)',
          ),
        mend: () =>
          alter(`ALTER TABLE public.decision_vault ALTER tags TYPE text[] USING '{}', ALTER tags SET DEFAULT '{}'`),
        code: 'remote.schema',
        exit: 3,
        words: /tags/,
      },
    ],
    [
      'a page of HTML in the place of Supabase',
      {
        remote: 'supabase',
        spoil: () =>
          servers.supabase.fault({
            times: 1_000,
            path: '/rest/v1/',
            fault: {
              kind: 'answer',
              status: 200,
              headers: { 'content-type': 'text/html' },
              body: '<html>Sign in to the hotel network</html>',
            },
          }),
        mend: () => servers.supabase.clear(),
        code: 'remote.bad_answer',
        exit: 3,
        words: /HTML|not JSON|page/i,
      },
    ],
    [
      'a page of HTML in the place of Notion',
      {
        remote: 'notion',
        spoil: () => servers.notion.fault({ kind: 'html', status: 200, times: 1_000 }),
        mend: () => servers.notion.call('clearFaults'),
        code: 'remote.bad_answer',
        exit: 3,
        words: /not JSON|HTML|page/i,
      },
    ],
    [
      'a database that is not shared any more',
      {
        remote: 'notion',
        spoil: () => notion('share', { databaseId: servers.databaseId, shared: false })(),
        mend: () => notion('share', { databaseId: servers.databaseId, shared: true })(),
        code: 'remote.not_shared',
        exit: 3,
        words: /share|connection/i,
      },
    ],
    [
      'a property that was deleted',
      {
        remote: 'notion',
        spoil: () => onSource('deleteProperty', { name: 'Category' })(),
        mend: () => device.cli('sync', '--test', '--create', '--yes', '--only', 'notion'),
        code: 'remote.schema',
        exit: 3,
        words: /Category/,
      },
    ],
    [
      'a property that was retyped',
      {
        remote: 'notion',
        spoil: () => onSource('retypeProperty', { name: 'Tags', type: 'number' })(),
        mend: () => onSource('retypeProperty', { name: 'Tags', type: 'multi_select' })(),
        code: 'remote.schema',
        exit: 3,
        words: /Tags.*number.*multi_select/,
      },
    ],
    [
      'a second data source in the database',
      {
        remote: 'notion',
        spoil: async () => {
          await notion('dataSource', { databaseId: servers.databaseId, name: 'Archive' })();
          // Who is connected goes on with the one that is linked; it is asked for again with another spelling of it.
          setEnvironment({ NOTION_DATABASE_ID: `https://www.notion.so/${servers.databaseId.replaceAll('-', '')}` });
        },
        mend: () => setEnvironment({ NOTION_DATABASE_ID: servers.dataSourceId }),
        code: 'remote.schema',
        exit: 3,
        words: /Archive/,
      },
    ],
  ];

  test.each(CASES)('%s: named with its fix, nothing lost, the rest goes on', async (_, one) => {
    const other: Remote = one.remote === 'supabase' ? 'notion' : 'supabase';
    let id: string;
    await one.spoil();
    try {
      titles += 1;
      id = await decide(`Written on a bad day, ${titles}`);
      const found = await until(async () => {
        const ran = await sync(one.remote);
        return troubleOf(ran, one.remote)?.code === one.code ? ran : null;
      }, 60_000);
      const trouble = troubleOf(found, one.remote);
      expect(`${trouble?.message} ${trouble?.fix}`).toMatch(one.words);
      expect(trouble?.fix).toMatch(/\w+ \w+/);
      expect(found.exit).toBe(one.exit);
      expect(await isThere(one.remote, id)).toBe(false);
      // By itself: it does not know of the trouble beside it.
      await until(() => isThere(other, id), 60_000);
    } finally {
      await one.mend();
    }
    await until(async () => (await sync(one.remote)).exit === 0, 60_000);
    expect(await isThere(one.remote, id)).toBe(true);
  });

  test('a session that has expired is renewed by itself', async () => {
    const body = JSON.stringify({ code: 'PGRST303', details: null, hint: null, message: 'JWT expired' });
    await servers.supabase.fault({ path: '/rest/v1/rpc/angles_push', fault: { kind: 'answer', status: 401, body } });
    const id = await decide('Written with an old session');
    await until(() => isThere('supabase', id));
    expect((await sync('supabase')).exit).toBe(0);
  });

  test('a key that has expired: tried three times at most, nothing lost, and a new one goes on by itself', async () => {
    const { keys, url } = servers.supabase;
    const claims = { iss: 'supabase', ref: 'local', role: 'service_role', iat: 1_600_000_000, exp: 1_700_000_000 };
    const place = makePlace({});
    const setKey = (key: string): void =>
      writeFileSync(join(place.dataFolder, '.env'), `SUPABASE_URL=${url}\nSUPABASE_KEY=${key}\n`, { mode: 0o600 });
    mkdirSync(place.dataFolder, { mode: 0o700 });
    setKey(signJwt(claims, keys.jwtSecret));
    await servers.supabase.clear();
    const other = await startDevice(place);
    try {
      const status = async () =>
        (await other.client.call('sync.status', {})).remotes.find(({ remote }) => remote === 'supabase');
      const { record } = await other.json<Saved>('decisions', 'add', 'Written with a key of yesterday');
      const stuck = await until(async () => {
        const one = await status();
        return one?.state === 'needs_you' ? one : null;
      }, 60_000);
      expect(stuck).toMatchObject({ code: 'remote.unauthorized', nextTryAtMs: null });
      expect(stuck.reason).toContain('JWT expired');
      expect(stuck.fix).toMatch(/SUPABASE_KEY|key/);
      const asked = await other.cli('sync', '--only', 'supabase');
      expect([asked.code, asked.stdout]).toEqual([3, expect.stringContaining('JWT expired')]);
      expect((await status())?.pending).toBeGreaterThan(0);
      expect(await isThere('supabase', record.id)).toBe(false);
      setKey(keys.secret);
      await until(() => isThere('supabase', record.id));
      await until(async () => (await status())?.pending === 0);
    } finally {
      await other.stop();
    }
  });

  test('a property that was renamed is followed', async () => {
    await onSource('renameProperty', { from: 'Status', to: 'State of it' })();
    const id = await decide('Whatever it is called', '--status', 'accepted');
    await until(async () => (await sync('notion')).exit === 0, 60_000);
    expect(textOf(await servers.page(id), 'State of it')).toBe('accepted');
    await onSource('renameProperty', { from: 'State of it', to: 'Status' })();
    await until(async () => (await sync('notion')).exit === 0, 60_000);
  });

  test('texts of 300 KB, with emoji, right-to-left and a comma in an option, arrive whole on every side', async () => {
    const line = 'Ein längerer Satz, 例え, שלום עולם, 👩‍👩‍👧‍👦 und mehr. ';
    const text = Array.from({ length: 60 }, (_, index) => `${index}: ${line.repeat(70)}`).join('\n\n');
    expect(Buffer.byteLength(text)).toBeGreaterThan(300_000);
    const { record } = await device.client.call('records.create', {
      table: 'decision_vault',
      fields: { title: 'Größe 😀', decision: text, category: 'one, two', tags: ['a, b', 'ε'] },
      origin: 'cli',
    });
    const { id } = record;
    await until(async () => (await sync('supabase')).exit === 0, 60_000);
    await until(async () => (await sync('notion')).exit === 0, 120_000);
    expect(await servers.row('decision_vault', id)).toMatchObject({
      title: 'Größe 😀',
      decision: text,
      category: 'one, two',
      tags: ['a, b', 'ε'],
    });
    expect(bodyOf(await servers.page(id)).replaceAll(/\s+/g, '')).toBe(text.replaceAll(/\s+/g, ''));
    const read = await device.client.call('records.show', { table: 'decision_vault', id });
    expect(read.record).toMatchObject({ decision: text, category: 'one, two', tags: ['a, b', 'ε'] });
  });

  test('a row that was edited to nonsense: each value is listed, none is taken, the good one beside it is', async () => {
    const id = await decide('Sensible', '--status', 'accepted');
    await until(async () => (await sync('supabase')).exit === 0, 60_000);
    // The table itself refuses most of it, until somebody takes that away.
    await expect(query(`UPDATE public.decision_vault SET status = 'done?'`)).rejects.toThrow('status_check');
    await query(
      'ALTER TABLE public.decision_vault DROP CONSTRAINT decision_vault_status_check, ALTER title DROP NOT NULL',
    );
    await servers.supabase.query(
      `UPDATE public.decision_vault SET status = 'done?', title = NULL, supersedes = 'that one', category = 'fine' WHERE id::text = $1`,
      [id],
    );
    const { exit } = await sync('supabase');
    expect(exit).toBe(6);
    const { record } = await device.client.call('records.show', { table: 'decision_vault', id });
    expect(record).toMatchObject({ title: 'Sensible', status: 'accepted', supersedes: null, category: 'fine' });
    const { conflicts } = await device.json<{ conflicts: Conflict[] }>('conflicts', 'list');
    expect(conflicts.map(({ field, kind, theirs }) => [field, kind, theirs]).sort()).toEqual([
      ['status', 'invalid', 'done?'],
      ['supersedes', 'invalid', 'that one'],
      ['title', 'invalid', 'null'],
    ]);
    await servers.supabase.query(
      `UPDATE public.decision_vault SET status = 'accepted', title = 'Sensible', supersedes = NULL WHERE id::text = $1`,
      [id],
    );
    await until(async () => (await sync('supabase')).exit === 0, 60_000);
  });

  test('a device whose clock is ten minutes ahead wins nothing by it', async () => {
    const ahead = {
      ...servers.services,
      LD_PRELOAD: FAKETIME_LIBRARY,
      FAKETIME: '+10m',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
    const second = await startDevice({ ...makePlace(servers.services), environment: ahead });
    try {
      const syncSecond = () => second.client.call('sync.run', { remote: 'supabase' });
      const id = await decide('Of the first');
      await sync('supabase');
      await syncSecond();
      await second.client.call('records.edit', {
        table: 'decision_vault',
        id,
        fields: { title: 'Of the second, ahead' },
        origin: 'cli',
      });
      await syncSecond();
      await sync('supabase');
      await device.json('decisions', 'edit', id, '--title', 'Of the first again, later');
      await sync('supabase');
      await syncSecond();
      const shown = async (one: Device) =>
        (await one.client.call('records.show', { table: 'decision_vault', id })).record.title;
      const wanted = 'Of the first again, later';
      expect([await shown(device), await shown(second)]).toEqual([wanted, wanted]);
      expect(await servers.row('decision_vault', id)).toMatchObject({ title: wanted });
      const open = await second.client.call('conflicts.list', {});
      expect(open.conflicts.filter(({ recordId }) => recordId === id)).toEqual([]);
    } finally {
      await second.stop();
    }
  });
});

/** A key in the old form, which says of which project it is. */
function keyOf(ref: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return [part({ alg: 'HS256', typ: 'JWT' }), part({ role: 'anon', ref }), 'c2lnbmF0dXJl'].join('.');
}
