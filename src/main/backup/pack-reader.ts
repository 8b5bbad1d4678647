/** Reads entries of one pack, deltas included: a repository that was cloned or packed by git has them. */
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { crc32, inflateSync } from 'node:zlib';
import { damaged } from './crypto.ts';
import { type ObjectType, OFS_DELTA, PACK_TRAILER_BYTES, REF_DELTA, readStored, typeName } from './pack-format.ts';
import { type PackIndex, readPackIndex } from './pack-index.ts';

export type GitObject = { readonly type: ObjectType; readonly data: Buffer };

export type PackReader = {
  readonly name: string;
  readonly index: PackIndex;
  readonly sizeBytes: number;
  /** @param base finds the base of a delta that names it by id */
  readonly readAt: (offset: number, base: (oid: Buffer) => GitObject) => GitObject;
  /** The entry as it lies in the pack, proven by its CRC; null when it is a delta. */
  readonly rawAt: (offset: number) => Buffer | null;
  readonly close: () => void;
};

const NEAR_BYTES = 32_768;
const SEQUENTIAL_BYTES = 1_048_576;
/** Nothing that we write is larger than a chunk; whatever is would only fill the memory. */
const LARGEST_OBJECT_BYTES = 512 * 1_048_576;

/** Throws `backup.damaged` when pack and index do not fit each other. */
export function openPack(path: string, name: string): PackReader {
  const descriptor = openSync(`${path}.pack`, 'r');
  try {
    return createPackReader(descriptor, readPackIndex(readFileSync(`${path}.idx`), name), name);
  } catch (cause) {
    closeSync(descriptor);
    throw cause;
  }
}

function createPackReader(descriptor: number, index: PackIndex, name: string): PackReader {
  const sizeBytes = fstatSync(descriptor).size;
  const window = createWindow(descriptor, name);
  const head = sizeBytes < 32 ? Buffer.alloc(0) : window.read(0, 12);
  const trailer = sizeBytes < 32 ? Buffer.alloc(0) : window.read(sizeBytes - PACK_TRAILER_BYTES, PACK_TRAILER_BYTES);
  if (
    head.length === 0 ||
    head.toString('latin1', 0, 4) !== 'PACK' ||
    head.readUInt32BE(4) !== 2 ||
    head.readUInt32BE(8) !== index.count ||
    !trailer.equals(index.packChecksum)
  ) {
    throw damaged(`${name} is cut off or does not fit its index`);
  }
  let sorted: { offsets: Float64Array; positions: number[] } | null = null;
  /** Where the entry ends, and its place in the index. */
  const locate = (offset: number): { end: number; position: number } => {
    sorted ??= sortOffsets(index);
    let from = 0;
    let to = sorted.offsets.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((sorted.offsets[middle] as number) < offset) from = middle + 1;
      else to = middle;
    }
    if (sorted.offsets[from] !== offset) throw damaged(`${name} has no object at ${offset}`);
    const end = sorted.offsets[from + 1] ?? sizeBytes - PACK_TRAILER_BYTES;
    return { end, position: sorted.positions[from] as number };
  };
  /** Where an entry ends only a sorted index tells; for unpacking it is enough to have as much as it can take. */
  const entryAt = (offset: number) => {
    const most = sizeBytes - PACK_TRAILER_BYTES - offset;
    if (offset < 12 || most <= 0) throw damaged(`${name} has an index that lies`);
    const head = readEntryHeader(window.read(offset, Math.min(most, 32)), name);
    const bytes = window.read(offset, Math.min(most, 64 + longestStream(head.sizeBytes)));
    return { bytes, ...head };
  };
  const wholeEntryAt = (offset: number) => {
    const { end, position } = locate(offset);
    if (end <= offset || end > sizeBytes) throw damaged(`${name} has an index that lies`);
    const bytes = window.read(offset, end - offset);
    return { bytes, position, type: readEntryHeader(bytes, name).type };
  };
  const readAt: PackReader['readAt'] = (offset, base) => {
    const deltas: Buffer[] = [];
    let at = offset;
    for (;;) {
      const entry = entryAt(at);
      if (entry.type !== OFS_DELTA && entry.type !== REF_DELTA) {
        const type = typeName(entry.type);
        if (type === undefined) throw damaged(`${name} has an object of a type that git does not know`);
        return applyDeltas(
          { type, data: inflateEntry(entry.bytes, entry.dataAt, entry.sizeBytes, name) },
          deltas,
          name,
        );
      }
      if (deltas.length > 10_000) throw damaged(`${name} has deltas without an end`);
      if (entry.type === REF_DELTA) {
        const oid = Buffer.from(entry.bytes.subarray(entry.dataAt, entry.dataAt + 20));
        deltas.push(inflateEntry(entry.bytes, entry.dataAt + 20, entry.sizeBytes, name));
        const inside = index.find(oid);
        if (inside < 0) return applyDeltas(base(oid), deltas, name);
        at = inside;
      } else {
        const distance = readDistance(entry.bytes, entry.dataAt);
        deltas.push(inflateEntry(entry.bytes, distance.end, entry.sizeBytes, name));
        if (distance.value <= 0 || distance.value > at) throw damaged(`${name} has a delta that points nowhere`);
        at -= distance.value;
      }
    }
  };
  return {
    name,
    index,
    sizeBytes,
    readAt,
    rawAt: (offset) => {
      const entry = wholeEntryAt(offset);
      if (crc32(entry.bytes) !== index.crcAt(entry.position)) throw damaged(`${name} has a flipped bit at ${offset}`);
      return typeName(entry.type) === undefined ? null : Buffer.from(entry.bytes);
    },
    close: () => closeSync(descriptor),
  };
}

/** Of deflated data that cannot be made smaller: 5 bytes for each 16 KB at the least, as zlib's own deflateBound has it. */
function longestStream(sizeBytes: number): number {
  return sizeBytes + (sizeBytes >> 10) + 128;
}

function sortOffsets(index: PackIndex): { offsets: Float64Array; positions: number[] } {
  const raw = Float64Array.from({ length: index.count }, (_, position) => index.offsetAt(position));
  const positions = Array.from({ length: index.count }, (_, position) => position).sort(
    (a, b) => (raw[a] as number) - (raw[b] as number),
  );
  return { offsets: Float64Array.from(positions, (position) => raw[position] as number), positions };
}

/** Reads ahead when entries are read one after the other. What it gives stays as it is, and keeps what was read with it. */
function createWindow(descriptor: number, name: string): { read: (offset: number, length: number) => Buffer } {
  let buffer = Buffer.alloc(0);
  let start = 0;
  let lastEnd = 0;
  return {
    read: (offset, length) => {
      if (offset < start || offset + length > start + buffer.length) {
        const ahead = offset >= lastEnd && offset < lastEnd + NEAR_BYTES ? SEQUENTIAL_BYTES : NEAR_BYTES;
        const next = Buffer.allocUnsafe(Math.max(length, ahead));
        let count = 0;
        while (count < length) {
          const got = readSync(descriptor, next, count, next.length - count, offset + count);
          if (got === 0) throw damaged(`${name} is cut off`);
          count += got;
        }
        buffer = next.subarray(0, count);
        start = offset;
      }
      lastEnd = offset + length;
      return buffer.subarray(offset - start, offset - start + length);
    },
  };
}

export type EntryHeader = { readonly type: number; readonly sizeBytes: number; readonly dataAt: number };

export function readEntryHeader(bytes: Buffer, name: string): EntryHeader {
  const first = bytes[0] ?? 0;
  const type = (first >> 4) & 7;
  let sizeBytes = first & 15;
  let scale = 16;
  let at = 1;
  for (let byte = first; (byte & 0x80) !== 0; at += 1) {
    byte = bytes[at] ?? 0;
    sizeBytes += (byte & 0x7f) * scale;
    scale *= 128;
    if (at > 9) throw damaged(`${name} has an object without a size`);
  }
  if (sizeBytes > LARGEST_OBJECT_BYTES) throw damaged(`${name} has an object of ${sizeBytes} bytes`);
  return { type, sizeBytes, dataAt: at };
}

/** How far before an entry the base of its delta lies. */
export function readDistance(bytes: Buffer, from: number): { readonly value: number; readonly end: number } {
  let at = from;
  let byte = bytes[at] ?? 0;
  let value = byte & 0x7f;
  while ((byte & 0x80) !== 0 && at < from + 9) {
    at += 1;
    byte = bytes[at] ?? 0;
    value = (value + 1) * 128 + (byte & 0x7f);
  }
  return { value, end: at + 1 };
}

function inflateEntry(bytes: Buffer, from: number, sizeBytes: number, name: string): Buffer {
  const stream = bytes.subarray(from);
  const stored = readStored(stream, sizeBytes);
  // A view: whatever is stored like that is sealed, and opening it makes a copy.
  if (stored !== null) return stored;
  try {
    const data = inflateSync(stream, { maxOutputLength: Math.max(sizeBytes, 1) });
    if (data.length === sizeBytes) return data;
  } catch (cause) {
    throw damaged(`an object in ${name} cannot be unpacked`, cause);
  }
  throw damaged(`an object in ${name} is not as long as it says`);
}

function applyDeltas(base: GitObject, deltas: readonly Buffer[], name: string): GitObject {
  let data = base.data;
  for (const delta of deltas.toReversed()) data = applyDelta(data, delta, name);
  return { type: base.type, data };
}

/** gitformat-pack(5), "Deltified representation". */
export function applyDelta(base: Buffer, delta: Buffer, name: string): Buffer {
  let at = 0;
  const readSize = (): number => {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = delta[at] ?? 0;
      at += 1;
      value += (byte & 0x7f) * scale;
      if ((byte & 0x80) === 0) return value;
      scale *= 128;
      if (at > 10) throw damaged(`a delta in ${name} has no size`);
    }
  };
  if (readSize() !== base.length) throw damaged(`a delta in ${name} does not fit its base`);
  const sizeBytes = readSize();
  if (sizeBytes > LARGEST_OBJECT_BYTES) throw damaged(`a delta in ${name} gives ${sizeBytes} bytes`);
  const out = Buffer.alloc(sizeBytes);
  let done = 0;
  while (at < delta.length) {
    const command = delta[at] as number;
    at += 1;
    if ((command & 0x80) === 0) {
      if (command === 0 || at + command > delta.length || done + command > sizeBytes) {
        throw damaged(`a delta in ${name} is not one`);
      }
      delta.copy(out, done, at, at + command);
      at += command;
      done += command;
      continue;
    }
    let offset = 0;
    let length = 0;
    for (let bit = 0; bit < 4; bit += 1) if (command & (1 << bit)) offset += (delta[at++] ?? 0) * 256 ** bit;
    for (let bit = 0; bit < 3; bit += 1) if (command & (16 << bit)) length += (delta[at++] ?? 0) * 256 ** bit;
    if (length === 0) length = 65_536;
    if (offset + length > base.length || done + length > sizeBytes) throw damaged(`a delta in ${name} is not one`);
    base.copy(out, done, offset, offset + length);
    done += length;
  }
  if (done !== sizeBytes) throw damaged(`a delta in ${name} ends too early`);
  return out;
}
