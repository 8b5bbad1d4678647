/**
 * Reads the structure of a zip that may come from anybody, and refuses every one that means different things to
 * different programs: twins, overlaps, gaps, headers that contradict each other, names that leave their folder,
 * links, bombs. The library parses the central directory; this checks it against the bytes.
 */
import { fstatSync, readSync } from 'node:fs';
import type { Entry, ZipFile } from 'yauzl';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { nameFromBytes } from '../path-names.ts';
import { entryNameTrouble, foldName } from './entry-names.ts';

export type ZipEntry = {
  readonly name: string;
  readonly isFolder: boolean;
  /** Position and length of its stored bytes. */
  readonly dataAt: number;
  readonly storedBytes: number;
  readonly sizeBytes: number;
  readonly crc32: number;
  readonly isDeflated: boolean;
};

export type ZipStructure = {
  /** In the order of their bytes. */
  readonly entries: readonly ZipEntry[];
  /** Where the comment begins, and what it says. */
  readonly commentAt: number;
  readonly comment: string;
};

export type ZipLimits = {
  readonly mostEntries: number;
  /** Unpacked, altogether. */
  readonly mostBytes: number;
  /** Above 1 GiB, unpacked bytes may be at most this many times the stored ones. */
  readonly mostRatio: number;
};

export const ZIP_LIMITS: ZipLimits = { mostEntries: 2_000_000, mostBytes: 16 * 2 ** 40, mostRatio: 200 };
const RATIO_MATTERS_FROM_BYTES = 2 ** 30;
/** Deflate cannot do better than this (zlib's technical details). */
const LARGEST_DEFLATE_RATIO = 1_032;

const LOCAL_HEADER_BYTES = 30;
const LOCAL_HEADER = 0x04034b50;
const DESCRIPTOR = 0x08074b50;
const FLAG_ENCRYPTED = 1;
const FLAG_DESCRIPTOR = 8;
const FLAG_PATCH = 0x20;
const FLAG_STRONG_ENCRYPTION = 0x40;
const FLAG_UTF8 = 0x800;
const FLAG_MASKED_HEADERS = 0x2000;

/**
 * @param descriptor stays open and belongs to the caller
 * Throws `backup.hostile` naming the entry, or `backup.damaged` when it is no whole zip.
 */
export async function readZipStructure(descriptor: number, limits: ZipLimits = ZIP_LIMITS): Promise<ZipStructure> {
  const sizeBytes = fstatSync(descriptor).size;
  let zip: ZipFile & { readonly readEntryCursor: unknown };
  try {
    zip = (await openDirectory(descriptor, sizeBytes)) as typeof zip;
  } catch (cause) {
    throw damaged(cause);
  }
  const commentBytes = zip.comment as unknown as Buffer;
  const commentAt = sizeBytes - commentBytes.length;
  if (zip.entryCount > limits.mostEntries)
    throw hostile(`The archive says that it has ${zip.entryCount} entries; ${limits.mostEntries} are allowed.`);
  const directoryAt = Number(zip.readEntryCursor);
  const found = await readEntries(zip);
  assertDirectoryFills(descriptor, {
    directoryAt,
    directoryEndsAt: Number(zip.readEntryCursor),
    commentAt,
    count: found.length,
  });
  const entries = found
    .sort((a, b) => a.relativeOffsetOfLocalHeader - b.relativeOffsetOfLocalHeader)
    .map((entry) => ({ entry, name: checkedName(entry) }));
  assertUnique(entries.map(({ name }) => name));
  let at = 0;
  const checked = entries.map(({ entry, name }): ZipEntry => {
    const { zipEntry, endsAt } = checkEntry(descriptor, entry, name, at, directoryAt);
    at = endsAt;
    return zipEntry;
  });
  if (at !== directoryAt) throw hostile('The archive has bytes between its entries and its directory.');
  assertNoBomb(checked, sizeBytes, limits);
  return { entries: checked, commentAt, comment: commentBytes.toString('latin1') };
}

/** Reads synchronously, a block at a time: two turns of the event loop for each of 100,000 entries take many seconds. */
async function openDirectory(descriptor: number, sizeBytes: number): Promise<ZipFile> {
  const { fromRandomAccessReader, RandomAccessReader } = await import('yauzl');
  class BlockReader extends RandomAccessReader {
    private block: Buffer = Buffer.alloc(0);
    private blockAt = 0;
    override _readStreamForRange(): never {
      throw new Error('entries are read by their positions');
    }
    override read(
      buffer: Buffer,
      offset: number,
      length: number,
      position: number,
      callback: (cause: Error | null) => void,
    ): void {
      if (position < this.blockAt || position + length > this.blockAt + this.block.length) {
        this.block = readAt(descriptor, position, Math.max(length, BLOCK_BYTES));
        this.blockAt = position;
      }
      const from = position - this.blockAt;
      const isThere = position >= 0 && from + length <= this.block.length;
      if (isThere) this.block.copy(buffer, offset, from, from + length);
      callback(isThere ? null : new Error('unexpected end of the file'));
    }
    override close(callback: (cause: Error | null) => void): void {
      callback(null);
    }
  }
  return new Promise((resolve, reject) => {
    const options = { autoClose: false, lazyEntries: true, decodeStrings: false, validateEntrySizes: true };
    fromRandomAccessReader(new BlockReader(), sizeBytes, options, (cause, zip) =>
      cause ? reject(cause) : resolve(zip),
    );
  });
}

const BLOCK_BYTES = 262_144;
/** Entries come by calls within calls: so many deep, then the stack is given back. */
const ENTRIES_A_TURN = 100;

async function readEntries(zip: ZipFile): Promise<Entry[]> {
  const entries: Entry[] = [];
  return new Promise((resolve, reject) => {
    zip.on('entry', (entry: Entry) => {
      entries.push(entry);
      if (entries.length % ENTRIES_A_TURN === 0) setImmediate(() => zip.readEntry());
      else zip.readEntry();
    });
    zip.on('end', () => resolve(entries));
    zip.on('error', (cause: Error) => reject(damaged(cause)));
    zip.readEntry();
  });
}

/** The directory ends where its end record begins, and the end record says the same as the directory. */
function assertDirectoryFills(
  descriptor: number,
  found: {
    readonly directoryAt: number;
    readonly directoryEndsAt: number;
    readonly commentAt: number;
    readonly count: number;
  },
): void {
  const endAt = found.commentAt - 22;
  const end = readAt(descriptor, endAt, 22);
  const zip64At = endAt - 20;
  const hasZip64 = zip64At >= found.directoryEndsAt && readAt(descriptor, zip64At, 4).readUInt32LE(0) === 0x07064b50;
  const recordAt = hasZip64 ? Number(readAt(descriptor, zip64At + 8, 8).readBigUInt64LE(0)) : endAt;
  const expectedEnd = hasZip64 ? recordAt + 56 : endAt;
  if (found.directoryEndsAt !== recordAt || (hasZip64 && expectedEnd !== zip64At))
    throw hostile('The archive has bytes between its directory and its end.');
  const says = hasZip64
    ? readZip64End(readAt(descriptor, recordAt, 56))
    : {
        disks: end.readUInt16LE(4) + end.readUInt16LE(6),
        countHere: end.readUInt16LE(8),
        count: end.readUInt16LE(10),
        size: end.readUInt32LE(12),
      };
  const size = found.directoryEndsAt - found.directoryAt;
  if (says.disks !== 0 || says.count !== found.count || says.countHere !== found.count || says.size !== size)
    throw hostile('The end of the archive contradicts its directory.');
}

function readZip64End(record: Buffer): { disks: number; countHere: number; count: number; size: number } {
  return {
    disks: record.readUInt32LE(16) + record.readUInt32LE(20),
    countHere: Number(record.readBigUInt64LE(24)),
    count: Number(record.readBigUInt64LE(32)),
    size: Number(record.readBigUInt64LE(40)),
  };
}

function checkedName(entry: Entry): string {
  const bytes = entry.fileNameRaw;
  const isAscii = bytes.every((byte) => byte < 0x80);
  if (!isAscii && (entry.generalPurposeBitFlag & FLAG_UTF8) === 0)
    throw trouble(entry, 'has a name that is neither ASCII nor marked as UTF-8');
  const decoded = nameFromBytes(bytes);
  if (Buffer.compare(Buffer.from(decoded, 'utf8'), bytes) !== 0)
    throw trouble(entry, 'has a name that is not valid UTF-8');
  // Info-ZIP's second name, which some programs use instead of the first.
  const second = entry.extraFields.find((field) => field.id === 0x7075)?.data;
  if (second !== undefined && !second.subarray(5).equals(bytes)) throw trouble(entry, 'has two different names');
  const isFolder = decoded.endsWith('/');
  const reason = entryNameTrouble(isFolder ? decoded.slice(0, -1) : decoded);
  if (reason !== null) throw trouble(entry, reason);
  return decoded;
}

/** No two entries may be one file anywhere, and no file may be the folder of another. */
function assertUnique(names: readonly string[]): void {
  const seen = new Set<string>();
  const folders = new Set<string>();
  for (const name of names) {
    const folded = foldName(name.endsWith('/') ? name.slice(0, -1) : name);
    if (seen.has(folded)) throw hostile(`The archive has more than one entry for ${displayPath(name)}.`);
    seen.add(folded);
    for (let slash = folded.indexOf('/'); slash !== -1; slash = folded.indexOf('/', slash + 1))
      folders.add(folded.slice(0, slash));
  }
  for (const name of names) {
    if (!name.endsWith('/') && folders.has(foldName(name)))
      throw hostile(`${displayPath(name)} is a file and a folder in the archive.`);
  }
}

function checkEntry(
  descriptor: number,
  entry: Entry,
  name: string,
  mustBeginAt: number,
  directoryAt: number,
): { readonly zipEntry: ZipEntry; readonly endsAt: number } {
  const flags = entry.generalPurposeBitFlag;
  if ((flags & (FLAG_ENCRYPTED | FLAG_STRONG_ENCRYPTION | FLAG_MASKED_HEADERS)) !== 0)
    throw trouble(entry, 'is encrypted by itself');
  if ((flags & FLAG_PATCH) !== 0) throw trouble(entry, 'is a patch of another file');
  if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8)
    throw trouble(entry, `is compressed by an unusual method (${entry.compressionMethod})`);
  const isFolder = name.endsWith('/');
  assertPlainKind(entry, isFolder);
  if (isFolder && (entry.uncompressedSize !== 0 || entry.compressedSize > 2))
    throw trouble(entry, 'is a folder with content');
  if (entry.relativeOffsetOfLocalHeader !== mustBeginAt)
    throw trouble(entry, 'does not begin where the one before ends');

  const local = readAt(descriptor, mustBeginAt, LOCAL_HEADER_BYTES);
  if (local.length < LOCAL_HEADER_BYTES || local.readUInt32LE(0) !== LOCAL_HEADER)
    throw trouble(entry, 'has no header of its own');
  const nameBytes = local.readUInt16LE(26);
  const extraBytes = local.readUInt16LE(28);
  const localName = readAt(descriptor, mustBeginAt + LOCAL_HEADER_BYTES, nameBytes);
  const contradicts =
    !localName.equals(entry.fileNameRaw) ||
    local.readUInt16LE(6) !== flags ||
    local.readUInt16LE(8) !== entry.compressionMethod;
  if (contradicts) throw trouble(entry, 'has two headers that contradict each other');
  const dataAt = mustBeginAt + LOCAL_HEADER_BYTES + nameBytes + extraBytes;
  const dataEndsAt = dataAt + entry.compressedSize;
  if (dataEndsAt > directoryAt) throw trouble(entry, 'reaches into the directory');
  const hasDescriptor = (flags & FLAG_DESCRIPTOR) !== 0;
  if (!hasDescriptor)
    checkLocalSizes(descriptor, entry, local, mustBeginAt + LOCAL_HEADER_BYTES + nameBytes, extraBytes);
  const endsAt = dataEndsAt + (hasDescriptor ? checkDescriptor(descriptor, entry, dataEndsAt, local) : 0);
  const { compressedSize: storedBytes, uncompressedSize: sizeBytes, crc32 } = entry;
  return {
    zipEntry: { name, isFolder, dataAt, storedBytes, sizeBytes, crc32, isDeflated: entry.compressionMethod === 8 },
    endsAt,
  };
}

function assertPlainKind(entry: Entry, isFolder: boolean): void {
  const madeByUnix = entry.versionMadeBy >> 8 === 3 || entry.versionMadeBy >> 8 === 19;
  const kind = (entry.externalFileAttributes >>> 16) & 0o170000;
  // Programs look at these bits whatever system they say they come from.
  if (kind === 0o120000) throw trouble(entry, 'is a link');
  if (madeByUnix && kind !== 0 && kind !== 0o100000 && kind !== 0o040000)
    throw trouble(entry, 'is neither a file nor a folder');
  if (kind === 0o040000 && !isFolder) throw trouble(entry, 'is a folder with the name of a file');
  // Info-ZIP's and PKWARE's fields for links and devices.
  if (entry.extraFields.some((field) => field.id === 0x756e || field.id === 0x000d))
    throw trouble(entry, 'may be a link or a device');
}

function checkLocalSizes(descriptor: number, entry: Entry, local: Buffer, extraAt: number, extraBytes: number): void {
  const zip64 = zip64Sizes(readAt(descriptor, extraAt, extraBytes));
  const stored = local.readUInt32LE(18) === 0xffffffff ? zip64?.stored : local.readUInt32LE(18);
  const size = local.readUInt32LE(22) === 0xffffffff ? zip64?.size : local.readUInt32LE(22);
  if (local.readUInt32LE(14) !== entry.crc32 || stored !== entry.compressedSize || size !== entry.uncompressedSize)
    throw trouble(entry, 'has two headers that contradict each other');
}

function zip64Sizes(extra: Buffer): { readonly size: number; readonly stored: number } | null {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1 || at + 20 > extra.length) continue;
    return { size: Number(extra.readBigUInt64LE(at + 4)), stored: Number(extra.readBigUInt64LE(at + 12)) };
  }
  return null;
}

/** Bytes of the descriptor behind the data, which says the same as the directory in one of its four forms. */
function checkDescriptor(descriptor: number, entry: Entry, at: number, local: Buffer): number {
  const zeroOrSame = (value: number, expected: number): boolean =>
    value === 0 || value === expected || value === 0xffffffff;
  if (
    !zeroOrSame(local.readUInt32LE(14), entry.crc32) ||
    !zeroOrSame(local.readUInt32LE(18), entry.compressedSize) ||
    !zeroOrSame(local.readUInt32LE(22), entry.uncompressedSize)
  )
    throw trouble(entry, 'has two headers that contradict each other');
  const bytes = readAt(descriptor, at, 24);
  for (const signature of [4, 0]) {
    if (signature === 4 && (bytes.length < 4 || bytes.readUInt32LE(0) !== DESCRIPTOR)) continue;
    for (const width of [4, 8]) {
      const length = signature + 4 + 2 * width;
      if (bytes.length < length || bytes.readUInt32LE(signature) !== entry.crc32) continue;
      const read = (offset: number): number =>
        width === 4 ? bytes.readUInt32LE(offset) : Number(bytes.readBigUInt64LE(offset));
      const isSame =
        read(signature + 4) === entry.compressedSize && read(signature + 4 + width) === entry.uncompressedSize;
      // A narrow form could be the beginning of a wide one: the next header tells.
      if (isSame && isBorder(descriptor, at + length)) return length;
    }
  }
  throw trouble(entry, 'has bytes behind its data that contradict its header');
}

function isBorder(descriptor: number, at: number): boolean {
  const next = readAt(descriptor, at, 4);
  return next.length === 4 && (next.readUInt32LE(0) === LOCAL_HEADER || next.readUInt32LE(0) === 0x02014b50);
}

function assertNoBomb(entries: readonly ZipEntry[], fileBytes: number, limits: ZipLimits): void {
  let total = 0;
  for (const entry of entries) {
    if (entry.isDeflated && entry.sizeBytes > entry.storedBytes * LARGEST_DEFLATE_RATIO + 64)
      throw hostile(`${displayPath(entry.name)} says that it unpacks to more than any data can.`);
    total += entry.sizeBytes;
  }
  if (total > limits.mostBytes || (total > RATIO_MATTERS_FROM_BYTES && total > fileBytes * limits.mostRatio))
    throw hostile(`The archive of ${fileBytes} bytes would unpack to ${total}.`);
}

function readAt(descriptor: number, position: number, length: number): Buffer {
  if (position < 0) return Buffer.alloc(0);
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(descriptor, bytes, 0, length, position));
}

function trouble(entry: Entry, reason: string): AppError {
  return hostile(`The entry ${displayPath(nameFromBytes(entry.fileNameRaw).slice(0, 200))} ${reason}.`);
}

function hostile(message: string): AppError {
  return new AppError('backup.hostile', message);
}

function damaged(cause: unknown): AppError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new AppError('backup.damaged', `The archive is no whole zip: ${displayPath(why.slice(0, 200))}`, { cause });
}
