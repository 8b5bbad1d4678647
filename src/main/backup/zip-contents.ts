/** Bytes of the entries of a zip whose structure was proven. Nothing is unpacked beyond what an entry says. */
import { createHash, hash } from 'node:crypto';
import { readSync } from 'node:fs';
import { Readable } from 'node:stream';
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { afterContent } from './collect.ts';
import type { ZipEntry } from './zip-structure.ts';

const CHUNK_BYTES = 1_048_576;

export type Proof = { readonly sha256: string; readonly sizeBytes: number };

/**
 * The whole bytes of an entry; for those that fit into memory.
 * Throws `backup.damaged` unless they have the size and the checksum that the entry says, and those of `proof`.
 */
export function readZipEntry(descriptor: number, entry: ZipEntry, proof: Proof | null): Buffer {
  afterContent();
  const stored = readRange(descriptor, entry.dataAt, entry.storedBytes, entry);
  let bytes = stored;
  if (entry.isDeflated) {
    try {
      const inflated = inflateRawSync(stored, {
        maxOutputLength: Math.max(1, entry.sizeBytes),
        info: true,
      }) as unknown as {
        buffer: Buffer;
        engine: { bytesWritten: number };
      };
      // What stands behind the end of the compressed data would be another content to another program.
      if (inflated.engine.bytesWritten !== stored.length) throw damaged(entry, 'has bytes behind its end');
      bytes = inflated.buffer;
    } catch (cause) {
      throw cause instanceof AppError ? cause : damaged(entry, 'cannot be unpacked', cause);
    }
  }
  if (bytes.length !== entry.sizeBytes) throw damaged(entry, 'has another size than it says');
  if (crc32(bytes) !== entry.crc32) throw damaged(entry, 'does not match its checksum');
  if (proof !== null && (proof.sizeBytes !== bytes.length || hash('sha256', bytes, 'hex') !== proof.sha256))
    throw damaged(entry, 'does not match its SHA-256');
  return bytes;
}

/** The same for an entry of any size, in pieces; it fails before its end. */
export function streamZipEntry(descriptor: number, entry: ZipEntry, proof: Proof | null): Readable {
  const output = Readable.from(pieces(descriptor, entry, proof));
  return output;
}

async function* pieces(descriptor: number, entry: ZipEntry, proof: Proof | null): AsyncGenerator<Buffer> {
  const digest = createHash('sha256');
  let length = 0;
  let crc = 0;
  for await (const piece of entry.isDeflated ? inflated(descriptor, entry) : stored(descriptor, entry)) {
    length += piece.length;
    if (length > entry.sizeBytes) throw damaged(entry, 'has more bytes than it says');
    crc = crc32(piece, crc);
    digest.update(piece);
    yield piece;
  }
  if (length !== entry.sizeBytes || crc !== entry.crc32) throw damaged(entry, 'does not match its checksum');
  if (proof !== null && (proof.sizeBytes !== length || digest.digest('hex') !== proof.sha256))
    throw damaged(entry, 'does not match its SHA-256');
}

function* stored(descriptor: number, entry: ZipEntry): Generator<Buffer> {
  for (let done = 0; done < entry.storedBytes; done += CHUNK_BYTES)
    yield readRange(descriptor, entry.dataAt + done, Math.min(CHUNK_BYTES, entry.storedBytes - done), entry);
}

async function* inflated(descriptor: number, entry: ZipEntry): AsyncGenerator<Buffer> {
  const inflate = createInflateRaw({ chunkSize: 262_144 });
  const source = Readable.from(stored(descriptor, entry), { objectMode: false });
  source.on('error', (cause) => inflate.destroy(cause));
  source.pipe(inflate);
  try {
    yield* inflate as AsyncIterable<Buffer>;
  } catch (cause) {
    throw cause instanceof AppError ? cause : damaged(entry, 'cannot be unpacked', cause);
  } finally {
    source.destroy();
  }
  if (inflate.bytesWritten !== entry.storedBytes) throw damaged(entry, 'has bytes behind its end');
}

function readRange(descriptor: number, position: number, length: number, entry: ZipEntry): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let done = 0; done < length; ) {
    const count = readSync(descriptor, bytes, done, length - done, position + done);
    if (count === 0) throw damaged(entry, 'ends too early');
    done += count;
  }
  return bytes;
}

function damaged(entry: ZipEntry, what: string, cause?: unknown): AppError {
  return new AppError('backup.damaged', `The entry ${displayPath(entry.name)} ${what}.`, { cause });
}
