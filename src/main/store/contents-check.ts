import { existsSync } from 'node:fs';
import { AppError } from '../../shared/errors.ts';
import { objectPath, readContent } from './contents.ts';
import type { Store } from './database.ts';
import { packPath } from './packs.ts';

/** Hashes, in hex. */
export type BrokenContents = {
  readonly checked: number;
  readonly missing: readonly string[];
  readonly damaged: readonly string[];
};

/**
 * Looks for every object file and pack, and proves contents by their checksum in random order until the time is over.
 * Changes nothing. Blocks the thread for about `budgetMs`.
 */
export function findBroken(store: Store, budgetMs: number): BrokenContents {
  const missing = missingFiles(store);
  const damaged: string[] = [];
  let checked = 0;
  const endMs = performance.now() + budgetMs;
  const newest = store.db.prepare<[], { id: number | null }>('SELECT max(id) AS id FROM contents').get()?.id ?? 0;
  const at = store.db.prepare<[number], { sha256: Buffer }>(
    'SELECT sha256 FROM contents WHERE id >= ? ORDER BY id LIMIT 1',
  );
  while (performance.now() < endMs && checked < newest) {
    const row = at.get(Math.floor(Math.random() * newest) + 1);
    if (row === undefined) break;
    checked += 1;
    try {
      readContent(store.db, store.dataFolder, row.sha256);
    } catch (cause) {
      if (!(cause instanceof AppError)) throw cause;
      const hex = row.sha256.toString('hex');
      if (cause.code === 'content.damaged' && !damaged.includes(hex)) damaged.push(hex);
    }
  }
  return { checked, missing, damaged };
}

/** Contents whose object file or pack is not there. */
function missingFiles({ db, dataFolder }: Store): string[] {
  const packs = new Map<number, boolean>();
  const isThere = (pack: number): boolean => {
    const known = packs.get(pack) ?? existsSync(packPath(dataFolder, pack));
    packs.set(pack, known);
    return known;
  };
  const missing: string[] = [];
  const rows = db.prepare<[], { sha256: Buffer; pack: number | null }>(
    'SELECT sha256, pack FROM contents WHERE data IS NULL',
  );
  for (const { sha256, pack } of rows.iterate()) {
    if (pack !== null && isThere(pack)) continue;
    const hex = sha256.toString('hex');
    if (pack !== null || !existsSync(objectPath(dataFolder, hex))) missing.push(hex);
  }
  return missing;
}
