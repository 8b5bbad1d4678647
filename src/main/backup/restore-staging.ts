/** Where a restore works: the staging folders in its target, and its places, each held open while something is done in it. */
import { existsSync, mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { fsPath } from '../path-names.ts';
import type { Journal, RestoreOp } from './restore-journal.ts';
import { openPlace, type SafeFolder, type SafeFolders } from './safe-folder.ts';

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

export type Staging = { readonly of: (rootId: number) => SafeFolder; readonly close: () => void };

export function openStaging(journal: Journal, make: boolean): Staging {
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

export function readsDifferently(what: string): AppError {
  return new AppError('backup.damaged', `${what} was written and reads differently: the disk may be failing.`);
}
