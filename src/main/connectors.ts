/** Which connector talks to which remote: made from settings and environment, anew when these change. */
import { AppError } from '../shared/errors.ts';
import type { Remote } from '../shared/model.ts';
import type { EnvironmentKey, Settings } from '../shared/settings.ts';
import type { DeviceDirectory, RemoteParts } from './sync/engine-parts.ts';

export type ConnectorEnvironment = {
  /** The value of an outside name (environment before `.env`); undefined when it is not set. */
  readonly value: (name: EnvironmentKey) => string | undefined;
  /** Names for tests and self-hosting that are no settings, such as `NOTION_BASE_URL`. */
  readonly variable: (name: string) => string | undefined;
  readonly settings: Settings;
  readonly deviceId: string;
  readonly nowMs: () => number;
  /** Keeps a setting that a connector found out, such as the id of a database that it made. */
  readonly keepSetting: (key: string, value: string) => void;
  /** Throws when this device may not write to a remote that all devices share. */
  readonly assertMayWrite: () => void;
};

/**
 * Makes the connector of a remote that is configured; makes no call. Null when this build has none. The module of a
 * service is loaded here, when it is first needed: an agent without accounts stays small.
 */
export type ConnectorFactory = (environment: ConnectorEnvironment) => Promise<RemoteParts | null>;

/** What a remote is made from: when none of it changes, its connector stays. */
export const CONNECTOR_NAMES: Readonly<Record<Remote, readonly string[]>> = {
  supabase: ['SUPABASE_URL', 'SUPABASE_KEY', 'SUPABASE_EMAIL', 'SUPABASE_PASSWORD', 'SUPABASE_DB_URL'],
  notion: [
    'NOTION_API_KEY',
    'NOTION_DATABASE_ID',
    'NOTION_MEMORIES_DATABASE_ID',
    'NOTION_ACTIVITIES_DATABASE_ID',
    'NOTION_BASE_URL',
    'NOTION_PER_SECOND',
  ],
};

/** The settings that a remote is made from besides. */
export function connectorSettings(remote: Remote, { sync }: Settings): readonly unknown[] {
  return remote === 'notion' ? [sync.notion_memories, sync.notion_activities, sync.notion_pages_in] : [];
}

export const CONNECTORS: Readonly<Record<Remote, ConnectorFactory>> = {
  supabase: connectSupabase,
  notion: connectNotionRemote,
};

async function connectSupabase({ value, settings, deviceId, nowMs }: ConnectorEnvironment): Promise<RemoteParts> {
  const [
    { createSupabaseConnection },
    { createSupabaseConnector },
    { createSupabaseLeases },
    { createSupabaseDevices },
    { createSupabaseLogs },
  ] = await Promise.all([
    import('./sync/supabase/client.ts'),
    import('./sync/supabase/supabase-connector.ts'),
    import('./sync/supabase/leases.ts'),
    import('./sync/supabase/devices.ts'),
    import('./sync/supabase/logs.ts'),
  ]);
  const email = value('SUPABASE_EMAIL');
  const password = value('SUPABASE_PASSWORD');
  const config = {
    url: required(value, 'SUPABASE_URL'),
    key: required(value, 'SUPABASE_KEY'),
    signIn: email === undefined || password === undefined ? null : { email, password },
    nowMs,
  };
  const connection = createSupabaseConnection(config);
  const directory = createSupabaseDevices({ connection, deviceId });
  const devices: DeviceDirectory = {
    seen: ({ name, version, unsent }, signal) =>
      directory.report({ name, version, platform: process.platform, unsent: { all: unsent } }, signal),
    list: async (signal) =>
      (await directory.list(signal)).map(({ deviceId: id, name, version, unsent, lastSeenAtMs }) => ({
        deviceId: id,
        name,
        version,
        unsent: Object.values(unsent).reduce((sum, each) => sum + each, 0),
        lastSeenAtMs,
      })),
  };
  return {
    connector: createSupabaseConnector({
      ...config,
      connection,
      deviceId,
      dbUrl: value('SUPABASE_DB_URL') ?? null,
      maxBatchRows: settings.sync.batch_size,
    }),
    leases: createSupabaseLeases({ connection, deviceId, nowMs }),
    devices,
    logs: createSupabaseLogs({ connection, deviceId }),
  };
}

const WANTED = 'create';

async function connectNotionRemote(environment: ConnectorEnvironment): Promise<RemoteParts> {
  const { value, variable, settings, keepSetting, assertMayWrite } = environment;
  const [{ connectNotion, createNotionConnector }, { createNotionNotes, findNotesParent }] = await Promise.all([
    import('./sync/notion/notion-connector.ts'),
    import('./sync/notion/notion-notes.ts'),
  ]);
  const baseUrl = variable('NOTION_BASE_URL');
  // Where a service of one's own allows another rate than Notion does.
  const perSecond = Number(variable('NOTION_PER_SECOND'));
  const places = {
    memories: value('NOTION_MEMORIES_DATABASE_ID') ?? settings.sync.notion_memories,
    activities: value('NOTION_ACTIVITIES_DATABASE_ID') ?? settings.sync.notion_activities,
  };
  const tables = ['memories', 'activities'] as const;
  const set = tables.filter((table) => places[table] !== '' && places[table] !== WANTED);
  const decisions = required(value, 'NOTION_DATABASE_ID');
  const options = {
    token: required(value, 'NOTION_API_KEY'),
    assertMayWrite,
    ...(baseUrl === undefined ? {} : { baseUrl, ...(perSecond > 0 ? { perSecond } : {}) }),
  };
  // One connection, so that records and summaries keep within one rate.
  const connection = connectNotion(options);
  const pagesIn = settings.sync.notion_pages_in;
  return {
    connector: createNotionConnector(
      {
        ...options,
        databases: { decision_vault: decisions, ...Object.fromEntries(set.map((table) => [table, places[table]])) },
        newDatabases: {
          tables: tables.filter((table) => places[table] === WANTED),
          onCreated: (table, id) => keepSetting(`sync.notion_${table}`, id),
        },
      },
      connection,
    ),
    notes: createNotionNotes(connection, (signal) => findNotesParent(connection, pagesIn, decisions, signal)),
  };
}

/** A remote counts as configured only with these, so a missing one is a race with an edit of the settings. */
function required(value: ConnectorEnvironment['value'], name: EnvironmentKey): string {
  const found = value(name);
  if (found === undefined) throw new AppError('sync.off', `${name} is not set.`);
  return found;
}
