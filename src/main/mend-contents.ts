/**
 * Contents of the vault that a failing disk took, or a hand that deleted a file in `objects/`, are stored again from the
 * files that still hold them. Without it such a content would count as known for ever, and no scan would read it again.
 */
import { join } from 'node:path';
import { AppError } from '../shared/errors.ts';
import { readContent } from './store/contents.ts';
import { type BrokenContents, findBroken } from './store/contents-check.ts';
import { findHolders, type Holder, replaceContent } from './store/contents-mend.ts';
import type { Store } from './store/database.ts';
import { readVersion } from './watch/read-file.ts';

export type MendedContents = BrokenContents & {
  /** Hashes, in hex, of those that are whole again; the others above are still broken. */
  readonly mended: readonly string[];
};

/**
 * Looks for broken contents for about `budgetMs` and mends those that a watched file has still. Changes nothing else:
 * versions, files and times stay. Safe to repeat. Throws `data.full` when there is no space for them.
 */
export async function mendContents(store: Store, budgetMs: number): Promise<MendedContents> {
  const broken = findBroken(store, budgetMs);
  const hashes = new Set([...broken.missing, ...broken.damaged]);
  if (hashes.size === 0) return { ...broken, mended: [] };
  const mended: string[] = [];
  for (const [hex, holders] of findHolders(store, hashes)) if (await mend(store, hex, holders)) mended.push(hex);
  const isOpen = (hex: string): boolean => !mended.includes(hex);
  return { ...broken, missing: broken.missing.filter(isOpen), damaged: broken.damaged.filter(isOpen), mended };
}

async function mend(store: Store, hex: string, holders: readonly Holder[]): Promise<boolean> {
  for (const { root, dir, name } of holders) {
    const read = await readVersion({
      path: join(root, dir, name),
      maxBytes: Number.MAX_SAFE_INTEGER,
      dataFolder: store.dataFolder,
    });
    // The index may be older than the file.
    if (read.kind !== 'content' || read.content.sha256.toString('hex') !== hex) continue;
    replaceContent(store, read.content);
    return isWhole(store, read.content.sha256);
  }
  return false;
}

function isWhole(store: Store, sha256: Buffer): boolean {
  try {
    readContent(store.db, store.dataFolder, sha256);
    return true;
  } catch (cause) {
    if (cause instanceof AppError) return false;
    throw cause;
  }
}
