/** Where a restore works: the staging folders in its target, and its places, each held open while something is done in it. */
import { existsSync, lstatSync, mkdirSync, rmdirSync, rmSync, type Stats } from 'node:fs';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { fsPath, splitPath } from '../path-names.ts';
import type { Journal, RestoreOp } from './restore-journal.ts';
import { openPlace, type SafeFolders } from './safe-folder.ts';

/** In the target, on its disk; the watch leaves it out by its name. */
export function stagingName(journal: Journal): string {
  return `.angles-restore-${journal.head.id}`;
}

export type StepOptions = { readonly signal?: AbortSignal | undefined; readonly onFile?: (() => void) | undefined };

let sinceTurn = 0;

export async function turn({ signal }: StepOptions): Promise<void> {
  signal?.throwIfAborted();
  sinceTurn += 1;
  if (sinceTurn % 32 === 0) await new Promise((resolve) => setImmediate(resolve));
}

export type Staging = {
  /** Where a file or link is staged; its folder must be there. */
  readonly at: (op: RestoreOp) => string | Buffer;
  /** What is staged of an op, or of a tree as a whole; undefined when nothing is, or not any more. */
  readonly stat: (op: RestoreOp) => Stats | undefined;
  readonly treeAt: (rootId: number, tree: string) => string | Buffer;
  /** Makes the staging folder of a root, and the folders of its trees. */
  readonly make: (rootId: number, dirs: Iterable<string>) => void;
  readonly close: () => void;
};

/** Below it, trees lie as they will lie below their place. */
export const TREES = 't';

/** Where an op is staged, below its staging folder. */
export function stagedName(op: Pick<RestoreOp, 'n' | 'path' | 'tree'>): {
  readonly dir: string;
  readonly name: string;
} {
  return op.tree == null ? { dir: '', name: String(op.n) } : splitPath(`${TREES}/${op.path}`);
}

export function openStaging(journal: Journal): Staging {
  const opened = new Map<number, SafeFolders>();
  const pathOf = (rootId: number): string => `${placeOf(journal, rootId)}/${stagingName(journal)}`;
  /** Null when it was removed already by a try that was killed right after: then nothing is staged any more. */
  const open = (rootId: number): SafeFolders | null => {
    const known = opened.get(rootId);
    if (known !== undefined) return known;
    if (lstatSync(fsPath(pathOf(rootId)), { throwIfNoEntry: false }) === undefined) return null;
    const folders = openPlace(pathOf(rootId));
    opened.set(rootId, folders);
    return folders;
  };
  const at = (rootId: number, dir: string, name: string): string | Buffer => {
    try {
      const folder = open(rootId)?.open(dir, null);
      if (folder !== undefined) return folder.at(name);
    } catch (cause) {
      // Half removed by a try that was killed while it did that: what was in there was moved before.
      if (!isMissing(cause)) throw cause;
    }
    return fsPath(`${pathOf(rootId)}/${dir === '' ? '' : `${dir}/`}${name}`);
  };
  const treeAt = (rootId: number, tree: string): string | Buffer => {
    const { dir, name } = splitPath(`${TREES}/${tree}`);
    return at(rootId, dir, name);
  };
  return {
    at: (op) => {
      const { dir, name } = stagedName(op);
      return at(op.rootId, dir, name);
    },
    stat: (op) => {
      // A tree is there as a whole or not at all.
      const path = op.tree == null ? at(op.rootId, '', String(op.n)) : treeAt(op.rootId, op.tree);
      return lstatSync(path, { throwIfNoEntry: false });
    },
    treeAt,
    make: (rootId, dirs) => {
      makePlace(journal, rootId, placeOf(journal, rootId));
      mkdirSync(fsPath(pathOf(rootId)), { recursive: true, mode: 0o700 });
      const folders = open(rootId);
      for (const dir of dirs) folders?.open(`${TREES}/${dir}`, () => undefined, 0o700);
    },
    close: () => {
      for (const folders of opened.values()) folders.close();
    },
  };
}

function isMissing(cause: unknown): boolean {
  const system = cause instanceof AppError ? cause.cause : undefined;
  return system instanceof Error && 'code' in system && system.code === 'ENOENT';
}

/** Makes the folder of a root and those above it, each remembered. */
function makePlace(journal: Journal, rootId: number, place: string): void {
  if (existsSync(fsPath(place))) return;
  journal.noteMade(rootId, '');
  mkdirSync(fsPath(place), { recursive: true, mode: 0o755 });
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

export async function eachPlace(
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

export function opsOf(journal: Journal, place: { readonly rootId: number }): readonly RestoreOp[] {
  return journal.ops.filter((op) => op.rootId === place.rootId);
}

export function placeOf(journal: Journal, rootId: number): string {
  const place = journal.head.places.find((each) => each.rootId === rootId);
  if (place === undefined) throw new Error(`the root ${rootId} has no place`);
  return place.folder;
}

export function changed(op: RestoreOp): AppError {
  return new AppError('restore.plan_changed', `${displayPath(op.path)} is not as it was when the plan was made.`);
}
