import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { objectPath } from './contents.ts';
import type { Db } from './database.ts';
import { findBlocks, itemBytes } from './pack-format.ts';
import { listPacks, packPath } from './packs.ts';
import { unpack } from './recover-rows.ts';

/** Finds the contents that versions refer to and no row has, in object files and packs; each proves itself. */
export function adoptContents(db: Db, dataFolder: string): void {
  const rows = db
    .prepare<[], { sha256: Buffer }>(
      `SELECT DISTINCT sha256 FROM file_snapshots
       WHERE sha256 IS NOT NULL AND sha256 NOT IN (SELECT sha256 FROM contents)`,
    )
    .all();
  const wanted = new Set(rows.map(({ sha256 }) => sha256.toString('hex')));
  const insert = db.prepare<unknown[]>(
    `INSERT INTO contents (sha256, size_bytes, stored_bytes, encoding, data, pack, pack_offset)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  for (const { sha256 } of rows) {
    const found = findObject(dataFolder, sha256);
    if (found === null) continue;
    wanted.delete(sha256.toString('hex'));
    insert.run(sha256, found.sizeBytes, found.storedBytes, found.encoding, null, null, null);
  }
  for (const pack of listPacks(dataFolder)) {
    if (wanted.size === 0) return;
    adoptPack(readOrNull(packPath(dataFolder, pack)), pack, wanted, insert.run.bind(insert));
  }
}

function findObject(dataFolder: string, sha256: Buffer) {
  const stored = readOrNull(objectPath(dataFolder, sha256.toString('hex')));
  if (stored === null) return null;
  for (const encoding of ['zstd', 'raw'] as const) {
    const bytes = unpack(stored, encoding);
    if (bytes === null || !hash('sha256', bytes, 'buffer').equals(sha256)) continue;
    return { sizeBytes: bytes.length, storedBytes: stored.length, encoding };
  }
  return null;
}

function adoptPack(
  file: Buffer | null,
  pack: number,
  wanted: Set<string>,
  insert: (...values: readonly unknown[]) => void,
): void {
  if (file === null) return;
  for (const block of findBlocks(file)) {
    for (const item of block.items) {
      const bytes = itemBytes(block, item);
      if (bytes === null) continue;
      const sha256 = hash('sha256', bytes, 'buffer');
      if (!wanted.delete(sha256.toString('hex'))) continue;
      const share = Math.round((block.storedBytes * bytes.length) / Math.max(1, block.bytes.length));
      // Under a name that was changed the pack would not find it: then it is kept in the vault.
      if (item.sha256.equals(sha256)) insert(sha256, bytes.length, share, block.encoding, null, pack, block.offset);
      else insert(sha256, bytes.length, bytes.length, 'raw', bytes, null, null);
    }
  }
}

/** Null when it cannot be read, for whatever reason: then it cannot prove anything. */
function readOrNull(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}
