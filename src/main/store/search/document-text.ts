import { isAscii, isUtf8 } from 'node:buffer';
import { closeSync, openSync, readSync } from 'node:fs';
import { constants, zstdDecompressSync } from 'node:zlib';
import type Database from 'better-sqlite3';
import { AppError } from '../../../shared/errors.ts';
import { objectPath, readContent } from '../contents.ts';
import { toIndexed } from './fold.ts';

/** Of a longer text only these first bytes are searchable. */
export const MAX_TEXT_BYTES = 4_194_304;

const SNIFFED_BYTES = 8_192;
/** Binary formats have about ten times more; text has next to none. */
const MOST_CONTROLS = 0.01;

/**
 * The text of a content, or null when it is not text: UTF-8, UTF-16 with a byte order mark, else Windows-1252 when
 * it looks like text. A few damaged characters do not make a UTF-8 text binary. Never throws.
 */
export function decodeText(bytes: Buffer): string | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  if (looksBinary(bytes.subarray(0, SNIFFED_BYTES))) return null;
  // As a stream: a character that was cut off at the end is left out, not damage.
  const text = new TextDecoder('utf-8').decode(bytes, { stream: true });
  if (isUtf8(bytes)) return text;
  const damaged = text.match(/\ufffd/g)?.length ?? 0;
  const sound = text.match(/[^\0-\x7f\ufffd]/gu)?.length ?? 0;
  return damaged <= sound ? text : new TextDecoder('windows-1252').decode(bytes);
}

function looksBinary(start: Buffer): boolean {
  let controls = 0;
  for (const byte of start) {
    if (byte === 0) return true;
    // Tab to carriage return and escape (colours in a log) are text.
    if (byte < 32 && (byte < 9 || byte > 13) && byte !== 27) controls += 1;
  }
  return controls > start.length * MOST_CONTROLS;
}

/** What goes into the index: bytes as they are when that is the same, for most text is plain ASCII. */
export function indexableText(bytes: Buffer): string | Buffer | null {
  if (isAscii(bytes) && !bytes.subarray(0, SNIFFED_BYTES).includes(0)) return bytes;
  const text = decodeText(bytes);
  return text === null ? null : toIndexed(text);
}

/**
 * The first `maxBytes` bytes of a content. They are proven by the checksum, except for the start of a larger object
 * file: reading all of it would cost the time and memory that this saves, and nothing is kept but index entries.
 * Throws `content.missing` or `content.damaged`.
 */
export function readStart(db: Database.Database, dataFolder: string, sha256: Buffer, maxBytes: number): Buffer {
  const row = describe(db).get(sha256) as { size_bytes: number; encoding: string; stored: number } | undefined;
  if (row === undefined || row.size_bytes <= maxBytes || row.stored === 1) {
    return readContent(db, dataFolder, sha256).subarray(0, maxBytes);
  }
  const hex = sha256.toString('hex');
  const file = objectPath(dataFolder, hex);
  try {
    if (row.encoding === 'raw') return readFileStart(file, maxBytes);
    return unpackStart(file, maxBytes);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    if (code.startsWith('E') && !code.startsWith('ERR_')) {
      throw new AppError('content.missing', `The object file of content ${hex} cannot be read.`, { cause });
    }
    throw new AppError('content.damaged', `Content ${hex} cannot be unpacked.`, { cause });
  }
}

const statements = new WeakMap<Database.Database, Database.Statement>();
function describe(db: Database.Database): Database.Statement {
  let prepared = statements.get(db);
  if (prepared === undefined) {
    prepared = db.prepare(
      'SELECT size_bytes, encoding, (data IS NOT NULL OR pack IS NOT NULL) AS stored FROM contents WHERE sha256 = ?',
    );
    statements.set(db, prepared);
  }
  return prepared;
}

/** No text shrinks more than this; what does is padding, and is not worth the memory. */
const MAX_UNPACKED_BYTES = 16 * MAX_TEXT_BYTES;

/** Zstandard gives out whole blocks only; none is larger (RFC 8878, 3.1.1.2.4). */
const BLOCK_BYTES = 131_072;

function unpackStart(file: string, maxBytes: number): Buffer {
  const unpack = (packedBytes: number): Buffer =>
    zstdDecompressSync(readFileStart(file, packedBytes), {
      finishFlush: constants.ZSTD_e_flush,
      maxOutputLength: MAX_UNPACKED_BYTES,
    }).subarray(0, maxBytes);
  // Text usually shrinks to a quarter; when it shrank less, the second reading has enough.
  const usual = unpack(Math.ceil(maxBytes / 4) + BLOCK_BYTES);
  return usual.length === maxBytes ? usual : unpack(maxBytes + 2 * BLOCK_BYTES);
}

function readFileStart(file: string, bytes: number): Buffer {
  const descriptor = openSync(file, 'r');
  try {
    const start = Buffer.alloc(bytes);
    return start.subarray(0, readSync(descriptor, start, 0, bytes, 0));
  } finally {
    closeSync(descriptor);
  }
}
