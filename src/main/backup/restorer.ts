import { randomUUID } from 'node:crypto';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { assertApplicable, planRestore, type RestorePlan, type RestoreRequest } from './plan.ts';
import { finish, folderOf, messageOf, recover, steps, takeBack, toPast, undo } from './restore-end.ts';
import { createRestoreJournal, type Journal, type RestoreOp, readJournals } from './restore-journal.ts';
import { choosePlaces } from './restore-places.ts';
import { saveOriginals, stageFiles } from './restore-stage.ts';
import { findTrees } from './restore-trees.ts';
import type { PreparedRestore, RestoreOptions, RestoreResult, Restorer, RestorerDeps } from './restore-types.ts';
import { selectEntries } from './select-entries.ts';
import type { BackupSource } from './source.ts';
import { planTables } from './tables.ts';
import { canonicalFolder, readTarget } from './target-state.ts';

export type * from './restore-types.ts';

export function createRestorer(deps: RestorerDeps): Restorer {
  return {
    prepare: (source, request) => prepare(source, request, deps),
    apply: (source, prepared, options = {}) =>
      deps.exclusive.run('restore', () => apply(source, prepared, options, deps)),
    undo: (id, options = {}) => deps.exclusive.run('undo of a restore', () => undo(id, options, deps)),
    recover: () => deps.exclusive.run('recovery of a restore', () => recover(deps)),
    list: () => readJournals(deps.dataFolder).map(toPast).reverse(),
  };
}

async function prepare(source: BackupSource, request: RestoreRequest, deps: RestorerDeps): Promise<PreparedRestore> {
  const target =
    request.target.kind === 'folder'
      ? { kind: 'folder' as const, folder: canonicalFolder(request.target.folder) }
      : request.target;
  if (target.kind === 'folder' && isBelow(target.folder, canonicalFolder(deps.dataFolder)))
    throw new AppError('restore.target', 'The data folder is no place for restored files.');
  const entries = request.withFiles ? selectEntries(source.entries(), source.roots, request.only, request.paths) : [];
  const places = choosePlaces(source.roots, entries, target).map((place) => ({
    ...place,
    folder: canonicalFolder(place.folder),
  }));
  const state = await readTarget({ places, entries, dataFolder: deps.dataFolder });
  const { tables, changes } = await planTables(source, request.tables, deps.records, request);
  const plan = planRestore({
    info: source.info,
    request: { ...request, target },
    entries,
    places,
    state,
    tables,
    platform: process.platform,
  });
  return { plan, request, changes };
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

async function apply(
  source: BackupSource,
  { plan, changes }: PreparedRestore,
  options: RestoreOptions,
  deps: RestorerDeps,
): Promise<RestoreResult> {
  const startedMs = performance.now();
  assertNoneInterrupted(deps.dataFolder);
  assertApplicable(plan);
  const trees = findTrees(plan.files, plan.places);
  const ops = plan.files.map((file, n) => toOp(file, n, trees[n] ?? null));
  const journal = createRestoreJournal(
    deps.dataFolder,
    {
      id: randomUUID(),
      startedAtMs: deps.nowMs(),
      backupId: source.info.id,
      backupName: source.info.name,
      inPlace: plan.target.kind === 'in-place',
      places: plan.places,
      fingerprint: plan.fingerprint,
    },
    ops,
    changes,
  );
  const resumeWatching = await deps.pauseWatching();
  try {
    await toCommit(source, journal, plan.files, options, deps);
    await finish(journal, { ...options, isProven: true }, deps);
  } catch (cause) {
    await takeBack(journal, cause, deps);
    throw explain(cause, options.signal);
  } finally {
    await resumeWatching();
  }
  return {
    id: journal.head.id,
    files: ops.filter((op) => op.kind !== 'folder').length,
    bytes: ops.reduce((sum, op) => sum + op.sizeBytes, 0),
    rowsInserted: changes.filter(({ before }) => before === null).length,
    rowsUpdated: changes.filter(({ before }) => before !== null).length,
    places: plan.places,
    durationMs: performance.now() - startedMs,
  };
}

/** Everything that is needed to go on, and to go back, is durable after this; the target is as it was. */
async function toCommit(
  source: BackupSource,
  journal: Journal,
  files: RestorePlan['files'],
  options: RestoreOptions,
  deps: RestorerDeps,
): Promise<void> {
  const replaced = journal.ops.filter((op) => op.was !== null && op.kind !== 'folder');
  options.onProgress?.({ phase: 'keeping', done: 0, all: replaced.length });
  if (replaced.length > 0 && journal.head.inPlace)
    await deps.keepSafe(replaced.map((op) => ({ ...op, folder: folderOf(journal, op) })));
  await saveOriginals(journal, steps('keeping', replaced.length, options));
  const all = journal.ops.filter((op) => op.kind === 'file').length;
  options.onProgress?.({ phase: 'writing', done: 0, all });
  await stageFiles(journal, source, files, { ...steps('writing', all, options), lanesFrom: deps.lanesFrom });
  options.signal?.throwIfAborted();
  journal.setState('committing');
}

function assertNoneInterrupted(dataFolder: string): void {
  const open = readJournals(dataFolder).find((journal) =>
    ['staging', 'committing', 'undoing'].includes(journal.state()),
  );
  if (open !== undefined)
    throw new AppError('restore.interrupted', `The restore of ${displayPath(open.head.backupName)} did not end.`);
}

function toOp({ entry, action, was }: RestorePlan['files'][number], n: number, tree: string | null): RestoreOp {
  const { rootId, path, kind, sha256, sizeBytes, mode, mtimeUs, target } = entry;
  return {
    n,
    rootId,
    path,
    kind,
    action: action === 'same' ? 'touch' : action,
    sha256,
    sizeBytes,
    mode,
    mtimeUs,
    target,
    was,
    tree,
  };
}

function explain(cause: unknown, signal: AbortSignal | undefined): unknown {
  if (cause instanceof AppError) return cause;
  if (signal?.aborted === true)
    return new AppError('interrupted', 'The restore was stopped before it touched a file.', { cause });
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new AppError('data.full', 'No space is left for the restore; everything is as it was.', { cause });
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM')
    return new AppError('restore.target', `The target cannot be written: ${messageOf(cause)}`, { cause });
  return cause;
}
