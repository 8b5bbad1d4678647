import { closeSync, constants, fsyncSync, openSync, writeSync } from 'node:fs';
import { fsPath } from './path-names.ts';

/** Makes the entries of a folder durable: a rename or a new file is only on the disk when its folder is. */
export function syncFolder(folder: string): void {
  // Windows has no folder handles; its file system journals the entry.
  if (process.platform === 'win32') return;
  const descriptor = openSync(fsPath(folder), constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Writes all bytes: one call may write fewer. */
export function writeAll(descriptor: number, bytes: Buffer): void {
  for (let offset = 0; offset < bytes.length; ) offset += writeSync(descriptor, bytes, offset);
}
