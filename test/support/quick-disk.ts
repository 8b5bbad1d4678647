import { existsSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

const MEMORY = '/dev/shm';
/** Containers may give it 64 MB only. */
const ENOUGH_BYTES = 2 * 1_024 ** 3;

/**
 * Where tests that prove nothing about disks put their folders: in memory where there is enough of it, so that they do
 * not wait for one that others use. What a process wrote survives its end there, too. `TMPDIR` wins.
 */
export function quickDisk(): string {
  if (process.env.TMPDIR !== undefined || !existsSync(MEMORY)) return tmpdir();
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize > ENOUGH_BYTES ? MEMORY : tmpdir();
}
