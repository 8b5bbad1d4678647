import { randomUUID } from 'node:crypto';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import type { Exclusive } from './exclusive.ts';
import {
  assertApplicable,
  choosePlaces,
  planRestore,
  type RestorePlan,
  type RestoreRequest,
  selectEntries,
} from './plan.ts';
import {
  commitFiles,
  discardStaged,
  revertFiles,
  type StepOptions,
  saveOriginals,
  stageFiles,
} from './restore-files.ts';
import {
  createRestoreJournal,
  type Journal,
  type RestoreOp,
  type RestoreState,
  type RowChange,
  readJournals,
  removeJournal,
} from './restore-journal.ts';
import type { BackupSource } from './source.ts';
import { planTables, type RecordTarget } from './tables.ts';
import { canonicalFolder, readTarget } from './target-state.ts';

export type RestorerDeps = {
  readonly dataFolder: string;
  readonly nowMs: () => number;
  /** No backup and no other restore runs meanwhile. */
  readonly exclusive: Exclusive;
  /**
   * Keeps what will be overwritten once more where it stays beyond the 30 days of undo: as versions in the vault, or in
   * a backup. Its failure ends the restore before anything is written.
   */
  readonly keepSafe: (
    files: readonly { readonly rootId: number; readonly folder: string; readonly path: string }[],
  ) => Promise<void>;
  /** Stops watching; what it gives back starts it again and has it look at everything that changed. */
  readonly pauseWatching: () => Promise<() => Promise<void>>;
  readonly records: RecordTarget | null;
};

export type RestoreResult = {
  readonly id: string;
  readonly files: number;
  readonly bytes: number;
  readonly rowsInserted: number;
  readonly rowsUpdated: number;
  readonly places: readonly { readonly rootId: number; readonly folder: string }[];
  readonly durationMs: number;
};

export type RestoreProgress = {
  readonly phase: 'keeping' | 'writing' | 'moving' | 'records';
  readonly done: number;
  readonly all: number;
};

export type RestoreOptions = {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RestoreProgress) => void;
};

export type PastRestore = {
  readonly id: string;
  readonly startedAtMs: number;
  readonly backupId: string;
  readonly backupName: string;
  readonly state: RestoreState;
  readonly files: number;
  readonly overwritten: number;
  readonly bytes: number;
  readonly rows: number;
  readonly rowsInserted: number;
  readonly inPlace: boolean;
  readonly places: readonly { readonly rootId: number; readonly folder: string }[];
  /** Until then it can be undone. */
  readonly undoUntilMs: number;
};

/** A plan with what is needed to apply it. */
export type PreparedRestore = {
  readonly plan: RestorePlan;
  readonly request: RestoreRequest;
  readonly changes: readonly RowChange[];
};

export type Restorer = {
  /** Reads only: for a dry run nothing more is called. */
  readonly prepare: (source: BackupSource, request: RestoreRequest) => Promise<PreparedRestore>;
  /**
   * Does what the plan says. Before the first file of the target is touched, everything new is on its disk and
   * everything that it replaces is kept. When it rejects, the target is as it was, or `restore.interrupted` says that
   * not even that could be done yet, and what is kept.
   */
  readonly apply: (source: BackupSource, prepared: PreparedRestore, options?: RestoreOptions) => Promise<RestoreResult>;
  /** Undoes a restore, the newest unless told. Throws `restore.nothing_to_undo`. */
  readonly undo: (id?: string, options?: RestoreOptions) => Promise<PastRestore>;
  /** For the start: finishes or takes back what a crash left, and removes what is older than 30 days. */
  readonly recover: () => Promise<
    readonly {
      readonly id: string;
      readonly outcome: 'completed' | 'rolled-back' | 'undone' | 'failed';
      readonly reason: string | null;
    }[]
  >;
  /** Newest first. */
  readonly list: () => readonly PastRestore[];
};

const KEEP_MS = 30 * 86_400_000;

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
  const entries = request.withFiles ? selectEntries(source.entries(), source.roots, request.only) : [];
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
  const ops = plan.files.map((file, n) => toOp(file, n));
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
    await toCommit(source, journal, options, deps);
    await finish(journal, options, deps);
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
  options: RestoreOptions,
  deps: RestorerDeps,
): Promise<void> {
  const all = journal.ops.length;
  const replaced = journal.ops.filter((op) => op.was !== null && op.kind !== 'folder');
  options.onProgress?.({ phase: 'keeping', done: 0, all: replaced.length });
  if (replaced.length > 0 && journal.head.inPlace)
    await deps.keepSafe(replaced.map((op) => ({ ...op, folder: folderOf(journal, op) })));
  await saveOriginals(journal, steps('keeping', replaced.length, options));
  options.onProgress?.({ phase: 'writing', done: 0, all });
  await stageFiles(journal, source, steps('writing', all, options));
  options.signal?.throwIfAborted();
  journal.setState('committing');
}

/** From here on a crash is answered by going on. */
async function finish(journal: Journal, options: RestoreOptions, deps: RestorerDeps): Promise<void> {
  // Half of the files moved is the worst of all: no signal stops it.
  await commitFiles(journal, { onFile: steps('moving', journal.ops.length, options).onFile });
  writeRows(journal, options, deps, (change) => change.row);
  journal.setState('done');
}

function writeRows(
  journal: Journal,
  options: RestoreOptions,
  deps: RestorerDeps,
  pick: (change: RowChange) => RowChange['row'],
): void {
  const { records } = deps;
  if (records === null) return;
  let done = 0;
  for (const [table, changes] of Map.groupBy(journal.rows, (change) => change.table)) {
    for (let from = 0; from < changes.length; from += ROWS_A_TRANSACTION) {
      const rows = changes.slice(from, from + ROWS_A_TRANSACTION);
      records.write(table, rows.map(pick));
      done += rows.length;
      options.onProgress?.({ phase: 'records', done, all: journal.rows.length });
    }
  }
}

const ROWS_A_TRANSACTION = 1_000;

/** After a failure: the target becomes what it was. */
async function takeBack(journal: Journal, cause: unknown, deps: RestorerDeps): Promise<void> {
  try {
    if (journal.state() === 'staging') {
      discardStaged(journal);
      removeJournal(journal);
      return;
    }
    await revertFiles(journal, {});
    revertRows(journal, deps);
    journal.setState('rolled-back');
  } catch (second) {
    throw new AppError(
      'restore.interrupted',
      `The restore failed (${messageOf(cause)}), and taking it back failed, too (${messageOf(second)}). ` +
        `What it replaced is kept in ${displayPath(journal.folder)}.`,
      { cause: second },
    );
  }
}

function revertRows(journal: Journal, deps: RestorerDeps): void {
  const { records } = deps;
  if (records === null || journal.rows.length === 0) return;
  for (const [table, changes] of Map.groupBy(journal.rows, (change) => change.table)) {
    const shape = records.describe(table);
    if (shape === null) continue;
    const before = changes.flatMap((change) => (change.before === null ? [] : [change.before]));
    if (before.length > 0) records.write(table, before);
    // History and activities tell what happened; that they were restored is a part of it.
    if (shape.isAppendOnly) continue;
    const inserted = changes.flatMap((change) => (change.before === null ? [String(change.row[shape.key])] : []));
    if (inserted.length > 0) records.retire(table, inserted);
  }
}

async function undo(id: string | undefined, options: RestoreOptions, deps: RestorerDeps): Promise<PastRestore> {
  const all = readJournals(deps.dataFolder).filter((journal) => journal.state() === 'done');
  const journal = id === undefined ? all.at(-1) : all.find((each) => each.head.id.startsWith(id));
  if (journal === undefined)
    throw new AppError(
      'restore.nothing_to_undo',
      id === undefined ? 'No restore was made in the last 30 days.' : `No restore ${displayPath(id)} can be undone.`,
    );
  const newer = all.slice(all.indexOf(journal) + 1).find((each) => overlaps(each, journal));
  if (newer !== undefined)
    throw new AppError(
      'restore.plan_changed',
      `The restore of ${newer.head.backupName} came later and touched the same files.`,
      {
        hint: `Undo that one first: ${newer.head.id}.`,
      },
    );
  const resumeWatching = await deps.pauseWatching();
  try {
    journal.setState('undoing');
    await finishUndo(journal, options, deps);
  } finally {
    await resumeWatching();
  }
  return toPast(journal);
}

async function finishUndo(journal: Journal, options: RestoreOptions, deps: RestorerDeps): Promise<void> {
  await revertFiles(journal, { onFile: steps('moving', journal.ops.length, options).onFile });
  revertRows(journal, deps);
  journal.setState('undone');
}

function overlaps(a: Journal, b: Journal): boolean {
  const paths = new Set(a.ops.map((op) => `${folderOf(a, op)}/${op.path}`));
  return b.ops.some((op) => paths.has(`${folderOf(b, op)}/${op.path}`));
}

async function recover(deps: RestorerDeps): ReturnType<Restorer['recover']> {
  const outcomes: Awaited<ReturnType<Restorer['recover']>>[number][] = [];
  for (const journal of readJournals(deps.dataFolder)) {
    const { id, startedAtMs } = journal.head;
    const state = journal.state();
    const isOver = state === 'done' || state === 'undone' || state === 'rolled-back';
    if (isOver && startedAtMs + KEEP_MS < deps.nowMs()) removeJournal(journal);
    if (isOver) continue;
    try {
      outcomes.push({ id, outcome: await recoverOne(journal, state, deps), reason: null });
    } catch (cause) {
      outcomes.push({ id, outcome: 'failed', reason: messageOf(cause) });
    }
  }
  return outcomes;
}

async function recoverOne(
  journal: Journal,
  state: RestoreState,
  deps: RestorerDeps,
): Promise<'completed' | 'rolled-back' | 'undone'> {
  if (state === 'undoing') {
    await finishUndo(journal, {}, deps);
    return 'undone';
  }
  if (state === 'staging') {
    discardStaged(journal);
    removeJournal(journal);
    return 'rolled-back';
  }
  try {
    await finish(journal, {}, deps);
    return 'completed';
  } catch (cause) {
    await takeBack(journal, cause, deps);
    return 'rolled-back';
  }
}

function assertNoneInterrupted(dataFolder: string): void {
  const open = readJournals(dataFolder).find((journal) =>
    ['staging', 'committing', 'undoing'].includes(journal.state()),
  );
  if (open !== undefined)
    throw new AppError('restore.interrupted', `The restore of ${displayPath(open.head.backupName)} did not end.`);
}

function toOp({ entry, action, was }: RestorePlan['files'][number], n: number): RestoreOp {
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
  };
}

function toPast(journal: Journal): PastRestore {
  const { id, startedAtMs, backupId, backupName, places, inPlace } = journal.head;
  const files = journal.ops.filter((op) => op.kind !== 'folder');
  return {
    id,
    startedAtMs,
    backupId,
    backupName,
    state: journal.state(),
    files: files.length,
    overwritten: files.filter((op) => op.action === 'overwrite').length,
    bytes: files.reduce((sum, op) => sum + op.sizeBytes, 0),
    rows: journal.rows.length,
    rowsInserted: journal.rows.filter(({ before }) => before === null).length,
    inPlace,
    places,
    undoUntilMs: startedAtMs + KEEP_MS,
  };
}

function folderOf(journal: Journal, op: { readonly rootId: number }): string {
  return journal.head.places.find((place) => place.rootId === op.rootId)?.folder ?? '';
}

function steps(phase: RestoreProgress['phase'], all: number, options: RestoreOptions): StepOptions {
  let done = 0;
  return {
    signal: options.signal,
    onFile: () => {
      done += 1;
      if (done % 64 === 0 || done === all) options.onProgress?.({ phase, done, all });
    },
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

function messageOf(cause: unknown): string {
  return displayPath(cause instanceof Error ? cause.message : String(cause));
}
