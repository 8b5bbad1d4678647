/** The write-ahead log (`-wal`) as bytes: format in sqlite.org/fileformat2.html, section 4. */

/** A frame that is proven by its checksum: one page as a commit left it. */
export type LogFrame = { readonly index: number; readonly pageNumber: number; readonly offset: number };

export type LogContent = {
  readonly pageSize: number;
  /** Proven frames of transactions that were committed, in their order. */
  readonly frames: readonly LogFrame[];
  /** Why SQLite itself would silently lose commits of this log; null when it would read it all. */
  readonly problem: string | null;
};

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682;

/** Reads at most `length` bytes; fewer at the end of the file. */
export type ReadBytes = (offset: number, length: number) => Buffer;

/**
 * Reads a log. SQLite stops at the first frame that does not match; here each frame is judged by itself, since its
 * checksum continues the one written in the frame before. An empty log, or one that ends in an unfinished
 * transaction as a crash leaves it, is no problem.
 * @param pageSize of the vault, for a log whose own header cannot be read
 */
export function readLog(read: ReadBytes, sizeBytes: number, pageSize: number): LogContent {
  const start = read(0, HEADER_BYTES);
  const header = readHeader(start);
  const size = header?.pageSize ?? pageSize;
  const step = FRAME_HEADER_BYTES + size;
  const count = Math.max(0, Math.floor((sizeBytes - HEADER_BYTES) / step));
  const salts = header === null ? commonSalts(read, count, step) : start.toString('latin1', 16, 24);
  const orders = header === null ? [true, false] : [header.isBigEndian];
  const proven: (LogFrame & { readonly isCommit: boolean })[] = [];
  let previous = start.subarray(24, 32);
  for (let index = 0; index < count; index += 1) {
    const offset = HEADER_BYTES + index * step;
    const frame = read(offset, step);
    if (frame.length < step) break;
    const pageNumber = frame.readUInt32BE(0);
    if (pageNumber > 0 && saltsOf(frame) === salts && isProven(frame, previous, orders)) {
      proven.push({ index, pageNumber, offset: offset + FRAME_HEADER_BYTES, isCommit: frame.readUInt32BE(4) > 0 });
    }
    previous = Buffer.from(frame.subarray(16, 24));
  }
  const end = proven.findLastIndex((frame) => frame.isCommit) + 1;
  const frames = proven.slice(0, end);
  return { pageSize: size, frames, problem: describeProblem(header !== null, frames) };
}

/** Frames of an earlier round of the log stay behind its end; those of the present one are told by their salts. */
function commonSalts(read: ReadBytes, count: number, step: number): string {
  const seen = new Map<string, number>();
  for (let index = 0; index < count; index += 1) {
    const salts = saltsOf(read(HEADER_BYTES + index * step, FRAME_HEADER_BYTES));
    seen.set(salts, (seen.get(salts) ?? 0) + 1);
  }
  return [...seen].reduce((most, each) => (each[1] > most[1] ? each : most), ['', 0])[0];
}

function saltsOf(frame: Buffer): string {
  return frame.toString('latin1', 8, 16);
}

function describeProblem(hasHeader: boolean, frames: readonly LogFrame[]): string | null {
  if (frames.length === 0) return null;
  if (!hasHeader) return 'the header of the write-ahead log is damaged';
  const isWhole = frames.every((frame, position) => frame.index === position);
  return isWhole ? null : 'the write-ahead log is damaged before its end';
}

function readHeader(start: Buffer): { pageSize: number; isBigEndian: boolean } | null {
  if (start.length < HEADER_BYTES || (start.readUInt32BE(0) & ~1) >>> 0 !== MAGIC) return null;
  const isBigEndian = (start.readUInt32BE(0) & 1) === 1;
  const pageSize = start.readUInt32BE(8);
  const sum = addChecksum([0, 0], start.subarray(0, 24), isBigEndian);
  const isGood = sum[0] === start.readUInt32BE(24) && sum[1] === start.readUInt32BE(28);
  return isGood && isPageSize(pageSize) ? { pageSize, isBigEndian } : null;
}

export function isPageSize(size: number): boolean {
  return size >= 512 && size <= 65_536 && (size & (size - 1)) === 0;
}

function isProven(frame: Buffer, previous: Buffer, orders: readonly boolean[]): boolean {
  if (previous.length < 8) return false;
  const seed: Sum = [previous.readUInt32BE(0), previous.readUInt32BE(4)];
  return orders.some((isBigEndian) => {
    const head = addChecksum(seed, frame.subarray(0, 8), isBigEndian);
    const sum = addChecksum(head, frame.subarray(FRAME_HEADER_BYTES), isBigEndian);
    return sum[0] === frame.readUInt32BE(16) && sum[1] === frame.readUInt32BE(20);
  });
}

type Sum = readonly [number, number];

function addChecksum(seed: Sum, bytes: Buffer, isBigEndian: boolean): Sum {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let [first, second] = seed;
  for (let offset = 0; offset < bytes.length; offset += 8) {
    first = (first + view.getUint32(offset, !isBigEndian) + second) >>> 0;
    second = (second + view.getUint32(offset + 4, !isBigEndian) + first) >>> 0;
  }
  return [first, second];
}
