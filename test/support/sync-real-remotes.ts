/**
 * The two services for worlds of `sync-world.ts` with the real connectors: Postgres and PostgREST, and the stand-in of
 * Notion. People write past the connectors: statements as the table editor makes them, and what a person does in Notion.
 * What is read for comparing is read here, by nothing of the product.
 */
import type { Connector, Fields, FieldValue, MergedTable } from '../../src/main/sync/connector.ts';
import { propertyRequest } from '../../src/main/sync/notion/mapping.ts';
import { createNotionConnector } from '../../src/main/sync/notion/notion-connector.ts';
import { TABLE_SPECS } from '../../src/main/sync/notion/table-specs.ts';
import { createSupabaseConnector } from '../../src/main/sync/supabase/supabase-connector.ts';
import type { Remote } from '../../src/shared/model.ts';
import type { Fault as NotionFault } from './notion/faults.ts';
import type { Notion } from './notion/start.ts';
import type { Fault as SupabaseFault } from './supabase/faults.ts';
import type { LocalSupabase } from './supabase/start-supabase.ts';
import type { WorldClock, WorldRemote, WorldRow } from './sync-world.ts';

type Services = { readonly supabase: LocalSupabase; readonly notion: Notion };
export type Databases = Readonly<Record<MergedTable, { readonly databaseId: string; readonly dataSourceId: string }>>;

/** Both services, empty; `supabase` has to be migrated. */
export async function emptyRemotes(
  { supabase, notion }: Services,
  clock: WorldClock,
): Promise<Readonly<Record<Remote, WorldRemote>>> {
  await supabase.clear();
  await supabase.query(
    'TRUNCATE decision_vault, memories, activities, file_snapshots; TRUNCATE deletions, devices, leases',
  );
  await notion.call('clearFaults');
  await notion.call('clearLog');
  await notion.rate({ kind: 'none' });
  return {
    supabase: supabaseRemote(supabase, clock),
    notion: notionRemote(notion, await makeDatabases(notion), clock),
  };
}

/** New databases with all their properties, as `angles migrate` makes them. */
export async function makeDatabases(notion: Notion): Promise<Databases> {
  const make = (table: MergedTable): Promise<Databases[MergedTable]> => {
    const { title, properties } = TABLE_SPECS[table];
    const all = Object.fromEntries(properties.map((one) => [one.name, propertyRequest(one)]));
    return notion.call('database', { title, properties: all });
  };
  return { decision_vault: await make('decision_vault'), memories: await make('memories') };
}

/** How many requests in a row may pass before one fails, and of how many kinds the failure is. */
async function orderFaults<T>(
  share: number,
  random: () => number,
  kinds: readonly T[],
  add: (kind: T, skip: number) => Promise<void>,
): Promise<void> {
  // An order counts only what no order before it has taken, so the gaps add up by themselves.
  for (let order = 0; order < 6; order += 1) {
    if (random() > share) continue;
    const kind = kinds[Math.floor(random() * kinds.length)];
    if (kind !== undefined) await add(kind, Math.floor(random() * 4));
  }
}

const SUPABASE_FAULTS: readonly SupabaseFault[] = [
  { kind: 'cut-before' },
  { kind: 'cut-after' },
  { kind: 'truncate' },
  { kind: 'cut-within' },
  { kind: 'answer', status: 503 },
  { kind: 'answer', status: 500, body: '{"message":"boom"}' },
  { kind: 'answer', status: 429, headers: { 'retry-after': '1' } },
  {
    kind: 'answer',
    status: 502,
    headers: { 'content-type': 'text/html' },
    body: '<!doctype html><title>502</title>',
  },
];

export function supabaseRemote(supabase: LocalSupabase, { nowMs }: WorldClock): WorldRemote {
  return {
    remote: 'supabase',
    connect: () => {
      const config = { url: supabase.url, key: supabase.keys.secret, signIn: null, nowMs };
      // Hints would start reads of their own; here every read is one of the schedule.
      return silent(createSupabaseConnector({ ...config, deviceId: crypto.randomUUID(), dbUrl: null }));
    },
    rows: (table) => supabaseRows(supabase, table),
    create: async (table, fields) => {
      const columns = columnsOf(withoutTimes(fields));
      const names = Object.keys(columns);
      await supabase.query(
        `INSERT INTO ${table} (${names.join(', ')}) SELECT ${names.map((name) => `r.${name}`).join(', ')}
         FROM jsonb_populate_record(NULL::${table}, $1::text::jsonb) r`,
        [JSON.stringify(columns)],
      );
    },
    edit: async (remoteId, fields) => {
      const columns = columnsOf(fields);
      for (const table of ['decision_vault', 'memories']) {
        const names = Object.keys(columns).filter((name) => hasColumn(table, name));
        if (names.length === 0) continue;
        await supabase.query(
          `UPDATE ${table} t SET ${names.map((name) => `${name} = r.${name}`).join(', ')}
           FROM jsonb_populate_record(NULL::${table}, $1::text::jsonb) r WHERE t.id = $2`,
          [JSON.stringify(columns), remoteId],
        );
      }
    },
    remove: async (remoteId) => {
      for (const table of ['decision_vault', 'memories'])
        await supabase.query(`DELETE FROM ${table} WHERE id = $1`, [remoteId]);
    },
    trouble: async (share, random) => {
      await supabase.clear();
      await orderFaults(share, random, SUPABASE_FAULTS, (fault, skip) => supabase.fault({ fault, skip }));
    },
    writes: async () => (await supabase.requests()).filter(({ path }) => path.includes('angles_push')).length,
  };
}

const silent = <T extends Connector>(connector: T): Connector => ({ ...connector, listen: () => () => undefined });
const hasColumn = (table: string, name: string): boolean => name !== (table === 'memories' ? 'decision' : 'content');

const TIMES = ['createdAtMs', 'updatedAtMs'];
const withoutTimes = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !TIMES.includes(name)));

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

function columnsOf(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) =>
      name.endsWith('Ms')
        ? [snake(name.slice(0, -2)), typeof value === 'number' ? new Date(value).toISOString() : null]
        : [snake(name), value],
    ),
  );
}

/** A few requests from now on fail at one of the services, whoever makes them. */
export async function orderTrouble(
  remote: Remote,
  { supabase, notion }: Services,
  random: () => number,
): Promise<void> {
  if (remote === 'supabase')
    await orderFaults(0.7, random, SUPABASE_FAULTS, (fault, skip) => supabase.fault({ fault, skip }));
  else await orderFaults(0.7, random, NOTION_FAULTS, (fault, skip) => notion.fault({ ...fault, skip }));
}

/** The rows as they lie in Postgres. */
export async function supabaseRows(supabase: LocalSupabase, table: MergedTable): Promise<readonly WorldRow[]> {
  const rows = (await supabase.query(`SELECT to_jsonb(t) AS row FROM ${table} t`)) as readonly {
    row: Record<string, FieldValue>;
  }[];
  return rows.map(({ row }) => {
    const fields = Object.entries(row).map(([column, value]): [string, FieldValue] =>
      column.endsWith('_at')
        ? [`${camel(column)}Ms`, typeof value === 'string' ? Date.parse(value) : null]
        : [camel(column), value],
    );
    return { id: String(row.id), remoteId: String(row.id), fields: Object.fromEntries(fields) };
  });
}

const NOTION_FAULTS: readonly NotionFault[] = [
  { kind: 'cut-before' },
  { kind: 'cut-after' },
  { kind: 'truncate' },
  { kind: 'foreign' },
  { kind: 'html', status: 502 },
  { kind: 'status', status: 429, retryAfterS: 1 },
  { kind: 'status', status: 529, retryAfterS: 1 },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 503 },
  { kind: 'status', status: 409 },
];

/** With a clock it sets that of the service before whatever is done there; that one never goes back. */
export function notionRemote(notion: Notion, databases: Databases, clock: WorldClock | null): WorldRemote {
  const ids = { decision_vault: databases.decision_vault.databaseId, memories: databases.memories.databaseId };
  const setClock = async (): Promise<void> => {
    if (clock !== null) await notion.call('clock', { fixedMs: clock.monotonicMs() });
  };
  const pageOf = async (pageId: string): Promise<{ table: MergedTable; page: DumpedPage }> => {
    for (const table of ['decision_vault', 'memories'] as const) {
      const page = (await dumpPages(notion, databases[table].dataSourceId)).find(({ id }) => id === pageId);
      if (page !== undefined) return { table, page };
    }
    throw new Error(`no page ${pageId}`);
  };
  return {
    remote: 'notion',
    connect: () =>
      withClock(
        createNotionConnector({
          token: notion.token,
          baseUrl: notion.baseUrl,
          databases: ids,
          perSecond: 1_000,
          ...(clock === null ? {} : { monotonicMs: clock.monotonicMs }),
        }),
        setClock,
      ),
    rows: (table) => notionRows(notion, databases[table].dataSourceId, table),
    create: async (table, fields) => {
      await setClock();
      await notion.call('page', {
        dataSourceId: databases[table].dataSourceId,
        properties: propertiesOf(fields),
        blocks: [paragraph(String(fields[BODIES[table]] ?? ''))],
      });
    },
    edit: async (pageId, fields) => {
      await setClock();
      const { table, page } = await pageOf(pageId);
      if (fields.deletedAtMs !== undefined)
        await notion.call(fields.deletedAtMs === null ? 'restore' : 'trash', { pageId });
      const properties = propertiesOf(fields);
      if (Object.keys(properties).length > 0) await notion.call('set', { pageId, properties });
      const body = fields[BODIES[table]];
      if (body === undefined) return;
      const [first, ...rest] = page.blocks;
      for (const { id } of rest) await notion.call('removeBlock', { blockId: id });
      if (first === undefined) await notion.call('append', { pageId, blocks: [paragraph(String(body))] });
      else await notion.call('editBlock', { blockId: first.id, content: String(body) });
    },
    remove: async (pageId) => void (await notion.call('erase', { pageId })),
    trouble: async (share, random) => {
      await notion.call('clearFaults');
      await orderFaults(share, random, NOTION_FAULTS, (fault, skip) => notion.fault({ ...fault, skip }));
    },
    writes: async () => (await notion.log()).filter(isWrite).length,
  };
}

/** Whether a request may have changed something; listing is a POST, too. */
export const isWrite = ({ method, path }: { readonly method: string; readonly path: string }): boolean =>
  method !== 'GET' && !path.endsWith('/query') && !path.endsWith('/search');

/** The clock of the service is that of the world whenever a device asks something. */
function withClock<T extends Connector>(connector: T, setClock: () => Promise<unknown>): T {
  return {
    ...connector,
    push: async (records, signal) => {
      await setClock();
      return connector.push(records, signal);
    },
    pull: async (cursor, signal) => {
      await setClock();
      return connector.pull(cursor, signal);
    },
  };
}

const BODIES = { decision_vault: 'decision', memories: 'content' } as const;
const NAMES: Readonly<Record<string, string>> = {
  title: 'Name',
  status: 'Status',
  priority: 'Priority',
  type: 'Type',
  kind: 'Kind',
  category: 'Category',
  tags: 'Tags',
  date: 'Date',
};
const propertiesOf = (fields: Fields): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (NAMES[name] === undefined ? [] : [[NAMES[name], value]])),
  );
const paragraph = (text: string) => ({ paragraph: { rich_text: [{ text: { content: text } }] } });

type Rich = readonly { readonly plain_text: string }[];
type DumpedPage = {
  readonly id: string;
  readonly in_trash: boolean;
  readonly last_edited_time: string;
  readonly properties: Readonly<Record<string, { readonly type: string } & Record<string, unknown>>>;
  readonly blocks: readonly ({ readonly id: string; readonly type: string } & Record<string, unknown>)[];
};

export const dumpPages = (notion: Notion, dataSourceId: string): Promise<DumpedPage[]> =>
  notion.call<DumpedPage[]>('dump', { dataSourceId });

/** The pages as they lie in the stand-in, those in the trash as retired ones. */
export async function notionRows(
  notion: Notion,
  dataSourceId: string,
  table: MergedTable,
): Promise<readonly WorldRow[]> {
  const plain = (rich: unknown): string => ((rich ?? []) as Rich).map((part) => part.plain_text).join('');
  const pages = await dumpPages(notion, dataSourceId);
  return pages.map((page) => {
    const value = (name: string): FieldValue => {
      const property = page.properties[name];
      const held = property?.[property.type];
      if (property?.type === 'multi_select') return (held as { name: string }[]).map((option) => option.name);
      if (property?.type === 'select') return (held as { name: string } | null)?.name ?? '';
      if (property?.type === 'date') return (held as { start: string } | null)?.start ?? null;
      return plain(held);
    };
    const id = value('Angles ID');
    const body = page.blocks.map((block) => plain((block[block.type] as { rich_text?: unknown }).rich_text));
    const named = Object.entries(NAMES).filter(([, name]) => page.properties[name] !== undefined);
    return {
      id: id === '' ? null : String(id),
      remoteId: page.id,
      fields: {
        ...Object.fromEntries(named.map(([field, name]) => [field, value(name)])),
        [BODIES[table]]: body.join('\n\n'),
        sourcePath: value('Source') || null,
        sourceSha256: value('Source hash') || null,
        supersedes: value('Supersedes') || null,
        deletedAtMs: page.in_trash ? Date.parse(page.last_edited_time) : null,
      },
    };
  });
}
