/** The steps of a restore that touch files. Each is safe to repeat, so that a killed restore can go on with it. */
import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  futimesSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { syncFolder, writeAll } from '../durable.ts';
import { fsPath, splitPath } from '../path-names.ts';
import { flushMany } from './flush-many.ts';
import type { Journal, RestoreOp } from './restore-journal.ts';
import { openPlace, type SafeFolder, type SafeFolders } from './safe-folder.ts';
import { type BackupSource, entryKey } from './source.ts';
import { hashFileSync } from './target-state.ts';

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
const READ_FILE = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** In the target, on its disk; the watch leaves it out by its name. */
export function stagingName(journal: Journal): string {
  return `.angles-restore-${journal.head.id}`;
}

export type StepOptions = { readonly signal?: AbortSignal | undefined; readonly onFile?: (() => void) | undefined };

/** Copies what will be replaced into the journal. Throws `restore.plan_changed` when it is not what the plan saw. */
export async function saveOriginals(journal: Journal, options: StepOptions): Promise<void> {
  const saved: string[] = [];
  await eachPlace(journal, async (folders, place) => {
    for (const op of opsOf(journal, place)) {
      if (op.was?.kind !== 'file' || op.kind === 'folder') continue;
      await turn(options);
      const { dir, name } = splitPath(op.path);
      copyOriginal(folders.open(dir, null).at(name), journal.originalPath(op.n), op);
      saved.push(journal.originalPath(op.n));
    }
  });
  if (saved.length > 0) flushMany(journal.folder, [...saved, dirname(saved[0] ?? '')]);
}

function copyOriginal(from: string | Buffer, to: string, op: RestoreOp): void {
  const input = openSync(from, READ_FILE);
  try {
    const stat = fstatSync(input, { bigint: true });
    const isSame =
      stat.isFile() && Number(stat.size) === op.was?.sizeBytes && Number(stat.mtimeNs / 1_000n) === op.was.mtimeUs;
    if (!isSame) throw changed(op);
    rmSync(to, { force: true });
    copyBytes(input, to);
  } finally {
    closeSync(input);
  }
}

/** Writes every new file into the staging folders, proven and with its mode and time. Nothing of the target is touched. */
export async function stageFiles(journal: Journal, source: BackupSource, options: StepOptions): Promise<void> {
  const wanted = new Map(
    journal.ops.filter((op) => op.kind === 'file').map((op) => [entryKey({ rootId: op.rootId, path: op.path }), op]),
  );
  const staging = openStaging(journal, true);
  const written: string[] = [];
  try {
    for (const op of journal.ops) {
      if (op.kind !== 'symlink') continue;
      symlinkSync(fsPath(op.target ?? ''), staging.of(op.rootId).at(String(op.n)));
    }
    if (wanted.size > 0)
      for await (const { entry, content } of source.contents((each) => wanted.has(entryKey(each)))) {
        const op = wanted.get(entryKey(entry));
        if (op === undefined) continue;
        wanted.delete(entryKey(entry));
        await turn(options);
        const path = staging.of(op.rootId).at(String(op.n));
        if (content === null) await stageStream(path, op, source.stream(entry));
        else stageWhole(path, op, content);
        written.push(`${placeOf(journal, op.rootId)}/${stagingName(journal)}/${op.n}`);
      }
    const [missing] = wanted.values();
    if (missing !== undefined)
      throw new AppError('backup.damaged', `The backup does not give ${displayPath(missing.path)}.`);
  } finally {
    staging.close();
  }
  for (const { folder } of journal.head.places) {
    const own = written.filter((path) => path.startsWith(`${folder}/${stagingName(journal)}/`));
    if (existsSync(fsPath(folder))) flushMany(folder, [...own, `${folder}/${stagingName(journal)}`]);
  }
}

function stageWhole(path: string | Buffer, op: RestoreOp, content: Buffer): void {
  const descriptor = openSync(path, NEW_FILE, 0o600);
  try {
    writeAll(descriptor, content);
    dress(descriptor, op);
  } finally {
    closeSync(descriptor);
  }
}

async function stageStream(path: string | Buffer, op: RestoreOp, content: AsyncIterable<Buffer>): Promise<void> {
  const descriptor = openSync(path, NEW_FILE, 0o600);
  try {
    for await (const piece of content) writeAll(descriptor, piece);
    dress(descriptor, op);
  } finally {
    closeSync(descriptor);
  }
}

/** Mode and time; without them in the backup, those of the file that is replaced. */
function dress(descriptor: number, op: RestoreOp): void {
  fchmodSync(descriptor, op.mode ?? (op.was?.kind === 'file' ? op.was.mode : 0o644));
  if (op.mtimeUs !== null) setTime(descriptor, op.mtimeUs);
}

/** A double holds a time of today to a quarter of a microsecond: half of one more keeps it from falling into the one before. */
function setTime(descriptor: number, mtimeUs: number): void {
  const seconds = (mtimeUs + 0.5) / 1_000_000;
  futimesSync(descriptor, seconds, seconds);
}

/** Moves every staged file to its place. Throws `restore.plan_changed` when something there is not what the plan saw. */
export async function commitFiles(journal: Journal, options: StepOptions): Promise<void> {
  const staging = openStaging(journal, false);
  try {
    await eachPlace(journal, async (folders, place) => {
      const own = opsOf(journal, place).toSorted((a, b) => (a.path < b.path ? -1 : 1));
      const dirs = new Set<string>();
      for (const op of own) {
        await turn(options);
        const { dir, name } = splitPath(op.path);
        const folder = folders.open(dir, (made) => journal.noteMade(place.rootId, made));
        if (op.kind === 'folder') commitFolder(folder, name, op, journal);
        else commitEntry(folder, name, op, staging.of(op.rootId), journal);
        dirs.add(dir);
        options.onFile?.();
      }
      // Modes of folders last: one without write permission must be filled first.
      for (const op of own.filter((each) => each.kind === 'folder').reverse()) {
        const { dir, name } = splitPath(op.path);
        setFolderMode(folders.open(dir, null).at(name), op.mode);
      }
      const base = place.folder;
      if (own.length > 0)
        flushMany(
          base,
          [...dirs].map((dir) => (dir === '' ? base : `${base}/${dir}`)),
        );
    });
  } finally {
    staging.close();
  }
  removeStaging(journal);
  for (const { folder } of journal.head.places) if (existsSync(fsPath(folder))) syncFolder(folder);
}

function commitFolder(folder: SafeFolder, name: string, op: RestoreOp, journal: Journal): void {
  const path = folder.at(name);
  const now = lstatSync(path, { throwIfNoEntry: false });
  if (now?.isDirectory() === true) return;
  if (now !== undefined) throw changed(op);
  journal.noteMade(op.rootId, op.path);
  mkdirSync(path, { mode: 0o700 });
}

function setFolderMode(path: string | Buffer, mode: number | null): void {
  if (mode === null) return;
  const descriptor = openSync(path, READ_FILE | (constants.O_DIRECTORY ?? 0));
  try {
    fchmodSync(descriptor, mode);
  } finally {
    closeSync(descriptor);
  }
}

function commitEntry(folder: SafeFolder, name: string, op: RestoreOp, staging: SafeFolder, journal: Journal): void {
  const staged = staging.at(String(op.n));
  const final = folder.at(name);
  if (lstatSync(staged, { throwIfNoEntry: false }) === undefined) {
    // An earlier try moved it; then it is there.
    if (op.kind === 'file' && hashAt(final) !== op.sha256) throw changed(op);
    return;
  }
  if (op.kind === 'file' && hashAt(staged) !== op.sha256)
    throw new AppError(
      'backup.damaged',
      `${displayPath(op.path)} was written and reads differently: the disk may be failing.`,
    );
  if (op.was === null) {
    placeNew(staged, final, op);
    return;
  }
  if (!isAsPlanned(final, op)) throw changed(op);
  keepOwner(staged, final);
  try {
    renameSync(staged, final);
  } catch (cause) {
    if (codeOf(cause) !== 'EXDEV') throw cause;
    const beside = folder.at(`${stagingName(journal)}-${op.n}`);
    copyAcross(staged, beside, op);
    renameSync(beside, final);
    unlinkSync(staged);
  }
}

/** Never over something that appeared meanwhile. */
function placeNew(staged: string | Buffer, final: string | Buffer, op: RestoreOp): void {
  try {
    linkSync(staged, final);
  } catch (cause) {
    const code = codeOf(cause);
    if (code === 'EEXIST') {
      const [a, b] = [lstatSync(staged), lstatSync(final)];
      // An earlier try linked it and was killed before the next step.
      if (a.ino !== b.ino || a.dev !== b.dev) throw changed(op);
    } else if (code === 'EXDEV' || code === 'EPERM' || code === 'ENOTSUP' || code === 'EMLINK') {
      // Another disk, or a file system without links.
      if (lstatSync(final, { throwIfNoEntry: false }) !== undefined) throw changed(op);
      copyAcross(staged, final, op);
    } else throw cause;
  }
  unlinkSync(staged);
}

function copyAcross(staged: string | Buffer, to: string | Buffer, op: RestoreOp): void {
  if (op.kind === 'symlink') {
    symlinkSync(fsPath(op.target ?? ''), to);
    return;
  }
  const input = openSync(staged, READ_FILE);
  try {
    const output = openSync(to, NEW_FILE, 0o600);
    try {
      pump(input, output);
      dress(output, op);
      fsyncSync(output);
    } finally {
      closeSync(output);
    }
  } finally {
    closeSync(input);
  }
}

function isAsPlanned(path: string | Buffer, op: RestoreOp): boolean {
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

/** Root may restore a file of somebody else, who goes on owning it. */
function keepOwner(staged: string | Buffer, final: string | Buffer): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = lstatSync(final);
  const now = lstatSync(staged);
  if (now.uid === uid && now.gid === gid) return;
  const { mode } = now;
  lchownSync(staged, uid, gid);
  // A change of owner may take special bits away.
  if (!now.isSymbolicLink()) setMode(staged, mode & 0o7777);
}

function setMode(path: string | Buffer, mode: number): void {
  const descriptor = openSync(path, READ_FILE);
  try {
    fchmodSync(descriptor, mode);
  } finally {
    closeSync(descriptor);
  }
}

/** Puts everything back as it was before: for an undo, and for a restore that failed half way. */
export async function revertFiles(journal: Journal, options: StepOptions): Promise<void> {
  mkdirSync(dirname(journal.movedPath(0)), { recursive: true, mode: 0o700 });
  const staging = openStaging(journal, false);
  await eachPlace(journal, async (folders, place) => {
    const dirs = new Set<string>();
    for (const op of opsOf(journal, place).toReversed()) {
      await turn(options);
      const { dir, name } = splitPath(op.path);
      const step = op.kind === 'folder' ? 'done' : stepOf(op, staging.of(op.rootId));
      if (step === 'not begun') continue;
      const folder = openIfThere(folders, dir, op.was !== null);
      if (folder === null) continue;
      if (step === 'begun' && !isSameFile(folder.at(name), staging.of(op.rootId).at(String(op.n)))) continue;
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
      flushMany(
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
function stepOf(op: RestoreOp, staging: SafeFolder): 'not begun' | 'begun' | 'done' {
  if (lstatSync(staging.at(String(op.n)), { throwIfNoEntry: false }) === undefined) return 'done';
  return op.was === null ? 'begun' : 'not begun';
}

function isSameFile(a: string | Buffer, b: string | Buffer): boolean {
  const [one, two] = [lstatSync(a, { throwIfNoEntry: false }), lstatSync(b, { throwIfNoEntry: false })];
  return one !== undefined && two !== undefined && one.ino === two.ino && one.dev === two.dev;
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

/** Staging folders of a restore, and files beside their places, of whichever try. Safe to repeat. */
export function removeStaging(journal: Journal): void {
  for (const { folder } of journal.head.places)
    rmSync(fsPath(`${folder}/${stagingName(journal)}`), { recursive: true, force: true });
}

/** Before anything was moved: the target is as it was once this returns. */
export function discardStaged(journal: Journal): void {
  removeStaging(journal);
  for (const place of journal.head.places) {
    const made = journal.made().filter(({ rootId }) => rootId === place.rootId);
    for (const { dir } of made.toReversed()) {
      try {
        rmdirSync(fsPath(dir === '' ? place.folder : `${place.folder}/${dir}`));
      } catch {
        // Not empty, or not there: not ours to remove.
      }
    }
  }
}

type Staging = { readonly of: (rootId: number) => SafeFolder; readonly close: () => void };

function openStaging(journal: Journal, make: boolean): Staging {
  const opened = new Map<number, { folders: SafeFolders; folder: SafeFolder }>();
  return {
    of: (rootId) => {
      const known = opened.get(rootId);
      if (known !== undefined) return known.folder;
      const place = placeOf(journal, rootId);
      const name = stagingName(journal);
      // Removed already by a try that was killed right after: then nothing is staged any more.
      if (!make && !existsSync(fsPath(`${place}/${name}`)))
        return { at: (each) => fsPath(`${place}/${name}/${each}`), close: () => undefined };
      if (make) makePlace(journal, rootId, place);
      const folders = openPlace(place);
      const folder = folders.open(name, make ? () => undefined : null);
      opened.set(rootId, { folders, folder });
      return folder;
    },
    close: () => {
      for (const { folders } of opened.values()) folders.close();
    },
  };
}

/** Makes the folder of a root and those above it, each remembered. */
function makePlace(journal: Journal, rootId: number, place: string): void {
  if (existsSync(fsPath(place))) return;
  journal.noteMade(rootId, '');
  mkdirSync(fsPath(place), { recursive: true, mode: 0o755 });
}

async function eachPlace(
  journal: Journal,
  work: (folders: SafeFolders, place: { readonly rootId: number; readonly folder: string }) => Promise<void>,
): Promise<void> {
  for (const place of journal.head.places) {
    if (!existsSync(fsPath(place.folder))) continue;
    const folders = openPlace(place.folder);
    try {
      await work(folders, place);
    } finally {
      folders.close();
    }
  }
}

function opsOf(journal: Journal, place: { readonly rootId: number }): readonly RestoreOp[] {
  return journal.ops.filter((op) => op.rootId === place.rootId);
}

function placeOf(journal: Journal, rootId: number): string {
  const place = journal.head.places.find((each) => each.rootId === rootId);
  if (place === undefined) throw new Error(`the root ${rootId} has no place`);
  return place.folder;
}

function hashAt(path: string | Buffer): string | null {
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

function pump(input: number, output: number): void {
  for (let position = 0; ; ) {
    const count = readSync(input, scratch, 0, scratch.length, position);
    if (count === 0) return;
    writeAll(output, scratch.subarray(0, count));
    position += count;
  }
}

function copyBytes(input: number, to: string, flush = false): void {
  const output = openSync(to, 'wx', 0o600);
  try {
    pump(input, output);
    if (flush) fsyncSync(output);
  } finally {
    closeSync(output);
  }
}

let sinceTurn = 0;
async function turn({ signal }: StepOptions): Promise<void> {
  signal?.throwIfAborted();
  sinceTurn += 1;
  if (sinceTurn % 32 === 0) await new Promise((resolve) => setImmediate(resolve));
}

function changed(op: RestoreOp): AppError {
  return new AppError('restore.plan_changed', `${displayPath(op.path)} is not as it was when the plan was made.`);
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}
