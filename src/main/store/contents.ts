import { hash } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { AppError } from '../../shared/errors.ts';
import { compress, type Encoding, expand } from './compress.ts';
import { translateSqliteError, VAULT_FILE } from './database.ts';
import { type PackPlace, readPacked } from './packs.ts';

/**
 * A content as it is stored: once per SHA-256. Up to 1 MiB it lies in the vault (a single save) or in a pack file (many
 * at once), above as a file of its own in `objects/`.
 */
export type StoredContent = {
  readonly sha256: Buffer;
  readonly sizeBytes: number;
  readonly encoding: Encoding;
  /** The stored bytes, when they are to lie in the vault. */
  readonly data: Buffer | null;
  /** Where they lie in a pack, or `known` when the vault refers to them already; left out for an object file. */
  readonly place?: PackPlace | 'known';
  readonly storedBytes: number;
};

/** Contents above this many bytes are stored as files. */
export const OBJECT_THRESHOLD_BYTES = 1_048_576;

/** `objects/aa/<sha256>` in the data folder. */
export function objectPath(dataFolder: string, sha256Hex: string): string {
  return join(dataFolder, 'objects', sha256Hex.slice(0, 2), sha256Hex);
}

type ContentRow = {
  size_bytes: number;
  encoding: Encoding;
  data: Buffer | null;
  pack: number | null;
  pack_offset: number | null;
};

/**
 * Reads the bytes of a version and proves them by their SHA-256.
 * Works on any connection to a vault (the search worker has a read-only one).
 * Throws `content.missing` or `content.damaged`; never returns wrong bytes.
 */
export function readContent(db: Database.Database, dataFolder: string, sha256: Buffer): Buffer {
  const hex = sha256.toString('hex');
  const row = findRow(db, sha256, hex);
  if (row === undefined) throw new AppError('content.missing', `Content ${hex} is not in the vault.`);
  const bytes = readBytes(dataFolder, row, sha256, hex);
  if (bytes.length !== row.size_bytes || !hash('sha256', bytes, 'buffer').equals(sha256)) {
    throw new AppError('content.damaged', `Content ${hex} does not match its checksum.`);
  }
  return bytes;
}

/** A content as it is stored, unproven: what it unpacks to must be held against its SHA-256. */
export type StoredBytes = {
  readonly encoding: 'raw' | 'zstd';
  readonly sizeBytes: number;
  readonly storedBytes: number;
  /** The content itself, where it had to be unpacked anyway; to be held against its SHA-256, too. */
  readonly plain?: Buffer;
  /** Up to `length` stored bytes from `offset`; fewer only at the end. */
  readonly read: (offset: number, length: number) => Buffer;
  readonly close: () => void;
};

/**
 * Gives the stored bytes without unpacking them, so that a backup need not compress again. Throws `content.missing`
 * or `content.damaged`. Close it.
 */
export function openStoredContent(db: Database.Database, dataFolder: string, sha256: Buffer): StoredBytes {
  const hex = sha256.toString('hex');
  const row = findRow(db, sha256, hex);
  if (row === undefined) throw new AppError('content.missing', `Content ${hex} is not in the vault.`);
  const { data, encoding, size_bytes: sizeBytes } = row;
  if (data !== null) {
    const read = (offset: number, length: number): Buffer => data.subarray(offset, offset + length);
    return { encoding, sizeBytes, storedBytes: data.length, read, close: () => undefined };
  }
  if (row.pack !== null && row.pack_offset !== null) {
    // It shares its compression with others there: alone it is compressed anew.
    const place = { pack: row.pack, offset: row.pack_offset };
    const plain = readPacked(dataFolder, place, sha256);
    const { encoding: own, stored } = compress(plain);
    const read = (offset: number, length: number): Buffer => stored.subarray(offset, offset + length);
    return { encoding: own, sizeBytes, storedBytes: stored.length, plain, read, close: () => undefined };
  }
  let descriptor: number;
  try {
    descriptor = openSync(objectPath(dataFolder, hex), 'r');
  } catch (cause) {
    throw new AppError('content.missing', `The object file of content ${hex} cannot be read.`, { cause });
  }
  return {
    encoding,
    sizeBytes,
    storedBytes: fstatSync(descriptor).size,
    read: (offset, length) => readAt(descriptor, offset, length),
    close: () => closeSync(descriptor),
  };
}

function readAt(descriptor: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const count = readSync(descriptor, bytes, done, length - done, offset + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

function findRow(db: Database.Database, sha256: Buffer, hex: string): ContentRow | undefined {
  try {
    return statement(db).get(sha256) as ContentRow | undefined;
  } catch (cause) {
    const translated = translateSqliteError(cause, db.name);
    if (!(translated instanceof AppError) || translated.code !== 'data.corrupt') throw translated;
    throw new AppError('content.damaged', `Content ${hex} lies in a damaged part of the vault.`, { cause });
  }
}

const statements = new WeakMap<Database.Database, Database.Statement>();
function statement(db: Database.Database): Database.Statement {
  let prepared = statements.get(db);
  if (prepared === undefined) {
    prepared = db.prepare('SELECT size_bytes, encoding, data, pack, pack_offset FROM contents WHERE sha256 = ?');
    statements.set(db, prepared);
  }
  return prepared;
}

function readBytes(dataFolder: string, row: ContentRow, sha256: Buffer, hex: string): Buffer {
  if (row.data === null && row.pack !== null && row.pack_offset !== null)
    return readPacked(dataFolder, { pack: row.pack, offset: row.pack_offset }, sha256);
  return unpack(row.data ?? readObject(dataFolder, hex), row.encoding, row.size_bytes, hex);
}

function readObject(dataFolder: string, hex: string): Buffer {
  try {
    return readFileSync(objectPath(dataFolder, hex));
  } catch (cause) {
    throw new AppError('content.missing', `The object file of content ${hex} cannot be read.`, { cause });
  }
}

function unpack(stored: Buffer, encoding: Encoding, sizeBytes: number, hex: string): Buffer {
  try {
    return expand(stored, encoding, sizeBytes);
  } catch (cause) {
    throw new AppError('content.damaged', `Content ${hex} cannot be unpacked.`, { cause });
  }
}

/** Tells which contents a vault has, over a connection of its own, in whatever thread. */
export type ContentLookup = { readonly isKnown: (sha256: Buffer) => boolean };

/** Numbers of this many contents are remembered: a few MB. */
const REMEMBERED = 200_000;

/**
 * In a vault that had no contents when this was opened, only those are looked for that this one was asked about
 * before: a first capture is spared a search for each of its files.
 */
export function openContentLookup(dataFolder: string): ContentLookup {
  const db = new Database(join(dataFolder, VAULT_FILE), { readonly: true });
  db.pragma('cache_size = -2000');
  const find = db.prepare<[Buffer], { found: number }>('SELECT 1 AS found FROM contents WHERE sha256 = ?');
  const isEmpty = db.prepare('SELECT 1 FROM contents LIMIT 1').get() === undefined;
  const asked = new Set<number>();
  const mayBeKnown = (sha256: Buffer): boolean => {
    if (!isEmpty || asked.size >= REMEMBERED) return true;
    const before = asked.size;
    asked.add(sha256.readUIntLE(0, 6));
    return asked.size === before;
  };
  return { isKnown: (sha256) => mayBeKnown(sha256) && find.get(sha256) !== undefined };
}

/** What a killed agent left half-written; the files it was read from are captured again. Throws `data.full`. */
export function clearTemporaryObjects(dataFolder: string): void {
  const folder = join(dataFolder, 'objects', 'tmp');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : '';
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw cause;
    throw new AppError('data.full', 'No space is left in the data folder.', { cause, retryable: true });
  }
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { force: true });
}
