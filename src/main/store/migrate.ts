import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { AppError } from '../../shared/errors.ts';

export type Migration = { readonly number: number; readonly name: string; readonly sql: string };

/** Reads `NNNN_name.sql` files, in order. Throws when a number is missing or used twice. */
export function readMigrations(folder: string): Migration[] {
  const migrations = readdirSync(folder)
    .filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name))
    .sort()
    .map((name) => ({ number: Number(name.slice(0, 4)), name, sql: readFileSync(join(folder, name), 'utf8') }));
  migrations.forEach((migration, index) => {
    if (migration.number !== index + 1) throw new Error(`migration ${migration.name} is out of order`);
  });
  return migrations;
}

/**
 * Brings the database to the newest version, each migration in a transaction of its own.
 * Safe to repeat. Throws `data.from_future` for a version we do not know and `data.migration_failed`
 * when a migration fails, SQLite's own error when the disk does; the database is then as it was before that migration.
 */
export function migrate(database: Database.Database, migrations: readonly Migration[]): { from: number; to: number } {
  const from = database.pragma('user_version', { simple: true }) as number;
  const to = migrations.length;
  if (from > to) {
    throw new AppError('data.from_future', `The vault has version ${from}; this program knows versions up to ${to}.`);
  }
  for (const migration of migrations.slice(from)) {
    try {
      database
        .transaction(() => {
          database.exec(migration.sql);
          database.pragma(`user_version = ${migration.number}`);
        })
        .immediate();
    } catch (cause) {
      // A full or failing disk is no fault of the migration: the caller names it, and the next start goes on.
      if (cause instanceof Database.SqliteError && /^SQLITE_(FULL|IOERR)/.test(cause.code)) throw cause;
      throw new AppError('data.migration_failed', `Migration ${migration.name} failed: ${(cause as Error).message}`, {
        cause,
      });
    }
  }
  return { from, to };
}
