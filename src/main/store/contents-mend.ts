import type { StoredContent } from './contents.ts';
import type { Store } from './database.ts';

/** A file of the index whose bytes should be those of a content. */
export type Holder = { readonly root: string; readonly dir: string; readonly name: string };

/** Files that are on the disk with one of these contents, as far as the index knows, by SHA-256 in hex. */
export function findHolders({ db }: Store, hashes: ReadonlySet<string>): ReadonlyMap<string, readonly Holder[]> {
  const holders = new Map<string, Holder[]>();
  const rows = db.prepare<[], { sha256: Buffer; root: string; dir: string; name: string }>(
    `SELECT files.sha256, roots.path AS root, files.dir, files.name FROM files JOIN roots ON roots.id = files.root_id
     WHERE files.state = 'present' AND files.sha256 IS NOT NULL`,
  );
  for (const { sha256, root, dir, name } of rows.iterate()) {
    const hex = sha256.toString('hex');
    if (hashes.has(hex)) holders.set(hex, [...(holders.get(hex) ?? []), { root, dir, name }]);
  }
  return holders;
}

/** Lets the row of a content refer to bytes that were just stored again. Durable when it returns. Safe to repeat. */
export function replaceContent(store: Store, content: StoredContent): void {
  const update = store.db.prepare(
    `UPDATE contents SET stored_bytes = ?, encoding = ?, data = ?, pack = NULL, pack_offset = NULL WHERE sha256 = ?`,
  );
  store.write(() => update.run(content.storedBytes, content.encoding, content.data, content.sha256));
}
