import { randomFillSync } from 'node:crypto';
import { closeSync, fsyncSync, openSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { syncFolder, writeAll } from '../durable.ts';

/** Space that is kept for the moment when the disk is full: then there is enough to write logs, and to say so. */
export type Reserve = {
  /** Gives the space free. True when there was some to give. Never throws. */
  readonly release: () => boolean;
  /** Takes the space (again). True when it is held now; false while the disk has none. Never throws; safe to repeat. */
  readonly restore: () => boolean;
};

export const RESERVE_FILE = 'reserve';

/** Writes nothing before {@link Reserve.restore} is called. */
export function createReserve(dataFolder: string, bytes = 2 * 1_048_576): Reserve {
  const file = join(dataFolder, RESERVE_FILE);
  const release = (): boolean =>
    attempt(() => {
      const had = sizeOf(file) > 0;
      rmSync(file, { force: true });
      return had;
    });
  return {
    release,
    restore: () => {
      if (attempt(() => sizeOf(file) === bytes)) return true;
      const isHeld = attempt(() => {
        fill(file, bytes);
        syncFolder(dataFolder);
        return true;
      });
      // Half a reserve would take space from those who need it now.
      if (!isHeld) release();
      return isHeld;
    },
  };
}

/** Random bytes: a file system that compresses, or leaves zeros out, would keep no space for anything else. */
function fill(file: string, bytes: number): void {
  const descriptor = openSync(file, 'w', 0o600);
  try {
    writeAll(descriptor, randomFillSync(Buffer.allocUnsafe(bytes)));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** 0 for a file that is not there. */
function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** False when it fails: the reserve is a help in need, never a trouble of its own. */
function attempt(work: () => boolean): boolean {
  try {
    return work();
  } catch {
    return false;
  }
}
