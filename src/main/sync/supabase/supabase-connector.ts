import type { Connector, SyncTable } from '../connector.ts';
import { createBatchSize } from './batch-size.ts';
import { checkConnection } from './check.ts';
import { createSupabaseConnection, type SupabaseConfig, type SupabaseConnection } from './client.ts';
import { projectIdentity } from './describe.ts';
import { listenForChanges } from './listen.ts';
import { preparePlan } from './prepare.ts';
import { pullChanges, readRecords, type SupabasePullPage } from './pull.ts';
import { pushRecords } from './push.ts';

export type SupabaseConnectorOptions = SupabaseConfig & {
  /** This device: its own rows of append-only tables are not given back by `pull`. */
  readonly deviceId: string;
  /** As SUPABASE_DB_URL; without it `prepare` can only say what to paste. */
  readonly dbUrl?: string | null;
  /** Rows of one request at most; 500 unless given. */
  readonly maxBatchRows?: number;
  /** Shared with leases, devices and storage; made from the configuration when left out. */
  readonly connection?: SupabaseConnection;
};

export type SupabaseConnector = Connector & {
  /** As of {@link Connector}; says besides which tables could not be read while others were. */
  readonly pull: (cursor: string | null, signal: AbortSignal) => Promise<SupabasePullPage>;
};

const TABLES: readonly SyncTable[] = ['decision_vault', 'memories', 'activities', 'file_snapshots'];
/** What other devices and people write; versions of files are only sent. */
const PULLED: readonly SyncTable[] = ['decision_vault', 'memories', 'activities'];
const HEARD: readonly SyncTable[] = ['decision_vault', 'memories'];

/**
 * The connector to Supabase. Making it does nothing: the libraries are loaded and the project is asked at the first
 * call. `push` and `batchSize` learn how much the project takes at once.
 */
export function createSupabaseConnector(options: SupabaseConnectorOptions): SupabaseConnector {
  const connection = options.connection ?? createSupabaseConnection(options);
  const size = createBatchSize(options.maxBatchRows ?? 500);
  return {
    remote: 'supabase',
    tables: TABLES,
    identity: (signal) => projectIdentity(connection, signal),
    push: (records, signal) => pushRecords(connection, size, records, signal),
    batchSize: () => size.rows(),
    pull: (cursor, signal) => pullChanges(connection, PULLED, options.deviceId, cursor, signal),
    read: (table, ids, signal) => readRecords(connection, table, ids, signal),
    check: (signal) => checkConnection(connection, signal),
    prepare: (signal) => preparePlan(connection, options.dbUrl ?? null, signal),
    listen: (onHint) => listenForChanges(connection, HEARD, onHint),
    close: () => connection.close(),
  };
}
