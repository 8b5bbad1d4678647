/** Makes backups: reads what changed from the vault, writes it, proves it, and only then lets the branch point at it. */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import { packageRoot } from '../package-root.ts';
import { type BackupIndex, openBackupIndex } from '../store/backup-index.ts';
import { type BackupSource, openBackupSource, SOURCE_TABLES, type SourceTable } from '../store/backup-source.ts';
import { foldersToWrite } from './backup-plan.ts';
import { type ContentWriter, createContentWriter, type Redact } from './content-writer.ts';
import { nameToken } from './crypto.ts';
import {
  ANGLES_FOLDER,
  FORMAT_FILE,
  MANIFEST_FILE,
  type Manifest,
  README_FILE,
  RESTORE_FILE,
  SETTINGS_FILE,
  TABLES_FOLDER,
  toJson,
} from './format.ts';
import { removeLeftovers } from './git-objects.ts';
import {
  formatCommit,
  isTagName,
  readBranches,
  readTags,
  removeRefLocks,
  type TreeEntry,
  updateRef,
} from './git-repository.ts';
import { addKey, FORMAT_VERSION, keepKey, unlock } from './keys.ts';
import { createObjectWriter, type ObjectWriter } from './object-writer.ts';
import type { OpenRepository } from './open-repository.ts';
import { rebuildIndex } from './rebuild-index.ts';
import { repackIfMany } from './repack.ts';
import type { OpenedBackup } from './repository-reader.ts';
import { readmeText } from './repository-readme.ts';
import type { BackupReason, BackupRequest, BackupResult, BackupSecret, RepositoryWriter } from './repository-types.ts';
import { toSummary } from './summaries.ts';
import { type WrittenTable, writeTable } from './table-writer.ts';
import {
  deepestFirst,
  type FolderLook,
  type LookAtFolders,
  plainRootEntry,
  rootKey,
  writeFolders,
} from './tree-writer.ts';

export type WriterDeps = {
  readonly nowMs: () => number;
  readonly dataFolder: string;
  readonly agentVersion: string;
  /** Settings as they are kept, without secrets. */
  readonly settings: () => Readonly<Record<string, unknown>>;
  /** Needed where nothing is encrypted. */
  readonly redact?: Redact;
  /** Empty folders, symbolic links, modes and times of folders; without it a backup has what the vault knows. */
  readonly lookAtFolders?: LookAtFolders;
  /** `device/<device id>` when left out. */
  readonly branch?: string;
  /** For tests. */
  readonly chunkBytes?: number;
};

const YIELD_EVERY_FILES = 200;
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

type Context = { readonly repository: OpenRepository; readonly deps: WriterDeps; readonly index: BackupIndex };

/** What the parts of one backup share. */
type Run = Context & {
  readonly request: BackupRequest;
  readonly source: BackupSource;
  readonly out: ObjectWriter;
  readonly branch: string;
  readonly base: OpenedBackup | null;
  readonly tag: string | null;
};

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
  const roots = await writeRoots(run, contents, clock);
  const since = base?.manifest.vaultChange ?? 0;
  const tables = (Object.keys(SOURCE_TABLES) as SourceTable[]).map((table) =>
    writeTable({ source, index, out }, table, source.change < since ? 0 : since, redact),
  );
  const settings = out.putData('settings', toJson(deps.settings()));
  const manifest = describe(run, roots, tables, settings.sha256);
  const warnings = contents.lost().length === 0 ? [] : [lostWarning(contents.lost())];
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

type WrittenRoot = Manifest['roots'][number] & {
  readonly tree: Buffer;
  readonly incomplete: number;
  readonly redacted: number;
};

async function writeRoots(run: Run, contents: ContentWriter, clock: Clock): Promise<readonly WrittenRoot[]> {
  const { source, index, out, base, request, repository, deps } = run;
  const roots = source.roots();
  const rootIds = roots.map((root) => root.rootId);
  for (const rootId of index.rootIds()) if (!rootIds.includes(rootId)) index.removeRoot(rootId);
  const known = base?.manifest.vaultChange ?? 0;
  const looks = new Map<number, ReadonlyMap<string, FolderLook>>();
  const isThorough = request.reason !== 'change' || source.change < known;
  if (isThorough) {
    for (const root of roots) {
      const look = deps.lookAtFolders?.(root) ?? null;
      if (look !== null) looks.set(root.rootId, look);
    }
  }
  // A root that the repository does not know is new to it as a whole, however old its files are.
  const fresh = roots.some(({ rootId }) => index.folder(rootId, '') === undefined);
  const dirs = foldersToWrite(source, index, { since: known, isThorough: isThorough || fresh, rootIds, looks });
  const keys = repository.unlocked.keys;
  const written: WrittenRoot[] = [];
  for (const { rootId, path } of roots) {
    const parts = { source, index, out, keys, contents, onFile: clock.onFile };
    await writeFolders(parts, rootId, deepestFirst(dirs.get(rootId) ?? []), looks.get(rootId) ?? null);
    const top = index.folder(rootId, '');
    if (top === undefined) throw new Error('a root that was just written is not in the index');
    written.push({
      rootId,
      path,
      entry: keys === null ? plainRootEntry(rootId, path) : nameToken(keys, rootKey(path)),
      node: top.node.toString('hex'),
      tree: top.tree,
      mode: top.mode,
      mtimeUs: top.mtimeUs,
      files: top.files,
      folders: top.folders,
      sizeBytes: top.sizeBytes,
      incomplete: top.incomplete + source.countUncaptured(rootId),
      redacted: top.redacted,
    });
  }
  return written;
}

function describe(
  run: Run,
  roots: readonly WrittenRoot[],
  tables: readonly WrittenTable[],
  settingsSha256: Buffer,
): Manifest {
  const { base, repository, source, deps, request, tag } = run;
  const sum = (key: 'files' | 'sizeBytes' | 'incomplete' | 'redacted'): number =>
    roots.reduce((all, root) => all + root[key], 0);
  return {
    format: FORMAT_VERSION,
    repository: repository.format().repository,
    deviceId: source.deviceId,
    sequence: (base?.manifest.sequence ?? 0) + 1,
    parent: base?.commit ?? null,
    previous: base?.manifestSha256.toString('hex') ?? null,
    createdAtMs: Math.trunc(deps.nowMs()),
    reason: request.reason,
    tag,
    agentVersion: deps.agentVersion,
    isEncrypted: repository.unlocked.keys !== null,
    vaultChange: source.change,
    roots: roots.map(({ tree: _, incomplete: __, redacted: ___, ...root }) => root),
    files: sum('files'),
    sizeBytes: sum('sizeBytes'),
    incomplete: sum('incomplete'),
    redacted: sum('redacted'),
    tables: tables.map(({ name, rows, index }) => ({ name, rows, index: index.toString('hex') })),
    settings: settingsSha256.toString('hex'),
    tool: hash('sha256', restoreTool(), 'hex'),
  };
}

function restoreTool(): Buffer {
  return readFileSync(join(packageRoot(), 'assets', RESTORE_FILE));
}

/** What only tells of the agent itself does not make a backup by itself: each backup would cause the next one. */
const TOLD_TABLES = new Set(['activities', 'run_artifacts']);

function isWorthACommit(base: Manifest, next: Manifest, reason: BackupReason): boolean {
  if (reason === 'rotation') return true;
  const essence = ({ roots, tables, settings, incomplete, redacted }: Manifest): string =>
    JSON.stringify([
      roots.map(({ rootId, path, node, mode, mtimeUs }) => [rootId, path, node, mode, mtimeUs]),
      tables.filter(({ name }) => !(reason === 'change' && TOLD_TABLES.has(name))),
      settings,
      incomplete,
      redacted,
    ]);
  return essence(base) !== essence(next);
}

function writeCommit(
  { repository, out, base, deps, tag, request }: Run,
  made: {
    readonly manifest: Manifest;
    readonly roots: readonly WrittenRoot[];
    readonly tables: readonly WrittenTable[];
    readonly settings: Buffer;
  },
): string {
  const file = (name: string, oid: Buffer): TreeEntry => ({ mode: '100644', name, oid });
  const folder = (name: string, oid: Buffer): TreeEntry => ({ mode: '40000', name, oid });
  const tables = out.putTree(made.tables.map(({ name, tree }) => folder(name, tree)));
  const angles = out.putTree([
    file(FORMAT_FILE, out.putBlob(Buffer.from(`${JSON.stringify(repository.format(), null, 2)}\n`))),
    file(MANIFEST_FILE, out.putData('manifest', toJson(made.manifest)).oid),
    file(SETTINGS_FILE, made.settings),
    folder(TABLES_FOLDER, tables),
  ]);
  const tree = out.putTree([
    folder(ANGLES_FOLDER, angles),
    file(README_FILE, out.putBlob(Buffer.from(readmeText(made.manifest.isEncrypted)))),
    file(RESTORE_FILE, out.putBlob(restoreTool())),
    ...made.roots.map((root) => folder(root.entry, root.tree)),
  ]);
  const commit = out.putCommit(
    formatCommit({
      tree: tree.toString('hex'),
      parents: base === null ? [] : [base.commit],
      timeMs: deps.nowMs(),
      message: `Backup ${made.manifest.sequence} (${request.reason}${tag === null ? '' : `, ${tag}`})`,
    }),
  );
  return commit.toString('hex');
}

/** Takes the objects back when the branch could not be moved: nothing refers to them then. */
function pointAt({ repository, out, branch, base, tag }: Run, commit: string): void {
  try {
    updateRef(repository.gitFolder, `refs/heads/${branch}`, commit, base?.commit ?? null);
  } catch (cause) {
    if (readBranches(repository.gitFolder).get(branch) !== commit) out.abandon();
    throw cause;
  }
  if (tag !== null) updateRef(repository.gitFolder, `refs/tags/${tag}`, commit, null);
}

type Clock = {
  readonly onFile: () => Promise<void> | null;
  readonly report: (phase: 'reading' | 'writing' | 'verifying') => void;
  readonly turn: () => Promise<void>;
};

function createClock(request: BackupRequest, out: ObjectWriter, filesAll: number): Clock {
  let filesDone = 0;
  const report: Clock['report'] = (phase) =>
    request.onProgress?.({ phase, filesDone: Math.min(filesDone, filesAll), filesAll, bytesWritten: out.sizeBytes() });
  const giveTurn = async (): Promise<void> => {
    if (request.signal?.aborted === true) throw request.signal.reason;
    await new Promise<void>((resolve) => setImmediate(resolve));
  };
  return {
    report,
    turn: giveTurn,
    onFile: () => {
      filesDone += 1;
      if (filesDone % YIELD_EVERY_FILES !== 0) return null;
      report('writing');
      return giveTurn();
    },
  };
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
