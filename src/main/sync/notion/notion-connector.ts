/**
 * The connector to Notion. Records are pages of a data source: properties for the short fields, the body for the long
 * text, the trash for what is retired. It knows nothing of the vault.
 *
 * What Notion cannot do, and what follows:
 * - No writing on condition: see `push-update.ts`.
 * - No sequence of changes: see `cursor.ts`.
 * - A page that was deleted for good is in no listing: `readLinked` tells of single pages.
 */
import { AppError } from '../../../shared/errors.ts';
import type { Connector, PreparePlan, PullPage, RemoteRecord, SyncTable } from '../connector.ts';
import { checkConnection } from './check.ts';
import { createLimiter, type Limiter } from './limiter.ts';
import type { DataSourceIds } from './mapping.ts';
import { type NewDatabases, planDatabases } from './new-databases.ts';
import { createNotionApi, type NotionApi } from './notion-api.ts';
import { findByIds, ownerOf, readRecord } from './page-records.ts';
import { createDatabase, planProperties } from './prepare.ts';
import { pullPage, recordsOf } from './pull.ts';
import { linkedPage, type PushContext, pushRecords } from './push.ts';
import { createSources, idIn, type Sources } from './sources.ts';
import type { NotionTable } from './table-specs.ts';
import { userShape } from './wire.ts';

export const NOTION_BASE_URL = 'https://api.notion.com';

export type NotionOptions = {
  readonly token: string;
  /** Of the database or data source, or its address, per table; a table that is left out is not held. */
  readonly databases: DataSourceIds;
  /** Tables that are to get a database when asked, and who is told its id. */
  readonly newDatabases?: NewDatabases;
  /** `NOTION_BASE_URL`, for tests and proxies. */
  readonly baseUrl?: string;
  /** Limit of a single request; 30 s. */
  readonly timeoutMs?: number;
  /** Requests a second, at most; 3 as documented. Slower by itself when the service asks for it. */
  readonly perSecond?: number;
  readonly monotonicMs?: () => number;
  /** Asked before each request that writes records or summaries: throws when another device talks to Notion now. */
  readonly assertMayWrite?: () => void;
};

export type LinkedPage = { readonly table: SyncTable; readonly id: string; readonly remoteId: string };

export type NotionConnector = Connector & {
  /**
   * Reads pages by their own ids: the record, in the trash or not, or `gone` when Notion has it no longer although the
   * data source is there. For pages that a full pull did not give. A failing or missing data source throws.
   */
  readonly readLinked: (links: readonly LinkedPage[], signal: AbortSignal) => Promise<PullPage>;
  /** Requests a second that are allowed right now. */
  readonly ratePerSecond: () => number;
};

const BATCH = 25;

async function readByIds(
  api: NotionApi,
  sources: Sources,
  pageIds: ReadonlyMap<string, string>,
  table: NotionTable,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<RemoteRecord[]> {
  const access = await sources.access(table, signal, true);
  const groups = await findByIds(api, access, ids, signal);
  const owners = ids.flatMap((id) => {
    const owner = ownerOf(groups.get(id) ?? [], pageIds.get(id));
    return owner ? [{ id, owner }] : [];
  });
  return Promise.all(owners.map(({ id, owner }) => readRecord(api, access, owner, id, signal)));
}

async function readPages(context: PushContext, links: readonly LinkedPage[], signal: AbortSignal): Promise<PullPage> {
  const { api, sources } = context;
  const records: RemoteRecord[] = [];
  const gone: LinkedPage[] = [];
  for (const table of sources.tables) {
    const own = links.filter((link) => link.table === table);
    if (own.length === 0) continue;
    const access = await sources.access(table, signal, true);
    const pages = await Promise.all(
      own.map(async (link) => ({ link, page: await linkedPage(api, sources, access, link.remoteId, signal) })),
    );
    gone.push(...pages.flatMap(({ link, page }) => (page ? [] : [link])));
    records.push(
      ...(await recordsOf(
        context,
        access,
        pages.flatMap(({ page }) => page ?? []),
        signal,
      )),
    );
  }
  return { records, gone, cursor: '', hasMore: false };
}

const joinPlans = (first: PreparePlan, second: PreparePlan): PreparePlan => ({
  steps: [...first.steps, ...second.steps],
  apply: async (signal) => {
    await first.apply(signal);
    await second.apply(signal);
  },
});

const IDENTITY = 'notion:';
const sourcesIn = (identity: string): ReadonlyMap<string, string> =>
  new Map(
    identity
      .slice(IDENTITY.length)
      .split(';')
      .map((part): [string, string] => {
        const [table = '', id = ''] = part.split('=');
        return [table, id];
      }),
  );
const identityOf = (sources: ReadonlyMap<string, string>): string =>
  IDENTITY +
  [...sources]
    .map(([table, id]) => `${table}=${id}`)
    .sort()
    .join(';');

/**
 * See {@link Connector.joinIdentity}. A table that is switched off is remembered: when it comes back with another data
 * source, its links are not those of that one.
 */
function joinIdentity(known: string, found: string): string | null {
  const before = sourcesIn(known);
  const now = sourcesIn(found);
  const isSame = [...now].every(([table, id]) => (before.get(table) ?? id) === id);
  return isSame ? identityOf(new Map([...before, ...now])) : null;
}

/** One gate and one set of requests for everything that uses a connection. */
export type NotionConnection = {
  readonly api: NotionApi;
  /** For tests of the connection and what is set up for it: a person asked this very device for them. */
  readonly setupApi: NotionApi;
  readonly limiter: Limiter;
};

export function connectNotion(options: Omit<NotionOptions, 'databases' | 'newDatabases'>): NotionConnection {
  const monotonicMs = options.monotonicMs ?? (() => performance.now());
  const limiter = createLimiter({ perSecond: options.perSecond ?? 3, monotonicMs });
  const common = {
    token: options.token,
    baseUrl: options.baseUrl ?? NOTION_BASE_URL,
    timeoutMs: options.timeoutMs ?? 30_000,
    limiter,
    monotonicMs,
  };
  const guard = options.assertMayWrite === undefined ? {} : { assertMayWrite: options.assertMayWrite };
  return { api: createNotionApi({ ...common, ...guard }), setupApi: createNotionApi(common), limiter };
}

/**
 * Makes the connector; nothing is sent before the first call. Pass a `connection` to share the allowed rate with the
 * notes (see `notion-notes.ts`).
 */
export function createNotionConnector(options: NotionOptions, connection = connectNotion(options)): NotionConnector {
  const { api, setupApi, limiter } = connection;
  const sources = createSources(api, options.databases);
  const newDatabases = options.newDatabases ?? { tables: [], onCreated: () => undefined };
  const pageIds = new Map<string, string>();
  let me: string | null = null;
  const ownUser = async (signal: AbortSignal): Promise<string> => {
    me ??= (await api.call('asking who we are', userShape, (client) => client.users.me({}), signal)).id;
    return me;
  };
  const context: PushContext = { api, sources, ownUser, pageIds };
  const closing = new AbortController();
  const until = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, closing.signal]);
  return {
    remote: 'notion',
    tables: sources.tables,
    identity: async (signal) => {
      const ids = new Map<string, string>();
      for (const table of sources.tables) ids.set(table, await sources.dataSourceId(table, until(signal)));
      return identityOf(ids);
    },
    joinIdentity,
    push: (records, signal) => pushRecords(context, records, until(signal)),
    batchSize: () => BATCH,
    pull: (cursor, signal) => pullPage(context, cursor, until(signal)),
    read: (table, ids, signal) => readByIds(api, sources, pageIds, table as NotionTable, ids, until(signal)),
    readLinked: (links, signal) => readPages(context, links, until(signal)),
    check: (signal) =>
      checkConnection(
        { api: setupApi, sources, baseUrl: options.baseUrl ?? NOTION_BASE_URL, wanted: newDatabases.tables },
        until(signal),
      ),
    prepare: async (signal) => {
      const properties = await planProperties(setupApi, sources, until(signal));
      return joinPlans(properties, await planDatabases(setupApi, sources, newDatabases, until(signal)));
    },
    // Notion tells nobody but a public web server that something changed.
    listen: () => () => undefined,
    close: async () => closing.abort(),
    ratePerSecond: limiter.ratePerSecond,
  };
}

/**
 * Creates the databases for tables below a page and gives their ids, to be put into the settings. Not repeated by
 * itself: an interrupted one may have left a database that is used by setting its id.
 */
export async function createNotionDatabases(
  connection: NotionConnection,
  tables: readonly NotionTable[],
  parentPage: string,
  signal: AbortSignal,
): Promise<DataSourceIds> {
  const parentId = idIn(parentPage);
  if (parentId === null)
    throw new AppError('remote.not_shared', 'what is given is not the id or the address of a page');
  const made: Partial<Record<NotionTable, string>> = {};
  for (const table of tables) made[table] = await createDatabase(connection.setupApi, table, parentId, signal);
  return made;
}
