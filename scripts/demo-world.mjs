/** The world of the demo: a Supabase project and a Notion on this machine, and an agent with sample data between them. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openAgent } from '../src/main/agent.ts';
import { removeEndpoint, writeEndpoint } from '../src/main/headless/endpoint.ts';
import { startServer } from '../src/main/headless/server.ts';
import { programVersion } from '../src/main/headless/version.ts';
import { TODAY, WEEK } from '../src/main/sample-content.ts';
import { startNotion } from '../test/support/notion/start.ts';
import { startSupabase } from '../test/support/supabase/start-supabase.ts';

const LOOK_EVERY_MS = 100;
const TITLE = 'Use SQLite for the vault';

/**
 * Starts everything below `folder`. `opened` gets what stops each part, the last one first, as soon as it runs: a start
 * that fails half-way is taken back by the caller.
 */
export async function startWorld(folder, root, opened) {
  const supabase = await startSupabase();
  opened.unshift(supabase.stop);
  const notion = await startNotion();
  opened.unshift(notion.stop);
  const user = await supabase.addUser();
  const database = await notion.call('database', { title: 'Decisions', properties: { Name: { title: {} } } });
  const notes = join(folder, 'notes');
  for (const [path, text] of sampleNotes()) save(join(notes, path), text);
  const dataFolder = join(folder, 'data');
  const services = {
    SUPABASE_URL: supabase.url,
    SUPABASE_KEY: supabase.keys.publishable,
    SUPABASE_EMAIL: user.email,
    SUPABASE_PASSWORD: user.password,
    SUPABASE_DB_URL: supabase.dbUrl,
    NOTION_API_KEY: notion.token,
    NOTION_DATABASE_ID: database.databaseId,
    NOTION_BASE_URL: notion.baseUrl,
  };
  const { agent, server } = await startAgent({ folder, dataFolder, root, services, opened });
  const { methods } = agent.api;
  for (const remote of ['supabase', 'notion']) await methods['sync.prepare']({ remote, apply: true });
  await methods['roots.add']({ path: notes });
  const id = await writeRecords(methods);
  await methods['sync.run']({});
  const world = { supabase, notion, server, methods, notes, dataFolder, dataSourceId: database.dataSourceId };
  return { ...world, decision: createDecision(world, id) };
}

async function startAgent({ folder, dataFolder, root, services, opened }) {
  const version = programVersion();
  const host = {
    dataFolder,
    environment: { HOME: folder, PATH: process.env.PATH, ...services },
    version,
    shell: 'headless',
    nowMs: Date.now,
    notify: () => undefined,
    onPower: () => () => undefined,
  };
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  writeFileSync(join(dataFolder, 'config.json'), '{"roots":[]}\n', { mode: 0o600 });
  const agent = await openAgent(host, 'running');
  opened.unshift(agent.stop);
  const log = agent.log.component('server');
  const rendererFolder = join(root, 'out', 'renderer');
  const server = await startServer({ api: agent.api, port: 0, rendererFolder, log, version });
  opened.unshift(async () => {
    removeEndpoint(dataFolder);
    await server.close();
  });
  agent.setDashboardUrl(server.url);
  agent.setLinkMaker(server.makeLink);
  const { url, token } = server;
  writeEndpoint(dataFolder, { pid: process.pid, url, token, version, startedAtMs: Date.now() });
  await agent.start();
  return { agent, server };
}

/** The newest text of each note of the sample. */
function sampleNotes() {
  const files = [...WEEK.flatMap((day) => day.files), ...TODAY];
  return new Map(files.filter(([folder]) => folder === 'notes').map(([, path, text]) => [path, text]));
}

function save(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

async function writeRecords(methods) {
  let id = null;
  for (const { decisions = [], memories = [] } of WEEK) {
    for (const fields of decisions) {
      const { record } = await methods['records.create']({ table: 'decision_vault', fields, origin: 'cli' });
      if (record.title === TITLE) id = record.id;
    }
    for (const fields of memories) await methods['records.create']({ table: 'memories', fields, origin: 'cli' });
  }
  if (id === null) throw new Error(`the sample has no decision "${TITLE}"`);
  return id;
}

/** One decision in its three places: what it says there, and how a person edits it there. */
function createDecision({ supabase, notion, methods, dataSourceId }, id) {
  const page = async () => {
    const pages = await notion.call('dump', { dataSourceId });
    return pages.find(({ properties }) => plain(properties['Angles ID']) === id);
  };
  const titles = async () => {
    const [row] = await supabase.query('SELECT title FROM public.decision_vault WHERE id::text = $1', [id]);
    const { record } = await methods['records.show']({ table: 'decision_vault', id });
    return {
      supabase: row?.title ?? null,
      angles: record.title,
      notion: plain((await page())?.properties.Name) || null,
    };
  };
  return {
    id,
    titles,
    inSupabase: async (title) =>
      void (await supabase.query('UPDATE public.decision_vault SET title = $1 WHERE id::text = $2', [title, id])),
    inNotion: async (title) => {
      await notion.call('set', { pageId: (await page())?.id, properties: { Name: title } });
      // Notion tells nobody of an edit: the agent looks once a minute, or when it is asked to.
      await methods['sync.run']({});
    },
    inAngles: async (title) =>
      void (await methods['records.edit']({ table: 'decision_vault', id, fields: { title }, origin: 'cli' })),
    /** Both sides change the same field before they hear of each other. */
    inBoth: async () => {
      const word = randomUUID().slice(0, 4);
      await supabase.setRealtime(false);
      try {
        await supabase.query(
          `UPDATE public.decision_vault SET title = $1, updated_at = now() - interval '1 minute' WHERE id::text = $2`,
          [`Use Postgres instead (${word})`, id],
        );
        const fields = { title: `Use SQLite, decided (${word})` };
        await methods['records.edit']({ table: 'decision_vault', id, fields, origin: 'cli' });
        await methods['sync.run']({});
      } finally {
        await supabase.setRealtime(true);
      }
      return (await methods['conflicts.list']({})).conflicts;
    },
    /** Waits until all three say this; null when they do not within `limitMs`. */
    settled: async (title, limitMs) => {
      const beganMs = performance.now();
      while (performance.now() - beganMs < limitMs) {
        if (Object.values(await titles()).every((one) => one === title)) return Math.round(performance.now() - beganMs);
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      }
      return null;
    },
  };
}

const plain = (property) => (property?.title ?? property?.rich_text ?? []).map((part) => part.plain_text).join('');
