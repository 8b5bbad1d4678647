import { join } from 'node:path';
import type { Readable } from 'node:stream';
import Database from 'better-sqlite3';
import { streamContent } from './content-stream.ts';
import { translateSqliteError, VAULT_FILE } from './database.ts';

/** Contents of the vault, read beside its writer. */
export type VaultContents = {
  /** As {@link streamContent}. `sha256` in hexadecimal. */
  readonly stream: (sha256: string, sizeBytes: number) => Readable;
  readonly close: () => void;
};

/** Throws what opening a vault throws (`data.corrupt`, `data.unwritable`). */
export function openVaultContents(dataFolder: string): VaultContents {
  const file = join(dataFolder, VAULT_FILE);
  let db: Database.Database;
  try {
    db = new Database(file, { readonly: true });
  } catch (cause) {
    throw translateSqliteError(cause, file);
  }
  return {
    stream: (sha256, sizeBytes) => streamContent(db, dataFolder, { sha256: Buffer.from(sha256, 'hex'), sizeBytes }),
    close: () => db.close(),
  };
}
