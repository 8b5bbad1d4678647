/** Moves what is staged to its places. Safe to repeat: a killed restore goes on with it. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { displayPath } from '../../shared/display.ts';
import { syncFolder } from '../durable.ts';
import { fsPath, splitPath } from '../path-names.ts';
import { flushMany } from './flush-many.ts';
import {
  codeOf,
  dress,
  dressOf,
  hashAt,
  isAsPlanned,
  keepOwner,
  NEW_FILE,
  pump,
  READ_FILE,
  readsDifferently,
  setFolderMode,
} from './restore-bytes.ts';
import type { Journal, RestoreOp } from './restore-journal.ts';
import {
  changed,
  eachPlace,
  openStaging,
  opsOf,
  removeStaging,
  type Staging,
  type StepOptions,
  stagingName,
  turn,
} from './restore-staging.ts';
import { byTree, foldersOf, isOpen } from './restore-trees.ts';
import type { SafeFolders } from './safe-folder.ts';

/**
 * Moves every staged file to its place. Throws `restore.plan_changed` when something there is not what the plan saw.
 * `isProven`: what is staged was read back in this process; otherwise it is read before it is moved.
 */
export async function commitFiles(
  journal: Journal,
  options: StepOptions & { readonly isProven: boolean },
): Promise<void> {
  const staging = openStaging(journal);
  try {
    await eachPlace(journal, async (folders, place) => {
      const own = opsOf(journal, place);
      const context: Context = { journal, rootId: place.rootId, folders, staging, isProven: options.isProven };
      const dirs = new Set<string>();
      for (const [tree, ops] of byTree(own)) {
        await commitTree(context, tree, ops, options);
        dirs.add(splitPath(tree).dir);
        for (const _ of ops) options.onFile?.();
      }
      const single = own.filter((op) => op.tree == null).toSorted((one, other) => (one.path < other.path ? -1 : 1));
      for (const op of single) {
        await turn(options);
        const { dir } = splitPath(op.path);
        if (op.kind === 'folder') commitFolder(context, op);
        else commitEntry(context, op);
        dirs.add(dir);
        options.onFile?.();
      }
      for (const dir of setModes(folders, own, single)) dirs.add(dir);
      const base = place.folder;
      if (own.length > 0)
        await flushMany(
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

type Context = {
  readonly journal: Journal;
  readonly rootId: number;
  readonly folders: SafeFolders;
  readonly staging: Staging;
  readonly isProven: boolean;
};

/** A folder that was not there, with all that is in it: one call moves it. */
async function commitTree(context: Context, tree: string, ops: readonly RestoreOp[], options: StepOptions) {
  const { journal, rootId, folders, staging, isProven } = context;
  const staged = staging.treeAt(rootId, tree);
  const { dir, name } = splitPath(tree);
  if (lstatSync(staged, { throwIfNoEntry: false }) === undefined) {
    // An earlier try moved it; then everything is there.
    for (const op of ops) {
      await turn(options);
      if (op.kind === 'file' && hashAt(finalOf(context, op)) !== op.sha256) throw changed(op);
    }
    return;
  }
  for (const op of isProven ? [] : ops) {
    await turn(options);
    if (op.kind === 'file' && hashAt(staging.at(op)) !== op.sha256) throw readsDifferently(displayPath(op.path));
  }
  const final = folders.open(dir, (made) => journal.noteMade(rootId, made)).at(name);
  const [first] = ops;
  if (first !== undefined && lstatSync(final, { throwIfNoEntry: false }) !== undefined) throw changed(first);
  journal.noteMade(rootId, ...foldersOf(tree, ops));
  try {
    renameSync(staged, final);
  } catch (cause) {
    const isTaken = ['ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EISDIR'].includes(codeOf(cause));
    throw isTaken && first !== undefined ? changed(first) : cause;
  }
}

function finalOf({ journal, rootId, folders }: Context, op: RestoreOp): string | Buffer {
  const { dir, name } = splitPath(op.path);
  return folders.open(dir, (made) => journal.noteMade(rootId, made)).at(name);
}

/** Modes of folders last: one without write permission must be filled, and moved, first. Gives those that were set. */
function setModes(folders: SafeFolders, own: readonly RestoreOp[], single: readonly RestoreOp[]): string[] {
  const late = own.filter((op) => op.kind === 'folder' && op.tree != null && op.mode !== null && !isOpen(op.mode));
  const paths: string[] = [];
  for (const op of [...single, ...late].filter(({ kind }) => kind === 'folder').reverse()) {
    const { dir, name } = splitPath(op.path);
    setFolderMode(folders.open(dir, null).at(name), op.mode);
    if (op.tree != null) paths.push(op.path);
  }
  return paths;
}

function commitFolder(context: Context, op: RestoreOp): void {
  const path = finalOf(context, op);
  const now = lstatSync(path, { throwIfNoEntry: false });
  if (now?.isDirectory() === true) return;
  if (now !== undefined) throw changed(op);
  context.journal.noteMade(op.rootId, op.path);
  mkdirSync(path, { mode: 0o700 });
}

function commitEntry(context: Context, op: RestoreOp): void {
  const { staging, isProven } = context;
  const staged = staging.at(op);
  const final = finalOf(context, op);
  const stat = lstatSync(staged, { throwIfNoEntry: false });
  if (stat === undefined) {
    // An earlier try moved it; then it is there.
    if (op.kind === 'file' && hashAt(final) !== op.sha256) throw changed(op);
    return;
  }
  const isSound = isProven ? stat.isFile() && stat.size === op.sizeBytes : hashAt(staged) === op.sha256;
  if (op.kind === 'file' && !isSound) throw readsDifferently(displayPath(op.path));
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
    const beside = besideOf(context, op);
    copyAcross(staged, beside, op);
    renameSync(beside, final);
    unlinkSync(staged);
  }
}

function besideOf({ journal, folders }: Context, op: RestoreOp): string | Buffer {
  return folders.open(splitPath(op.path).dir, null).at(`${stagingName(journal)}-${op.n}`);
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
      dress(output, dressOf(op));
      fsyncSync(output);
    } finally {
      closeSync(output);
    }
  } finally {
    closeSync(input);
  }
}
