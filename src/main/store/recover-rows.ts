import { hash } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import Database from 'better-sqlite3';
import type { Db } from './database.ts';
import type { SalvagedValue } from './salvage-page.ts';
import type { Shape, ShapedRow } from './salvage-shapes.ts';

/** Writes salvaged rows into the new vault, whatever the order and however often they come. */
export type RowWriter = {
  /** False when the vault cannot take the row. Of two versions the one with the newer change wins, else the later one. */
  readonly write: (row: ShapedRow) => boolean;
  /** Only where nothing is there yet: for rows that are known to be damaged in part. */
  readonly writeIfMissing: (row: ShapedRow) => boolean;
};

/** The column that says which of two versions of a row is newer. */
const NEWER_BY: Readonly<Record<string, string>> = {
  decision_vault: 'change_seq',
  memories: 'change_seq',
  files: 'change_seq',
  outbox: 'change_seq',
  links: 'acknowledged_seq',
  conflicts: 'change_seq',
};

export function createRowWriter(db: Db): RowWriter {
  const statements = new Map<string, Database.Statement<unknown[]>>();
  const run = (row: ShapedRow, conflict: (columns: readonly string[]) => string): boolean => {
    const columns = row.shape.columns.slice(0, row.values.length).map((column) => column.name);
    const sql = `INSERT INTO ${row.shape.table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
      ON CONFLICT ${conflict(columns)}`;
    const statement = statements.get(sql) ?? db.prepare<unknown[]>(sql);
    statements.set(sql, statement);
    return tryRun(statement, row.values);
  };
  return {
    write: (row) => run(row, (columns) => replaceOlder(row.shape, columns)),
    writeIfMissing: (row) => run(row, () => 'DO NOTHING'),
  };
}

function replaceOlder({ table, key }: Shape, columns: readonly string[]): string {
  const newer = NEWER_BY[table];
  const set = columns.filter((name) => !key.includes(name)).map((name) => `${name} = excluded.${name}`);
  const where = newer === undefined ? '' : ` WHERE excluded.${newer} >= ${newer}`;
  return `(${key.join(', ')}) DO UPDATE SET ${set.join(', ')}${where}`;
}

function tryRun(statement: Database.Statement<unknown[]>, values: readonly unknown[]): boolean {
  try {
    statement.run(...values);
    return true;
  } catch (cause) {
    if (cause instanceof Database.SqliteError && /^SQLITE_(CONSTRAINT|MISMATCH)/.test(cause.code)) return false;
    throw cause;
  }
}

/**
 * A row of `contents` as it is proven to be: under the SHA-256 of its bytes, whatever the row says.
 * Null when the bytes cannot be unpacked; `isAsNamed` is false when the row names another content.
 */
export function proveContent(row: ShapedRow): { readonly row: ShapedRow; readonly isAsNamed: boolean } | null {
  const [, named, , , encoding, data] = row.values;
  if (!Buffer.isBuffer(data) || !Buffer.isBuffer(named)) return null;
  const bytes = unpack(data, encoding);
  if (bytes === null) return null;
  const sha256 = hash('sha256', bytes, 'buffer');
  // Nothing refers to the number of a content: it gets a new one, so that a damaged number takes nobody's place.
  const values: SalvagedValue[] = [null, sha256, bytes.length, data.length, encoding ?? null, data];
  return { row: { shape: row.shape, values }, isAsNamed: sha256.equals(named) };
}

/** Null when it is no zstd frame (or, for any other encoding, not ours). */
export function unpack(data: Buffer, encoding: SalvagedValue | undefined): Buffer | null {
  if (encoding === 'raw') return data;
  if (encoding !== 'zstd') return null;
  try {
    return zstdDecompressSync(data);
  } catch {
    return null;
  }
}
