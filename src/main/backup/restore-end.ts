/** How a restore ends: completed, taken back or undone, now or at the next start. */
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { commitFiles } from './restore-commit.ts';
import { type Journal, type RestoreState, type RowChange, readJournals, removeJournal } from './restore-journal.ts';
import { revertFiles } from './restore-revert.ts';
import { discardStaged, type StepOptions } from './restore-staging.ts';
import type { PastRestore, RestoreOptions, RestoreProgress, Restorer, RestorerDeps } from './restore-types.ts';

const KEEP_MS = 30 * 86_400_000;

/** From here on a crash is answered by going on. */
export async function finish(
  journal: Journal,
  options: RestoreOptions & { readonly isProven: boolean },
  deps: RestorerDeps,
): Promise<void> {
  // Half of the files moved is the worst of all: no signal stops it.
  const { onFile } = steps('moving', journal.ops.length, options);
  await commitFiles(journal, { onFile, isProven: options.isProven });
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
export async function takeBack(journal: Journal, cause: unknown, deps: RestorerDeps): Promise<void> {
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

export async function undo(id: string | undefined, options: RestoreOptions, deps: RestorerDeps): Promise<PastRestore> {
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

export async function recover(deps: RestorerDeps): ReturnType<Restorer['recover']> {
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
    await finish(journal, { isProven: false }, deps);
    return 'completed';
  } catch (cause) {
    await takeBack(journal, cause, deps);
    return 'rolled-back';
  }
}

export function toPast(journal: Journal): PastRestore {
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

export function folderOf(journal: Journal, op: { readonly rootId: number }): string {
  return journal.head.places.find((place) => place.rootId === op.rootId)?.folder ?? '';
}

export function steps(phase: RestoreProgress['phase'], all: number, options: RestoreOptions): StepOptions {
  let done = 0;
  return {
    signal: options.signal,
    onFile: () => {
      done += 1;
      if (done % 64 === 0 || done === all) options.onProgress?.({ phase, done, all });
    },
  };
}

export function messageOf(cause: unknown): string {
  return displayPath(cause instanceof Error ? cause.message : String(cause));
}
