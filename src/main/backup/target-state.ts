/** Looks at the target of a restore. Reads only: a dry run makes no call that changes anything. */
import { createHash } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { displayPath } from '../../shared/display.ts';
import { fsPath, joinPath, nameFromBytes, splitPath } from '../path-names.ts';
import { isSqliteLog } from '../store/sqlite-copy.ts';
import { databaseOf } from './live-database.ts';
import type { Place, TargetEntry, TargetState } from './plan.ts';
import { entryKey, type SourceEntry } from './source.ts';

export type TargetQuery = {
  readonly places: readonly Place[];
  readonly entries: readonly SourceEntry[];
  readonly dataFolder: string;
};

const MOST_EXTRA = 100_000;

export async function readTarget({ places, entries, dataFolder }: TargetQuery): Promise<TargetState> {
  const folders = new Map(places.map((place) => [place.rootId, place.folder]));
  const found = new Map<string, TargetEntry>();
  const blocked = new Map<string, string>();
  const parents = new Map<string, string | null>();
  let inTurn = 0;
  for (const entry of entries) {
    const folder = folders.get(entry.rootId);
    if (folder === undefined) continue;
    const reason = parentTrouble(folder, splitPath(entry.path).dir, parents);
    if (reason !== null && reason !== '') blocked.set(entryKey(entry), reason);
    // '' : the folder is not there, so nothing is below it.
    if (reason === null) {
      const now = readEntry(`${folder}/${entry.path}`, entry.kind === 'file' ? entry.sizeBytes : null);
      if (now !== null) found.set(entryKey(entry), now);
    }
    inTurn += 1 + Math.floor(entry.sizeBytes / 65_536);
    if (inTurn < 200) continue;
    inTurn = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
  const extra = findExtra(places, entries);
  blockDatabases(blocked, extra, entries, folders);
  const [first] = places;
  const anchor = first === undefined ? dataFolder : existingAncestor(first.folder);
  return {
    entries: found,
    blocked,
    extra,
    freeTargetBytes: freeBytes(anchor),
    freeDataBytes: freeBytes(dataFolder),
    isSameDisk: statSync(fsPath(anchor)).dev === statSync(fsPath(dataFolder)).dev,
    unwritable: places.map(({ folder }) => writeTrouble(folder)).find((reason) => reason !== null) ?? null,
  };
}

/**
 * The real path of a folder that may not exist yet: links in the part that exists are resolved once, so that no link
 * that appears later is followed.
 */
export function canonicalFolder(folder: string): string {
  const anchor = existingAncestor(folder);
  const real = nameFromBytes(realpathSync(fsPath(anchor), { encoding: 'buffer' }));
  const rest = folder.slice(anchor.length).replace(/^\/+|\/+$/g, '');
  return rest === '' ? real : joinPath(real === '/' ? '' : real, rest);
}

export function existingAncestor(folder: string): string {
  for (let each = folder; ; each = dirname(each)) {
    if (statSync(fsPath(each), { throwIfNoEntry: false })?.isDirectory() === true) return each;
    if (dirname(each) === each) return each;
  }
}

/** What lies there, without following links; null when nothing does. The hash is taken only when the size fits. */
export function readEntry(path: string, hashIfSize: number | null): TargetEntry | null {
  const stat = lstatSync(fsPath(path), { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return null;
  const kind = stat.isFile() ? 'file' : stat.isDirectory() ? 'folder' : stat.isSymbolicLink() ? 'symlink' : 'other';
  const sizeBytes = Number(stat.size);
  return {
    kind,
    mode: Number(stat.mode) & 0o7777,
    mtimeUs: Number(stat.mtimeNs / 1_000n),
    ctimeUs: Number(stat.ctimeNs / 1_000n),
    inode: Number(BigInt.asUintN(53, stat.ino)),
    sizeBytes,
    sha256: kind === 'file' && hashIfSize === sizeBytes ? hashFileSync(path) : null,
    target: kind === 'symlink' ? nameFromBytes(readlinkSync(fsPath(path), { encoding: 'buffer' })) : null,
  };
}

const chunk = Buffer.allocUnsafeSlow(1_048_576);

/** Hex SHA-256 of a regular file, never through a link; null when it cannot be read. */
export function hashFileSync(path: string): string | null {
  let descriptor: number;
  try {
    descriptor = openSync(fsPath(path), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch {
    // Unreadable: then it is not known to be the same.
    return null;
  }
  try {
    if (!fstatSync(descriptor).isFile()) return null;
    const digest = createHash('sha256');
    for (let count = -1; count !== 0; ) {
      count = readSync(descriptor, chunk, 0, chunk.length, null);
      digest.update(chunk.subarray(0, count));
    }
    return digest.digest('hex');
  } catch {
    return null;
  } finally {
    closeSync(descriptor);
  }
}

/** null: all folders above are folders. '': one is missing, so it will be made. Else why it cannot be. */
function parentTrouble(place: string, dir: string, known: Map<string, string | null>): string | null {
  const key = `${place}/${dir}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const above = dir === '' ? null : parentTrouble(place, splitPath(dir).dir, known);
  const answer = above === null ? folderTrouble(dir === '' ? place : key, dir === '') : above;
  known.set(key, answer);
  return answer;
}

function folderTrouble(path: string, isPlace: boolean): string | null {
  // The place itself was resolved before; a link below it was not put there by the backup.
  const stat = lstatSync(fsPath(path), { throwIfNoEntry: false });
  if (stat === undefined) return '';
  if (stat.isDirectory()) return null;
  const kind = stat.isSymbolicLink() ? 'a link' : 'a file';
  return isPlace ? `cannot be written: the target is ${kind}` : `lies below ${displayPath(path)}, which is ${kind}`;
}

/** Files beside those of the backup: only folders that the backup has are looked at. */
function findExtra(places: readonly Place[], entries: readonly SourceEntry[]): TargetState['extra'] {
  const extra: { rootId: number; path: string; sizeBytes: number }[] = [];
  for (const { rootId, folder } of places) {
    if (lstatSync(fsPath(folder), { throwIfNoEntry: false }) === undefined) continue;
    const own = entries.filter((entry) => entry.rootId === rootId);
    const known = new Set(own.map((entry) => entry.path));
    const dirs = new Set(own.map((entry) => splitPath(entry.path).dir));
    for (const dir of dirs) {
      for (const name of fileNames(dir === '' ? folder : `${folder}/${dir}`)) {
        const path = joinPath(dir, name);
        if (known.has(path) || extra.length >= MOST_EXTRA) continue;
        const stat = lstatSync(fsPath(`${folder}/${path}`), { throwIfNoEntry: false });
        if (stat !== undefined) extra.push({ rootId, path, sizeBytes: stat.size });
      }
    }
  }
  return extra;
}

/** A log that stays would be played back over the database that is restored beside it. */
function blockDatabases(
  blocked: Map<string, string>,
  extra: TargetState['extra'],
  entries: readonly SourceEntry[],
  folders: ReadonlyMap<number, string>,
): void {
  const databases = new Set<string>();
  for (const { rootId, path } of extra) {
    const database = databaseOf(path);
    if (database !== null && isSqliteLog(`${folders.get(rootId) ?? ''}/${path}`))
      databases.add(entryKey({ rootId, path: database }));
  }
  if (databases.size === 0) return;
  for (const entry of entries)
    if (databases.has(entryKey(entry)))
      blocked.set(entryKey(entry), 'is a database with a log beside it that would be played back: close what uses it');
}

function fileNames(folder: string): string[] {
  // Asked first: a new folder has none of them, and an error for each costs more than the question.
  if (lstatSync(fsPath(folder), { throwIfNoEntry: false }) === undefined) return [];
  try {
    return readdirSync(fsPath(folder), { withFileTypes: true, encoding: 'buffer' })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => nameFromBytes(entry.name));
  } catch {
    // Not there, or not readable: then nothing in it is known.
    return [];
  }
}

function writeTrouble(folder: string): string | null {
  const anchor = existingAncestor(folder);
  try {
    accessSync(fsPath(anchor), constants.W_OK | constants.X_OK);
    return null;
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    return `${displayPath(anchor)} cannot be written: ${code}.`;
  }
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(fsPath(folder));
  return bavail * bsize;
}

/** Whether a file has exactly the bytes of a stream; its failure is a failure of the comparison. */
export async function compareWithFile(bytes: AsyncIterable<unknown>, path: string): Promise<boolean> {
  const descriptor = openSync(fsPath(path), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  try {
    let position = 0;
    for await (const piece of bytes as AsyncIterable<Buffer>) {
      const here = Buffer.allocUnsafe(piece.length);
      let count = 0;
      while (count < piece.length) {
        const read = readSync(descriptor, here, count, piece.length - count, position + count);
        if (read === 0) return false;
        count += read;
      }
      if (!here.equals(piece)) return false;
      position += piece.length;
    }
    return fstatSync(descriptor).size === position;
  } finally {
    closeSync(descriptor);
  }
}
