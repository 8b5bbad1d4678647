import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JournalHead } from './restore-journal.ts';

/** A restore that a crash cut off, if there is one. Reads heads and states only: it is asked for with every status. */
export function findInterrupted(dataFolder: string): JournalHead | undefined {
  const all = join(dataFolder, 'restores');
  for (const name of namesIn(all)) {
    try {
      const state = JSON.parse(readFileSync(join(all, name, 'state'), 'utf8')) as string;
      if (['staging', 'committing', 'undoing'].includes(state))
        return JSON.parse(readFileSync(join(all, name, 'head.json'), 'utf8')) as JournalHead;
    } catch {
      // No head or no state: it never began.
    }
  }
  return undefined;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
