/** The whole program between real remotes: an agent as a process, a Supabase project on this machine, and a Notion stand-in. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentClient } from '../../src/shared/contract.ts';
import { angles, type Daemon, type DaemonPlace, startDaemon } from './daemon.ts';
import { type Notion, startNotion } from './notion/start.ts';
import type { Json } from './notion/state.ts';
import { quickDisk } from './quick-disk.ts';
import { type LocalSupabase, startSupabase } from './supabase/start-supabase.ts';

export type NotionPage = {
  readonly id: string;
  readonly in_trash: boolean;
  readonly properties: Readonly<Record<string, Json>>;
  readonly blocks: readonly Json[];
};

export type Servers = {
  readonly supabase: LocalSupabase;
  readonly notion: Notion;
  readonly databaseId: string;
  readonly dataSourceId: string;
  /** The environment of an agent that signs in with a publishable key. */
  readonly services: Readonly<Record<string, string>>;
  /** Everything in Notion, the trash included. */
  readonly pages: () => Promise<readonly NotionPage[]>;
  readonly page: (anglesId: string) => Promise<NotionPage | undefined>;
  readonly row: (table: string, id: string) => Promise<Readonly<Record<string, unknown>> | undefined>;
  readonly stop: () => Promise<void>;
};

/** A project without tables and a database with nothing but its title: what a person has before the first setup. */
export async function startServers(): Promise<Servers> {
  const [supabase, notion] = await Promise.all([startSupabase(), startNotion()]);
  const user = await supabase.addUser();
  const made = await notion.call<{ databaseId: string; dataSourceId: string }>('database', {
    title: 'Team decisions',
    properties: { Name: { title: {} } },
  });
  const pages = (): Promise<readonly NotionPage[]> => notion.call('dump', { dataSourceId: made.dataSourceId });
  return {
    supabase,
    notion,
    ...made,
    services: {
      SUPABASE_URL: supabase.url,
      SUPABASE_KEY: supabase.keys.publishable,
      SUPABASE_EMAIL: user.email,
      SUPABASE_PASSWORD: user.password,
      SUPABASE_DB_URL: supabase.dbUrl,
      NOTION_API_KEY: notion.token,
      NOTION_DATABASE_ID: made.databaseId,
      NOTION_BASE_URL: notion.baseUrl,
      // The rate that Notion allows is the matter of tests of its own.
      NOTION_PER_SECOND: '1000',
    },
    pages,
    page: async (id) => (await pages()).find((page) => textOf(page, 'Angles ID') === id),
    row: async (table, id) => (await supabase.query(`SELECT * FROM public.${table} WHERE id::text = $1`, [id]))[0],
    stop: async () => void (await Promise.all([supabase.stop(), notion.stop()])),
  };
}

/** What a property of a page says, in plain words. */
export function textOf(page: NotionPage | undefined, name: string): string {
  const value = page?.properties[name];
  if (value === undefined) return '';
  const content = value[String(value.type)];
  if (Array.isArray(content)) return content.map((part: Json) => part.plain_text ?? part.name).join('');
  if (content !== null && typeof content === 'object')
    return String((content as Json).name ?? (content as Json).start ?? '');
  return '';
}

/** The long text of a page: its paragraphs, one a line. */
export const bodyOf = (page: NotionPage | undefined): string =>
  (page?.blocks ?? [])
    .map((block) => {
      const { rich_text: parts = [] } = (block[String(block.type)] ?? {}) as { rich_text?: Json[] };
      return parts.map((part) => part.plain_text).join('');
    })
    .join('\n');

export type Device = {
  readonly place: DaemonPlace;
  readonly daemon: Daemon;
  readonly client: AgentClient;
  /** Runs one command line of the program as this device. */
  readonly cli: (...args: readonly string[]) => ReturnType<typeof angles>;
  /** `cli` with `--json`, read. */
  readonly json: <T>(...args: readonly string[]) => Promise<T>;
  readonly stop: () => Promise<void>;
};

export function makePlace(services: Readonly<Record<string, string>>): DaemonPlace {
  const folder = mkdtempSync(join(quickDisk(), 'angles-whole-'));
  const place = { dataFolder: join(folder, 'data'), root: join(folder, 'notes'), home: folder, services };
  mkdirSync(place.root);
  return place;
}

export async function startDevice(place: DaemonPlace): Promise<Device> {
  const daemon = await startDaemon(place);
  const { client } = await daemon.connect();
  const cli: Device['cli'] = (...args) => angles(place, ...args);
  return {
    place,
    daemon,
    client,
    cli,
    json: async (...args) => {
      const { stdout, stderr, code } = await cli(...args, '--json');
      if (code !== 0) throw new Error(`angles ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
      return JSON.parse(stdout);
    },
    stop: async () => {
      await daemon.stop();
      rmSync(place.home, { recursive: true, force: true });
    },
  };
}

/** Asks until there is an answer; throws with the last one when that takes too long. */
export async function until<T>(
  ask: () => Promise<T | undefined | false | null> | T | undefined | false | null,
  withinMs = 20_000,
): Promise<T> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false && answer !== null) return answer;
    if (performance.now() > endMs) throw new Error(`still ${String(answer)} after ${withinMs} ms: ${ask}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
