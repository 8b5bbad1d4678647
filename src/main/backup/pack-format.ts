/** The pieces of git's pack format (gitformat-pack(5)) that reading and writing share. */
import { deflateSync } from 'node:zlib';

export const OBJECT_TYPES = { commit: 1, tree: 2, blob: 3, tag: 4 } as const;
export type ObjectType = keyof typeof OBJECT_TYPES;
export const OFS_DELTA = 6;
export const REF_DELTA = 7;

export const PACK_HEADER_BYTES = 12;
export const PACK_TRAILER_BYTES = 20;

export function typeName(number: number): ObjectType | undefined {
  return number === 1 ? 'commit' : number === 2 ? 'tree' : number === 3 ? 'blob' : number === 4 ? 'tag' : undefined;
}

export function packHeader(objects: number): Buffer {
  const header = Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1');
  header.writeUInt32BE(objects, 8);
  return header;
}

/** Type and size before the data of an entry. */
export function entryHeader(type: ObjectType, sizeBytes: number): Buffer {
  const bytes: number[] = [];
  let rest = sizeBytes;
  let byte = (OBJECT_TYPES[type] << 4) | (rest % 16);
  rest = Math.floor(rest / 16);
  while (rest > 0) {
    bytes.push(byte | 0x80);
    byte = rest % 128;
    rest = Math.floor(rest / 128);
  }
  bytes.push(byte);
  return Buffer.from(bytes);
}

/** What an object's id is taken over: `blob 12\0` and the data. */
export function objectHeader(type: ObjectType, sizeBytes: number): Buffer {
  return Buffer.from(`${type} ${sizeBytes}\0`, 'latin1');
}

const STORED_BLOCK_BYTES = 65_535;

/** How many bytes {@link storeSync} gives. */
export function storedLength(sizeBytes: number): number {
  return 2 + 5 * Math.max(1, Math.ceil(sizeBytes / STORED_BLOCK_BYTES)) + sizeBytes + 4;
}

/**
 * A zlib stream (RFC 1950) of stored blocks. What is encrypted cannot be made smaller, and zlib itself takes four
 * times as long for this with small objects (measured).
 */
export function storeSync(data: Buffer): Buffer {
  const out = Buffer.allocUnsafe(storedLength(data.length));
  out[0] = 0x78;
  out[1] = 0x01;
  let at = 2;
  let from = 0;
  do {
    const length = Math.min(STORED_BLOCK_BYTES, data.length - from);
    out[at] = from + length === data.length ? 1 : 0;
    out.writeUInt16LE(length, at + 1);
    out.writeUInt16LE(length ^ 0xffff, at + 3);
    data.copy(out, at + 5, from, from + length);
    at += 5 + length;
    from += length;
  } while (from < data.length);
  out.writeUInt32BE(adler32(data), at);
  return out;
}

/**
 * The data of a zlib stream that {@link storeSync} wrote, or null when it is another one. Its checksum is not looked at:
 * whoever reads an object compares its id, which proves more.
 */
export function readStored(stream: Buffer, sizeBytes: number): Buffer | null {
  if (stream[0] !== 0x78 || stream[1] !== 0x01 || stream.length < storedLength(sizeBytes)) return null;
  const blocks = Math.max(1, Math.ceil(sizeBytes / STORED_BLOCK_BYTES));
  const data = blocks === 1 ? stream.subarray(7, 7 + sizeBytes) : Buffer.allocUnsafe(sizeBytes);
  let at = 2;
  let done = 0;
  for (let block = 0; block < blocks; block += 1) {
    const length = Math.min(STORED_BLOCK_BYTES, sizeBytes - done);
    const isLast = block === blocks - 1;
    if (stream[at] !== (isLast ? 1 : 0) || stream.readUInt16LE(at + 1) !== length) return null;
    if (stream.readUInt16LE(at + 3) !== (length ^ 0xffff)) return null;
    if (blocks > 1) stream.copy(data, done, at + 5, at + 5 + length);
    at += 5 + length;
    done += length;
  }
  return data;
}

/** For a content of known size: one piece of memory instead of several that are joined takes half the time (measured). */
export function unpackOptions(sizeBytes: number): { readonly maxOutputLength: number; readonly chunkSize: number } {
  return { maxOutputLength: Math.max(sizeBytes, 1), chunkSize: Math.max(sizeBytes + 1, 64) };
}

export function compress(data: Buffer): Buffer {
  return deflateSync(data, { level: 6 });
}

/** RFC 1950; the sums fit 32 bits for 5,552 bytes between two divisions. */
export function adler32(data: Buffer): number {
  let a = 1;
  let b = 0;
  for (let from = 0; from < data.length; ) {
    const end = Math.min(from + 5_552, data.length);
    for (; from < end; from += 1) {
      a += data[from] as number;
      b += a;
    }
    a %= 65_521;
    b %= 65_521;
  }
  return b * 65_536 + a;
}
