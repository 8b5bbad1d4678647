/**
 * A folder that is held open, so that what is done in it is done in it: whatever somebody puts in the place of it or
 * of a folder above meanwhile, no link is followed. On Linux names are resolved from the open folder
 * (`/proc/self/fd`); elsewhere the way is looked at before each use.
 */
import { closeSync, constants, lstatSync, mkdirSync, openSync } from 'node:fs';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { fsPath, nameToBytes } from '../path-names.ts';

export type SafeFolder = {
  /** What a call takes for a name in this folder. */
  readonly at: (name: string) => string | Buffer;
  readonly close: () => void;
};

export type SafeFolders = {
  /**
   * The folder `dir` below the place. Missing ones are made when `make` is given, which is told each path that is made;
   * with the mode 0755 unless told.
   * Throws `restore.target` when something on the way is no folder.
   */
  readonly open: (dir: string, make: ((dir: string) => void) | null, mode?: number) => SafeFolder;
  readonly close: () => void;
};

const OPEN_FOLDER = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0) | (constants.O_NOFOLLOW ?? 0);
const HAS_PROC = process.platform === 'linux';

/** @param place absolute and real; it must exist */
export function openPlace(place: string): SafeFolders {
  return HAS_PROC ? openByDescriptor(place) : openByLooking(place);
}

function openByDescriptor(place: string): SafeFolders {
  const root = openFolder(fsPath(place), place);
  // Work goes on in one folder for a while: the way to the last one stays open.
  let way: { readonly name: string; readonly descriptor: number }[] = [];
  const shorten = (length: number): void => {
    for (const { descriptor } of way.splice(length)) closeSync(descriptor);
  };
  return {
    open: (dir, make, mode = 0o755) => {
      const names = dir === '' ? [] : dir.split('/');
      let same = 0;
      while (same < names.length && way[same]?.name === names[same]) same += 1;
      shorten(same);
      for (const [index, name] of names.entries()) {
        if (index < same) continue;
        const above = way.at(-1)?.descriptor ?? root;
        const path = inFolder(above, name);
        const full = names.slice(0, index + 1).join('/');
        if (make !== null && lstatSync(path, { throwIfNoEntry: false }) === undefined) {
          make(full);
          mkdirSync(path, { mode });
        }
        way = [...way, { name, descriptor: openFolder(path, `${place}/${full}`) }];
      }
      const descriptor = way.at(-1)?.descriptor ?? root;
      return { at: (name) => inFolder(descriptor, name), close: () => undefined };
    },
    close: () => {
      shorten(0);
      closeSync(root);
    },
  };
}

function inFolder(descriptor: number, name: string): string | Buffer {
  const encoded = fsPath(name);
  const prefix = `/proc/self/fd/${descriptor}/`;
  return typeof encoded === 'string' ? prefix + encoded : Buffer.concat([Buffer.from(prefix), nameToBytes(name)]);
}

function openFolder(path: string | Buffer, shown: string): number {
  try {
    return openSync(path, OPEN_FOLDER);
  } catch (cause) {
    throw notAFolder(shown, cause);
  }
}

function openByLooking(place: string): SafeFolders {
  return {
    open: (dir, make, mode = 0o755) => {
      let path = place;
      const names = dir === '' ? [] : dir.split('/');
      for (const [index, name] of names.entries()) {
        path = `${path}/${name}`;
        const stat = lstatSync(fsPath(path), { throwIfNoEntry: false });
        if (stat === undefined && make !== null) {
          make(names.slice(0, index + 1).join('/'));
          mkdirSync(fsPath(path), { mode });
        } else if (stat?.isDirectory() !== true) throw notAFolder(path, undefined);
      }
      return { at: (name) => fsPath(`${path}/${name}`), close: () => undefined };
    },
    close: () => undefined,
  };
}

function notAFolder(path: string, cause: unknown): AppError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const why = code === 'EACCES' || code === 'EPERM' ? 'may not be opened' : 'is no folder, or a link';
  return new AppError('restore.target', `${displayPath(path)} ${why}.`, { cause });
}
