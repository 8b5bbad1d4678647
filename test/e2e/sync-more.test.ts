/** What sync does besides decisions: memories and activities in Notion, pages for people, logs, pauses, and what is said of it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Check } from '../../src/shared/model.ts';
import { angles } from '../support/daemon.ts';
import { needs } from '../support/needs.ts';
import {
  type Device,
  makePlace,
  type NotionPage,
  type Servers,
  startDevice,
  startServers,
  textOf,
  until,
} from '../support/sync-whole.ts';

type Saved = { readonly record: { readonly id: string } };
type Block = { readonly id: string; readonly type: string } & Readonly<Record<string, { readonly title?: string }>>;

describe('sync, besides decisions', needs('postgres and postgrest'), () => {
  let servers: Servers;
  let device: Device;
  let parentPage = '';

  beforeAll(async () => {
    servers = await startServers();
    parentPage = (await servers.notion.call<{ pageId: string }>('plainPage', { title: 'Team' })).pageId;
    const { databaseId } = await servers.notion.call<{ databaseId: string }>('database', {
      title: 'Team decisions',
      properties: { Name: { title: {} } },
      parentPageId: parentPage,
    });
    device = await startDevice(makePlace({ ...servers.services, NOTION_DATABASE_ID: databaseId }));
  });
  afterAll(async () => {
    await device?.stop();
    await servers?.stop();
  });

  const cli = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await device.cli(...args);
    if (code !== 0) throw new Error(`angles ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  };
  const children = async (pageId: string): Promise<readonly Block[]> => {
    const headers = { authorization: `Bearer ${servers.notion.token}`, 'notion-version': '2025-09-03' };
    const response = await fetch(`${servers.notion.baseUrl}/v1/blocks/${pageId}/children`, { headers });
    return ((await response.json()) as { results: Block[] }).results;
  };
  const sourceOf = async (title: string): Promise<string> => {
    const found = (await children(parentPage)).find((block) => block.child_database?.title === title);
    const headers = { authorization: `Bearer ${servers.notion.token}`, 'notion-version': '2025-09-03' };
    const response = await fetch(`${servers.notion.baseUrl}/v1/databases/${found?.id}`, { headers });
    const { data_sources: sources } = (await response.json()) as { data_sources: { id: string }[] };
    return sources[0]?.id ?? '';
  };
  const pagesOf = (dataSourceId: string): Promise<readonly NotionPage[]> =>
    servers.notion.call('dump', { dataSourceId });

  test('memories stay out of Notion until somebody wants them there; how to is said', async () => {
    const created = await cli('sync', '--test', '--create', '--yes');
    expect(created).toContain('angles config set sync.notion_memories create');
    expect((await children(parentPage)).map((block) => block.child_database?.title)).toEqual(['Team decisions']);
    const check = await cli('config', 'check');
    expect(check).toMatch(/NOTION_MEMORIES_DATABASE_ID[\s\S]*NOTION_ACTIVITIES_DATABASE_ID/);
    const refused = await device.cli('config', 'set', 'sync.notion_memories', 'somewhere');
    expect([refused.code, refused.stderr]).toEqual([64, expect.stringContaining('link or the id of a database')]);
  });

  test('when they are wanted, their databases are made beside the decisions, and hold them both ways', async () => {
    const before = await device.json<Saved>('memories', 'add', 'Written before', '--text', 'Known already.');
    await cli('config', 'set', 'sync.notion_memories', 'create');
    await cli('config', 'set', 'sync.notion_activities', 'create');
    const tested = await cli('sync', '--test', '--create', '--yes', '--only', 'notion');
    expect(tested).not.toContain('--create');
    expect(tested).toMatch(/ok Database for memories: "Memories" is shared[\s\S]*ok Database for activities/);
    expect(await cli('config', 'get', 'sync.notion_memories')).toMatch(/^[0-9a-f-]{32,36}\n$/);
    const memories = await sourceOf('Memories');
    const after = await device.json<Saved>('memories', 'add', 'Written after');
    const page = async (id: string) => (await pagesOf(memories)).find((one) => textOf(one, 'Angles ID') === id);
    await until(async () => (await page(before.record.id)) && (await page(after.record.id)));
    await cli('sync');
    await servers.notion.call('set', {
      pageId: (await page(after.record.id))?.id,
      properties: { Name: 'Edited in Notion' },
    });
    await cli('sync');
    expect(await servers.row('memories', after.record.id)).toMatchObject({ title: 'Edited in Notion' });
    const activities = await sourceOf('Activities');
    await until(async () => (await pagesOf(activities)).some((one) => textOf(one, 'Record') === after.record.id));
    // Without them again: still the same Notion.
    await cli('config', 'reset', 'sync.notion_activities');
    await cli('sync', '--only', 'notion');
    const { remotes } = await device.client.call('sync.status', {});
    expect(remotes.map(({ hold }) => hold)).toEqual([null, null]);
  });

  test('a page for a run and a page for the day, when they are asked for', async () => {
    const titles = async () => (await children(parentPage)).flatMap((block) => block.child_page?.title ?? []);
    expect(await titles()).toEqual([]);
    await cli('config', 'set', 'sync.notion_run_pages', 'true');
    await cli('config', 'set', 'sync.notion_day_pages', 'true');
    // The day begins with this one.
    await cli('sync', '--only', 'supabase');
    await device.json<Saved>('decisions', 'add', 'Told in a summary');
    await cli('sync', '--only', 'supabase');
    const found = await until(async () => {
      const all = await titles();
      return all.filter((one) => one.startsWith('Sync ')).length === 2 && all.length === 3 ? all.sort() : null;
    });
    expect(found[0]).toMatch(/^Angles \d{4}-\d\d-\d\d$/);
    const day = (await children(parentPage)).find((block) => block.child_page?.title === found[0]);
    expect(JSON.stringify(await children(String(day?.id)))).toContain('Decisions and memories: 1 new');
    const run = (await children(parentPage)).find((block) => block.child_page?.title === found[2]);
    expect(JSON.stringify(await children(String(run?.id)))).toContain('Supabase');
    await cli('config', 'reset', 'sync.notion_run_pages');
    await cli('config', 'reset', 'sync.notion_day_pages');
  });

  test('lines of the log and recorded runs are in Supabase, with nothing secret in them', async () => {
    await cli('sync', '--only', 'supabase');
    const lines = await until(async () => {
      const rows = await servers.supabase.query('SELECT * FROM public.system_logs ORDER BY time');
      return rows.length > 0 ? rows : null;
    });
    expect(lines.every((row) => row.level !== 'debug')).toBe(true);
    const runs = await until(async () => {
      const rows = await servers.supabase.query(`SELECT * FROM public.run_artifacts WHERE kind = 'sync'`);
      return rows.length > 0 ? rows : null;
    });
    expect(runs[0]).toMatchObject({ outcome: 'ok' });
    const secrets = [servers.services.SUPABASE_KEY, servers.services.SUPABASE_PASSWORD, servers.notion.token];
    const everything = JSON.stringify([lines, runs]);
    for (const secret of secrets) expect(everything).not.toContain(secret);
  });

  test('a pause lets sending rest, survives a restart, and what waited goes out at its end', async () => {
    await cli('sync', '--only', 'supabase');
    await cli('pause', '1h');
    await servers.supabase.clear();
    const ids: string[] = [];
    for (const title of ['one', 'two', 'three'])
      ids.push((await device.json<Saved>('decisions', 'add', `Paused ${title}`)).record.id);
    await device.daemon.stop();
    device = await startDevice(device.place);
    await device.json('decisions', 'add', 'Paused still');
    const status = (await device.client.call('sync.status', {})).remotes.find(({ remote }) => remote === 'supabase');
    expect(status).toMatchObject({ state: 'ok', nextTryAtMs: null });
    expect(status?.reason).toContain('rests until');
    expect(status?.pending).toBeGreaterThanOrEqual(4);
    expect((await servers.supabase.requests()).filter(({ path }) => /decision_vault|angles_push/.test(path))).toEqual(
      [],
    );
    await cli('resume');
    for (const id of ids) await until(() => servers.row('decision_vault', id));
  });

  test('the doctor says who talks to Notion, when each was last reached, and that nothing is held', async () => {
    await cli('sync', '--only', 'supabase');
    const { checks } = JSON.parse((await device.cli('doctor', '--json')).stdout) as { checks: Check[] };
    const said = (id: string) => checks.find((check) => check.id === id);
    expect(said('sync.supabase')).toMatchObject({ verdict: 'ok', reason: expect.stringContaining('Last success') });
    expect(said('sync.notion.leader')).toMatchObject({ verdict: 'ok', reason: expect.stringContaining('This device') });
    expect(said('sync.held')).toMatchObject({ verdict: 'ok' });
    const place = makePlace({ ...servers.services, SUPABASE_KEY: servers.supabase.keys.secret });
    const doctor = await angles(place, 'doctor', '--json');
    expect(doctor.stdout).toContain('service key');
    expect(doctor.stdout).not.toContain(servers.supabase.keys.secret);
  });
});
