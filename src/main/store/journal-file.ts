import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import { syncFolder, writeAll } from '../durable.ts';

/** A file that only grows, and whose tail can be taken back. All calls throw `data.full`, `data.unwritable` or `data.io_error`. */
export type AppendFile = {
  readonly sizeBytes: () => number;
  /** Durable when it returns; when it throws, nothing of it is in the file. */
  readonly append: (bytes: Buffer) => void;
  /** Takes back everything from this offset on. */
  readonly cutAt: (offset: number) => void;
  readonly close: () => void;
};

/** Opens or creates the file (mode 0600) and its folder (0700). */
export function openAppendFile(path: string): AppendFile {
  return inJournal(() => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const descriptor = openSync(path, 'a', 0o600);
    fchmodSync(descriptor, 0o600);
    syncFolder(dirname(path));
    let size = fstatSync(descriptor).size;
    const cutAt = (offset: number): void => {
      ftruncateSync(descriptor, offset);
      size = offset;
    };
    return {
      sizeBytes: () => size,
      append: (bytes) =>
        inJournal(() => {
          const before = size;
          try {
            // What a failed write left behind, when it could not be taken back at once.
            if (fstatSync(descriptor).size !== before) cutAt(before);
            writeAll(descriptor, bytes);
            fsyncSync(descriptor);
            size += bytes.length;
          } catch (cause) {
            attempt(() => cutAt(before));
            throw cause;
          }
        }),
      cutAt: (offset) => inJournal(() => cutAt(offset)),
      close: () => closeSync(descriptor),
    };
  });
}

/** Many lines are one write: the main thread waits for it. */
const PIECE_BYTES = 262_144;

/** Replaces the file as one step: after a power cut it is the old or the new one, whole. */
export function replaceWith(path: string, lines: Iterable<Buffer>): void {
  inJournal(() => {
    const temporary = `${path}.new`;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      const descriptor = openSync(temporary, 'w', 0o600);
      try {
        let waiting: Buffer[] = [];
        let bytes = 0;
        for (const line of lines) {
          waiting.push(line);
          bytes += line.length;
          if (bytes < PIECE_BYTES) continue;
          writeAll(descriptor, Buffer.concat(waiting));
          waiting = [];
          bytes = 0;
        }
        writeAll(descriptor, Buffer.concat(waiting));
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      renameSync(temporary, path);
      syncFolder(dirname(path));
    } catch (cause) {
      attempt(() => rmSync(temporary, { force: true }));
      throw cause;
    }
  });
}

/** Gives failures of the journal's file their name in the catalogue. */
export function inJournal<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (cause instanceof AppError || typeof code !== 'string') throw cause;
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new AppError('data.full', 'No space is left for the journal of records.', { cause, retryable: true });
    if (['EACCES', 'EPERM', 'EROFS', 'EISDIR', 'ENOTDIR'].includes(code))
      throw new AppError('data.unwritable', `The journal of records cannot be opened or written: ${code}.`, { cause });
    if (/^E[A-Z0-9]+$/.test(code))
      throw new AppError('data.io_error', `The journal of records failed: ${code}.`, { cause, retryable: true });
    throw cause;
  }
}

/** Tidies up after a failure, which is the one to tell: what is left is cut or overwritten by the next write. */
function attempt(tidy: () => void): boolean {
  try {
    tidy();
    return true;
  } catch {
    return false;
  }
}
