/** Index files of packs, version 2 (gitformat-pack(5)): where each object of a pack lies. */
import { createHash } from 'node:crypto';
import { damaged } from './crypto.ts';

const OID_BYTES = 20;
const HEADER_BYTES = 8 + 256 * 4;
const LARGE = 0x80000000;

/** Collects what an index says while a pack is written: 32 bytes an object. */
export type IndexBuilder = {
  readonly add: (oid: Buffer, offset: number, crc: number) => void;
  readonly count: () => number;
  readonly build: (packChecksum: Buffer) => Buffer;
};

export function createIndexBuilder(): IndexBuilder {
  let rows = Buffer.allocUnsafe(ROW_BYTES * 256);
  let count = 0;
  return {
    add: (oid, offset, crc) => {
      if ((count + 1) * ROW_BYTES > rows.length) {
        const larger = Buffer.allocUnsafe(rows.length * 2);
        rows.copy(larger);
        rows = larger;
      }
      const at = count * ROW_BYTES;
      oid.copy(rows, at, 0, OID_BYTES);
      rows.writeUInt32BE(crc >>> 0, at + OID_BYTES);
      rows.writeDoubleBE(offset, at + OID_BYTES + 4);
      count += 1;
    },
    count: () => count,
    build: (packChecksum) => buildIndex(rows, count, packChecksum),
  };
}

const ROW_BYTES = OID_BYTES + 4 + 8;

function buildIndex(rows: Buffer, count: number, packChecksum: Buffer): Buffer {
  const order = sortRows(rows, count);
  const large: number[] = [];
  const fanout = new Uint32Array(256);
  const oids = Buffer.allocUnsafe(count * OID_BYTES);
  const crcs = Buffer.allocUnsafe(count * 4);
  const offsets = Buffer.allocUnsafe(count * 4);
  order.forEach((row, index) => {
    const at = row * ROW_BYTES;
    rows.copy(oids, index * OID_BYTES, at, at + OID_BYTES);
    rows.copy(crcs, index * 4, at + OID_BYTES, at + OID_BYTES + 4);
    const offset = rows.readDoubleBE(at + OID_BYTES + 4);
    if (offset >= LARGE) large.push(offset);
    offsets.writeUInt32BE(offset < LARGE ? offset : LARGE + large.length - 1, index * 4);
    const first = rows[at] as number;
    fanout[first] = (fanout[first] ?? 0) + 1;
  });
  const head = Buffer.allocUnsafe(HEADER_BYTES);
  head.writeUInt32BE(0xff744f63, 0);
  head.writeUInt32BE(2, 4);
  let sum = 0;
  fanout.forEach((own, byte) => {
    sum += own;
    head.writeUInt32BE(sum, 8 + byte * 4);
  });
  const far = Buffer.allocUnsafe(large.length * 8);
  for (const [index, offset] of large.entries()) far.writeBigUInt64BE(BigInt(offset), index * 8);
  const body = Buffer.concat([head, oids, crcs, offsets, far, packChecksum]);
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

/** Sorts by id: by its first 48 bits as a number, which nearly always decides. */
function sortRows(rows: Buffer, count: number): number[] {
  const keys = new Float64Array(count);
  for (let row = 0; row < count; row += 1) keys[row] = rows.readUIntBE(row * ROW_BYTES, 6);
  return Array.from({ length: count }, (_, row) => row).sort(
    (a, b) =>
      (keys[a] as number) - (keys[b] as number) ||
      rows.compare(rows, b * ROW_BYTES, b * ROW_BYTES + OID_BYTES, a * ROW_BYTES, a * ROW_BYTES + OID_BYTES),
  );
}

export type PackIndex = {
  readonly count: number;
  /** Where the object begins in the pack; -1 when it is not in it. */
  readonly find: (oid: Buffer) => number;
  readonly oidAt: (position: number) => Buffer;
  readonly offsetAt: (position: number) => number;
  readonly crcAt: (position: number) => number;
  /** Ids that begin with this hexadecimal text. */
  readonly startingWith: (hex: string) => readonly Buffer[];
  readonly packChecksum: Buffer;
};

/** Throws `backup.damaged` when it is not a whole index. */
export function readPackIndex(bytes: Buffer, name: string): PackIndex {
  if (bytes.length < HEADER_BYTES + 40 || bytes.readUInt32BE(0) !== 0xff744f63 || bytes.readUInt32BE(4) !== 2) {
    throw damaged(`${name} is not the index of a pack`);
  }
  const count = bytes.readUInt32BE(8 + 255 * 4);
  const oids = HEADER_BYTES;
  const crcs = oids + count * OID_BYTES;
  const offsets = crcs + count * 4;
  const far = offsets + count * 4;
  const trailer = bytes.length - 40;
  if (far > trailer) throw damaged(`${name} is cut off`);
  if (!createHash('sha1').update(bytes.subarray(0, -20)).digest().equals(bytes.subarray(-20))) {
    throw damaged(`${name} does not match its checksum`);
  }
  const fan = (byte: number): number => (byte < 0 ? 0 : bytes.readUInt32BE(8 + byte * 4));
  const offsetAt = (position: number): number => {
    const near = bytes.readUInt32BE(offsets + position * 4);
    return near < LARGE ? near : Number(bytes.readBigUInt64BE(far + (near - LARGE) * 8));
  };
  const oidAt = (position: number): Buffer =>
    bytes.subarray(oids + position * OID_BYTES, oids + (position + 1) * OID_BYTES);
  const lowerBound = (oid: Buffer): number => {
    const first = oid[0] ?? 0;
    let from = fan(first - 1);
    let to = fan(first);
    // The first byte is that of the fan; the next six as a number nearly always decide, in a fifth of the time.
    const key = oid.readUIntBE(1, 6);
    while (from < to) {
      const middle = (from + to) >>> 1;
      const at = oids + middle * OID_BYTES;
      const there = bytes.readUIntBE(at + 1, 6);
      if (there < key || (there === key && bytes.compare(oid, 0, OID_BYTES, at, at + OID_BYTES) < 0)) from = middle + 1;
      else to = middle;
    }
    return from;
  };
  return {
    count,
    oidAt,
    offsetAt,
    crcAt: (position) => bytes.readUInt32BE(crcs + position * 4),
    find: (oid) => {
      const position = lowerBound(oid);
      return position < count && oidAt(position).equals(oid) ? offsetAt(position) : -1;
    },
    startingWith: (hex) => {
      const found: Buffer[] = [];
      const from = Buffer.from(hex.padEnd(40, '0'), 'hex');
      for (let position = lowerBound(from); position < count; position += 1) {
        const oid = oidAt(position);
        if (!oid.toString('hex').startsWith(hex)) break;
        found.push(oid);
      }
      return found;
    },
    packChecksum: bytes.subarray(trailer, trailer + 20),
  };
}
