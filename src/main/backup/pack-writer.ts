/** Writes a pack in one sequential pass: no loose objects, no deltas (encrypted bytes have none). */
import { createHash, hash, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { AppError } from '../../shared/errors.ts';
import { syncFolder, writeAll } from '../durable.ts';
import { damaged } from './crypto.ts';
import {
  compress,
  entryHeader,
  type ObjectType,
  objectHeader,
  PACK_HEADER_BYTES,
  packHeader,
  storeSync,
} from './pack-format.ts';
import { createIndexBuilder } from './pack-index.ts';

/** The id of an object: 20 bytes. */
export type Oid = Buffer;

export type PackWriter = {
  /** Appends an object; the caller knows that the repository does not have it. */
  readonly add: (type: ObjectType, oid: Oid, data: Buffer, how: 'store' | 'compress') => void;
  /** Appends an entry as it lies in another pack (whole, no delta). */
  readonly addRaw: (oid: Oid, entry: Buffer, crc: number) => void;
  readonly count: () => number;
  readonly sizeBytes: () => number;
  /** Whether the object was added to this pack already. */
  readonly has: (oid: Oid) => boolean;
  /** Makes the pack whole and durable under a name that nobody reads yet. */
  readonly finish: () => FinishedPack;
  /** Removes what was written. Safe to call after anything. */
  readonly abandon: () => void;
};

export type FinishedPack = {
  /** The pack while it has its temporary name. */
  readonly temporary: string;
  readonly objects: number;
  readonly sizeBytes: number;
  /** Makes it part of the repository; durable when this returns. Returns its name, `pack-<40 digits>`. */
  readonly publish: () => string;
};

const BUFFER_BYTES = 1_048_576;

/** Leftovers of a killed writer have this beginning; git itself removes such files in `git gc`, too. */
export const TEMPORARY_PREFIX = 'tmp_pack_';

export function objectId(type: ObjectType, data: Buffer): Oid {
  const header = objectHeader(type, data.length);
  if (data.length < 65_536) return hash('sha1', Buffer.concat([header, data]), 'buffer');
  return createHash('sha1').update(header).update(data).digest();
}

/** @throws `data.full` from any call; nothing of the repository has changed then */
export function createPackWriter(packFolder: string): PackWriter {
  const temporary = join(packFolder, `${TEMPORARY_PREFIX}${randomBytes(8).toString('hex')}`);
  const descriptor = inRepository(() => openSync(temporary, 'wx+', 0o444));
  const index = createIndexBuilder();
  const known = new Set<string>();
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  let filled = 0;
  let flushed = 0;
  let isOpen = true;

  const flush = (): void => {
    inRepository(() => writeAll(descriptor, buffer.subarray(0, filled)));
    flushed += filled;
    filled = 0;
  };
  const append = (bytes: Buffer): void => {
    if (filled + bytes.length > BUFFER_BYTES) flush();
    if (bytes.length > BUFFER_BYTES) {
      inRepository(() => writeAll(descriptor, bytes));
      flushed += bytes.length;
      return;
    }
    bytes.copy(buffer, filled);
    filled += bytes.length;
  };
  const close = (): void => {
    if (isOpen) closeSync(descriptor);
    isOpen = false;
  };
  append(packHeader(0));

  const addEntry = (oid: Oid, crc: number, parts: readonly Buffer[]): void => {
    index.add(oid, flushed + filled, crc);
    known.add(oid.toString('latin1'));
    for (const part of parts) append(part);
  };
  const finish = (): FinishedPack => {
    flush();
    inRepository(() => writeSync(descriptor, packHeader(index.count()), 0, PACK_HEADER_BYTES, 0));
    const checksum = hashFile(descriptor, flushed);
    inRepository(() => {
      writeSync(descriptor, checksum, 0, checksum.length, flushed);
      fsyncSync(descriptor);
    });
    close();
    const indexBytes = index.build(checksum);
    return {
      temporary,
      objects: index.count(),
      sizeBytes: flushed + checksum.length + indexBytes.length,
      publish: () => publishPack(packFolder, temporary, indexBytes, checksum),
    };
  };
  return {
    add: (type, oid, data, how) => {
      const parts = [entryHeader(type, data.length), how === 'store' ? storeSync(data) : compress(data)] as const;
      addEntry(oid, crc32(parts[1], crc32(parts[0])), parts);
    },
    addRaw: (oid, entry, crc) => addEntry(oid, crc, [entry]),
    count: index.count,
    sizeBytes: () => flushed + filled,
    has: (oid) => known.has(oid.toString('latin1')),
    finish,
    abandon: () => {
      close();
      rmSync(temporary, { force: true });
    },
  };
}

function hashFile(descriptor: number, length: number): Buffer {
  const digest = createHash('sha1');
  const piece = Buffer.allocUnsafe(BUFFER_BYTES);
  for (let at = 0; at < length; ) {
    const count = readSync(descriptor, piece, 0, Math.min(piece.length, length - at), at);
    if (count === 0) throw damaged('a pack is shorter than what was written');
    digest.update(piece.subarray(0, count));
    at += count;
  }
  return digest.digest();
}

/** The index comes last: git, and the reader here, know a pack by its index. */
export function publishPack(packFolder: string, temporary: string, indexBytes: Buffer, checksum: Buffer): string {
  const name = `pack-${checksum.toString('hex')}`;
  const temporaryIndex = join(packFolder, `tmp_idx_${randomBytes(8).toString('hex')}`);
  inRepository(() => {
    const descriptor = openSync(temporaryIndex, 'wx', 0o444);
    try {
      writeAll(descriptor, indexBytes);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, join(packFolder, `${name}.pack`));
    renameSync(temporaryIndex, join(packFolder, `${name}.idx`));
    syncFolder(packFolder);
  });
  return name;
}

/** Names a full disk; everything else passes through. */
export function inRepository<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : '';
    if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'EFBIG') throw cause;
    throw new AppError('data.full', 'No space is left for the backup; earlier backups are as they were.', {
      cause,
      retryable: true,
    });
  }
}
