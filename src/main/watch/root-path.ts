import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';

/**
 * Checks a folder somebody wants to watch and returns its real path. Changes nothing.
 * Throws `root.missing`, `root.not_a_directory`, `root.unreadable`, `root.duplicate`, `root.nested`, `root.data_folder`.
 * @param others real paths of the roots that are watched already
 */
export function checkRootPath(path: string, others: readonly string[], dataFolder: string): string {
  const shown = displayPath(path);
  const real = realPath(path);
  if (real === 'hidden') throw new AppError('root.unreadable', `A folder above ${shown} cannot be read by this user.`);
  if (real === 'nothing') throw new AppError('root.missing', `${shown} does not exist.`);
  if (!statSync(real).isDirectory())
    throw new AppError('root.not_a_directory', `${shown} is a file.`, {
      hint: `Watch its folder: ${displayPath(dirname(real))}`,
    });
  try {
    accessSync(real, constants.R_OK | constants.X_OK);
  } catch (cause) {
    throw new AppError('root.unreadable', `${shown} cannot be read by this user.`, { cause });
  }
  const realData = realPath(dataFolder);
  const data = realData === 'nothing' || realData === 'hidden' ? resolve(dataFolder) : realData;
  if (isInside(real, data) || isInside(data, real))
    throw new AppError('root.data_folder', `${shown} and the data folder ${displayPath(data)} lie inside each other.`);
  for (const other of others) {
    if (other === real) throw new AppError('root.duplicate', `${shown} is watched already.`);
    if (isInside(real, other))
      throw new AppError('root.nested', `${shown} lies inside ${displayPath(other)}, which is watched already.`);
    if (isInside(other, real))
      throw new AppError('root.nested', `${shown} lies around ${displayPath(other)}, which is watched already.`);
  }
  return real;
}

/** Whether `inner` is `outer` or lies below it. */
export function isInside(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep);
}

/**
 * Device and inode of a folder: the same folder, whatever is in it. Null when it is not there, also when a link leads
 * elsewhere now.
 * @param path a real path
 */
export function folderIdentity(path: string): string | null {
  try {
    const stats = statSync(path, { bigint: true });
    return stats.isDirectory() && realpathSync(path) === path ? `${stats.dev}:${stats.ino}` : null;
  } catch {
    // Not there, or not reachable: the caller finds out which when it matters.
    return null;
  }
}

/** A real path is absolute, so that the other two answers cannot be one. */
function realPath(path: string): string | 'nothing' | 'hidden' {
  try {
    return realpathSync(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    return code === 'EACCES' || code === 'EPERM' ? 'hidden' : 'nothing';
  }
}
