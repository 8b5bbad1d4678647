import { z } from 'zod';
import type { FieldProblem, FieldValue, RemoteRecord, SyncTable } from '../connector.ts';
import { COLUMNS, type ColumnSpec } from './tables.ts';
import { decodeText } from './wire-text.ts';
import { timeFromWire } from './wire-time.ts';

const stamps = z.looseObject({ id: z.string(), change_seq: z.number(), synced_at: z.string().optional() });

/**
 * A row as a record, field by field: what makes no sense becomes a problem, and the rest is used. Null when it is no
 * row of ours at all (no id, no version).
 */
export function fromRow(table: SyncTable, row: unknown): RemoteRecord | null {
  const stamped = stamps.safeParse(row);
  if (!stamped.success) return null;
  const fields: Record<string, FieldValue> = {};
  const problems: FieldProblem[] = [];
  for (const spec of COLUMNS[table]) {
    const read = readField(spec, stamped.data[spec.column]);
    if ('reason' in read)
      problems.push({ field: spec.field, value: shown(stamped.data[spec.column]), reason: read.reason });
    else fields[spec.field] = read.value;
  }
  return {
    table,
    id: stamped.data.id,
    remoteId: stamped.data.id,
    fields,
    problems,
    version: String(stamped.data.change_seq),
    editedAtMs: editedAtMs(fields.updatedAtMs, stamped.data.synced_at),
  };
}

/**
 * What of the columns is not as this version knows them, in words after the name of the table: then it is the table, not
 * this row, that somebody has to mend. Null when they are as expected.
 */
export function columnDrift(table: SyncTable, row: unknown): string | null {
  if (typeof row !== 'object' || row === null) return null;
  for (const { column, type } of COLUMNS[table]) {
    const value = (row as Readonly<Record<string, unknown>>)[column];
    if (value === undefined) return `has lost its column ${column}`;
    if (value !== null && !isOf(type, value)) return `has a column ${column} that is no ${type} any more`;
  }
  return null;
}

function isOf(type: ColumnSpec['type'], value: unknown): boolean {
  switch (type) {
    case 'text[]':
      return Array.isArray(value);
    case 'bigint':
    case 'integer':
      return typeof value === 'number';
    case 'boolean':
      return typeof value === 'boolean';
    default:
      return typeof value === 'string';
  }
}

/** The time of an edit as its device says it, but never after the server had it: a clock that is ahead wins nothing. */
function editedAtMs(updatedAtMs: FieldValue | undefined, syncedAt: string | undefined): number | null {
  const syncedAtMs = syncedAt === undefined ? null : timeFromWire(syncedAt);
  if (typeof updatedAtMs !== 'number') return syncedAtMs;
  return syncedAtMs === null ? updatedAtMs : Math.min(updatedAtMs, syncedAtMs);
}

type Read = { readonly value: FieldValue } | { readonly reason: string };

function readField(spec: ColumnSpec, raw: unknown): Read {
  if (raw === undefined) return { reason: `the column ${spec.column} is missing` };
  const decoded = decode(spec, raw);
  const parsed = spec.schema.safeParse(decoded);
  if (!parsed.success) return { reason: reasonOf(parsed.error, raw) };
  return { value: parsed.data as FieldValue };
}

function decode({ type }: ColumnSpec, raw: unknown): unknown {
  if (type === 'timestamp with time zone') return typeof raw === 'string' ? (timeFromWire(raw) ?? raw) : raw;
  if (typeof raw === 'string') return decodeText(raw);
  if (type === 'text[]' && Array.isArray(raw))
    return raw.map((each: unknown) => (typeof each === 'string' ? decodeText(each) : each));
  return raw;
}

function reasonOf(error: z.ZodError, raw: unknown): string {
  if (raw === null) return 'must not be empty';
  const [issue] = error.issues;
  if (issue?.code === 'invalid_value') return `must be one of ${issue.values.join(', ')}`;
  return issue?.message ?? 'makes no sense';
}

const shown = (value: unknown): string =>
  (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).slice(0, 200);
