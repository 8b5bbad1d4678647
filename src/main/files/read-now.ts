/** A file as it lies on the disk now, without following links. */
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { AppError } from '../../shared/errors.ts';
import { fsPath } from '../path-names.ts';
import type { FileQueries } from '../store/file-queries.ts';
import type { StoredRoot } from '../store/roots.ts';

export type FileNow = {
  readonly sizeBytes: number;
  readonly sha256: string;
  /** null above the limit. */
  readonly bytes: Buffer | null;
};

const CHUNK = 1_048_576;

/** null when there is no regular file. Throws `file.unreadable`. */
export function readFileNow(path: string, mostBytes: number): FileNow | null {
  if (lstatSync(fsPath(path), { throwIfNoEntry: false })?.isFile() !== true) return null;
  let descriptor: number;
  try {
    descriptor = openSync(fsPath(path), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  } catch (cause) {
    throw new AppError('file.unreadable', `The file cannot be read: ${(cause as Error).message}`, { cause });
  }
  try {
    const digest = createHash('sha256');
    const isKept = fstatSync(descriptor).size <= mostBytes;
    const pieces: Buffer[] = [];
    let sizeBytes = 0;
    const chunk = Buffer.allocUnsafe(CHUNK);
    for (let count = readSync(descriptor, chunk); count > 0; count = readSync(descriptor, chunk)) {
      digest.update(chunk.subarray(0, count));
      if (isKept) pieces.push(Buffer.from(chunk.subarray(0, count)));
      sizeBytes += count;
    }
    return { sizeBytes, sha256: digest.digest('hex'), bytes: isKept ? Buffer.concat(pieces) : null };
  } finally {
    closeSync(descriptor);
  }
}

/**
 * SHA-256 of a file as the vault last saw it, which costs no reading: undefined when its folder is not watched here,
 * null when there is no such file.
 */
export function sha256AsCaptured(
  files: FileQueries,
  roots: readonly StoredRoot[],
  root: string,
  path: string,
): string | null | undefined {
  const watched = roots.find((each) => each.path === root);
  if (watched === undefined) return undefined;
  const file = files.find(watched.rootId, path);
  return file === undefined || file.state === 'deleted' ? null : file.sha256;
}
