import { z } from 'zod';
import type { SyncTable } from '../connector.ts';

const number = z.number().int().nonnegative();
/** Transaction and number of the last row, then of the last deletion. */
const position = z.tuple([number, number, number, number]);
const cursorSchema = z.record(z.string(), position);
export type Position = z.infer<typeof position>;
export type Cursor = Readonly<Record<string, Position>>;

const START: Position = [0, 0, 0, 0];

/**
 * Where each table stands. What cannot be read starts anew: rows are given again, none is left out. A table that the
 * cursor does not know (it is synced only since) starts at its beginning.
 */
export function readCursor(text: string | null, tables: readonly SyncTable[]): Cursor {
  let value: unknown = {};
  try {
    value = JSON.parse(text ?? '{}');
  } catch {
    // A cursor of another form: from the start.
  }
  const known = cursorSchema.safeParse(value);
  return Object.fromEntries(tables.map((table) => [table, (known.success ? known.data[table] : undefined) ?? START]));
}

export function writeCursor(cursor: Cursor): string {
  return JSON.stringify(cursor);
}
