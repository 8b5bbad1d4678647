import { accessSync, constants, existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { SystemFacts } from './facts.ts';

/** Ours, besides the data folder itself; what does not exist is left out. */
const FILES = ['vault.db', 'vault.db-wal', 'config.json', '.env', 'agent.json', 'logs/angles.log'] as const;
const FOLDERS = ['logs', 'objects'] as const;

/**
 * Asks the operating system: modes, free space, limits. Changes nothing; never throws: what cannot be asked is null.
 * @param inotifyFolder where Linux shows its limits; for tests
 */
export function gatherFacts(dataFolder: string, inotifyFolder = '/proc/sys/fs/inotify'): SystemFacts {
  const named = (names: readonly string[], kind: 'file' | 'folder'): SystemFacts['modes'] =>
    names.flatMap((name) => modeOf(join(dataFolder, name), kind));
  return {
    platform: process.platform,
    nodeVersion: process.versions.node,
    dataFolder: { path: dataFolder, exists: existsSync(dataFolder), writable: isWritable(dataFolder) },
    modes: [...modeOf(dataFolder, 'folder'), ...named(FOLDERS, 'folder'), ...named(FILES, 'file')],
    disk: attempt(() => diskSpace(nearestExisting(dataFolder))),
    inotify: inotifyLimits(inotifyFolder),
  };
}

function modeOf(path: string, kind: 'file' | 'folder'): SystemFacts['modes'] {
  const stat = attempt(() => statSync(path));
  return stat === null ? [] : [{ path, kind, mode: stat.mode & 0o777 }];
}

function isWritable(folder: string): boolean {
  return (
    attempt(() => {
      accessSync(nearestExisting(folder), constants.W_OK | constants.X_OK);
      return true;
    }) ?? false
  );
}

/** Space for the user that asks, without what is kept for root. */
function diskSpace(path: string): SystemFacts['disk'] {
  const { bavail, blocks, bsize } = statfsSync(path);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

/** A data folder that is not there yet will lie on the disk of the folder that is. */
function nearestExisting(path: string): string {
  let at = path;
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  return at;
}

function inotifyLimits(folder: string): SystemFacts['inotify'] {
  const read = (name: string): number => Number(attempt(() => readFileSync(join(folder, name), 'utf8')) ?? Number.NaN);
  const limits = { maxUserWatches: read('max_user_watches'), maxUserInstances: read('max_user_instances') };
  return Number.isInteger(limits.maxUserWatches) && Number.isInteger(limits.maxUserInstances) ? limits : null;
}

/** null for what the system refuses to tell; every fact has a word for that. */
function attempt<T>(ask: () => T): T | null {
  try {
    return ask();
  } catch {
    return null;
  }
}
