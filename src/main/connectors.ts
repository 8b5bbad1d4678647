/** Which connector talks to which remote: made from settings and environment, anew when these change. */
import type { Remote } from '../shared/model.ts';
import type { EnvironmentKey, Settings } from '../shared/settings.ts';
import type { RemoteParts } from './sync/sync-engine.ts';

export type ConnectorEnvironment = {
  /** The value of an outside name (environment before `.env`); undefined when it is not set. */
  readonly value: (name: EnvironmentKey) => string | undefined;
  /** Names for tests and self-hosting that are no settings, such as `NOTION_BASE_URL`. */
  readonly variable: (name: string) => string | undefined;
  readonly settings: Settings;
  readonly deviceId: string;
  readonly nowMs: () => number;
};

/**
 * Makes the connector of a remote that is configured; makes no call. Null when this build has none. The module of a
 * service is loaded here, when it is first needed: an agent without accounts stays small.
 */
export type ConnectorFactory = (environment: ConnectorEnvironment) => Promise<RemoteParts | null>;

/** What a remote is made from: when none of it changes, its connector stays. */
export const CONNECTOR_NAMES: Readonly<Record<Remote, readonly string[]>> = {
  supabase: ['SUPABASE_URL', 'SUPABASE_KEY', 'SUPABASE_DB_URL'],
  notion: ['NOTION_API_KEY', 'NOTION_DATABASE_ID', 'NOTION_BASE_URL'],
};

export const CONNECTORS: Readonly<Record<Remote, ConnectorFactory>> = {
  supabase: async () => null,
  notion: async () => null,
};
