/** Tables as chunks of JSON lines, cut so that a changed row rewrites one chunk. */
import type { BackupIndex, IndexedChunk } from '../store/backup-index.ts';
import { type BackupSource, SOURCE_TABLES, type SourceRow, type SourceTable } from '../store/backup-source.ts';
import type { Redact } from './content-writer.ts';
import { TABLE_INDEX_FILE, type TableIndex, toJson } from './format.ts';
import type { TreeEntry } from './git-repository.ts';
import type { ObjectWriter } from './object-writer.ts';

export type WrittenTable = {
  readonly name: SourceTable;
  readonly rows: number;
  readonly index: Buffer;
  readonly tree: Buffer;
};

/** So many change numbers share a chunk. */
const CHANGES_PER_CHUNK = 4_096;
const ROWS_PER_CHUNK = 256;

/** @param since only rows changed after this are read; 0 reads all */
export function writeTable(
  parts: { readonly source: BackupSource; readonly index: BackupIndex; readonly out: ObjectWriter },
  table: SourceTable,
  since: number,
  redact: Redact | null,
): WrittenTable {
  const { source, index, out } = parts;
  const rows = source.countRows(table);
  const cut = SOURCE_TABLES[table].key === 'id' ? cutById(source, table, rows) : cutByChange(source, table);
  const known = index.chunks(table);
  const isSameCut = known.every(({ chunk }) => cut.fits(chunk));
  let changed = isSameCut ? chunksOf(cut, source.changedKeys(table, since)) : null;
  if (changed !== null && sumRows(known, changed) + countNew(cut, changed) !== rows) changed = null;
  if (changed === null) index.clearChunks(table);
  for (const chunk of changed ?? chunksOf(cut, source.changedKeys(table, 0))) {
    const lines: string[] = [];
    for (const row of cut.read(chunk)) lines.push(JSON.stringify(row));
    const text = Buffer.from(lines.map((line) => `${line}\n`).join(''), 'utf8');
    const bytes = redact === null ? text : redact(`${table}.jsonl`, text).bytes;
    const { oid, sha256 } = out.putData('rows', bytes);
    index.saveChunk(table, { chunk, rows: lines.length, oid, sha256 });
  }
  const chunks = index.chunks(table);
  const list: TableIndex = {
    table,
    chunks: chunks.map((each) => ({ chunk: each.chunk, rows: each.rows, sha256: each.sha256.toString('hex') })),
  };
  const written = out.putData('tableIndex', toJson(list));
  const tree = out.putTree([
    ...chunks.map(({ chunk, oid }): TreeEntry => ({ mode: '100644', name: chunk, oid })),
    { mode: '100644', name: TABLE_INDEX_FILE, oid: written.oid },
  ]);
  return { name: table, rows, index: written.sha256, tree };
}

type Cut = {
  readonly fits: (chunk: string) => boolean;
  readonly chunkOf: (key: string | number) => string;
  readonly read: (chunk: string) => Iterable<SourceRow>;
};

/** By the end of the id: ids are random there. The more rows, the more characters. */
function cutById(source: BackupSource, table: SourceTable, rows: number): Cut {
  const characters =
    rows <= ROWS_PER_CHUNK ? 0 : rows <= ROWS_PER_CHUNK * 16 ? 1 : rows <= ROWS_PER_CHUNK * 256 ? 2 : 3;
  const prefix = `i${characters}-`;
  return {
    fits: (chunk) => chunk.startsWith(prefix),
    chunkOf: (key) => {
      const ending = characters === 0 ? '' : [...String(key)].slice(-characters).join('');
      return prefix + Buffer.from(ending, 'utf8').toString('hex');
    },
    read: (chunk) => source.rowsEndingWith(table, Buffer.from(chunk.slice(prefix.length), 'hex').toString('utf8')),
  };
}

function cutByChange(source: BackupSource, table: SourceTable): Cut {
  return {
    fits: (chunk) => chunk.startsWith('c-'),
    chunkOf: (key) => `c-${Math.floor(Number(key) / CHANGES_PER_CHUNK)}`,
    read: (chunk) => {
      const from = Number(chunk.slice(2)) * CHANGES_PER_CHUNK;
      return source.rowsBetween(table, from, from + CHANGES_PER_CHUNK);
    },
  };
}

function chunksOf(cut: Cut, keys: readonly (string | number)[]): Set<string> {
  return new Set(keys.map(cut.chunkOf));
}

function sumRows(known: readonly IndexedChunk[], except: ReadonlySet<string>): number {
  return known.reduce((sum, each) => sum + (except.has(each.chunk) ? 0 : each.rows), 0);
}

/** Rows of the chunks that will be written: together with the others they must be all, or rows were removed. */
function countNew(cut: Cut, chunks: ReadonlySet<string>): number {
  let count = 0;
  for (const chunk of chunks) for (const _ of cut.read(chunk)) count += 1;
  return count;
}
