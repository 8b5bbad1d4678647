import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const WORK_FOLDER = join('backup', 'tmp');

/** A folder for plain bytes while backups are made or read; only this user may look into it. */
export function makeWorkFolder(dataFolder: string): string {
  const folder = join(dataFolder, WORK_FOLDER, randomBytes(8).toString('hex'));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Removes what a killed process left. For the start, before anything else runs. */
export function clearWorkFolders(dataFolder: string): void {
  rmSync(join(dataFolder, WORK_FOLDER), { recursive: true, force: true });
}
