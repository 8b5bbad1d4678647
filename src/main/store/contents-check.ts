import { existsSync } from 'node:fs';
import { AppError } from '../../shared/errors.ts';
import { objectPath, readContent } from './contents.ts';
import type { Store } from './database.ts';

export type ContentsCheck = {
  readonly checked: number;
  readonly missing: { readonly count: number; readonly sample: readonly string[] };
  readonly damaged: { readonly count: number; readonly sample: readonly string[] };
};

const SAMPLE = 5;

/**
 * Looks for every object file, and proves contents by their checksum in random order until the time is over.
 * Changes nothing. Blocks the thread for about `budgetMs`.
 */
export function checkContents(store: Store, budgetMs: number): ContentsCheck {
  const missing: string[] = [];
  const damaged: string[] = [];
  const objects = store.db.prepare<[], { sha256: Buffer }>('SELECT sha256 FROM contents WHERE data IS NULL').all();
  for (const { sha256 } of objects) {
    const hex = sha256.toString('hex');
    if (!existsSync(objectPath(store.dataFolder, hex))) missing.push(hex);
  }
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
  const summarise = (hashes: readonly string[]) => ({ count: hashes.length, sample: hashes.slice(0, SAMPLE) });
  return { checked, missing: summarise(missing), damaged: summarise(damaged) };
}
