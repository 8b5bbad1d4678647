import { execFile } from 'node:child_process';
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { promisify } from 'node:util';
import { fsPath } from '../path-names.ts';

/** Up to here a call for each file is quicker than one for the whole file system. */
const FEW = 64;

/**
 * Makes many files and folders durable. One fsync each takes minutes for 20,000 files (5 ms a file were measured);
 * `sync -f` asks the kernel once for the whole file system (syncfs(2)), which Node cannot.
 * @param folder lies on the file system of all of them
 * @param paths gone through more than once: everything that must be on the disk when this resolves; files that may not be read are skipped
 */
export async function flushMany(folder: string, paths: Iterable<string>): Promise<void> {
  if (process.platform === 'linux' && hasMany(paths) && (await syncFileSystem(folder))) return;
  for (const path of paths) {
    let descriptor: number;
    try {
      descriptor = openSync(fsPath(path), 'r');
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? cause.code : '';
      if (code === 'EACCES' || code === 'ELOOP' || code === 'ENOENT' || code === 'EISDIR') continue;
      throw cause;
    }
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }
}

async function syncFileSystem(folder: string): Promise<boolean> {
  try {
    const at = fsPath(folder);
    if (typeof at !== 'string') return false;
    await promisify(execFile)('sync', ['-f', '--', at], { timeout: 600_000 });
    return true;
  } catch {
    // An old or other `sync`: then one by one.
    return false;
  }
}

function hasMany(paths: Iterable<string>): boolean {
  let count = 0;
  for (const _ of paths) {
    count += 1;
    if (count > FEW) return true;
  }
  return false;
}
