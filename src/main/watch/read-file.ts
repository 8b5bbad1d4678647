import { createHash, hash, randomBytes } from 'node:crypto';
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readlinkSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { createZstdCompress } from 'node:zlib';
import { AppError } from '../../shared/errors.ts';
import type { SkipReason } from '../../shared/model.ts';
import { syncFolder, writeAll } from '../durable.ts';
import { fsPath } from '../path-names.ts';
import type { FileStat } from '../store/captures.ts';
import { compress, ZSTD } from '../store/compress.ts';
import { OBJECT_THRESHOLD_BYTES, objectPath, type StoredContent } from '../store/contents.ts';
import { inObjectStore } from '../store/object-errors.ts';

export type ReadResult =
  | { readonly kind: 'content'; readonly stat: FileStat; readonly content: StoredContent }
  /** It is not there any more. */
  | { readonly kind: 'gone' }
  /** It changed while it was read: try again after another quiet time. */
  | { readonly kind: 'busy' }
  | { readonly kind: 'skipped'; readonly reason: SkipReason; readonly stat: FileStat };

export type ReadOptions = {
  /** Absolute path, in our names. */
  readonly path: string;
  readonly maxBytes: number;
  readonly dataFolder: string;
  /** Where contents up to 1 MiB are put; into the vault when it is left out. */
  readonly keep?: (bytes: Buffer) => StoredContent;
};

const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const CHUNK_BYTES = 1_048_576;
const scratch = Buffer.allocUnsafeSlow(OBJECT_THRESHOLD_BYTES + 1);

/**
 * Reads one version of a file, whole or not at all: the file must be the same before and after.
 * Never follows a link, never waits on a pipe, never opens a device. Contents above 1 MiB are durable as an
 * object file when this resolves. Safe to repeat. Throws `data.full` when the object cannot be written.
 */
export async function readVersion(options: ReadOptions): Promise<ReadResult> {
  const small = readSmall(options);
  return small === 'large' ? readLarge(options) : small;
}

/** Like {@link readVersion} for files up to 1 MiB, without a turn of the event loop; `large` for others. */
export function readSmall(options: ReadOptions): ReadResult | 'large' {
  return withFile(options, (descriptor, before) => {
    if (before.size > OBJECT_THRESHOLD_BYTES) return 'large';
    let length = 0;
    for (;;) {
      const count = readSync(descriptor, scratch, length, scratch.length - length, null);
      length += count;
      // No look behind its end: the sizes before and after tell whether it grew.
      if (count === 0 || BigInt(length) >= before.size) break;
    }
    if (!isSame(before, fstatSync(descriptor, { bigint: true })) || BigInt(length) !== before.size)
      return { kind: 'busy' };
    return {
      kind: 'content',
      stat: toFileStat(before),
      content: (options.keep ?? keepInVault)(scratch.subarray(0, length)),
    };
  });
}

/** The parts of a stat that tell whether a file changed. Microseconds, so that they fit a JavaScript integer. */
export function toFileStat(stats: BigIntStats): FileStat {
  return {
    sizeBytes: Number(stats.size),
    mtimeUs: Number(stats.mtimeNs / 1_000n),
    ctimeUs: Number(stats.ctimeNs / 1_000n),
    inode: Number(BigInt.asUintN(53, stats.ino)),
    mode: Number(stats.mode),
  };
}

/** Whether nothing was written, replaced or renamed between two looks (the mode says nothing about that). */
export function isSameVersion(a: FileStat, b: FileStat): boolean {
  return a.sizeBytes === b.sizeBytes && a.mtimeUs === b.mtimeUs && a.ctimeUs === b.ctimeUs && a.inode === b.inode;
}

/** Nothing of `bytes` itself is kept in the result. */
function keepInVault(bytes: Buffer): StoredContent {
  const sha256 = hash('sha256', bytes, 'buffer');
  const { encoding, stored } = compress(bytes);
  const data = encoding === 'raw' ? Buffer.from(stored) : stored;
  return { sha256, sizeBytes: bytes.length, encoding, data, storedBytes: data.length };
}

async function readLarge(options: ReadOptions): Promise<ReadResult> {
  let descriptor: number;
  try {
    descriptor = openSync(fsPath(options.path), OPEN_FLAGS);
  } catch (cause) {
    return explainFailure(cause);
  }
  const temporary = join(options.dataFolder, 'objects', 'tmp', randomBytes(12).toString('hex'));
  try {
    const before = fstatSync(descriptor, { bigint: true });
    const written = await compressTo(temporary, descriptor);
    if (!isSame(before, fstatSync(descriptor, { bigint: true })) || BigInt(written.sizeBytes) !== before.size)
      return { kind: 'busy' };
    publish(temporary, objectPath(options.dataFolder, written.sha256.toString('hex')));
    return { kind: 'content', stat: toFileStat(before), content: { ...written, encoding: 'zstd', data: null } };
  } catch (cause) {
    return explainFailure(cause);
  } finally {
    rmSync(temporary, { force: true });
    closeSync(descriptor);
  }
}

/** Streams a file through SHA-256 and zstd into a temporary file that is on the disk when this resolves. */
async function compressTo(
  temporary: string,
  descriptor: number,
): Promise<{ sha256: Buffer; sizeBytes: number; storedBytes: number }> {
  const output = inObjectStore(() => {
    mkdirSync(dirname(temporary), { recursive: true, mode: 0o700 });
    return openSync(temporary, 'wx', 0o600);
  });
  const digest = createHash('sha256');
  let sizeBytes = 0;
  let storedBytes = 0;
  try {
    const compressor = createZstdCompress(ZSTD);
    const drained = (async () => {
      for await (const piece of compressor) {
        inObjectStore(() => writeAll(output, piece as Buffer));
        storedBytes += (piece as Buffer).length;
      }
    })();
    drained.catch(() => compressor.destroy());
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const count = readSync(descriptor, chunk, 0, chunk.length, null);
      if (count === 0) break;
      const piece = chunk.subarray(0, count);
      digest.update(piece);
      sizeBytes += count;
      if (!compressor.write(piece))
        await Promise.race([drained, new Promise((resolve) => compressor.once('drain', resolve))]);
    }
    compressor.end();
    await drained;
    inObjectStore(() => fsyncSync(output));
    return { sha256: digest.digest(), sizeBytes, storedBytes };
  } finally {
    closeSync(output);
  }
}

/** Moves a finished object to its place, durable with its folder entry. The same content twice is one object. */
function publish(temporary: string, target: string): void {
  inObjectStore(() => {
    const folder = dirname(target);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    renameSync(temporary, target);
    syncFolder(folder);
    syncFolder(dirname(folder));
  });
}

function withFile<T>(
  options: ReadOptions,
  work: (descriptor: number, stats: BigIntStats) => T | ReadResult,
): T | ReadResult {
  let descriptor: number;
  try {
    descriptor = openSync(fsPath(options.path), OPEN_FLAGS);
  } catch (cause) {
    return explainOpen(cause, options.path);
  }
  try {
    const stats = fstatSync(descriptor, { bigint: true });
    if (!stats.isFile()) return { kind: 'skipped', reason: 'file.special', stat: toFileStat(stats) };
    if (!isWhereItSeems(descriptor, options.path)) return { kind: 'busy' };
    if (stats.size > BigInt(options.maxBytes))
      return { kind: 'skipped', reason: 'file.too_large', stat: toFileStat(stats) };
    return work(descriptor, stats);
  } catch (cause) {
    return explainFailure(cause);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * O_NOFOLLOW guards the last part of a path only: a folder above may have become a link in the meantime.
 * On Linux the kernel says what was really opened; a link or a move shows there.
 */
function isWhereItSeems(descriptor: number, path: string): boolean {
  if (process.platform !== 'linux') return true;
  const opened = readlinkSync(`/proc/self/fd/${descriptor}`, { encoding: 'buffer' });
  const expected = fsPath(path);
  return opened.equals(typeof expected === 'string' ? Buffer.from(expected) : expected);
}

function isSame(before: BigIntStats, after: BigIntStats): boolean {
  return before.size === after.size && before.mtimeNs === after.mtimeNs && before.ctimeNs === after.ctimeNs;
}

function explainOpen(cause: unknown, path: string): ReadResult {
  const code = errorCode(cause);
  if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'gone' };
  if (code === 'EMFILE' || code === 'ENFILE' || code === 'EBUSY' || code === 'ETXTBSY' || code === 'EAGAIN')
    return { kind: 'busy' };
  const stat = statOrEmpty(path);
  if (code === 'ELOOP') return { kind: 'skipped', reason: 'file.symlink', stat };
  // ENXIO: a socket, or a pipe without a reader; ENODEV: a device without a driver.
  if (code === 'ENXIO' || code === 'ENODEV' || code === 'EOPNOTSUPP')
    return { kind: 'skipped', reason: 'file.special', stat };
  if (code === 'EACCES' || code === 'EPERM') return { kind: 'skipped', reason: 'file.unreadable', stat };
  return { kind: 'skipped', reason: 'file.io_error', stat };
}

function explainFailure(cause: unknown): ReadResult {
  if (cause instanceof AppError) throw cause;
  const code = errorCode(cause);
  if (code === 'ENOENT') return { kind: 'gone' };
  if (code === 'EIO' || code === 'EISDIR' || code === 'ESTALE')
    return { kind: 'skipped', reason: 'file.io_error', stat: NO_STAT };
  if (code === '') throw cause;
  return { kind: 'busy' };
}

/** Of a file that cannot even be looked at. */
export const NO_STAT: FileStat = { sizeBytes: 0, mtimeUs: 0, ctimeUs: 0, inode: 0, mode: 0 };

function statOrEmpty(path: string): FileStat {
  try {
    return toFileStat(statSync(fsPath(path), { bigint: true }));
  } catch {
    // Its folder cannot be searched either; the reason says enough.
    return NO_STAT;
  }
}

function errorCode(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}
