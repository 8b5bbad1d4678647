/** Folders that a target lacks as a whole: what is in them is staged as it will be, and moved with one call. */
import { lstatSync } from 'node:fs';
import { fsPath, splitPath } from '../path-names.ts';
import type { Place, PlannedFile } from './plan.ts';
import type { RestoreOp } from './restore-journal.ts';

/**
 * For each file the topmost folder that is not there; null when it is moved by itself. Looks at the target once for each
 * folder. What lies on another disk than its place is never moved at once.
 */
export function findTrees(files: readonly PlannedFile[], places: readonly Place[]): (string | null)[] {
  const folders = new Map(places.map(({ rootId, folder }) => [rootId, folder]));
  const known = new Map<string, string | null>();
  const treeOf = (rootId: number, dir: string): string | null => {
    if (dir === '') return null;
    const key = `${rootId}/${dir}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const above = splitPath(dir).dir;
    const answer = treeOf(rootId, above) ?? (isMissing(folders.get(rootId) ?? '', above, dir) ? dir : null);
    known.set(key, answer);
    return answer;
  };
  return files.map(({ entry: { rootId, kind, path }, was }) => {
    if (was !== null) return null;
    return treeOf(rootId, kind === 'folder' ? path : splitPath(path).dir);
  });
}

function isMissing(place: string, above: string, dir: string): boolean {
  if (lstatSync(fsPath(`${place}/${dir}`), { throwIfNoEntry: false }) !== undefined) return false;
  const root = lstatSync(fsPath(place), { throwIfNoEntry: false });
  const parent = above === '' ? root : lstatSync(fsPath(`${place}/${above}`), { throwIfNoEntry: false });
  return root?.dev === parent?.dev;
}

/** All folders of a tree, each after the one that it lies in. */
export function foldersOf(tree: string, ops: readonly RestoreOp[]): string[] {
  const dirs = new Set<string>([tree]);
  for (const { kind, path } of ops)
    for (
      let dir = kind === 'folder' ? path : splitPath(path).dir;
      !dirs.has(dir) && dir !== '';
      dir = splitPath(dir).dir
    )
      dirs.add(dir);
  return [...dirs].sort((a, b) => (a < b ? -1 : 1));
}

export function byTree(ops: readonly RestoreOp[]): Map<string, RestoreOp[]> {
  const trees = new Map<string, RestoreOp[]>();
  for (const op of ops) {
    if (op.tree == null) continue;
    const own = trees.get(op.tree);
    if (own === undefined) trees.set(op.tree, [op]);
    else own.push(op);
  }
  return trees;
}

/** Whether its owner can fill a folder of this mode, and move it. */
export function isOpen(mode: number): boolean {
  return (mode & 0o700) === 0o700;
}
