import { randomBytes } from 'node:crypto';
import { closeSync, fchmodSync, fsyncSync, linkSync, openSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { syncFolder, writeAll } from '../durable.ts';
import { fsPath } from '../path-names.ts';

/**
 * Writes a file whole or not at all: a temporary file in the same folder, fsync, rename, fsync of the folder.
 * Without `overwrite` an existing file is never touched, not even one that appears meanwhile (`file.exists`).
 * @param path absolute, in our names
 */
export function writeFileDurably(
  path: string,
  bytes: Buffer,
  options: { readonly overwrite: boolean; readonly mode: number },
): void {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path).slice(0, 60)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const descriptor = openSync(fsPath(temporary), 'wx', 0o600);
    try {
      writeAll(descriptor, bytes);
      fchmodSync(descriptor, options.mode);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    if (options.overwrite) renameSync(fsPath(temporary), fsPath(path));
    else linkSync(fsPath(temporary), fsPath(path));
    syncFolder(folder);
  } catch (cause) {
    throw explain(cause, path);
  } finally {
    rmSync(fsPath(temporary), { force: true });
  }
}

function explain(cause: unknown, path: string): unknown {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const shown = displayPath(path);
  if (code === 'EEXIST') return new AppError('file.exists', `${shown} exists already.`, { cause });
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new AppError('data.full', `No space is left to write ${shown}.`, { cause });
  if (code === 'ENOENT') return new AppError('usage.bad_argument', `The folder of ${shown} does not exist.`, { cause });
  if (code !== '') return new AppError('file.unwritable', `${shown} cannot be written: ${code}.`, { cause });
  return cause;
}
