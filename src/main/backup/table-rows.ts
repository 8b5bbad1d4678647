/** The rows of `tables/<name>.json`, one a line, so that a table of any size is read without holding it. */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { AppError } from '../../shared/errors.ts';
import type { SourceRow } from './source.ts';

const LONGEST_LINE_BYTES = 64 * 1_048_576;

/** Throws `backup.damaged` when rows, count or checksum are not what the table says of itself. */
export async function* readTableRows(bytes: Readable, table: string): AsyncGenerator<SourceRow> {
  const digest = createHash('sha256');
  let expected: { readonly record_count: number; readonly checksum: string } | null = null;
  let count = 0;
  let state: 'start' | 'metadata' | 'rows' | 'end' = 'start';
  for await (const line of lines(bytes, table)) {
    if (state === 'start' && line === '{') state = 'metadata';
    else if (state === 'metadata' && line.startsWith('"metadata": ')) expected = parseHead(line, table);
    else if (state === 'metadata' && line === '"data": [') state = 'rows';
    else if (state === 'rows' && line === ']') state = 'end';
    else if (state === 'rows') {
      const row = line.endsWith(',') ? line.slice(0, -1) : line;
      digest.update(`${row}\n`);
      count += 1;
      yield parseRow(row, table);
    } else if (!(state === 'end' && (line === '}' || line === '')))
      throw damaged(table, 'has lines that do not belong there');
  }
  if (state !== 'end' || expected === null) throw damaged(table, 'ends too early');
  if (expected.record_count !== count || expected.checksum !== digest.digest('hex'))
    throw damaged(table, 'does not match its checksum');
}

/** Reads a table to its end; how many rows it has. */
export async function readTableHead(rows: AsyncIterable<SourceRow>, _table: string): Promise<number> {
  let count = 0;
  for await (const _ of rows) count += 1;
  return count;
}

function parseHead(line: string, table: string): { record_count: number; checksum: string } {
  const value = parseJson(line.slice('"metadata": '.length).replace(/,$/, ''), table) as Record<string, unknown>;
  if (typeof value?.record_count !== 'number' || typeof value.checksum !== 'string')
    throw damaged(table, 'has no metadata');
  return { record_count: value.record_count, checksum: value.checksum };
}

function parseRow(text: string, table: string): SourceRow {
  const row = parseJson(text, table);
  if (typeof row !== 'object' || row === null || Array.isArray(row))
    throw damaged(table, 'has a row that is no object');
  return row as SourceRow;
}

function parseJson(text: string, table: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw damaged(table, 'has a line that is no JSON', cause);
  }
}

async function* lines(bytes: Readable, table: string): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of bytes as AsyncIterable<Buffer>) {
    let all = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    for (let end = all.indexOf(10); end !== -1; end = all.indexOf(10)) {
      yield all.toString('utf8', 0, end);
      all = all.subarray(end + 1);
    }
    if (all.length > LONGEST_LINE_BYTES) throw damaged(table, 'has a line that is too long');
    rest = all;
  }
  if (rest.length > 0) yield rest.toString('utf8');
}

function damaged(table: string, why: string, cause?: unknown): AppError {
  return new AppError('backup.damaged', `The table ${table} of the backup ${why}.`, { cause });
}
