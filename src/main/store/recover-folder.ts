import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { formatBytes } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { syncFolder, writeAll } from '../durable.ts';
import { VAULT_FILE } from './database.ts';

/**
 * Its presence says: rebuild the vault at the next start. Before a rebuild it holds the reason as text; while one is
 * under way it names the folder with the damaged files, so that a start after a crash goes on with these.
 */
export const DAMAGED_MARKER = 'vault.damaged';

export type Marker = {
  readonly reason: string;
  /** Absolute; null before a rebuild began. */
  readonly movedTo: string | null;
};

const PARTS = [VAULT_FILE, `${VAULT_FILE}-wal`, `${VAULT_FILE}-shm`, `${VAULT_FILE}-journal`] as const;
/** For the report, the logs and the growth of indexes. */
const SPARE_BYTES = 16 * 1_048_576;

export function readMarker(dataFolder: string): Marker | null {
  const file = join(dataFolder, DAMAGED_MARKER);
  if (!existsSync(file)) return null;
  const text = readFileSync(file, 'utf8').trim();
  const [first = '', ...rest] = text.split('\n');
  if (!first.startsWith(MOVED_TO)) return { reason: text === '' ? 'it was marked as damaged' : text, movedTo: null };
  return { reason: rest.join('\n'), movedTo: join(dataFolder, first.slice(MOVED_TO.length)) };
}

const MOVED_TO = 'moved to: ';

/** Durable when it returns. */
export function writeMarker(dataFolder: string, { reason, movedTo }: Marker): void {
  const place = movedTo === null ? '' : `${MOVED_TO}${relative(dataFolder, movedTo)}\n`;
  writeDurably(join(dataFolder, DAMAGED_MARKER), `${place}${reason}\n`);
}

/** Says that the vault is whole. Safe to repeat. */
export function removeMarker(dataFolder: string): void {
  rmSync(join(dataFolder, DAMAGED_MARKER), { force: true });
  syncFolder(dataFolder);
}

/** A new folder in `damaged/`, named after the time. */
export function makeDamagedFolder(dataFolder: string, whenMs: number): string {
  const parent = join(dataFolder, 'damaged');
  // No colons: Windows knows no such names.
  const base = join(parent, new Date(whenMs).toISOString().replaceAll(':', '-'));
  let folder = base;
  for (let count = 2; existsSync(folder); count += 1) folder = `${base}-${count}`;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  syncFolder(parent);
  syncFolder(dataFolder);
  return folder;
}

/** Gives failures of the disk their name in the catalogue; everything else passes through. */
export function translateFileError(cause: unknown): unknown {
  const code = cause instanceof Error && 'code' in cause && !(cause instanceof AppError) ? String(cause.code) : '';
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new AppError('data.full', 'No space is left to rebuild the damaged vault.', { cause, retryable: true });
  if (['EACCES', 'EPERM', 'EROFS'].includes(code))
    return new AppError('data.unwritable', `The damaged vault cannot be rebuilt: ${code}.`, { cause });
  if (code === 'EIO')
    return new AppError('data.io_error', 'The disk failed while the vault was rebuilt.', { cause, retryable: true });
  return cause;
}

/** Moves the files of the vault, none of them over another. Safe to repeat after a crash in the middle. */
export function moveParts(from: string, to: string): void {
  mkdirSync(to, { recursive: true, mode: 0o700 });
  for (const name of PARTS) {
    const source = join(from, name);
    if (existsSync(source) && !existsSync(join(to, name))) renameSync(source, join(to, name));
  }
  syncFolder(to);
  syncFolder(from);
}

/** Throws `data.full` when a second vault would not fit beside the first. */
export function assertSpace(folders: readonly string[], freeBytes: number): void {
  const sizes = folders.flatMap((folder) => PARTS.map((name) => sizeOf(join(folder, name))));
  const needed = sizes.reduce((sum, size) => sum + size, SPARE_BYTES);
  if (freeBytes >= needed) return;
  const missing = formatBytes(needed - freeBytes);
  throw new AppError(
    'data.full',
    `The damaged vault needs ${formatBytes(needed)} free to be rebuilt; ${missing} are missing.`,
    {
      hint: 'Free that much on the disk of the data folder, then start again. Until then nothing is changed.',
      retryable: true,
    },
  );
}

/** The file is the old or the new one, whole. */
export function writeDurably(path: string, text: string): void {
  const temporary = `${path}.new`;
  const descriptor = openSync(temporary, 'w', 0o600);
  try {
    writeAll(descriptor, Buffer.from(text));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

/** Puts a finished file in its place, durably: its bytes first, then its name. */
export function publish(from: string, to: string): void {
  const descriptor = openSync(from, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(from, to);
  syncFolder(dirname(to));
}

/** What a user may still write on the disk of the folder. */
export function freeBytesOf(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

function sizeOf(file: string): number {
  return existsSync(file) ? statSync(file).size : 0;
}
