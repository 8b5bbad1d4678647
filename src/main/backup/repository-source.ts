import { Readable } from 'node:stream';
import { TABLE_SCHEMA_VERSION } from './archive-format.ts';
import type { SharedRepository } from './repository-types.ts';
import type { BackupSource, SharedSource, SourceContent, SourceEntry, SourceRow } from './source.ts';

/** What is needed of a reader of the repository: see `repository-types.ts`. */
export type RepositoryLike = {
  readonly entries: (commit: string) => Iterable<SourceEntry>;
  readonly contents: (commit: string, wanted?: (entry: SourceEntry) => boolean) => Iterable<SourceContent>;
  readonly places?: (commit: string, entries: readonly SourceEntry[]) => ReturnType<SharedSource['places']>;
  readonly share?: (commit: string) => SharedRepository;
  readonly readFileChunks: (commit: string, rootId: number, path: string) => AsyncIterable<Buffer>;
  readonly readTable: (commit: string, table: string) => Iterable<SourceRow>;
  readonly fingerprint: string | null;
};

export type RepositoryBackup = {
  readonly commit: string;
  readonly createdAtMs: number;
  readonly deviceId: string;
  readonly reason: string;
  readonly tag: string | null;
  readonly isEncrypted: boolean;
  readonly redacted: number;
  readonly incomplete: number;
  readonly roots: readonly { readonly rootId: number; readonly path: string }[];
  readonly tables: Readonly<Record<string, number>>;
};

/** A commit of the backup repository. The reader proves whatever it gives; closing leaves it open for others. */
export function openRepositorySource(reader: RepositoryLike, backup: RepositoryBackup): BackupSource {
  const { commit } = backup;
  return {
    info: {
      id: commit,
      name: backup.tag ?? commit.slice(0, 10),
      shape: 'repository',
      createdAtMs: backup.createdAtMs,
      deviceId: backup.deviceId,
      reason: backup.reason,
      tag: backup.tag,
      isEncrypted: backup.isEncrypted,
      isAuthenticated: backup.isEncrypted,
      isRedacted: backup.redacted > 0,
      fingerprint: reader.fingerprint,
      warnings: backup.incomplete > 0 ? [`${backup.incomplete} files could not be read when it was made.`] : [],
    },
    roots: backup.roots.map(({ rootId, path }) => ({ rootId, path })),
    entries: () => reader.entries(commit),
    contents: (wanted) => reader.contents(commit, (entry) => entry.kind === 'file' && wanted(entry)),
    ...shareOf(reader, commit),
    stream: (entry) => Readable.from(reader.readFileChunks(commit, entry.rootId, entry.path)),
    tables: Object.entries(backup.tables).map(([name, recordCount]) => ({
      name,
      recordCount,
      schemaVersion: TABLE_SCHEMA_VERSION,
    })),
    rows: async function* (table) {
      yield* reader.readTable(commit, table);
    },
    close: async () => undefined,
  };
}

function shareOf({ places, share }: RepositoryLike, commit: string): Pick<BackupSource, 'shared'> {
  if (places === undefined || share === undefined) return {};
  return {
    shared: {
      repository: share(commit),
      places: (entries) => places(commit, entries),
    },
  };
}
