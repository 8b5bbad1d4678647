/**
 * Writes a zip as a stream, in time that grows with the number of entries and in memory that does not grow with
 * their sizes. (yazl looks at all earlier entries for each one: minutes at 100,000.) Names are UTF-8; sizes and
 * checksums of small entries stand in front of their data, those of large ones behind it.
 */
import { promisify } from 'node:util';
import { crc32, createDeflateRaw, deflateRaw } from 'node:zlib';
import { afterContent } from './collect.ts';

export type ZipInput = {
  /** Relative, with `/` between its parts. */
  readonly name: string;
  readonly mtime: Date;
  /** Permission bits. */
  readonly mode: number;
  /** Called when its turn comes, after the entry before was written to its end. null: it is left out. */
  readonly open: () => Promise<AsyncIterable<Buffer> | Iterable<Buffer> | null>;
};

export type ZipWriteOptions = {
  /** 0 (stored) to 9. */
  readonly level: number;
  /** Length of the comment, which the caller writes behind everything that comes from here. */
  readonly commentBytes: number;
  /** Sizes and positions from here on get 64 bits; for tests that have no 4 GB. */
  readonly wideFrom?: number;
};

/** Entries up to this are compressed as a whole. */
const WHOLE_BYTES = 1_048_576;
const REGULAR_FILE = 0o100000;
const FLAG_UTF8 = 0x800;
const FLAG_DESCRIPTOR = 8;
const U32 = 0xffffffff;
const U16 = 0xffff;

type Written = {
  /** As text: a short buffer would keep the 64 kB alive that Node cuts it from. */
  readonly name: string;
  readonly mtime: Date;
  readonly mode: number;
  readonly at: number;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly storedBytes: number;
  readonly sizeBytes: number;
};

const deflateWhole = promisify(deflateRaw) as (bytes: Buffer, options: { level: number }) => Promise<Buffer>;

export async function* writeZip(entries: Iterable<ZipInput>, options: ZipWriteOptions): AsyncGenerator<Buffer> {
  const wideFrom = options.wideFrom ?? U32;
  let position = 0;
  const directory: Written[] = [];
  const moved = (bytes: Buffer): Buffer => {
    position += bytes.length;
    return bytes;
  };
  for (const input of entries) {
    const pieces = await input.open();
    if (pieces === null) continue;
    const { first, rest } = await readStart(pieces);
    const common = { name: input.name, mtime: input.mtime, mode: input.mode, at: position };
    if (rest === null) {
      const packed = options.level === 0 ? first : await deflateWhole(first, { level: options.level });
      const isSmaller = packed.length < first.length;
      const written = {
        ...common,
        flags: FLAG_UTF8,
        method: isSmaller ? 8 : 0,
        crc: crc32(first),
        storedBytes: isSmaller ? packed.length : first.length,
        sizeBytes: first.length,
      };
      yield moved(localHeader(written));
      if (first.length > 0) yield moved(isSmaller ? packed : first);
      directory.push(written);
      afterContent();
      continue;
    }
    const flags = FLAG_UTF8 | FLAG_DESCRIPTOR;
    const method = options.level === 0 ? 0 : 8;
    yield moved(localHeader({ ...common, flags, method, crc: 0, storedBytes: 0, sizeBytes: 0 }));
    const counted = { crc: 0, sizeBytes: 0 };
    const dataAt = position;
    const plain = count(first, rest, counted);
    for await (const piece of method === 0 ? plain : deflated(plain, options.level)) yield moved(piece);
    const written = { ...common, flags, method, ...counted, storedBytes: position - dataAt };
    yield moved(descriptor(written, needsZip64(written, wideFrom)));
    directory.push(written);
  }
  const directoryAt = position;
  for (const written of directory) yield moved(centralHeader(written, needsZip64(written, wideFrom)));
  const isWide = directory.length >= U16 || directoryAt >= wideFrom || position - directoryAt >= wideFrom;
  yield moved(endRecords({ entries: directory.length, directoryAt, endsAt: position, isWide }, options.commentBytes));
}

/** The whole of a small entry, or its first megabyte and what follows. */
async function readStart(
  pieces: AsyncIterable<Buffer> | Iterable<Buffer>,
): Promise<{ readonly first: Buffer; readonly rest: AsyncIterator<Buffer> | Iterator<Buffer> | null }> {
  const iterator = Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]();
  const held: Buffer[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await iterator.next();
    if (done === true)
      return { first: held.length === 1 ? (held[0] ?? Buffer.alloc(0)) : Buffer.concat(held, bytes), rest: null };
    held.push(value);
    bytes += value.length;
    if (bytes > WHOLE_BYTES) return { first: Buffer.concat(held, bytes), rest: iterator };
  }
}

async function* count(
  first: Buffer,
  rest: AsyncIterator<Buffer> | Iterator<Buffer>,
  counted: { crc: number; sizeBytes: number },
): AsyncGenerator<Buffer> {
  for (let piece: Buffer | null = first; piece !== null; ) {
    counted.crc = crc32(piece, counted.crc);
    counted.sizeBytes += piece.length;
    yield piece;
    const next: IteratorResult<Buffer> = await rest.next();
    piece = next.done === true ? null : next.value;
  }
}

async function* deflated(plain: AsyncIterable<Buffer>, level: number): AsyncGenerator<Buffer> {
  const deflate = createDeflateRaw({ level, chunkSize: 262_144 });
  const fed = (async () => {
    for await (const piece of plain) {
      if (!deflate.write(piece)) await new Promise((resolve) => deflate.once('drain', resolve));
    }
    deflate.end();
  })();
  fed.catch((cause: unknown) => deflate.destroy(cause instanceof Error ? cause : new Error(String(cause))));
  yield* deflate as AsyncIterable<Buffer>;
  await fed;
}

function localHeader(entry: Written): Buffer {
  const name = Buffer.from(entry.name, 'utf8');
  const header = Buffer.alloc(30 + name.length);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  writeCommon(header, 6, entry);
  header.writeUInt16LE(name.length, 26);
  name.copy(header, 30);
  return header;
}

/** From the flags to the sizes: the same in both headers. Small entries only: large ones say zero here. */
function writeCommon(header: Buffer, at: number, entry: Written): void {
  const { time, date } = dosTime(entry.mtime);
  header.writeUInt16LE(entry.flags, at);
  header.writeUInt16LE(entry.method, at + 2);
  header.writeUInt16LE(time, at + 4);
  header.writeUInt16LE(date, at + 6);
  header.writeUInt32LE(entry.crc, at + 8);
  header.writeUInt32LE(Math.min(entry.storedBytes, U32), at + 12);
  header.writeUInt32LE(Math.min(entry.sizeBytes, U32), at + 16);
}

function needsZip64(entry: Written, wideFrom: number): boolean {
  return entry.storedBytes >= wideFrom || entry.sizeBytes >= wideFrom || entry.at >= wideFrom;
}

function descriptor(entry: Written, isWide: boolean): Buffer {
  const bytes = Buffer.alloc(isWide ? 24 : 16);
  bytes.writeUInt32LE(0x08074b50, 0);
  bytes.writeUInt32LE(entry.crc, 4);
  if (isWide) {
    bytes.writeBigUInt64LE(BigInt(entry.storedBytes), 8);
    bytes.writeBigUInt64LE(BigInt(entry.sizeBytes), 16);
  } else {
    bytes.writeUInt32LE(entry.storedBytes, 8);
    bytes.writeUInt32LE(entry.sizeBytes, 12);
  }
  return bytes;
}

function centralHeader(entry: Written, isWide: boolean): Buffer {
  const extra = Buffer.alloc(9 + (isWide ? 28 : 0));
  // Extended timestamp: DOS times know neither the zone nor odd seconds.
  extra.writeUInt16LE(0x5455, 0);
  extra.writeUInt16LE(5, 2);
  extra.writeUInt8(1, 4);
  extra.writeInt32LE(Math.max(-0x80000000, Math.min(0x7fffffff, Math.floor(entry.mtime.getTime() / 1_000))), 5);
  if (isWide) {
    extra.writeUInt16LE(1, 9);
    extra.writeUInt16LE(24, 11);
    extra.writeBigUInt64LE(BigInt(entry.sizeBytes), 13);
    extra.writeBigUInt64LE(BigInt(entry.storedBytes), 21);
    extra.writeBigUInt64LE(BigInt(entry.at), 29);
  }
  const name = Buffer.from(entry.name, 'utf8');
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  // Made on Unix, by version 6.3 of the specification.
  header.writeUInt16LE((3 << 8) | 63, 4);
  header.writeUInt16LE(isWide ? 45 : 20, 6);
  writeCommon(header, 8, isWide ? { ...entry, storedBytes: U32, sizeBytes: U32 } : entry);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt16LE(extra.length, 30);
  header.writeUInt32LE(((REGULAR_FILE | (entry.mode & 0o777)) << 16) >>> 0, 38);
  header.writeUInt32LE(isWide ? U32 : entry.at, 42);
  return Buffer.concat([header, name, extra]);
}

type Directory = {
  readonly entries: number;
  readonly directoryAt: number;
  readonly endsAt: number;
  readonly isWide: boolean;
};

/** The end of the directory, without its comment. */
function endRecords({ entries, directoryAt, endsAt, isWide }: Directory, commentBytes: number): Buffer {
  const sizeBytes = endsAt - directoryAt;
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(isWide ? U16 : entries, 8);
  end.writeUInt16LE(isWide ? U16 : entries, 10);
  end.writeUInt32LE(isWide ? U32 : sizeBytes, 12);
  end.writeUInt32LE(isWide ? U32 : directoryAt, 16);
  end.writeUInt16LE(commentBytes, 20);
  if (!isWide) return end;
  const wide = Buffer.alloc(76);
  wide.writeUInt32LE(0x06064b50, 0);
  wide.writeBigUInt64LE(44n, 4);
  wide.writeUInt16LE((3 << 8) | 63, 12);
  wide.writeUInt16LE(45, 14);
  wide.writeBigUInt64LE(BigInt(entries), 24);
  wide.writeBigUInt64LE(BigInt(entries), 32);
  wide.writeBigUInt64LE(BigInt(sizeBytes), 40);
  wide.writeBigUInt64LE(BigInt(directoryAt), 48);
  wide.writeUInt32LE(0x07064b50, 56);
  wide.writeBigUInt64LE(BigInt(endsAt), 64);
  wide.writeUInt32LE(1, 72);
  return Buffer.concat([wide, end]);
}

function dosTime(time: Date): { readonly time: number; readonly date: number } {
  const year = Math.max(1980, Math.min(2107, time.getFullYear()));
  return {
    time: (time.getHours() << 11) | (time.getMinutes() << 5) | (time.getSeconds() >> 1),
    date: ((year - 1980) << 9) | ((time.getMonth() + 1) << 5) | time.getDate(),
  };
}
