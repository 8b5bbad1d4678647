import type { Readable } from 'node:stream';
import type { SharedRepository } from './repository-types.ts';

/**
 * One backup, opened for reading: an archive, a commit of the repository and an old export look the same from here,
 * so that planning, restoring, drills and drift have one way to go.
 */
export type BackupSource = {
  readonly info: SourceInfo;
  readonly roots: readonly SourceRoot[];
  readonly entries: () => Iterable<SourceEntry>;
  /**
   * The wanted files in the order in which they lie in the backup. `content` is the whole proven content; null for
   * one above 32 MiB: read that with {@link BackupSource.stream}. Throws `backup.damaged`.
   */
  readonly contents: (
    wanted: (entry: SourceEntry) => boolean,
  ) => Iterable<SourceContent> | AsyncIterable<SourceContent>;
  /** The bytes of one file of any size. Fails with `backup.damaged` before its end when they are not those of its SHA-256. */
  readonly stream: (entry: SourceEntry) => Readable;
  /** How several threads read the files at once; left out where only one can. */
  readonly shared?: SharedSource;
  readonly tables: readonly SourceTable[];
  /** Throws `backup.damaged`. */
  readonly rows: (table: string) => AsyncIterable<SourceRow>;
  /** Safe to repeat. */
  readonly close: () => Promise<void>;
};

/** `old-*`: what earlier programs wrote. */
export type SourceShape = 'archive' | 'repository' | 'old-archive' | 'old-table';

export type SourceInfo = {
  /** The same for the same backup wherever it lies. */
  readonly id: string;
  /** What a person calls it: a file name, or a tag. */
  readonly name: string;
  readonly shape: SourceShape;
  /** null when an old backup does not tell. */
  readonly createdAtMs: number | null;
  readonly deviceId: string | null;
  /** Why it was made; null when it does not tell. */
  readonly reason: string | null;
  readonly tag: string | null;
  readonly isEncrypted: boolean;
  /** Proven to be written by a holder of the key. False: only proven to be what its own metadata says. */
  readonly isAuthenticated: boolean;
  /** Secrets were taken out: some files are not the originals. */
  readonly isRedacted: boolean;
  readonly fingerprint: string | null;
  /** What a person should know before relying on it. */
  readonly warnings: readonly string[];
};

export type SourceRoot = {
  readonly rootId: number;
  /** Where it lay when it was backed up, absolute, in our names; null when an old backup does not tell. */
  readonly path: string | null;
};

export type SourceEntry = {
  readonly rootId: number;
  /** Relative to the root, in our names. */
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'symlink';
  /** Permission bits (07777); null when not known. */
  readonly mode: number | null;
  readonly mtimeUs: number | null;
  readonly sizeBytes: number;
  /** Hex, of the bytes as they are in the backup; null for what is no file. */
  readonly sha256: string | null;
  /** Places that were redacted; 0 for an exact copy. */
  readonly redactions: number;
  /** Where a symbolic link points. */
  readonly target: string | null;
};

export type SharedSource = {
  readonly repository: SharedRepository;
  /**
   * Where these files lie, in the order in which they do; they are of {@link BackupSource.entries}. Null for one that is
   * only given as a stream.
   */
  readonly places: (
    entries: readonly SourceEntry[],
  ) => readonly { readonly entry: SourceEntry; readonly oid: string | null }[];
};

export type SourceContent = { readonly entry: SourceEntry; readonly content: Buffer | null };

export type SourceTable = {
  readonly name: string;
  readonly recordCount: number;
  /** Version of the shape of its rows. */
  readonly schemaVersion: string;
};

export type SourceRow = Readonly<Record<string, unknown>>;

/** Contents above this many bytes are only given as a stream. */
export const LARGEST_WHOLE_BYTES = 32 * 1_048_576;

export function entryKey(entry: { readonly rootId: number; readonly path: string }): string {
  return `${entry.rootId}/${entry.path}`;
}
