/** Backups on request, and proofs of those that exist. */
import type { BackupItem, Destination, DestinationKind } from '../../shared/contract-backup.ts';
import { AppError } from '../../shared/errors.ts';
import { placeOf } from './catalog.ts';
import { AWAY } from './destinations.ts';
import { describeSummary, fetchInto } from './find-source.ts';
import { makeArchive, makeBackup } from './make-backup.ts';
import { openRepository } from './open-repository.ts';
import type { Step } from './operation.ts';
import type { RepositoryReader, VerifyReport } from './repository-types.ts';
import type { ServiceParts } from './service-parts.ts';
import { listDestinations } from './service-status.ts';
import type { BackupPlace } from './tasks.ts';
import { noteVerified } from './upkeep.ts';

export type RunWish = {
  readonly tag?: string | undefined;
  readonly github?: boolean | undefined;
  readonly supabase?: boolean | undefined;
  readonly encryption?: boolean | undefined;
  readonly sanityCheck?: boolean | undefined;
  readonly exportTo?: string | undefined;
  readonly emergency?: boolean | undefined;
};

export type RunOutcome = {
  readonly backup: BackupItem;
  readonly isNew: boolean;
  readonly archive: BackupItem | null;
  readonly exportedTo: string | null;
  readonly destinations: Destination[];
  readonly redactedFiles: string[];
};

/**
 * Makes a backup now and brings it to its destinations. The backup itself must succeed; what a destination has against
 * it is told in its state.
 */
export async function runBackup(parts: ServiceParts, wish: RunWish, capture: () => Promise<void>): Promise<RunOutcome> {
  const { deps, exclusive, catalog, destinations } = parts;
  const reason = wish.emergency === true ? 'emergency' : 'manual';
  const tag = wish.tag ?? null;
  const made = await exclusive.run('backup', async () => {
    await capture();
    const result = await makeBackup(reason, tag, parts.make);
    const isEncrypted = wish.encryption !== false;
    const common = { reason, tag, isEncrypted, sanityCheck: wish.sanityCheck !== false } as const;
    const isArchiving = deps.settings().isArchiving || wish.emergency === true || !isEncrypted;
    const exported =
      wish.exportTo === undefined ? null : await makeArchive({ ...common, exportTo: wish.exportTo }, parts.make);
    // The file that was asked for is an archive already; another one beside it only where it is sent on.
    const kept =
      isArchiving && (exported === null || deps.bucketPlace() !== null)
        ? await makeArchive({ ...common, exportTo: null }, parts.make)
        : null;
    return { result, exported, kept };
  });
  const wanted = AWAY.filter((kind) => wish[kind] !== false);
  await destinations.deliver(wanted, { isDue: false, signal: parts.signal });
  const { result, exported, kept } = made;
  const summary = result.summary;
  deps.note('backup.made', `Backup ${summary.sequence}${tag === null ? '' : ` (${tag})`}: ${summary.files} files.`);
  const archive = kept === null ? undefined : parts.archives.kept.archives().find(({ file }) => file === kept.file);
  const report = (kept ?? exported)?.redactions?.files ?? [];
  return {
    backup: catalog.item(await catalog.find(summary.commit)),
    isNew: result.isNew,
    archive: archive === undefined ? null : catalog.item({ kind: 'archive', archive }),
    exportedTo: exported?.file ?? null,
    destinations: await listDestinations(parts),
    redactedFiles: report.map(({ path }) => path),
  };
}

export type Verified = {
  readonly backup: BackupItem;
  readonly objects: number;
  readonly bytes: number;
  readonly durationMs: number;
};

/** Proves every byte of a backup. `at` fetches it from there first, as a restore on another machine would. */
export async function verifyBackup(
  parts: ServiceParts,
  id: string | undefined,
  at: DestinationKind | undefined,
): Promise<Verified> {
  const { exclusive } = parts;
  return exclusive.run('check of a backup', async () => {
    const startedMs = performance.now();
    if (at === 'github') return verifyPushed(parts, id, startedMs);
    if (at === 'supabase') return verifyWhole(parts, id, at, startedMs);
    const found = await parts.catalog.find(id ?? 'latest');
    const backup = parts.catalog.item(found);
    if (found.kind === 'archive' && parts.deps.tasks === null) return verifyWhole(parts, backup.id, at, startedMs);
    const report = await parts.operations.show('verify', (tell) =>
      verifyPlace(parts, placeOf(found), found.kind === 'repository' ? found.reader : null, tell),
    );
    noteVerified(parts.memory, backup.id, parts.deps.nowMs());
    return {
      backup: parts.catalog.item(found),
      objects: report?.objects ?? backup.files,
      bytes: report?.sizeBytes ?? backup.sizeBytes,
      durationMs: performance.now() - startedMs,
    };
  });
}

/** Beside the agent where there is one; `reader` reads here otherwise. */
function verifyPlace(
  { deps, keys, signal }: ServiceParts,
  place: BackupPlace,
  reader: RepositoryReader | null,
  tell: (step: Step) => void,
): Promise<VerifyReport | null> {
  const onProgress = (done: number, all: number): void => tell({ phase: 'reading', doneItems: done, totalItems: all });
  if (deps.tasks !== null) {
    const job = { dataFolder: deps.dataFolder, secret: keys.current()?.secret ?? null, place };
    return deps.tasks.verify(job, { signal, onProgress: ([done, all]) => onProgress(done, all) });
  }
  if (reader === null || place.kind !== 'repository') throw new Error('only a repository is verified here');
  return reader.verify(place.commit, { signal, onProgress });
}

async function verifyPushed(parts: ServiceParts, id: string | undefined, startedMs: number): Promise<Verified> {
  const git = parts.deps.git();
  if (git === null)
    throw new AppError('usage.bad_argument', 'GitHub is not configured.', {
      hint: 'Set GITHUB_REPO and GITHUB_TOKEN.',
    });
  const { dataFolder, stallMs } = parts.deps;
  return parts.operations.show('verify', async (tell) => {
    const report = (phase: string, doneBytes: number): void => tell({ phase, doneItems: 0, totalItems: 0, doneBytes });
    const gitFolder = await fetchInto(git, { dataFolder, stallMs }, report, parts.signal);
    const reader = openRepository({ gitFolder, secret: parts.keys.current()?.secret ?? null });
    try {
      const summary = reader.find(id ?? 'latest');
      const place = { kind: 'repository', gitFolder, commit: summary.commit } as const;
      const proven = await verifyPlace(parts, place, reader, tell);
      const backup = describeSummary(summary, ['github']);
      const durationMs = performance.now() - startedMs;
      return { backup, objects: proven?.objects ?? 0, bytes: proven?.sizeBytes ?? 0, durationMs };
    } finally {
      reader.close();
    }
  });
}

/** Opening an archive proves every byte of it. */
async function verifyWhole(
  parts: ServiceParts,
  id: string | undefined,
  at: DestinationKind | undefined,
  startedMs: number,
): Promise<Verified> {
  return parts.operations.show('verify', async (tell) => {
    const wish = at === 'supabase' ? { source: at, backup: id } : { file: id };
    const { source, item } = await parts.findSource(
      wish,
      (phase, doneBytes) => tell({ phase, doneItems: 0, totalItems: 0, doneBytes }),
      parts.signal,
    );
    await source.close();
    noteVerified(parts.memory, item.id, parts.deps.nowMs());
    return { backup: item, objects: item.files, bytes: item.sizeBytes, durationMs: performance.now() - startedMs };
  });
}
