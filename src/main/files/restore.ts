import { existsSync, lstatSync } from 'node:fs';
import { dirname, extname, isAbsolute, resolve } from 'node:path';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import type { FileEntry, Snapshot } from '../../shared/model.ts';
import { fsPath, joinPath, nameToBytes, splitPath } from '../path-names.ts';
import { writeFileDurably } from './write-file.ts';

export type RestoreRequest = {
  readonly file: FileEntry;
  readonly snapshot: Snapshot;
  readonly bytes: Buffer;
  readonly to: string | undefined;
  readonly inPlace: boolean;
};

export type RestoreParts = {
  /** Captures what lies at the original now; resolves with its snapshot id, null when nothing is there. */
  readonly captureNow: (file: FileEntry) => Promise<string | null>;
  readonly dataFolder: string;
};

/**
 * Writes a version beside the original (default), to another path, or over the original after its current content is
 * durable in the vault. Never overwrites anything else (`file.exists`).
 */
export async function restoreFile(
  request: RestoreRequest,
  parts: RestoreParts,
): Promise<{ writtenTo: string; sizeBytes: number; safetySnapshotId: string | null }> {
  const original = `${request.file.root}/${request.file.path}`;
  const sizeBytes = request.bytes.length;
  if (request.inPlace) {
    if (request.to !== undefined)
      throw new AppError('usage.bad_argument', 'Give either a target or in place, not both.');
    const safetySnapshotId = await parts.captureNow(request.file);
    writeFileDurably(original, request.bytes, { overwrite: true, mode: modeOf(original) });
    return { writtenTo: original, sizeBytes, safetySnapshotId };
  }
  const writtenTo = request.to === undefined ? sidePath(original, request.snapshot) : absolute(request.to);
  if (writtenTo === original) {
    throw new AppError('usage.bad_argument', `${displayPath(original)} is the original.`, {
      hint: 'To overwrite it, restore in place.',
    });
  }
  if (writtenTo.startsWith(`${parts.dataFolder}/`))
    throw new AppError('usage.bad_argument', 'The data folder is no place for restored files.');
  writeFileDurably(writtenTo, request.bytes, { overwrite: false, mode: 0o644 });
  return { writtenTo, sizeBytes, safetySnapshotId: null };
}

function modeOf(path: string): number {
  return existsSync(fsPath(path)) ? lstatSync(fsPath(path)).mode & 0o777 : 0o644;
}

/** `report.md` of 2026-11-20 14:03:22 becomes `report (2026-11-20 14.03.22).md`, with a number when that exists. */
function sidePath(original: string, snapshot: Snapshot): string {
  const { dir, name } = splitPath(original);
  const extension = extname(name);
  const stem = name.slice(0, name.length - extension.length);
  const time = new Date(snapshot.capturedAtMs).toISOString().slice(0, 19).replace('T', ' ').replaceAll(':', '.');
  for (let number = 1; ; number += 1) {
    const suffix = ` (${time}${number === 1 ? '' : `, ${number}`})${extension}`;
    const path = joinPath(dir, cutToBytes(stem, LONGEST_NAME_BYTES - nameToBytes(suffix).length) + suffix);
    if (!existsSync(fsPath(path))) return path;
  }
}

/** File systems take names of 255 bytes at most; a name that is that long already gives up its end for the time. */
const LONGEST_NAME_BYTES = 255;

function cutToBytes(text: string, bytes: number): string {
  let cut = text;
  while (nameToBytes(cut).length > bytes) cut = [...cut].slice(0, -1).join('');
  return cut;
}

function absolute(path: string): string {
  if (!isAbsolute(path)) throw new AppError('usage.bad_argument', `${displayPath(path)} is not an absolute path.`);
  const target = resolve(path);
  if (!existsSync(fsPath(dirname(target))))
    throw new AppError('usage.bad_argument', `The folder of ${displayPath(path)} does not exist.`);
  return target;
}
