/** Bytes, modes and times of single files, for the steps of a restore. No link is followed. */
import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  futimesSync,
  lchownSync,
  lstatSync,
  openSync,
  readSync,
} from 'node:fs';
import { AppError } from '../../shared/errors.ts';
import { writeAll } from '../durable.ts';
import type { RestoreOp } from './restore-journal.ts';

export const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);

const NEW_FILE_READ = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
export const READ_FILE = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Gives an open file its mode and time. */
export function dress(
  descriptor: number,
  { mode, mtimeUs }: { readonly mode: number; readonly mtimeUs: number | null },
): void {
  fchmodSync(descriptor, mode);
  if (mtimeUs !== null) setTime(descriptor, mtimeUs);
}

/** Mode and time; without them in the backup, those of the file that is replaced. */
export function dressOf(op: RestoreOp): { readonly mode: number; readonly mtimeUs: number | null } {
  return { mode: op.mode ?? (op.was?.kind === 'file' ? op.was.mode : 0o644), mtimeUs: op.mtimeUs };
}

/** A double holds a time of today to a quarter of a microsecond: half of one more keeps it from falling into the one before. */
export function setTime(descriptor: number, mtimeUs: number): void {
  const seconds = (mtimeUs + 0.5) / 1_000_000;
  futimesSync(descriptor, seconds, seconds);
}

export function setFolderMode(path: string | Buffer, mode: number | null): void {
  if (mode === null) return;
  const descriptor = openSync(path, READ_FILE | (constants.O_DIRECTORY ?? 0));
  try {
    fchmodSync(descriptor, mode);
  } finally {
    closeSync(descriptor);
  }
}

function setMode(path: string | Buffer, mode: number): void {
  const descriptor = openSync(path, READ_FILE);
  try {
    fchmodSync(descriptor, mode);
  } finally {
    closeSync(descriptor);
  }
}

/** Root may restore a file of somebody else, who goes on owning it. */
export function keepOwner(staged: string | Buffer, final: string | Buffer): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = lstatSync(final);
  const now = lstatSync(staged);
  if (now.uid === uid && now.gid === gid) return;
  const { mode } = now;
  lchownSync(staged, uid, gid);
  // A change of owner may take special bits away.
  if (!now.isSymbolicLink()) setMode(staged, mode & 0o7777);
}

export function isAsPlanned(path: string | Buffer, op: RestoreOp): boolean {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  const { was } = op;
  if (stat === undefined || was === null) return false;
  return (
    Number(BigInt.asUintN(53, stat.ino)) === was.inode &&
    Number(stat.size) === was.sizeBytes &&
    Number(stat.mtimeNs / 1_000n) === was.mtimeUs &&
    Number(stat.ctimeNs / 1_000n) === was.ctimeUs
  );
}

export function isSameFile(a: string | Buffer, b: string | Buffer): boolean {
  const [one, two] = [lstatSync(a, { throwIfNoEntry: false }), lstatSync(b, { throwIfNoEntry: false })];
  return one !== undefined && two !== undefined && one.ino === two.ino && one.dev === two.dev;
}

/**
 * Writes a new file and reads it again before it is closed. Throws `backup.damaged`, naming it as `shown`.
 */
export function writeProven(
  path: string | Buffer,
  content: Buffer,
  look: { readonly mode: number; readonly mtimeUs: number | null },
  shown: string,
): void {
  const descriptor = openSync(path, NEW_FILE_READ, 0o600);
  try {
    writeAll(descriptor, content);
    for (let position = 0; position < content.length; ) {
      const count = readSync(descriptor, scratch, 0, Math.min(scratch.length, content.length - position), position);
      if (count === 0 || scratch.compare(content, position, position + count, 0, count) !== 0)
        throw readsDifferently(shown);
      position += count;
    }
    dress(descriptor, look);
  } finally {
    closeSync(descriptor);
  }
}

export function readsDifferently(shown: string): AppError {
  return new AppError('backup.damaged', `${shown} was written and reads differently: the disk may be failing.`);
}

export function hashAt(path: string | Buffer): string | null {
  let descriptor: number;
  try {
    descriptor = openSync(path, READ_FILE);
  } catch {
    return null;
  }
  try {
    if (!fstatSync(descriptor).isFile()) return null;
    const digest = createHash('sha256');
    for (let count = -1; count !== 0; ) {
      count = readSync(descriptor, scratch, 0, scratch.length, null);
      digest.update(scratch.subarray(0, count));
    }
    return digest.digest('hex');
  } finally {
    closeSync(descriptor);
  }
}

const scratch = Buffer.allocUnsafeSlow(1_048_576);

export function pump(input: number, output: number): void {
  for (let position = 0; ; ) {
    const count = readSync(input, scratch, 0, scratch.length, position);
    if (count === 0) return;
    writeAll(output, scratch.subarray(0, count));
    position += count;
  }
}

export function copyBytes(input: number, to: string, flush = false): void {
  const output = openSync(to, 'wx', 0o600);
  try {
    pump(input, output);
    if (flush) fsyncSync(output);
  } finally {
    closeSync(output);
  }
}

export function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}
