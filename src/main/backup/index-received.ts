/** Makes the index of a pack that somebody sent: every object is unpacked, its id computed, every delta resolved. */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { crc32, inflateSync } from 'node:zlib';
import { damaged } from './crypto.ts';
import { OFS_DELTA, PACK_HEADER_BYTES, PACK_TRAILER_BYTES, REF_DELTA, typeName } from './pack-format.ts';
import { createIndexBuilder } from './pack-index.ts';
import { applyDelta, type EntryHeader, type GitObject, readDistance, readEntryHeader } from './pack-reader.ts';
import { objectId } from './pack-writer.ts';

type Entry = EntryHeader & { readonly offset: number; readonly end: number; readonly crc: number };
/** Unpacked bases that are kept: a chain of deltas asks for the same ones. */
const KEPT_BYTES = 64 * 1_048_576;

/**
 * The bytes of the index of a pack file. `base` finds an object that the pack takes for granted. Throws
 * `backup.damaged` for anything that is not a whole pack.
 */
export function indexReceivedPack(
  file: string,
  base: (oid: string) => GitObject | undefined,
): { readonly index: Buffer; readonly checksum: Buffer; readonly objects: number } {
  const descriptor = openSync(file, 'r');
  try {
    const sizeBytes = fstatSync(descriptor).size;
    if (sizeBytes < PACK_HEADER_BYTES + PACK_TRAILER_BYTES) throw damaged('the pack that was received is cut off');
    const checksum = checkSum(descriptor, sizeBytes);
    const head = read(descriptor, 0, PACK_HEADER_BYTES);
    if (head.toString('latin1', 0, 4) !== 'PACK' || head.readUInt32BE(4) !== 2)
      throw damaged('what was received is no pack');
    const entries = new Map<number, Entry>();
    let offset = PACK_HEADER_BYTES;
    for (let left = head.readUInt32BE(8); left > 0; left -= 1) {
      const entry = readEntry(descriptor, offset, sizeBytes).entry;
      entries.set(offset, entry);
      offset = entry.end;
    }
    if (offset !== sizeBytes - PACK_TRAILER_BYTES) throw damaged('the pack that was received is longer than it says');
    return { ...resolve(descriptor, entries, sizeBytes, checksum, base), checksum, objects: entries.size };
  } finally {
    closeSync(descriptor);
  }
}

function resolve(
  descriptor: number,
  entries: ReadonlyMap<number, Entry>,
  sizeBytes: number,
  checksum: Buffer,
  base: (oid: string) => GitObject | undefined,
): { readonly index: Buffer } {
  const builder = createIndexBuilder();
  const byOid = new Map<string, number>();
  const kept = new Map<number, GitObject>();
  let keptBytes = 0;
  const objectAt = (offset: number, depth: number): GitObject | null => {
    const known = kept.get(offset);
    if (known !== undefined) return known;
    const entry = entries.get(offset);
    if (entry === undefined || depth > 10_000) throw damaged('a delta points nowhere');
    const { data, bytes } = readEntry(descriptor, offset, sizeBytes);
    const type = typeName(entry.type);
    let object: GitObject | null;
    if (type !== undefined) object = { type, data };
    else {
      const from = deltaBase(entry, bytes, byOid, base, (at) => objectAt(at, depth + 1));
      object = from === null ? null : { type: from.type, data: applyDelta(from.data, data, 'the pack') };
    }
    if (object !== null) {
      kept.set(offset, object);
      keptBytes += object.data.length;
      for (const [oldest, { data: old }] of kept) {
        if (keptBytes <= KEPT_BYTES || oldest === offset) break;
        kept.delete(oldest);
        keptBytes -= old.length;
      }
    }
    return object;
  };
  let waiting = [...entries.keys()];
  while (waiting.length > 0) {
    // A delta may name a base by its id that comes later in the pack: once more, as long as that helps.
    const later: number[] = [];
    for (const offset of waiting) {
      const object = objectAt(offset, 0);
      if (object === null) later.push(offset);
      else {
        const oid = objectId(object.type, object.data);
        byOid.set(oid.toString('hex'), offset);
        builder.add(oid, offset, entries.get(offset)?.crc ?? 0);
      }
    }
    if (later.length === waiting.length) throw damaged('the pack needs objects that are not in it');
    waiting = later;
  }
  return { index: builder.build(checksum) };
}

function deltaBase(
  entry: Entry,
  bytes: Buffer,
  byOid: ReadonlyMap<string, number>,
  base: (oid: string) => GitObject | undefined,
  at: (offset: number) => GitObject | null,
): GitObject | null {
  if (entry.type === OFS_DELTA) return at(entry.offset - readDistance(bytes, entry.dataAt).value);
  const oid = bytes.toString('hex', entry.dataAt, entry.dataAt + 20);
  const inside = byOid.get(oid);
  return inside === undefined ? (base(oid) ?? null) : at(inside);
}

/** Unpacks one entry; where it ends only zlib can tell. */
function readEntry(
  descriptor: number,
  offset: number,
  sizeBytes: number,
): { readonly entry: Entry; readonly data: Buffer; readonly bytes: Buffer } {
  const most = sizeBytes - PACK_TRAILER_BYTES - offset;
  const head = readEntryHeader(read(descriptor, offset, Math.min(most, 64)), 'the pack');
  for (let guess = head.sizeBytes + Math.ceil(head.sizeBytes / 64) + 512; ; guess *= 2) {
    const bytes = read(descriptor, offset, Math.min(most, guess));
    let from = head.dataAt;
    if (head.type === OFS_DELTA) from = readDistance(bytes, from).end;
    else if (head.type === REF_DELTA) from += 20;
    try {
      const inflated = inflateSync(bytes.subarray(from), {
        info: true,
        maxOutputLength: Math.max(head.sizeBytes, 1),
      }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
      if (inflated.buffer.length !== head.sizeBytes) throw damaged('an object in the pack has another size');
      const end = from + inflated.engine.bytesWritten;
      const entry = { ...head, offset, end: offset + end, crc: crc32(bytes.subarray(0, end)) };
      return { entry, data: inflated.buffer, bytes };
    } catch (cause) {
      const isShort = cause instanceof Error && 'code' in cause && cause.code === 'Z_BUF_ERROR' && bytes.length < most;
      if (!isShort)
        throw cause instanceof Error && cause.name === 'AppError'
          ? cause
          : damaged('an object cannot be unpacked', cause);
    }
  }
}

function checkSum(descriptor: number, sizeBytes: number): Buffer {
  const digest = createHash('sha1');
  const end = sizeBytes - PACK_TRAILER_BYTES;
  for (let at = 0; at < end; at += 1_048_576) digest.update(read(descriptor, at, Math.min(1_048_576, end - at)));
  const checksum = digest.digest();
  if (!checksum.equals(read(descriptor, end, PACK_TRAILER_BYTES)))
    throw damaged('the pack does not match its checksum');
  return checksum;
}

function read(descriptor: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const count = readSync(descriptor, bytes, done, length - done, offset + done);
    if (count === 0) throw damaged('the pack is cut off');
    done += count;
  }
  return bytes;
}
