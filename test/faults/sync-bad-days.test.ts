/** What a whole agent does on the bad days of its services: set back, made anew, emptied, or led by a device that died. */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyMigrations } from '../../src/main/sync/supabase/migrate.ts';
import type { EditableRecord } from '../../src/shared/model.ts';
import { angles } from '../support/daemon.ts';
import { needs } from '../support/needs.ts';
import { type Notion, startNotion } from '../support/notion/start.ts';
import { type LocalSupabase, startSupabase } from '../support/supabase/start-supabase.ts';
import { makeDatabases, notionRows } from '../support/sync-real-remotes.ts';
import { type Device, makePlace, startDevice, until } from '../support/sync-whole.ts';

/** Promised of a leader that is killed. */
const TAKEOVER_MS = 60_000;
const TABLE = 'decision_vault';

describe('a bad day', needs('postgres and postgrest'), () => {
  let supabase: LocalSupabase;
  let notion: Notion;
  const devices: Device[] = [];
  let shared: { readonly first: Device; readonly second: Device; readonly dataSourceId: string };
  /** How long after its death another one had sent. */
  let takeover: Promise<number>;

  beforeAll(async () => {
    [supabase, notion] = await Promise.all([startSupabase(), startNotion()]);
    await applyMigrations(supabase.dbUrl);
    shared = await startTwo();
  });
  afterAll(async () => {
    for (const { place, daemon, client } of devices) {
      client.close();
      await daemon.stop();
      rmSync(place.home, { recursive: true, force: true });
    }
    await Promise.all([supabase?.stop(), notion?.stop()]);
  });

  const start = async (services: Readonly<Record<string, string>>): Promise<Device> => {
    const device = await startDevice(makePlace(services));
    devices.push(device);
    return device;
  };
  /** A user whom no other test knows: the projects are one, what they see of it is not. */
  const toSupabase = async (): Promise<Record<string, string>> => {
    const user = await supabase.addUser();
    return {
      SUPABASE_URL: supabase.url,
      SUPABASE_KEY: supabase.keys.publishable,
      SUPABASE_EMAIL: user.email,
      SUPABASE_PASSWORD: user.password,
    };
  };
  const write = async ({ client }: Device, title: string): Promise<string> => {
    const fields = { title, decision: `Text of ${title}` };
    return (await client.call('records.create', { table: TABLE, fields, origin: 'cli' })).record.id;
  };
  const listed = async ({ client }: Device): Promise<readonly EditableRecord[]> =>
    (await client.call('records.list', { table: TABLE, includeRetired: true, limit: 500 })).records;
  const alive = async (device: Device): Promise<number> =>
    (await listed(device)).filter(({ deletedAtMs }) => deletedAtMs === null).length;
  const rows = (ids: readonly string[]) =>
    supabase.query('SELECT id::text, title, deleted_at FROM decision_vault WHERE id::text = ANY($1)', [ids]);

  async function startTwo(): Promise<typeof shared> {
    const { decision_vault: database } = await makeDatabases(notion);
    const services = {
      ...(await toSupabase()),
      NOTION_API_KEY: notion.token,
      NOTION_DATABASE_ID: database.databaseId,
      NOTION_BASE_URL: notion.baseUrl,
      NOTION_PER_SECOND: '1000',
    };
    const first = await start(services);
    await write(first, 'Sent by the first leader');
    await until(async () => (await notionRows(notion, database.dataSourceId, TABLE)).length === 1);
    const second = await start(services);
    await second.client.call('sync.run', {});
    // The leader dies; what happens meanwhile is the matter of the other tests.
    await first.daemon.kill();
    const killedAtMs = performance.now();
    await write(second, 'Sent by whoever leads then');
    takeover = until(
      async () => (await notionRows(notion, database.dataSourceId, TABLE)).length > 1,
      2 * TAKEOVER_MS,
    ).then(() => performance.now() - killedAtMs);
    takeover.catch(() => undefined);
    return { first, second, dataSourceId: database.dataSourceId };
  }

  test('a table that was emptied in the table editor is held; refusing puts everything back, accepting retires it', async () => {
    const device = await start(await toSupabase());
    const ids: string[] = [];
    for (let index = 0; index < 60; index += 1) ids.push(await write(device, `Decision ${index}`));
    await device.client.call('sync.run', {});
    expect(await rows(ids)).toHaveLength(60);
    for (const [answer, how] of [
      ['refuse', 'DELETE FROM decision_vault WHERE id::text = ANY($1)'],
      ['accept', 'UPDATE decision_vault SET deleted_at = now() WHERE id::text = ANY($1)'],
    ] as const) {
      await supabase.query(how, [ids.slice(0, 51)]);
      const run = await device.cli('sync');
      expect([run.code, run.stdout]).toEqual([6, expect.stringContaining('51')]);
      expect(await alive(device)).toBe(60);
      // Also after another start, and whatever is asked in between: nothing was agreed to.
      expect((await device.cli('sync')).code).toBe(6);
      expect(await alive(device)).toBe(60);
      const decided = await device.cli('sync', `--${answer}`, '--yes');
      expect([answer, decided.code]).toEqual([answer, 0]);
      expect((await device.cli('sync')).code).toBe(0);
      const left = answer === 'refuse' ? 60 : 9;
      expect([answer, await alive(device)]).toEqual([answer, left]);
      expect((await rows(ids)).filter(({ deleted_at }) => deleted_at === null)).toHaveLength(left);
    }
  });

  test('a vault that retires most of its records does not send it until a person says so', async () => {
    const device = await start(await toSupabase());
    const ids: string[] = [];
    for (let index = 0; index < 40; index += 1) ids.push(await write(device, `Kept ${index}`));
    await device.client.call('sync.run', {});
    await supabase.fault({ fault: { kind: 'answer', status: 503 }, times: 100_000, path: 'angles_push' });
    for (const id of ids.slice(0, 30))
      await device.client.call('records.retire', { table: TABLE, id, retired: true, origin: 'cli' });
    await supabase.clear();
    expect((await device.cli('sync')).code).toBe(6);
    expect((await rows(ids)).filter(({ deleted_at }) => deleted_at !== null)).toHaveLength(0);
    expect((await device.cli('sync', '--refuse', '--yes')).code).toBe(0);
    await device.client.call('sync.run', {});
    expect(await alive(device)).toBe(40);
    expect((await rows(ids)).filter(({ deleted_at }) => deleted_at !== null)).toHaveLength(0);
  });

  test('a database that was set back, and one that was made anew, are noticed, not obeyed; accepting sends what is missing', async () => {
    const project = await startSupabase();
    try {
      await applyMigrations(project.dbUrl);
      const user = await project.addUser();
      const device = await start({
        SUPABASE_URL: project.url,
        SUPABASE_KEY: project.keys.publishable,
        SUPABASE_EMAIL: user.email,
        SUPABASE_PASSWORD: user.password,
        SUPABASE_DB_URL: project.dbUrl,
      });
      const titles = async (): Promise<string[]> =>
        (await project.query('SELECT title FROM decision_vault WHERE deleted_at IS NULL ORDER BY title')).map(
          ({ title }) => String(title),
        );
      const survives = async (expected: readonly string[]): Promise<void> => {
        const run = await device.cli('sync');
        expect([run.code, `${run.stdout}${run.stderr}`]).toEqual([6, expect.stringMatching(/another database|linked/)]);
        const here = (await listed(device)).filter(({ deletedAtMs }) => deletedAtMs === null);
        expect(here.map(({ title }) => title).sort()).toEqual(expected);
        expect((await device.cli('sync', '--accept', '--yes')).code).toBe(0);
        await device.client.call('sync.run', {});
        expect(await titles()).toEqual(expected);
        const after = (await listed(device)).filter(({ deletedAtMs }) => deletedAtMs === null);
        expect(after.map(({ title }) => title).sort()).toEqual(expected);
      };
      const id = await write(device, 'Before the dump');
      await device.client.call('sync.run', {});
      await project.query(
        'CREATE TABLE dump AS SELECT * FROM decision_vault; CREATE TABLE number AS SELECT last_value FROM angles_change_seq',
      );
      await write(device, 'After the dump');
      await device.client.call('records.edit', {
        table: TABLE,
        id,
        fields: { title: 'Before the dump, edited since' },
        origin: 'cli',
      });
      await device.client.call('sync.run', {});
      expect(await titles()).toEqual(['After the dump', 'Before the dump, edited since']);
      await project.query(
        `ALTER TABLE decision_vault DISABLE TRIGGER USER; DELETE FROM decision_vault;
         INSERT INTO decision_vault SELECT * FROM dump; ALTER TABLE decision_vault ENABLE TRIGGER USER;
         SELECT setval('angles_change_seq', last_value) FROM number; DROP TABLE dump, number`,
      );
      await survives(['After the dump', 'Before the dump, edited since']);
      await project.query(
        `DO $$ DECLARE t text; BEGIN
           FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
             EXECUTE format('DROP TABLE public.%I CASCADE', t);
           END LOOP;
           DROP SEQUENCE IF EXISTS angles_change_seq CASCADE;
         END $$`,
      );
      const migrated = await angles(device.place, 'migrate', '--yes');
      expect([migrated.code, migrated.stderr]).toEqual([0, expect.stringContaining('Run 0001_tables.sql')]);
      await write(device, 'While it was made anew');
      await survives(['After the dump', 'Before the dump, edited since', 'While it was made anew']);
    } finally {
      await project.stop();
    }
  });

  test('a second agent on one data folder is refused and sends nothing', async () => {
    const device = await start(await toSupabase());
    await write(device, 'Once');
    const second = await angles(device.place, 'start', '--no-progress', '--port', '0', '--root', device.place.root);
    expect(second.code).toBe(8);
    await device.client.call('sync.run', {});
    expect(await supabase.query(`SELECT title FROM decision_vault WHERE title = 'Once'`)).toHaveLength(1);
  });

  test('another device leads within a minute of the death of the one that did, and sends what waited, once', {
    timeout: 2 * TAKEOVER_MS,
  }, async () => {
    const tookMs = await takeover;
    const pages = await notionRows(notion, shared.dataSourceId, TABLE);
    expect(pages.map(({ fields }) => fields.title).sort()).toEqual([
      'Sent by the first leader',
      'Sent by whoever leads then',
    ]);
    const { remotes } = await shared.second.client.call('sync.status', {});
    expect(remotes.find(({ remote }) => remote === 'notion')).toMatchObject({ leader: { kind: 'this_device' } });
    process.stdout.write(`the leader was killed, another one has sent to Notion ${Math.round(tookMs)} ms later\n`);
    expect(tookMs).toBeLessThan(TAKEOVER_MS);
  });
});
