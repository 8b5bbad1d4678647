/** Forty planted secrets, a sync of everything, and a search of everything that left the vault or was said about it. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyMigrations } from '../../src/main/sync/supabase/migrate.ts';
import { AppError } from '../../src/shared/errors.ts';
import { type Canary, findLeaks, makeCanaries, plantCanaries } from '../support/canaries.ts';
import { startRecordingProxy } from '../support/cut-proxy.ts';
import { needs } from '../support/needs.ts';
import { type Notion, startNotion } from '../support/notion/start.ts';
import { type LocalSupabase, startSupabase } from '../support/supabase/start-supabase.ts';
import { makeDatabases } from '../support/sync-real-remotes.ts';
import { type Device, makePlace, startDevice, until } from '../support/sync-whole.ts';

const SEED = process.env.CANARY_SEED ?? 'sync';
const canaries = makeCanaries(SEED);
const textOf = (name: string): string => canaries.find((canary) => canary.name === `environment ${name}`)?.text ?? '';

describe('secrets', needs('postgres and postgrest'), () => {
  let supabase: LocalSupabase;
  let notion: Notion;

  beforeAll(async () => {
    supabase = await startSupabase();
    notion = await startNotion({ token: textOf('NOTION_API_KEY') });
    await applyMigrations(supabase.dbUrl);
  });
  afterAll(async () => {
    await notion?.stop();
    await supabase?.stop();
  });

  test('of files, records, settings, keys and error messages are in no service, no log, no argument and no answer', {
    timeout: 180_000,
  }, async () => {
    const user = await supabase.addUser();
    const databases = await makeDatabases(notion);
    const { databaseId, dataSourceId } = databases.decision_vault;
    const all: readonly Canary[] = [
      ...canaries,
      { name: 'the password of the user', place: 'environment', secret: user.password, text: user.password },
    ];
    const sent = mkdtempSync(join(tmpdir(), 'angles-sent-'));
    const proxy = await startRecordingProxy(sent, portOf(supabase.url), portOf(notion.baseUrl));
    const base = makePlace({});
    const planted = plantCanaries(canaries, base.root);
    const services = {
      ...planted.environment,
      SUPABASE_URL: `http://127.0.0.1:${proxy.ports[0]}`,
      SUPABASE_EMAIL: user.email,
      SUPABASE_PASSWORD: user.password,
      NOTION_DATABASE_ID: databaseId,
      NOTION_BASE_URL: `http://127.0.0.1:${proxy.ports[1]}`,
      NOTION_PER_SECOND: '1000',
    };
    const said: string[] = [];
    // First with a key that is refused, so that the refusal is told and logged; then with the right one.
    mkdirSync(base.dataFolder, { mode: 0o700 });
    writeFileSync(join(base.dataFolder, '.env'), planted.config, { mode: 0o600 });
    let device = await startDevice({ ...base, services });
    try {
      await plantRecords(device, planted);
      said.push(JSON.stringify(await device.client.call('sync.run', {})));
      said.push(await answers(device));
      await device.daemon.stop();
      said.push(device.daemon.output());

      device = await startDevice({ ...base, services: { ...services, SUPABASE_KEY: supabase.keys.publishable } });
      const body = planted.errorBody;
      await supabase.fault({ fault: { kind: 'answer', status: 500, body }, path: 'angles_push' });
      await supabase.fault({ fault: { kind: 'answer', status: 400, body }, path: 'angles_pull' });
      await notion.fault({ kind: 'status', status: 400, message: body, method: 'POST', path: '/pages$' });
      await notion.fault({ kind: 'status', status: 500, message: body, method: 'PATCH' });
      await device.client.call('scan.run', {});
      for (let round = 0; round < 3; round += 1) {
        said.push(JSON.stringify(await device.client.call('sync.run', {})));
        said.push(await answers(device));
        await device.client.call('queue.retry', {});
      }
      await until(async () => {
        const { remotes } = await device.client.call('sync.status', {});
        return remotes.every(({ pending, leased, parked }) => pending + leased + parked === 0);
      }, 60_000);
      said.push(argumentsOf(device.daemon.pid), device.daemon.output());
      const rows = await everyRow(supabase);
      const pages = JSON.stringify([
        await notion.call('dump', { dataSourceId }),
        await notion.log(),
        await supabase.requests(),
      ]);
      // Everything is there, with the secrets taken out.
      expect(rows.match(/\[REDACTED:/g)?.length).toBeGreaterThan(planted.files.length + planted.records.length);
      expect(pages).toContain('[REDACTED:');
      for (const { title } of planted.records)
        expect([rows, pages]).toEqual([expect.stringContaining(title), expect.stringContaining(title)]);
      const texts = [rows, pages, ...said];
      const found = texts.flatMap((text, number) =>
        findLeaks(text, all).map((leak) => ({ ...leak, number, around: text.slice(leak.offset - 200, leak.offset) })),
      );
      expect(found).toEqual([]);
      expect(findLeaks({ folder: join(base.dataFolder, 'logs') }, all)).toEqual([]);
      // Every byte that left, besides the keys with which each service is asked.
      const carried = ['environment SUPABASE_KEY', 'environment NOTION_API_KEY', 'the password of the user'];
      const connections = readdirSync(sent).length;
      expect(connections).toBeGreaterThan(2);
      expect(
        findLeaks(
          { folder: sent },
          all.filter(({ name }) => !carried.includes(name)),
        ),
      ).toEqual([]);
      const keys = new Set(findLeaks({ folder: sent }, all).map(({ canary }) => canary));
      expect([...keys].sort()).toEqual(carried.toSorted());
      // A search that finds nothing anywhere proves nothing: in the folder that was watched they are.
      const inFiles = new Set(findLeaks({ folder: base.root }, all).map(({ canary }) => canary));
      expect(inFiles.size).toBe(canaries.filter(({ place }) => place === 'file').length);
      // What the vault holds of records and files is the user's own; what comes from keys and answers is not.
      const foreign = all.filter(({ place }) => ['environment', 'config', 'error body'].includes(place));
      const vault = readdirSync(base.dataFolder).filter((name) => /^(vault|search)\.db/.test(name));
      expect(vault.flatMap((name) => findLeaks(readFileSync(join(base.dataFolder, name)), foreign))).toEqual([]);
      process.stdout.write(
        `${all.length} planted secrets: 0 found in the bytes of ${connections} connections, ${said.length + 2} texts and the logs\n`,
      );
    } finally {
      await device.stop();
      await proxy.stop();
      rmSync(sent, { recursive: true });
    }
  });
});

const portOf = (url: string): number => Number(new URL(url).port);

/** Through the contract: an argument would be seen by every process. */
async function plantRecords(
  { client }: Device,
  { records, addresses, gitRemotes, stackMessage }: ReturnType<typeof plantCanaries>,
): Promise<void> {
  const origin = 'cli' as const;
  for (const fields of records) await client.call('records.create', { table: 'decision_vault', fields, origin });
  for (const [index, content] of [...addresses, ...gitRemotes, stackMessage].entries()) {
    const fields = { title: `Note ${index}`, content };
    await client.call('records.create', { table: 'memories', fields, origin });
    const decision = { title: `Address ${index}`, decision: `See ${content}`, category: 'addresses' };
    await client.call('records.create', { table: 'decision_vault', fields: decision, origin });
  }
}

/** What faces are told: states, queue with its reasons, what would be sent, the test of the connections, the log. */
async function answers({ client, cli }: Device): Promise<string> {
  const { entries } = await client.call('queue.list', { limit: 100 });
  const shown = [];
  for (const { recordId } of entries.slice(0, 20)) {
    try {
      shown.push(await client.call('queue.show', { id: recordId }));
    } catch (error) {
      // Sent since it was listed; the refusal is an answer, too.
      if (!(error instanceof AppError) || error.code !== 'not_found.entry') throw error;
      shown.push(error.message);
    }
  }
  const { stdout, stderr } = await cli('status');
  const sync = await cli('sync', '--test');
  return JSON.stringify([
    await client.call('sync.status', {}),
    await client.call('sync.test', {}),
    entries,
    shown,
    [stdout, stderr, sync.stdout, sync.stderr],
  ]);
}

function argumentsOf(pid: number): string {
  const children = readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      return Number(name) === pid || Number(stat.slice(stat.lastIndexOf(')') + 4).split(' ')[0]) === pid;
    } catch {
      return false;
    }
  });
  return children.map((name) => readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')).join('\n');
}

/** Every row of every table that the project has of ours, contents of objects included, as text. */
async function everyRow(supabase: LocalSupabase): Promise<string> {
  const sql = supabase.connect({ superuser: true });
  const tables = await sql.unsafe(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname IN ('public', 'storage')`,
  );
  const rows: string[] = [];
  for (const { name } of tables) {
    const found = await sql.unsafe(`SELECT t::text AS row FROM ${String(name)} t`);
    rows.push(...found.map(({ row }) => String(row)));
  }
  return rows.join('\n');
}
