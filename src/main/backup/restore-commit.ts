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
  setFolderMode,
} from './restore-bytes.ts';
import type { Journal, RestoreOp } from './restore-journal.ts';
import {
  changed,
  eachPlace,
  openStaging,
  opsOf,
  readsDifferently,
  removeStaging,
  type StepOptions,
  stagingName,
  turn,
} from './restore-staging.ts';
import type { SafeFolder } from './safe-folder.ts';

/**
 * Moves every staged file to its place. Throws `restore.plan_changed` when something there is not what the plan saw.
 * `isProven`: what is staged was read back in this process; otherwise it is read before it is moved.
 */
export async function commitFiles(
  journal: Journal,
  options: StepOptions & { readonly isProven: boolean },
): Promise<void> {
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
        else commitEntry({ folder, name, staging: staging.of(op.rootId) }, op, journal, options.isProven);
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

function commitFolder(folder: SafeFolder, name: string, op: RestoreOp, journal: Journal): void {
  const path = folder.at(name);
  const now = lstatSync(path, { throwIfNoEntry: false });
  if (now?.isDirectory() === true) return;
  if (now !== undefined) throw changed(op);
  journal.noteMade(op.rootId, op.path);
  mkdirSync(path, { mode: 0o700 });
}

function commitEntry(
  { folder, name, staging }: { readonly folder: SafeFolder; readonly name: string; readonly staging: SafeFolder },
  op: RestoreOp,
  journal: Journal,
  isProven: boolean,
): void {
  const staged = staging.at(String(op.n));
  const final = folder.at(name);
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
      dress(output, dressOf(op));
      fsyncSync(output);
    } finally {
      closeSync(output);
    }
  } finally {
    closeSync(input);
  }
}
