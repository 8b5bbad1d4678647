import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../package-root.ts';

export type SupabaseMigration = {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
};

/** Two agents that migrate at once wait for each other by this number. */
export const MIGRATION_LOCK = 7_331_948_001;

/** The table that remembers which migrations ran. It is made by whoever runs the first one. */
export const MIGRATIONS_TABLE_SQL = `CREATE TABLE IF NOT EXISTS public.angles_migrations (
  number     integer PRIMARY KEY,
  name       text NOT NULL,
  sha256     text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE public.angles_migrations ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.angles_migrations FROM anon, authenticated;`;

/** The migrations of this version, in order. Throws when a number is missing or used twice: the program is damaged. */
export function readSupabaseMigrations(folder = join(packageRoot(), 'migrations', 'supabase')): SupabaseMigration[] {
  const migrations = readdirSync(folder)
    .filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name))
    .sort()
    .map((name) => {
      const sql = readFileSync(join(folder, name), 'utf8');
      return { number: Number(name.slice(0, 4)), name, sql, sha256: createHash('sha256').update(sql).digest('hex') };
    });
  migrations.forEach((migration, index) => {
    if (migration.number !== index + 1) throw new Error(`migration ${migration.name} is out of order`);
  });
  return migrations;
}

/** The statement that notes a migration as done; names and sums are our own files', never a user's text. */
export function noteMigrationSql({ number, name, sha256 }: SupabaseMigration): string {
  return `INSERT INTO public.angles_migrations (number, name, sha256) VALUES (${number}, '${name}', '${sha256}')
ON CONFLICT (number) DO UPDATE SET name = excluded.name, sha256 = excluded.sha256, applied_at = now();`;
}

/**
 * The SQL to paste into the SQL editor of the project: one transaction, every statement safe to repeat. It brings any
 * earlier version, and an empty project, to this one.
 */
export function printMigrations(migrations: readonly SupabaseMigration[] = readSupabaseMigrations()): string {
  return [
    '-- Angles: the tables of the vault. Paste all of it into the SQL editor of your Supabase project and run it.',
    '-- It may be run again at any time.',
    'BEGIN;',
    `SELECT pg_advisory_xact_lock(${MIGRATION_LOCK});`,
    MIGRATIONS_TABLE_SQL,
    ...migrations.flatMap((migration) => [`-- ${migration.name}`, migration.sql.trim(), noteMigrationSql(migration)]),
    'SELECT public.angles_renumber();',
    'COMMIT;',
    '',
  ].join('\n');
}
