/** Puts back what a restore replaced. Safe to repeat. */
import {
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import { fsPath, splitPath } from '../path-names.ts';
import { flushMany } from './flush-many.ts';
import {
  codeOf,
  copyBytes,
  hashAt,
  isAsPlanned,
  isSameFile,
  keepOwner,
  NEW_FILE,
  pump,
  READ_FILE,
  setFolderMode,
  setTime,
} from './restore-bytes.ts';
import type { Journal, RestoreOp } from './restore-journal.ts';
import {
  eachPlace,
  openStaging,
  opsOf,
  placeOf,
  removeStaging,
  type Staging,
  type StepOptions,
  stagingName,
  turn,
} from './restore-staging.ts';
import type { SafeFolder, SafeFolders } from './safe-folder.ts';
import { hashFileSync } from './target-state.ts';

/** Puts everything back as it was before: for an undo, and for a restore that failed half way. */
export async function revertFiles(journal: Journal, options: StepOptions): Promise<void> {
  mkdirSync(dirname(journal.movedPath(0)), { recursive: true, mode: 0o700 });
  const staging = openStaging(journal);
  await eachPlace(journal, async (folders, place) => {
    const dirs = new Set<string>();
    for (const op of opsOf(journal, place).toReversed()) {
      await turn(options);
      const { dir, name } = splitPath(op.path);
      const step = op.kind === 'folder' ? 'done' : stepOf(op, staging);
      if (step === 'not begun') continue;
      const folder = openIfThere(folders, dir, op.was !== null);
      if (folder === null) continue;
      if (step === 'begun' && !isSameFile(folder.at(name), staging.at(op))) continue;
      if (op.was === null) moveAway(folder.at(name), op, journal);
      else revertEntry(folder, name, op, op.was, journal);
      dirs.add(dir);
      options.onFile?.();
    }
    for (const { dir } of journal
      .made()
      .filter(({ rootId }) => rootId === place.rootId)
      .toReversed())
      removeIfEmpty(folders, dir);
    const base = place.folder;
    if (dirs.size > 0)
      await flushMany(
        base,
        [...dirs].map((dir) => (dir === '' ? base : `${base}/${dir}`)).filter((path) => existsSync(fsPath(path))),
      );
  });
  staging.close();
  removeStaging(journal);
  for (const { rootId } of journal.made().filter(({ dir }) => dir === '')) {
    try {
      rmdirSync(fsPath(placeOf(journal, rootId)));
    } catch {
      // Somebody put something into it since.
    }
  }
}

/**
 * How far a restore came with one file. What is still staged was not moved; for a new file it may have been linked to
 * its place already. An undo of a finished restore finds nothing staged.
 */
function stepOf(op: RestoreOp, staging: Staging): 'not begun' | 'begun' | 'done' {
  if (staging.stat(op) === undefined) return 'done';
  return op.was === null && op.tree == null ? 'begun' : 'not begun';
}

function openIfThere(folders: SafeFolders, dir: string, make: boolean): SafeFolder | null {
  try {
    return folders.open(dir, make ? () => undefined : null);
  } catch (cause) {
    // A folder of which only new files are taken back, and which is gone or another one now: so are they.
    if (!make && cause instanceof AppError && cause.code === 'restore.target') return null;
    throw cause;
  }
}

/** What a restore made, or what somebody made of it since: out of the way, kept in the journal. */
function moveAway(path: string | Buffer, op: RestoreOp, journal: Journal): void {
  const now = lstatSync(path, { throwIfNoEntry: false });
  if (now === undefined || op.kind === 'folder' || now.isDirectory()) return;
  const to = journal.movedPath(op.n);
  try {
    renameSync(path, to);
  } catch (cause) {
    if (codeOf(cause) !== 'EXDEV') throw cause;
    if (now.isFile()) {
      rmSync(to, { force: true });
      const input = openSync(path, READ_FILE);
      try {
        copyBytes(input, to, true);
      } finally {
        closeSync(input);
      }
    }
    unlinkSync(path);
  }
}

function revertEntry(
  folder: SafeFolder,
  name: string,
  op: RestoreOp,
  was: NonNullable<RestoreOp['was']>,
  journal: Journal,
): void {
  const final = folder.at(name);
  if (op.kind === 'folder') {
    if (was.kind === 'folder') setFolderMode(final, was.mode);
    return;
  }
  if (isAsPlanned(final, op)) return;
  const beside = folder.at(`${stagingName(journal)}-${op.n}`);
  rmSync(beside, { force: true });
  if (was.kind === 'symlink') symlinkSync(fsPath(was.target ?? ''), beside);
  else if (was.kind === 'file') writeOriginal(journal.originalPath(op.n), beside, was);
  else return;
  const isOurs = op.kind === 'file' && hashAt(final) === op.sha256;
  // Somebody edited it since the restore: that is kept, too.
  if (!isOurs && !isRevertedAlready(final, journal, op)) moveAway(final, op, journal);
  else keepOwner(beside, final);
  renameSync(beside, final);
}

function isRevertedAlready(final: string | Buffer, journal: Journal, op: RestoreOp): boolean {
  const original = hashFileSync(journal.originalPath(op.n));
  return original !== null && hashAt(final) === original;
}

function writeOriginal(from: string, to: string | Buffer, was: NonNullable<RestoreOp['was']>): void {
  const input = openSync(from, READ_FILE);
  try {
    const output = openSync(to, NEW_FILE, 0o600);
    try {
      pump(input, output);
      fchmodSync(output, was.mode);
      setTime(output, was.mtimeUs);
      fsyncSync(output);
    } finally {
      closeSync(output);
    }
  } finally {
    closeSync(input);
  }
}

function removeIfEmpty(folders: SafeFolders, dir: string): void {
  const above = splitPath(dir);
  try {
    if (dir === '') return;
    rmdirSync(folders.open(above.dir, null).at(above.name));
  } catch {
    // Somebody put something into it since, or took it away: it is theirs now.
  }
}
