/**
 * Databases for tables that are wanted in Notion and have none there: made below the page that holds the database for
 * decisions. One that an earlier try made, and whose id was lost with it, is found again instead of made twice.
 */
import { z } from 'zod';
import { AppError } from '../../../shared/errors.ts';
import type { CheckStep, PreparePlan } from '../connector.ts';
import { mapProperties } from './mapping.ts';
import type { NotionApi } from './notion-api.ts';
import { createDatabase } from './prepare.ts';
import { nameOf, type Sources } from './sources.ts';
import { type NotionTable, TABLE_SPECS } from './table-specs.ts';
import { blockListShape, blockShape, databaseShape, dataSourceShape } from './wire.ts';

export type NewDatabases = {
  /** Wanted, and without a database so far. */
  readonly tables: readonly NotionTable[];
  /** Called with the id of each database as soon as it is there: to be kept, as nothing else knows it. */
  readonly onCreated: (table: NotionTable, databaseId: string) => void;
};

const MOST_LEVELS = 20;

/** The page that holds the database for decisions. Throws `remote.forbidden` when it lies in none. */
export async function findParentPage(
  api: NotionApi,
  sources: Sources,
  signal: AbortSignal,
): Promise<{ readonly pageId: string; readonly name: string }> {
  const source = await sources.dataSource('decision_vault', signal);
  const { database_id: databaseId } = source.parent ?? {};
  const database =
    databaseId === undefined
      ? null
      : await api.call(
          'reading the database',
          databaseShape,
          (client) => client.databases.retrieve({ database_id: databaseId }),
          signal,
        );
  let parent = database?.parent;
  // A database may lie in a column or a toggle: the page is further up.
  for (let level = 0; parent?.block_id !== undefined && level < MOST_LEVELS; level += 1) {
    const blockId = parent.block_id;
    const block = await api.call(
      'reading a block',
      blockShape,
      (client) => client.blocks.retrieve({ block_id: blockId }),
      signal,
    );
    parent = block.parent;
  }
  if (parent?.page_id !== undefined) return { pageId: parent.page_id, name: nameOf(source) };
  throw new AppError('remote.forbidden', `"${nameOf(source)}" lies in no page, and only in a page can one be made`, {
    hint: 'Move it into a page in Notion and share that page with the connection; or make a database yourself and set its link.',
  });
}

const childDatabase = z.looseObject({ child_database: z.looseObject({ title: z.string() }) });

/** A database of this title below the page that has all our properties; null when there is none. */
async function findMade(
  api: NotionApi,
  table: NotionTable,
  pageId: string,
  signal: AbortSignal,
): Promise<string | null> {
  const spec = TABLE_SPECS[table];
  let cursor: string | null = null;
  do {
    const from: string | null = cursor;
    const list: z.infer<typeof blockListShape> = await api.call(
      'listing databases',
      blockListShape,
      (client) =>
        client.blocks.children.list({
          block_id: pageId,
          page_size: 100,
          ...(from === null ? {} : { start_cursor: from }),
        }),
      signal,
    );
    for (const block of list.results) {
      if (childDatabase.safeParse(block).data?.child_database.title !== spec.title) continue;
      if (await isOurs(api, table, block.id, signal)) return block.id;
    }
    cursor = list.has_more ? list.next_cursor : null;
  } while (cursor !== null);
  return null;
}

async function isOurs(api: NotionApi, table: NotionTable, databaseId: string, signal: AbortSignal): Promise<boolean> {
  const { data_sources: all } = await api.call(
    'reading the database',
    databaseShape,
    (client) => client.databases.retrieve({ database_id: databaseId }),
    signal,
  );
  const [only, ...others] = all;
  if (only === undefined || others.length > 0) return false;
  const source = await api.call(
    'reading the data source',
    dataSourceShape,
    (client) => client.dataSources.retrieve({ data_source_id: only.id }),
    signal,
  );
  const { missing, wrong } = mapProperties(TABLE_SPECS[table], source, {});
  return missing.length + wrong.length === 0;
}

/** What would be made. Nothing where it cannot be: the test of the connection says why. */
export async function planDatabases(
  api: NotionApi,
  sources: Sources,
  { tables, onCreated }: NewDatabases,
  signal: AbortSignal,
): Promise<PreparePlan> {
  if (tables.length === 0 || !sources.tables.includes('decision_vault')) return NOTHING;
  let place: Awaited<ReturnType<typeof findParentPage>>;
  try {
    place = await findParentPage(api, sources, signal);
  } catch (cause) {
    if (cause instanceof AppError && cause.code === 'remote.forbidden') return NOTHING;
    throw cause;
  }
  const { pageId, name } = place;
  return {
    steps: tables.map((table) => `Make the database "${TABLE_SPECS[table].title}" beside "${name}" in Notion`),
    apply: async (applySignal) => {
      for (const table of tables) {
        const found = await findMade(api, table, pageId, applySignal);
        onCreated(table, found ?? (await createDatabase(api, table, pageId, applySignal)));
      }
    },
  };
}

const NOTHING: PreparePlan = { steps: [], apply: async () => undefined };

const EXTRA: readonly NotionTable[] = ['memories', 'activities'];

/** What the test of a connection says of tables without a database: wanted ones, and those that nobody asked for. */
export async function checkDatabases(
  api: NotionApi,
  sources: Sources,
  wanted: readonly NotionTable[],
  signal: AbortSignal,
): Promise<CheckStep[]> {
  const steps: CheckStep[] = [];
  for (const table of EXTRA.filter((one) => !sources.tables.includes(one))) {
    const word = TABLE_SPECS[table].title.toLowerCase();
    const step = { id: `shared.${table}`, title: `Database for ${word}`, canPrepare: false, code: null, fix: null };
    if (!wanted.includes(table)) {
      const fix = `To have them there, run \`angles config set sync.notion_${table} create\`, then \`angles sync --test --create\`.`;
      steps.push({ ...step, verdict: 'skipped', detail: `None is set: ${word} stay out of Notion.`, fix });
      continue;
    }
    try {
      const { name } = await findParentPage(api, sources, signal);
      const detail = `It is not made yet; it will lie beside "${name}". Until then ${word} stay out of Notion.`;
      const fix = 'Let Angles make it, or make one yourself and set its link.';
      steps.push({ ...step, verdict: 'warning', detail, fix, canPrepare: true });
    } catch (cause) {
      if (!(cause instanceof AppError)) throw cause;
      steps.push({ ...step, verdict: 'failed', detail: cause.message, fix: cause.hint, code: cause.code });
    }
  }
  return steps;
}
