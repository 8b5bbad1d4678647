import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { fsPath } from '../path-names.ts';
import { type ArchiveKey, METADATA_NAME } from './archive-format.ts';
import { openNewArchive } from './archive-source.ts';
import { decryptFernet, looksLikeFernet } from './fernet.ts';
import { openOldArchive } from './old-archive.ts';
import { openOldTable } from './old-table.ts';
import { decryptFile } from './openpgp.ts';
import type { BackupSource } from './source.ts';
import { makeWorkFolder } from './work-folder.ts';
import { readZipEntry } from './zip-contents.ts';
import { readZipStructure, ZIP_LIMITS, type ZipLimits, type ZipStructure } from './zip-structure.ts';

export type OpenArchiveOptions = {
  readonly key: ArchiveKey | null;
  /** For backups of earlier programs: the text of their Fernet key. */
  readonly fernetKey: string | null;
  /** Plain bytes of encrypted archives lie here while they are open. */
  readonly dataFolder: string;
  /** `all` proves every byte before this resolves, as a restore must; `structure` is enough to list. */
  readonly verify: 'all' | 'structure';
  readonly limits?: ZipLimits;
  readonly onProgress?: (done: number, all: number) => void;
};

/** An opened zip, whatever wrote it. */
export type OpenZip = {
  readonly file: string;
  readonly descriptor: number;
  readonly structure: ZipStructure;
  /** How it was protected. */
  readonly wrapping: 'openpgp' | 'fernet' | 'none';
  readonly options: OpenArchiveOptions;
  readonly close: () => void;
};

/**
 * Opens a backup file of any shape that we know: our archives, encrypted or not, what stock `gpg` made of them, and
 * the zips, Fernet tokens and table exports of earlier programs. Nothing of it is trusted: names, sizes and structure
 * are proven before this resolves.
 * Errors: `not_found.backup`, `backup.foreign`, `backup.from_future`, `backup.damaged`, `backup.hostile`,
 * `backup.key_missing`, `backup.key_wrong`, `data.full`. The caller closes the source.
 */
export async function openArchive(file: string, options: OpenArchiveOptions): Promise<BackupSource> {
  const head = readHead(file);
  const kind = sniff(head);
  switch (kind) {
    case 'zip':
      return openZipFile(file, file, 'none', options, () => undefined);
    case 'table':
      return openOldTable(file);
    case 'openpgp':
    case 'fernet':
      return openWrapped(file, kind, options);
    case null:
      throw new AppError('backup.foreign', `${displayPath(file)} is no backup in any form that is known.`);
  }
}

function readHead(file: string): Buffer {
  let descriptor: number;
  try {
    if (!statSync(fsPath(file)).isFile()) throw new AppError('backup.foreign', `${displayPath(file)} is no file.`);
    descriptor = openSync(fsPath(file), 'r');
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('not_found.backup', `${displayPath(file)} cannot be opened: ${(cause as Error).message}`, {
      cause,
    });
  }
  try {
    const head = Buffer.alloc(64);
    return head.subarray(0, readSync(descriptor, head, 0, head.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

function sniff(head: Buffer): 'zip' | 'table' | 'openpgp' | 'fernet' | null {
  if (head.length >= 4 && (head.readUInt32LE(0) === 0x04034b50 || head.readUInt32LE(0) === 0x06054b50)) return 'zip';
  if (looksLikeFernet(head)) return 'fernet';
  if (/^(?:\ufeff|\u00ef\u00bb\u00bf)?\s*[[{]/.test(head.toString('latin1'))) return 'table';
  // A packet with a passphrase, of the new or the old form of headers.
  const first = head[0] ?? 0;
  return first === 0xc3 || (first & 0xfc) === 0x8c ? 'openpgp' : null;
}

async function openWrapped(
  file: string,
  kind: 'openpgp' | 'fernet',
  options: OpenArchiveOptions,
): Promise<BackupSource> {
  const secret = kind === 'openpgp' ? options.key?.passphrase : options.fernetKey;
  if (secret === undefined || secret === null)
    throw new AppError('backup.key_missing', `${displayPath(file)} is encrypted and no key was given.`);
  const work = makeWorkFolder(options.dataFolder);
  const plain = join(work, 'plain.zip');
  const remove = (): void => rmSync(work, { recursive: true, force: true });
  try {
    if (kind === 'openpgp') await decryptFile(file, secret, plain);
    else decryptFernet(file, secret, plain);
    const head = sniff(readHead(plain));
    if (head === 'table') {
      const source = await openOldTable(plain, basename(file));
      remove();
      return source;
    }
    if (head !== 'zip')
      throw new AppError('backup.foreign', `${displayPath(file)} holds something else than an archive.`);
    return await openZipFile(plain, file, kind, options, remove);
  } catch (cause) {
    remove();
    throw cause;
  }
}

async function openZipFile(
  path: string,
  file: string,
  wrapping: OpenZip['wrapping'],
  options: OpenArchiveOptions,
  onClose: () => void,
): Promise<BackupSource> {
  const descriptor = openSync(fsPath(path), 'r');
  let isOpen = true;
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    closeSync(descriptor);
    onClose();
  };
  try {
    // What a holder of the key wrote may grow as much as it likes.
    const isOurs = wrapping === 'openpgp';
    const limits = options.limits ?? (isOurs ? { ...ZIP_LIMITS, mostRatio: Number.POSITIVE_INFINITY } : ZIP_LIMITS);
    const structure = await readZipStructure(descriptor, limits);
    const zip: OpenZip = { file, descriptor, structure, wrapping, options, close };
    const metadata = structure.entries.find((entry) => entry.name === METADATA_NAME);
    if (metadata !== undefined && metadata.sizeBytes > LARGEST_METADATA_BYTES)
      throw new AppError('backup.hostile', 'The metadata of the archive is larger than any backup needs.');
    const text = metadata === undefined ? null : readZipEntry(descriptor, metadata, null);
    const version = text === null ? null : formatVersion(text);
    if (version !== null) return await openNewArchive(zip, text ?? Buffer.alloc(0), version);
    return await openOldArchive(zip, text);
  } catch (cause) {
    close();
    throw cause;
  }
}

const LARGEST_METADATA_BYTES = 1_024 * 1_048_576;

/** The number of our format; null when earlier programs wrote the metadata. */
function formatVersion(text: Buffer): number | null {
  const match = /^\s*\{\s*"format":\s*"angles-archive",\s*"format_version":\s*(\d{1,9})\b/.exec(
    text.toString('utf8', 0, 200),
  );
  return match === null ? null : Number(match[1]);
}

/** SHA-256 of the first bytes of a file. */
export function hashRange(descriptor: number, endsAt: number): string {
  const digest = createHash('sha256');
  const chunk = Buffer.allocUnsafe(1_048_576);
  const size = Math.min(endsAt, fstatSync(descriptor).size);
  for (let position = 0; position < size; ) {
    const count = readSync(descriptor, chunk, 0, Math.min(chunk.length, size - position), position);
    if (count === 0) break;
    digest.update(chunk.subarray(0, count));
    position += count;
  }
  return digest.digest('hex');
}
