import { isDeepStrictEqual } from 'node:util';
import type { Fields, FieldValue, OutgoingRecord } from '../connector.ts';
import { COLUMNS, type ColumnSpec } from './tables.ts';
import { encodeText } from './wire-text.ts';
import { timeToWire } from './wire-time.ts';

/** A row as `angles_push` takes it. */
export type WireRow = Readonly<Record<string, unknown>> & { readonly id: string };

/** How a record travels. `content_object` is set by the caller when its text lies in a bucket. */
export function toRow(record: OutgoingRecord, contentObject: string | null): WireRow {
  const row: Record<string, unknown> = {
    base_version: record.baseVersion === null ? null : Number(record.baseVersion),
  };
  for (const spec of COLUMNS[record.table]) row[spec.column] = toWire(spec, record.fields[spec.field]);
  if (record.base !== null) row.keep = keptColumns(record, record.base);
  if (record.table === 'file_snapshots') Object.assign(row, contentColumns(record, contentObject));
  return { ...row, id: record.id };
}

/**
 * What both sides agree on stays as it is over there: also a value that makes no sense, which nobody here could read
 * and which counts as agreed.
 */
function keptColumns({ table, fields }: OutgoingRecord, base: Fields): string[] {
  return COLUMNS[table]
    .filter(({ field }) => field in base && isDeepStrictEqual(base[field], fields[field] ?? null))
    .map(({ column }) => column);
}

function contentColumns({ content }: OutgoingRecord, contentObject: string | null): Record<string, unknown> {
  const isText = content?.kind === 'text';
  return {
    content: isText && contentObject === null ? encodeText(content.text) : null,
    content_object: contentObject,
    content_omitted: content?.kind === 'none' ? content.reason : null,
    redactions: isText ? content.redactions : 0,
  };
}

function toWire({ type }: ColumnSpec, value: FieldValue | undefined): unknown {
  if (value === undefined || value === null) return null;
  if (type === 'timestamp with time zone') return typeof value === 'number' ? timeToWire(value) : value;
  if (typeof value === 'string') return encodeText(value);
  return Array.isArray(value) ? value.map((each: string) => encodeText(each)) : value;
}

/** About how many bytes a row takes on the wire: cheap, and never less than half of it. */
export function sizeOfRow(row: WireRow): number {
  let bytes = 0;
  for (const [column, value] of Object.entries(row)) {
    bytes += column.length + 8;
    if (typeof value === 'string') bytes += Buffer.byteLength(value);
    else if (Array.isArray(value)) for (const each of value) bytes += Buffer.byteLength(String(each)) + 4;
  }
  return bytes;
}
