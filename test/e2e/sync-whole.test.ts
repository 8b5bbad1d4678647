import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nameFromBytes, nameToBytes } from '../../src/main/path-names.ts';
import type { Conflict, SyncStatus } from '../../src/shared/contract-sync.ts';
import { angles } from '../support/daemon.ts';
import { below, HOSTILE_NAMES } from '../support/hostile-names.ts';
import { needs } from '../support/needs.ts';
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

type Saved = { readonly record: { readonly id: string; readonly title: string; readonly deletedAtMs: number | null } };

describe('sync as a whole', needs('postgres and postgrest'), () => {
  let servers: Servers;
  let device: Device;

  beforeAll(async () => {
    servers = await startServers();
    device = await startDevice(makePlace(servers.services));
  });
  afterAll(async () => {
    await device?.stop();
    await servers?.stop();
  });

  const { stringify } = JSON;
  const sync = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await device.cli('sync', ...args);
    if (code === 0) return stdout;
    const { conflicts } = await device.client.call('conflicts.list', {});
    throw new Error(`angles sync ended with ${code}: ${stdout}${stderr}${stringify(conflicts, null, 1)}`);
  };
  const decide = async (title: string, ...args: readonly string[]): Promise<string> =>
    (await device.json<Saved>('decisions', 'add', title, ...args)).record.id;
  const shown = async (id: string) =>
    (await device.client.call('records.show', { table: 'decision_vault', id })).record as unknown as Record<
      string,
      unknown
    >;

  test('what is missing at both is named, and created when asked', async () => {
    const before = await device.cli('sync', '--test');
    expect(before.code).toBe(3);
    expect(before.stdout).toMatch(/supabase[\s\S]*--create[\s\S]*notion[\s\S]*--create/);
    const created = await device.cli('sync', '--test', '--create', '--yes');
    expect(created.stdout, created.stderr).not.toContain('failed');
    expect(created.code).toBe(0);
  });

  test('the tables are at the newest version: migrating says so; without a database, or with a wrong one, it ends with 2', async () => {
    const { code, stdout } = await device.cli('migrate', '--dry-run');
    expect([code, stdout]).toEqual([0, expect.stringContaining('nothing to do')]);
    const printed = await device.cli('migrate', '--print');
    expect(printed.stdout).toMatch(/^-- Angles[\s\S]*CREATE TABLE[\s\S]*COMMIT;\n$/);
    await servers.supabase.query('ALTER TABLE public.leases RENAME TO leases_of_before');
    expect((await device.cli('migrate', '--dry-run')).stdout).toContain('Run 0001_tables.sql');
    expect((await device.cli('migrate', '--yes')).code).toBe(0);
    expect((await device.cli('migrate', '--dry-run')).stdout).toContain('nothing to do');
    const place = makePlace({ ...servers.services, SUPABASE_DB_URL: servers.supabase.dbUrl.replace(/:\d+\//, ':1/') });
    const wrong = await angles(place, 'migrate', '--dry-run');
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('SUPABASE_DB_URL')]);
    const { SUPABASE_DB_URL: _, ...others } = servers.services;
    const without = await angles({ ...place, services: others }, 'migrate');
    expect([without.code, without.stderr]).toEqual([2, expect.stringContaining('angles migrate --print')]);
    rmSync(place.home, { recursive: true });
  });

  test('a decision of the command line is in Postgres and in Notion', async () => {
    const id = await decide('Use Postgres', '--text', 'Because it is **there**.\n\nAnd known.', '--tag', 'database');
    const row = await until(() => servers.row('decision_vault', id));
    expect(row).toMatchObject({
      title: 'Use Postgres',
      decision: 'Because it is **there**.\n\nAnd known.',
      tags: ['database'],
      deleted_at: null,
    });
    const page = await until(() => servers.page(id));
    expect(textOf(page, 'Name')).toBe('Use Postgres');
    await until(async () => bodyOf(await servers.page(id)).includes('And known.'));
  });

  test('an edit in the table editor comes into the vault by itself, and from there to Notion', async () => {
    const id = await decide('Use Redis');
    await until(async () => (await servers.row('decision_vault', id)) && (await servers.page(id)));
    await servers.supabase.query(`UPDATE public.decision_vault SET title = 'Use Valkey' WHERE id::text = $1`, [id]);
    await until(async () => (await shown(id)).title === 'Use Valkey');
    await until(async () => textOf(await servers.page(id), 'Name') === 'Use Valkey');
  });

  test('an edit in Notion comes into the vault, and from there to Supabase', async () => {
    const id = await decide('Ship on Fridays');
    const page = await until(() => servers.page(id));
    await sync();
    await servers.notion.call('set', { pageId: page.id, properties: { Name: 'Ship on Mondays', Status: 'rejected' } });
    await sync();
    expect(await shown(id)).toMatchObject({ title: 'Ship on Mondays', status: 'rejected' });
    expect(await servers.row('decision_vault', id)).toMatchObject({ title: 'Ship on Mondays', status: 'rejected' });
  });

  test('what is created at one remote is everywhere', async () => {
    const [row] = await servers.supabase.query(
      `INSERT INTO public.decision_vault (title, decision) VALUES ('Made in the table editor', 'By hand.') RETURNING id::text`,
    );
    const { pageId } = await servers.notion.call<{ pageId: string }>('page', {
      dataSourceId: servers.dataSourceId,
      properties: { Name: 'Made in Notion', Status: 'accepted' },
      blocks: [{ type: 'paragraph', paragraph: { rich_text: [{ text: { content: 'Typed by a person.' } }] } }],
    });
    await sync();
    await sync();
    expect(await shown(String(row?.id))).toMatchObject({ title: 'Made in the table editor', decision: 'By hand.' });
    expect(textOf(await servers.page(String(row?.id)), 'Name')).toBe('Made in the table editor');
    const made = (await servers.pages()).find((page) => page.id === pageId);
    const id = textOf(made, 'Angles ID');
    expect(await shown(id)).toMatchObject({
      title: 'Made in Notion',
      decision: 'Typed by a person.',
      status: 'accepted',
    });
    expect(await servers.row('decision_vault', id)).toMatchObject({ title: 'Made in Notion', priority: 'medium' });
    // What the person left empty is what it is here.
    expect(textOf(await servers.page(id), 'Priority')).toBe('medium');
  });

  test('what is retired or brought back on one side is so on every side', async () => {
    const id = await decide('Retire me here');
    const other = await decide('Retire me in the table editor');
    const third = await decide('Retire me in Notion');
    await sync();
    await device.json('decisions', 'retire', id);
    await servers.supabase.query('UPDATE public.decision_vault SET deleted_at = now() WHERE id::text = $1', [other]);
    await servers.notion.call('trash', { pageId: (await servers.page(third))?.id });
    await sync();
    await sync();
    const state = async () =>
      Promise.all(
        [id, other, third].map(async (one) => [
          (await shown(one)).deletedAtMs !== null,
          (await servers.row('decision_vault', one))?.deleted_at !== null,
          (await servers.page(one))?.in_trash,
        ]),
      );
    const retired = [true, true, true];
    expect(await state()).toEqual([retired, retired, retired]);
    await servers.notion.call('restore', { pageId: (await servers.page(id))?.id });
    await device.json('decisions', 'restore', other);
    await servers.supabase.query('UPDATE public.decision_vault SET deleted_at = NULL WHERE id::text = $1', [third]);
    await sync();
    await sync();
    const back = [false, false, false];
    expect(await state()).toEqual([back, back, back]);
  });

  test('both sides changed the same field: listed with both values, resolved from the command line', async () => {
    const id = await decide('Colour of the shed', '--priority', 'low');
    await sync();
    await servers.supabase.setRealtime(false);
    await servers.supabase.query(
      `UPDATE public.decision_vault SET title = 'The shed is green', updated_at = now() - interval '1 hour' WHERE id::text = $1`,
      [id],
    );
    await servers.notion.call('set', {
      pageId: (await servers.page(id))?.id,
      properties: { Priority: 'high' },
    });
    await device.json('decisions', 'edit', id, '--title', 'The shed is red');
    const run = await device.cli('sync');
    await servers.supabase.setRealtime(true);
    expect([run.code, run.stdout]).toEqual([6, expect.stringContaining('angles conflicts')]);
    const { conflicts } = await device.json<{ conflicts: Conflict[] }>('conflicts', 'list');
    const [conflict] = conflicts;
    expect(conflicts).toHaveLength(1);
    expect(conflict).toMatchObject({
      recordId: id,
      field: 'title',
      mine: 'The shed is red',
      theirs: 'The shed is green',
      base: 'Colour of the shed',
    });
    await device.json('conflicts', 'resolve', String(conflict?.id), '--take', 'theirs');
    await sync();
    const title = 'The shed is green';
    expect(await shown(id)).toMatchObject({ title, priority: 'high' });
    expect(await servers.row('decision_vault', id)).toMatchObject({ title, priority: 'high' });
    expect(textOf(await servers.page(id), 'Name')).toBe(title);
  });

  const versions = (path: string) =>
    servers.supabase.query('SELECT * FROM public.file_snapshots WHERE path = $1 ORDER BY captured_at, id', [path]);
  const version = async (path: string, change = 'created') =>
    until(async () => (await versions(path)).find((row) => row.change === change));
  const write = (name: string, content: string | Buffer): void => writeFileSync(join(device.place.root, name), content);

  test('a saved file is a row with its content, as it leaves this machine', async () => {
    const token = ['ntn', 'A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0U1v2W3'].join('_');
    const large = Array.from({ length: 30_000 }, (_, at) => `line ${at} of a large file`).join('\n');
    write('plain.md', '# Plain\n\nÄ text, 例.\n');
    write('secret.md', `The token is ${token} today.\n`);
    write('picture.bin', Buffer.from([0, 1, 2, 255, 254, 0, 7]));
    write('large.txt', large);
    expect(await version('plain.md')).toMatchObject({
      content: '# Plain\n\nÄ text, 例.\n',
      content_object: null,
      redactions: 0,
    });
    const secret = await version('secret.md');
    expect(secret).toMatchObject({ redactions: 1, content: expect.stringContaining('[REDACTED:') });
    expect(stringify(secret)).not.toContain(token);
    expect(await version('picture.bin')).toMatchObject({ content: null, content_omitted: 'binary' });
    const object = await version('large.txt');
    expect(object).toMatchObject({ content: null, content_omitted: null });
    const sql = servers.supabase.connect({ superuser: true });
    const [stored] = await sql.unsafe('SELECT * FROM storage.objects WHERE name = $1', [String(object.content_object)]);
    expect(stored).toMatchObject({ bucket_id: 'file_contents' });
    const response = await fetch(
      `${servers.supabase.url}/storage/v1/object/file_contents/${String(object.content_object)}`,
      { headers: { apikey: servers.supabase.keys.secret, authorization: `Bearer ${servers.supabase.keys.secret}` } },
    );
    expect(await response.text()).toBe(large);
  });

  test('a rename and a deletion of a file are rows, too', async () => {
    write('before.md', 'moves\n');
    await version('before.md');
    renameSync(join(device.place.root, 'before.md'), join(device.place.root, 'after.md'));
    expect(await version('after.md', 'renamed')).toMatchObject({ previous_path: 'before.md' });
    rmSync(join(device.place.root, 'after.md'));
    expect(await version('after.md', 'deleted')).toMatchObject({ content: null, content_omitted: 'deleted' });
  });

  test('hostile names of files and titles are the same bytes on every side', async () => {
    for (const { label, bytes } of HOSTILE_NAMES) writeFileSync(below(device.place.root, bytes), `named: ${label}\n`);
    const title = (bytes: Buffer): string => `<${nameFromBytes(bytes)}>`;
    const expected = HOSTILE_NAMES.map(({ bytes }) => Buffer.from(title(bytes)).toString('hex')).sort();
    const ids: string[] = [];
    for (const { bytes } of HOSTILE_NAMES) {
      const fields = { title: title(bytes) };
      const { record } = await device.client.call('records.create', { table: 'decision_vault', fields, origin: 'cli' });
      ids.push(record.id);
    }
    const hex = (titles: readonly unknown[]): string[] =>
      titles.map((each) => Buffer.from(String(each)).toString('hex')).sort();
    await until(async () => {
      const rows = await servers.supabase.query(
        `SELECT path, content FROM public.file_snapshots WHERE content LIKE 'named: %'`,
      );
      const found = new Map(rows.map(({ path, content }) => [nameToBytes(String(path)).toString('hex'), content]));
      return HOSTILE_NAMES.every(({ label, bytes }) => found.get(bytes.toString('hex')) === `named: ${label}\n`);
    });
    await until(
      async () =>
        (await servers.pages()).filter((page) => ids.includes(textOf(page, 'Angles ID'))).length === ids.length,
    );
    // Read back from both: nothing of it is an edit.
    await sync();
    const pages = (await servers.pages()).filter((page) => ids.includes(textOf(page, 'Angles ID')));
    const rows = await servers.supabase.query('SELECT title FROM public.decision_vault WHERE id::text = ANY($1)', [
      ids,
    ]);
    const here = await Promise.all(ids.map(async (id) => (await shown(id)).title));
    for (const side of [pages.map((page) => textOf(page, 'Name')), rows.map((row) => row.title), here])
      expect(hex(side)).toEqual(expected);
  });

  test('what another device did is told here, and what it writes arrives; only one of them talks to Notion', async () => {
    const second = await startDevice(makePlace(servers.services));
    try {
      writeFileSync(join(second.place.root, 'from-the-other.md'), 'hello\n');
      const { record } = await second.json<Saved>('decisions', 'add', 'Written elsewhere');
      await version('from-the-other.md');
      await until(() => servers.row('decision_vault', record.id));
      await sync();
      expect((await shown(record.id)).title).toBe('Written elsewhere');
      const { activities } = await device.client.call('activities.list', { limit: 200 });
      expect(activities.filter((each) => each.path === 'from-the-other.md').map((each) => each.kind)).toEqual([
        'file.created',
      ]);
      expect(await until(() => servers.page(record.id))).toBeDefined();
      const { devices } = await device.client.call('devices.list', {});
      expect(devices.map((each) => each.isLeader).sort()).toEqual([false, true]);
      const status = await second.json<SyncStatus>('sync', '--dry-run').catch(() => null);
      expect(status).not.toBeUndefined();
    } finally {
      await second.stop();
    }
  });

  test('a column that was renamed pauses its table by name; the rest goes on, and nothing is lost', async () => {
    const { record } = await device.json<Saved>('memories', 'add', 'Before the rename');
    await until(() => servers.row('memories', record.id));
    await servers.supabase.query('ALTER TABLE public.memories RENAME COLUMN title TO headline');
    try {
      await servers.supabase.query(`UPDATE public.memories SET headline = 'Edited meanwhile' WHERE id::text = $1`, [
        record.id,
      ]);
      const second = await device.json<Saved>('memories', 'add', 'Written meanwhile');
      const id = await decide('Not concerned');
      const run = await device.cli('sync', '--only', 'supabase');
      expect([run.code, run.stdout]).toEqual([3, expect.stringMatching(/memories pauses: .*title/)]);
      expect(await servers.row('decision_vault', id)).toMatchObject({ title: 'Not concerned' });
      const status = await device.cli('status');
      expect(status.stdout).toMatch(/memories pauses \(the other tables go on\): .*title/);
      await servers.supabase.query('ALTER TABLE public.memories RENAME COLUMN headline TO title');
      await sync();
      expect(await servers.row('memories', second.record.id)).toMatchObject({ title: 'Written meanwhile' });
      const { records } = await device.client.call('records.list', { table: 'memories' });
      expect(records.map(({ title }) => title).sort()).toEqual(['Edited meanwhile', 'Written meanwhile']);
      expect((await device.client.call('sync.status', {})).remotes.flatMap(({ paused }) => paused)).toEqual([]);
    } finally {
      await servers.supabase.query(
        `DO $$ BEGIN ALTER TABLE public.memories RENAME COLUMN headline TO title; EXCEPTION WHEN OTHERS THEN NULL; END $$`,
      );
    }
  });

  test('a key that is not accepted is tried three times at most; another one in .env drains the queue by itself', async () => {
    const made = await servers.notion.call<{ databaseId: string; dataSourceId: string }>('database', {
      title: 'Another one',
      properties: { Name: { title: {} } },
    });
    const place = makePlace({ NOTION_BASE_URL: servers.notion.baseUrl });
    const dotenv = join(place.dataFolder, '.env');
    const setKey = (key: string): void =>
      writeFileSync(dotenv, `NOTION_API_KEY=${key}\nNOTION_DATABASE_ID=${made.databaseId}\n`, { mode: 0o600 });
    mkdirSync(place.dataFolder, { mode: 0o700 });
    setKey(['ntn', 'of-yesterday'].join('_'));
    await servers.notion.call('clearLog');
    const other = await startDevice(place);
    try {
      const status = async () => {
        const { remotes } = await other.client.call('sync.status', {});
        return remotes.find(({ remote }) => remote === 'notion');
      };
      for (const title of ['first', 'second']) await other.json('decisions', 'add', title);
      const stuck = await until(async () => {
        const one = await status();
        return one?.state === 'needs_you' ? one : null;
      }, 120_000);
      expect(stuck).toMatchObject({ code: 'remote.unauthorized', pending: 2, nextTryAtMs: null });
      expect(stuck.fix).toMatch(/NOTION_API_KEY|key/i);
      await other.json('decisions', 'add', 'third');
      const refused = (await servers.notion.log()).filter((request) => request.status === 401);
      expect(refused.length).toBeGreaterThan(0);
      expect(refused.length).toBeLessThanOrEqual(3);
      setKey(servers.notion.token);
      // The new key works, and what is missing over there is named; it is made, and everything drains.
      await until(async () => (await status())?.code === 'remote.schema', 60_000);
      expect((await other.cli('sync', '--test', '--create', '--yes')).code).toBe(0);
      await until(async () => {
        const pages = await servers.notion.call<readonly unknown[]>('dump', { dataSourceId: made.dataSourceId });
        return pages.length === 3;
      }, 60_000);
      await until(async () => (await status())?.pending === 0);
    } finally {
      await other.stop();
    }
  });

  test('once everything is the same, a round sends and changes nothing', async () => {
    await sync();
    await sync();
    await servers.supabase.clear();
    await servers.notion.call('clearLog');
    const answer = await device.client.call('sync.run', {});
    expect(answer.plans.map(({ remote, tables, problem, hold }) => ({ remote, tables, problem, hold }))).toEqual([
      { remote: 'supabase', tables: [], problem: null, hold: null },
      { remote: 'notion', tables: [], problem: null, hold: null },
    ]);
    const toSupabase = (await servers.supabase.requests()).filter(
      ({ path }) =>
        !/angles_pull|angles_existing|angles_lease|\/auth\/|realtime|angles_describe|system_logs|run_artifacts/.test(
          path,
        ),
    );
    expect(toSupabase.filter(({ method }) => method !== 'GET')).toEqual([]);
    const writes = (await servers.notion.log()).filter(
      ({ method, path }) => method !== 'GET' && !path.endsWith('/query'),
    );
    expect(writes).toEqual([]);
  });
});
