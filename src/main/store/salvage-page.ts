/**
 * Reads the rows out of single pages of a SQLite file (format: sqlite.org/fileformat2.html, sections 1.5 to 2.1),
 * without the tree above them and without SQLite: one bad page, or one bad cell, never hides another.
 */

export type SalvagedValue = null | number | bigint | string | Buffer;

/** A row as it lies in a leaf of a table (`rowid` set) or in an index or a table without rowids (`rowid` null). */
export type SalvagedRow = {
  readonly rowid: number | null;
  readonly values: readonly SalvagedValue[];
  /** A text is not valid UTF-8: what the vault wrote always was, so something in it was changed. */
  readonly isSuspect: boolean;
};

export type PageContent = {
  readonly rows: readonly SalvagedRow[];
  /** Cells that could not be read. */
  readonly brokenCells: number;
  /** Pages that hold the ends of rows of this one. */
  readonly overflow: readonly number[];
};

/** Gives a page by its number (from 1), or null when it is not there. */
export type ReadPage = (pageNumber: number) => Buffer | null;

const TABLE_LEAF = 0x0d;
const INDEX_LEAF = 0x0a;
const TABLE_INTERIOR = 0x05;
const INDEX_INTERIOR = 0x02;
/** The file's own header lies before the header of page 1. */
const FILE_HEADER_BYTES = 100;
const MAX_COLUMNS = 100;

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What a page holds; null when it is no page of a tree. */
export function readPageContent(page: Buffer, pageNumber: number, readPage: ReadPage): PageContent | null {
  const start = pageNumber === 1 ? FILE_HEADER_BYTES : 0;
  const type = page[start] ?? 0;
  if (type === TABLE_INTERIOR) return isPlausibleInterior(page, start) ? NOTHING : null;
  if (type !== TABLE_LEAF && type !== INDEX_LEAF && type !== INDEX_INTERIOR) return null;
  const header = type === INDEX_INTERIOR ? 12 : 8;
  const cellCount = page.readUInt16BE(start + 3);
  const pointers = start + header;
  if (pointers + 2 * cellCount > page.length) return null;
  const rows: SalvagedRow[] = [];
  const overflow: number[] = [];
  let brokenCells = 0;
  for (let index = 0; index < cellCount; index += 1) {
    const offset = page.readUInt16BE(pointers + 2 * index);
    const row = offset < pointers + 2 * cellCount ? null : readCell(page, offset, type, readPage, overflow);
    if (row === null) brokenCells += 1;
    else rows.push(row);
  }
  return { rows, brokenCells, overflow };
}

const NOTHING: PageContent = { rows: [], brokenCells: 0, overflow: [] };

function isPlausibleInterior(page: Buffer, start: number): boolean {
  return start + 12 + 2 * page.readUInt16BE(start + 3) <= page.length;
}

function readCell(page: Buffer, offset: number, type: number, readPage: ReadPage, overflow: number[]) {
  const at: Cursor = { bytes: page, offset: type === INDEX_INTERIOR ? offset + 4 : offset };
  const size = readVarint(at);
  const rowid = type === TABLE_LEAF ? readVarint(at) : null;
  if (size === null || size < 2 || (type === TABLE_LEAF && rowid === null)) return null;
  const payload = readPayload(at, size, type === TABLE_LEAF, readPage, overflow);
  return payload === null ? null : readRecord(payload, rowid);
}

type Cursor = { readonly bytes: Buffer; offset: number };

/** Up to nine bytes, big-endian, seven bits each; null beyond what a number can hold exactly, or past the end. */
function readVarint(at: Cursor): number | null {
  let value = 0;
  for (let index = 0; index < 9; index += 1) {
    const byte = at.bytes[at.offset];
    if (byte === undefined) return null;
    at.offset += 1;
    value = index === 8 ? value * 256 + byte : value * 128 + (byte & 0x7f);
    if (value > Number.MAX_SAFE_INTEGER) return null;
    if (byte < 0x80) break;
  }
  return value;
}

function readPayload(at: Cursor, size: number, isTable: boolean, readPage: ReadPage, overflow: number[]) {
  const usable = at.bytes.length;
  const most = isTable ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23;
  if (size <= most) return at.offset + size <= usable ? at.bytes.subarray(at.offset, at.offset + size) : null;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const fitting = least + ((size - least) % (usable - 4));
  const local = fitting <= most ? fitting : least;
  if (at.offset + local + 4 > usable) return null;
  const parts = [at.bytes.subarray(at.offset, at.offset + local)];
  const seen = new Set<number>();
  let next = at.bytes.readUInt32BE(at.offset + local);
  for (let missing = size - local; missing > 0; missing -= usable - 4) {
    // A damaged chain may lead back into itself.
    const page = next === 0 || seen.has(next) ? null : readPage(next);
    if (page === null || page.length !== usable) return null;
    seen.add(next);
    overflow.push(next);
    parts.push(page.subarray(4, 4 + Math.min(missing, usable - 4)));
    next = page.readUInt32BE(0);
  }
  return Buffer.concat(parts, size);
}

function readRecord(payload: Buffer, rowid: number | null): SalvagedRow | null {
  const at: Cursor = { bytes: payload, offset: 0 };
  const headerEnd = readVarint(at);
  if (headerEnd === null || headerEnd > payload.length) return null;
  const types: number[] = [];
  while (at.offset < headerEnd) {
    const type = readVarint(at);
    if (type === null || types.length === MAX_COLUMNS) return null;
    types.push(type);
  }
  if (at.offset !== headerEnd) return null;
  const values: SalvagedValue[] = [];
  let isSuspect = false;
  for (const type of types) {
    const size = sizeOf(type);
    if (size === null || at.offset + size > payload.length) return null;
    const bytes = payload.subarray(at.offset, at.offset + size);
    at.offset += size;
    const value = decode(type, bytes);
    if (value === undefined) {
      isSuspect = true;
      values.push(bytes.toString('utf8'));
    } else values.push(value);
  }
  return at.offset === payload.length ? { rowid, values, isSuspect } : null;
}

const FIXED_SIZES = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0] as const;

function sizeOf(type: number): number | null {
  if (type >= 12) return Math.floor((type - 12) / 2);
  return FIXED_SIZES[type] ?? null;
}

/** Undefined for text that is not valid UTF-8. */
function decode(type: number, bytes: Buffer): SalvagedValue | undefined {
  if (type === 0) return null;
  if (type === 8) return 0;
  if (type === 9) return 1;
  if (type === 7) return bytes.readDoubleBE(0);
  if (type === 6) {
    const value = bytes.readBigInt64BE(0);
    return BigInt.asIntN(54, value) === value ? Number(value) : value;
  }
  if (type < 6) return bytes.readIntBE(0, bytes.length);
  if (type % 2 === 0) return bytes;
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}
