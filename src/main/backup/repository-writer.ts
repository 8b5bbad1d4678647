/** Makes backups: reads what changed from the vault, writes it, proves it, and only then lets the branch point at it. */
import { AppError } from '../../shared/errors.ts';
import { openBackupIndex } from '../store/backup-index.ts';
import { openBackupSource, SOURCE_TABLES, type SourceTable } from '../store/backup-source.ts';
import { type Context, createClock, type Run, type WriterDeps } from './backup-run.ts';
import { describeBackup, isWorthACommit, pointAt, writeCommit } from './commit-writer.ts';
import { createContentWriter } from './content-writer.ts';
import { toJson } from './format.ts';
import { removeLeftovers } from './git-objects.ts';
import { isTagName, readBranches, readTags, removeRefLocks } from './git-repository.ts';
import { addKey, keepKey, unlock } from './keys.ts';
import { createLiveWriter } from './live-writer.ts';
import { createObjectWriter } from './object-writer.ts';
import type { OpenRepository } from './open-repository.ts';
import { rebuildIndex } from './rebuild-index.ts';
import { repackIfMany } from './repack.ts';
import type { OpenedBackup } from './repository-reader.ts';
import type { BackupRequest, BackupResult, BackupSecret, RepositoryWriter } from './repository-types.ts';
import { writeRoots } from './root-writer.ts';
import { toSummary } from './summaries.ts';
import { writeTable } from './table-writer.ts';

export type { WriterDeps } from './backup-run.ts';

const PACKS_BEFORE_REPACK = 64;
const LARGE_REPOSITORY_BYTES = 4 * 1_073_741_824;

/**
 * Writes into a repository that {@link OpenRepository} opened. `format` is what the next commit says about keys.
 * Throws `backup.refused` when nothing is encrypted and nobody takes secrets out.
 */
export function createRepositoryWriter(repository: OpenRepository, deps: WriterDeps): RepositoryWriter {
  const index = openBackupIndex(repository.indexFile);
  let isRunning = false;
  const once = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isRunning) throw new AppError('backup.busy', 'A backup is running already.', { retryable: true });
    isRunning = true;
    try {
      return await work();
    } finally {
      isRunning = false;
    }
  };
  const backup = (request: BackupRequest): Promise<BackupResult> =>
    index.exclusively(() => writeBackup({ repository, deps, index }, request));
  let { fingerprint } = repository.unlocked;
  const rotate = async (next: BackupSecret, persist: () => void): Promise<BackupResult> => {
    const { master } = repository.unlocked;
    if (master === null) throw new AppError('usage.bad_argument', 'The repository is not encrypted: it has no key.');
    const before = repository.format();
    const both = addKey(before, master, next);
    try {
      repository.setFormat(both);
      await backup({ reason: 'rotation' });
    } catch (cause) {
      repository.setFormat(before);
      throw cause;
    }
    persist();
    const unlocked = unlock(both, next);
    repository.setFormat(keepKey(both, unlocked.fingerprint ?? ''));
    fingerprint = unlocked.fingerprint;
    return backup({ reason: 'rotation' });
  };
  return {
    reader: repository.reader,
    backup: (request) => once(() => backup(request)),
    rotateKey: (next, persist) => once(() => rotate(next, persist)),
    fingerprint: () => fingerprint,
    repack: () => {
      removeLeftovers(repository.objects.packFolder);
      return repackIfMany(repository.objects, 2);
    },
    close: () => {
      index.close();
      repository.reader.close();
    },
  };
}

async function writeBackup(context: Context, request: BackupRequest): Promise<BackupResult> {
  const { repository, deps, index } = context;
  const startedMs = performance.now();
  if (repository.unlocked.keys === null && deps.redact === undefined) {
    throw new AppError('backup.refused', 'Nothing is encrypted in this repository, and secrets are not taken out.');
  }
  const tag = checkTag(repository.gitFolder, request.tag ?? null);
  removeLeftovers(repository.objects.packFolder);
  removeRefLocks(repository.gitFolder);
  repository.objects.refresh();
  const source = openBackupSource(deps.dataFolder);
  const out = createObjectWriter(repository.objects, repository.unlocked.keys);
  try {
    const branch = deps.branch ?? `device/${source.deviceId}`;
    const run: Run = { ...context, request, source, out, branch, base: openBase(context, branch), tag };
    const made = await writeObjects(run).catch((cause: unknown) => {
      out.abandon();
      throw cause;
    });
    if (made.commit === null) out.abandon();
    else {
      pointAt(run, made.commit);
      index.set('commit', made.commit);
      repackIfMany(repository.objects, PACKS_BEFORE_REPACK);
    }
    const repositoryBytes = repository.objects.sizeBytes();
    const isNew = made.commit !== null;
    return {
      summary: toSummary(isNew ? repository.backups.open(made.commit) : (run.base as OpenedBackup), branch),
      isNew,
      objectsWritten: isNew ? out.count() : 0,
      bytesWritten: isNew ? out.sizeBytes() : 0,
      durationMs: performance.now() - startedMs,
      repositoryBytes,
      warnings: [...made.warnings, ...sizeWarning(repositoryBytes)],
    };
  } finally {
    source.close();
  }
}

/** Everything up to the point where the branch may move; null when there is nothing new to point at. */
async function writeObjects(
  run: Run,
): Promise<{ readonly commit: string | null; readonly warnings: readonly string[] }> {
  const { source, out, index, deps, base, request, repository } = run;
  const clock = createClock(request, out, base?.manifest.files ?? source.countFiles());
  const redact = repository.unlocked.keys === null ? (deps.redact ?? null) : null;
  const contents = createContentWriter({ source, index, out }, redact, deps.chunkBytes);
  const live = createLiveWriter({ dataFolder: deps.dataFolder, index, contents });
  const roots = await writeRoots(run, { contents, live }, clock).finally(live.close);
  const since = base?.manifest.vaultChange ?? 0;
  const tables = (Object.keys(SOURCE_TABLES) as SourceTable[]).map((table) =>
    writeTable({ source, index, out }, table, source.change < since ? 0 : since, redact),
  );
  const settings = out.putData('settings', toJson(deps.settings()));
  const manifest = describeBackup(run, roots, tables, settings.sha256);
  const warnings = [...(contents.lost().length === 0 ? [] : [lostWarning(contents.lost())]), ...live.warnings()];
  if (run.tag === null && base !== null && !isWorthACommit(base.manifest, manifest, request.reason)) {
    return { commit: null, warnings };
  }
  const commit = writeCommit(run, { manifest, roots, tables, settings: settings.oid });
  out.publish();
  await out.readBack(async () => {
    clock.report('verifying');
    await clock.turn();
  });
  repository.backups.open(commit);
  return { commit, warnings };
}

function checkTag(gitFolder: string, tag: string | null): string | null {
  if (tag === null) return null;
  if (!isTagName(tag)) {
    throw new AppError('usage.bad_argument', `${JSON.stringify(tag)} cannot be a tag.`, {
      hint: 'Use letters, digits, and . _ + - after the first character; at most 100.',
    });
  }
  if (!readTags(gitFolder).has(tag)) return tag;
  throw new AppError('usage.bad_argument', `There is a backup with the tag ${tag} already.`, {
    hint: 'Choose another tag: a backup keeps its own.',
  });
}

/** The newest backup of this device, with an index that knows what is in it. */
function openBase({ repository, index }: Context, branch: string): OpenedBackup | null {
  const tip = readBranches(repository.gitFolder).get(branch) ?? null;
  if (tip === null) {
    index.clear();
    return null;
  }
  const base = repository.backups.open(tip);
  if (index.get('commit') !== tip) {
    index.clear();
    rebuildIndex(repository.objects, repository.backups, base, index);
  }
  return base;
}

const SAMPLE = 5;

function lostWarning(paths: readonly string[]): string {
  const sample = paths.slice(0, SAMPLE).join(', ');
  const more = paths.length > SAMPLE ? ` and ${paths.length - SAMPLE} more` : '';
  return `The vault has no sound content of ${sample}${more}; they are not in this backup.`;
}

function sizeWarning(bytes: number): readonly string[] {
  if (bytes < LARGE_REPOSITORY_BYTES) return [];
  const gigabytes = (bytes / 1_073_741_824).toFixed(1);
  return [`The repository has ${gigabytes} GB; git hosts are slow or refuse above 5 GB. Start a fresh one beside it.`];
}
