import type { Readable } from 'node:stream';
import { streamContent } from './content-stream.ts';
import { openBeside } from './database.ts';

/** Contents of the vault, read beside its writer. */
export type VaultContents = {
  /** As {@link streamContent}. `sha256` in hexadecimal. */
  readonly stream: (sha256: string, sizeBytes: number) => Readable;
  readonly close: () => void;
};

/** Throws what opening a vault throws (`data.corrupt`, `data.unwritable`). */
export function openVaultContents(dataFolder: string): VaultContents {
  const db = openBeside(dataFolder);
  return {
    stream: (sha256, sizeBytes) => streamContent(db, dataFolder, { sha256: Buffer.from(sha256, 'hex'), sizeBytes }),
    close: () => db.close(),
  };
}
