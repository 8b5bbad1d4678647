import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';

const LARGEST_BYTES = 1_000_000;

/**
 * The text of a small file, or null when there is none. A pipe is not waited for.
 * Throws `config.unreadable` (rights, a folder in its place) or `config.invalid` (too large, not UTF-8).
 */
export function readSmallFile(file: string): string | null {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT' || codeOf(cause) === 'ENOTDIR') return null;
    throw unreadable(file, codeOf(cause), cause);
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw unreadable(file, 'it is not a regular file');
    if (stat.size > LARGEST_BYTES) {
      throw new AppError('config.invalid', `${displayPath(file)} is larger than 1 MB; that cannot be what it is for.`);
    }
    return decode(readFileSync(descriptor), file);
  } catch (cause) {
    throw cause instanceof AppError ? cause : unreadable(file, codeOf(cause), cause);
  } finally {
    closeSync(descriptor);
  }
}

function decode(bytes: Buffer, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const utf16 = bytes[0] === 0xff || bytes[0] === 0xfe;
    const message = `${displayPath(file)} is not UTF-8 text${utf16 ? ', but UTF-16' : ''}.`;
    throw new AppError('config.invalid', message, { cause, hint: 'Save it again with the encoding UTF-8.' });
  }
}

function unreadable(file: string, reason: string, cause?: unknown): AppError {
  return new AppError('config.unreadable', `${displayPath(file)}: ${reason}`, { cause });
}

/**
 * Replaces a file as one step: whoever reads it, also after a power cut, sees the old or the new text, whole.
 * The file gets mode 0600; a symbolic link stays one, its target is replaced.
 * Throws `config.unwritable`, or `data.full` when there is no space; the old file is then untouched.
 */
export function replaceFile(file: string, text: string): void {
  let temporary: string | null = null;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const target = resolveLink(file);
    temporary = `${target}.new`;
    rmSync(temporary, { force: true });
    writeDurably(temporary, text);
    renameSync(temporary, target);
    syncFolder(dirname(target));
  } catch (cause) {
    if (temporary !== null) discard(temporary);
    const full = codeOf(cause) === 'ENOSPC' || codeOf(cause) === 'EDQUOT';
    throw new AppError(full ? 'data.full' : 'config.unwritable', `${displayPath(file)}: ${codeOf(cause)}`, { cause });
  }
}

/** What cannot be removed now is removed before the next write. */
function discard(temporary: string): boolean {
  try {
    rmSync(temporary, { force: true });
    return true;
  } catch {
    return false;
  }
}

function writeDurably(file: string, text: string): void {
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes a rename durable. Windows cannot open a folder and needs no such call. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function resolveLink(file: string): string {
  try {
    return realpathSync(file);
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return file;
    throw cause;
  }
}

function codeOf(cause: unknown): string {
  const code = (cause as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : String(cause);
}
