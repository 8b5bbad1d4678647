/** All backups that are here, of whatever kind: listed, found by a name, and looked into. */
import type { BackupItem } from '../../shared/contract-backup.ts';
import { AppError } from '../../shared/errors.ts';
import type { ListedArchive } from './archive-folder.ts';
import { parseArchiveName } from './archive-format.ts';
import type { Archives } from './archives.ts';
import type { Destinations } from './destinations.ts';
import type { KeySource } from './key-source.ts';
import type { Memory } from './memory.ts';
import { openRepositorySource } from './repository-source.ts';
import type { BackupSummary, RepositoryReader } from './repository-types.ts';
import type { BackupSource } from './source.ts';
import type { BackupPlace } from './tasks.ts';
import type { VaultRepository } from './vault-repository.ts';

export type CatalogDeps = {
  readonly repository: VaultRepository;
  readonly archives: Archives;
  readonly destinations: Destinations;
  readonly keys: KeySource;
  readonly memory: Memory;
};

export type FoundBackup =
  | { readonly kind: 'repository'; readonly reader: RepositoryReader; readonly summary: BackupSummary }
  | { readonly kind: 'archive'; readonly archive: ListedArchive };

export type Catalog = {
  /** Newest first; `offset` counts from the newest. */
  readonly list: (offset: number, limit: number) => Promise<{ readonly backups: BackupItem[]; readonly total: number }>;
  /** By id, tag, name of an archive or `latest`. Throws `not_found.backup`, naming the nearest. */
  readonly find: (name: string) => Promise<FoundBackup>;
  /** The newest one at or before a time. Throws `not_found.backup`. */
  readonly findAt: (timeMs: number) => Promise<FoundBackup>;
  readonly item: (found: FoundBackup) => BackupItem;
  /** Opens it for reading; an archive is proven as a whole first. The caller closes it. */
  readonly open: (found: FoundBackup) => Promise<BackupSource>;
};

export function createCatalog(deps: CatalogDeps): Catalog {
  const { repository, archives, destinations, memory } = deps;
  const readers = async (): Promise<readonly RepositoryReader[]> => {
    const own = await repository.reader();
    return own === null ? [] : [own, ...repository.older()];
  };
  const ofRepository = (summary: BackupSummary): BackupItem => {
    const { commit, branch, sequence } = summary;
    const isPushed = destinations.has('github', { id: commit, branch, sequence });
    return {
      id: commit,
      kind: 'repository',
      createdAtMs: summary.createdAtMs,
      reason: summary.reason,
      tag: summary.tag,
      deviceId: summary.deviceId,
      files: summary.files,
      sizeBytes: summary.sizeBytes,
      tables: { ...summary.tables },
      isEncrypted: summary.isEncrypted,
      incomplete: summary.incomplete,
      redacted: summary.redacted,
      // A branch moves only when everything that a backup wrote was read back.
      verifiedAtMs: memory.read().verified[commit] ?? summary.createdAtMs,
      where: isPushed ? ['repository', 'github'] : ['repository'],
    };
  };
  const ofArchive = ({
    id,
    createdAtMs,
    backupClass,
    tag,
    sizeBytes,
    isEncrypted,
    isVerified,
    receipt,
  }: ListedArchive) => ({
    id,
    kind: 'archive' as const,
    createdAtMs,
    reason: backupClass,
    tag,
    deviceId: null,
    files: receipt?.files ?? 0,
    sizeBytes: receipt?.bytes ?? sizeBytes,
    tables: { ...receipt?.tables },
    isEncrypted,
    incomplete: receipt?.incomplete ?? 0,
    redacted: receipt?.redactions?.files.length ?? 0,
    verifiedAtMs: memory.read().verified[id] ?? (isVerified ? createdAtMs : null),
    where: destinations.has('supabase', { id }) ? (['folder', 'supabase'] as const).slice() : ['folder' as const],
  });
  const item = (found: FoundBackup): BackupItem =>
    found.kind === 'repository' ? ofRepository(found.summary) : ofArchive(found.archive);
  const findArchive = (name: string): FoundBackup | null => {
    const archive = archives.find(name) ?? archives.kept.archives().find((each) => each.tag === name);
    return archive === undefined ? null : { kind: 'archive', archive };
  };
  return {
    item,
    list: async (offset, limit) => {
      const all: BackupItem[] = archives.kept.archives().map(ofArchive);
      let total = all.length;
      for (const reader of await readers()) {
        const summaries = reader.listBackups({ limit: offset + limit });
        all.push(...summaries.map(ofRepository));
        total += Math.max(summaries[0]?.sequence ?? 0, summaries.length);
      }
      all.sort((a, b) => b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1));
      return { backups: all.slice(offset, offset + limit), total };
    },
    find: async (name) => {
      const archive = parseArchiveName(name) === null ? null : findArchive(name);
      if (archive !== null) return archive;
      let failure: unknown = null;
      for (const reader of await readers()) {
        try {
          return { kind: 'repository', reader, summary: reader.find(name) };
        } catch (cause) {
          if (!(cause instanceof AppError) || cause.code !== 'not_found.backup') throw cause;
          failure ??= cause;
        }
      }
      const tagged = name === 'latest' ? newestArchive(archives) : findArchive(name);
      if (tagged !== null) return tagged;
      throw (
        failure ?? new AppError('not_found.backup', 'There is no backup yet.', { hint: 'Make one: `angles backup`.' })
      );
    },
    findAt: async (timeMs) => {
      const found: FoundBackup[] = [];
      for (const reader of await readers()) {
        try {
          found.push({ kind: 'repository', reader, summary: reader.findAt(timeMs) });
        } catch (cause) {
          if (!(cause instanceof AppError) || cause.code !== 'not_found.backup') throw cause;
        }
      }
      const archive = archives.kept.archives().find(({ createdAtMs }) => createdAtMs <= timeMs);
      if (archive !== undefined) found.push({ kind: 'archive', archive });
      const [newest] = found.sort((a, b) => item(b).createdAtMs - item(a).createdAtMs);
      if (newest !== undefined) return newest;
      throw new AppError('not_found.backup', `There is no backup of ${new Date(timeMs).toISOString()} or before.`);
    },
    open: async (found) =>
      found.kind === 'repository'
        ? openRepositorySource(found.reader, found.summary)
        : archives.open(found.archive.file, deps.keys.current()?.secret ?? null),
  };
}

/** Where it lies, for another process. */
export function placeOf(found: FoundBackup): BackupPlace {
  return found.kind === 'archive'
    ? { kind: 'archive', file: found.archive.file }
    : { kind: 'repository', gitFolder: found.reader.gitFolder, commit: found.summary.commit };
}

function newestArchive(archives: Archives): FoundBackup | null {
  const [archive] = archives.kept.archives();
  return archive === undefined ? null : { kind: 'archive', archive };
}
