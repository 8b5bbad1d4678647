/** Creates and updates the tables over a direct connection to the database of the project. */
import type postgres from 'postgres';
import { AppError } from '../../../shared/errors.ts';
import {
  MIGRATION_LOCK,
  MIGRATIONS_TABLE_SQL,
  noteMigrationSql,
  readSupabaseMigrations,
  type SupabaseMigration,
} from './migrations.ts';
import { BUCKET_NAMES, TABLE_NAMES } from './tables.ts';

export type MigrationPlan = {
  /** The newest migration that ran over there; 0 for an empty project. */
  readonly current: number;
  /** The newest one that this version has. */
  readonly newest: number;
  /** What would run, in words; empty when nothing. */
  readonly steps: readonly string[];
};

type Options = { readonly signal?: AbortSignal; readonly migrations?: readonly SupabaseMigration[] };
type Found = {
  readonly current: number;
  readonly pending: readonly SupabaseMigration[];
  readonly mustRenumber: boolean;
};

/**
 * What {@link applyMigrations} would do; changes nothing.
 * @param dbUrl as SUPABASE_DB_URL
 * Throws `migration.failed` when the database cannot be reached, or was made by a newer version of Angles.
 */
export async function planMigrations(dbUrl: string, options: Options = {}): Promise<MigrationPlan> {
  const migrations = options.migrations ?? readSupabaseMigrations();
  const found = await withDatabase(dbUrl, options.signal, (sql) =>
    sql.begin('READ ONLY', (tx) => findPending(tx, migrations)),
  );
  return planOf(found, migrations);
}

/**
 * Brings the tables to this version: all in one transaction, or nothing. Safe to repeat and to run on several devices at
 * once: they wait for each other. Throws `migration.failed`, naming the migration; the tables are then as they were.
 */
export async function applyMigrations(dbUrl: string, options: Options = {}): Promise<MigrationPlan> {
  const migrations = options.migrations ?? readSupabaseMigrations();
  const found = await withDatabase(dbUrl, options.signal, (sql) =>
    sql.begin(async (tx) => {
      await tx.unsafe(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
      const pending = await findPending(tx, migrations);
      if (pending.pending.length > 0) await tx.unsafe(MIGRATIONS_TABLE_SQL);
      for (const migration of pending.pending) await runOne(tx, migration);
      if (pending.mustRenumber) await tx.unsafe('SELECT public.angles_renumber()');
      return pending;
    }),
  );
  return planOf(found, migrations);
}

function planOf({ current, pending, mustRenumber }: Found, migrations: readonly SupabaseMigration[]): MigrationPlan {
  return {
    current,
    newest: migrations.length,
    steps: [
      ...pending.map(({ name }) => `Run ${name}`),
      ...(mustRenumber ? ['Number the rows anew: they were restored from another server'] : []),
    ],
  };
}

async function runOne(tx: postgres.TransactionSql, migration: SupabaseMigration): Promise<void> {
  try {
    await tx.unsafe(migration.sql);
    await tx.unsafe(noteMigrationSql(migration));
  } catch (cause) {
    throw new AppError('migration.failed', `${migration.name}: ${(cause as Error).message}`, { cause });
  }
}

async function findPending(tx: postgres.TransactionSql, migrations: readonly SupabaseMigration[]): Promise<Found> {
  const [state] = await tx<{ noted: boolean; meta: boolean; storage: boolean; present: string[] | null }[]>`
    SELECT to_regclass('storage.buckets') IS NOT NULL AS storage,
           to_regclass('public.angles_migrations') IS NOT NULL AS noted,
           to_regclass('public.angles_meta') IS NOT NULL AND to_regprocedure('public.angles_renumber()') IS NOT NULL AS meta,
           (SELECT array_agg(tablename::text) FROM pg_tables WHERE schemaname = 'public') AS present`;
  const done = state?.noted === true ? await tx<{ number: number }[]>`SELECT number FROM public.angles_migrations` : [];
  const current = Math.max(0, ...done.map(({ number }) => number));
  if (current > migrations.length) {
    throw new AppError(
      'migration.failed',
      `The tables have version ${current}; this program knows up to ${migrations.length}.`,
      {
        hint: 'Install the newest version of Angles on this device.',
      },
    );
  }
  const ownBuckets = state?.storage === true ? await tx`SELECT id FROM storage.buckets WHERE public IS NOT TRUE` : null;
  // What was dropped by hand is made again: every migration can run twice.
  const isWhole =
    [...TABLE_NAMES, IDENTITY_TABLE].every((name) => state?.present?.includes(name) === true) &&
    (ownBuckets === null || BUCKET_NAMES.every((name) => ownBuckets.some(({ id }) => id === name)));
  const pending =
    isWhole || current < migrations.length ? migrations.filter(({ number }) => !isNoted(done, number)) : migrations;
  const [foreign] =
    state?.meta === true
      ? await tx`SELECT 1 FROM public.angles_meta WHERE system_identifier IS DISTINCT FROM
                 (SELECT system_identifier::text FROM pg_control_system())`
      : [];
  return { current, pending, mustRenumber: foreign !== undefined };
}

/** What tells one project from another; no connector reads it as a table. */
const IDENTITY_TABLE = 'angles_meta';

const isNoted = (done: readonly { number: number }[], wanted: number): boolean =>
  done.some(({ number }) => number === wanted);

async function withDatabase<Result>(
  dbUrl: string,
  signal: AbortSignal | undefined,
  work: (sql: postgres.Sql) => Promise<Result>,
): Promise<Result> {
  signal?.throwIfAborted();
  const sql = await connect(dbUrl);
  const abort = (): void => void sql.end({ timeout: 0 });
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await work(sql);
  } catch (cause) {
    if (signal?.aborted === true) throw signal.reason;
    throw cause instanceof AppError ? cause : failureOf(cause as Error & { code?: string });
  } finally {
    signal?.removeEventListener('abort', abort);
    await sql.end({ timeout: 1 });
  }
}

async function connect(dbUrl: string): Promise<postgres.Sql> {
  const url = URL.parse(dbUrl);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw new AppError('migration.failed', 'SUPABASE_DB_URL is no address of a Postgres database.', {
      hint: 'Copy it from the dashboard of the project: Connect, "Session pooler". It starts with postgresql://.',
    });
  }
  const { default: connectTo } = await import('postgres');
  const isHere = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|)$/.test(url.hostname);
  return connectTo(dbUrl, {
    max: 1,
    // A pooler in transaction mode knows no prepared statements.
    prepare: false,
    connect_timeout: 15,
    ...(url.searchParams.has('sslmode') || isHere ? {} : { ssl: 'require' }),
    connection: { application_name: 'angles migrate' },
    onnotice: () => undefined,
  });
}

function failureOf(cause: Error & { code?: string }): AppError {
  const hint = HINTS.find(([codes]) => codes.test(cause.code ?? ''))?.[1];
  return new AppError('migration.failed', cause.message === '' ? String(cause.code) : cause.message, {
    ...(hint === undefined ? {} : { hint }),
    cause,
  });
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^28/, 'Correct user and password in SUPABASE_DB_URL: special characters have to be percent-encoded.'],
  [
    /^(ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|EHOST|ENET|CONNECT)/,
    'Check the network and the host in SUPABASE_DB_URL; without IPv6 use the "Session pooler" address.',
  ],
  [/^42501$/, 'Use the connection of the user postgres of the project.'],
];
