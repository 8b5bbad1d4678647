/** A plan and what came of it, as faces see them. Pure. */
import type {
  BackupItem,
  RestoreItem,
  RestorePlanView,
  RestoreResultView,
  RestoreRun,
} from '../../shared/contract-backup.ts';
import { displayPath } from '../../shared/display.ts';
import { ERROR_CATALOGUE } from '../../shared/errors.ts';
import type { RestorePlan } from './plan.ts';
import type { PastRestore, PreparedRestore, RestoreResult } from './restorer.ts';
import type { SourceInfo } from './source.ts';

const SAMPLE = 20;

export function viewPlan(
  planId: string,
  item: BackupItem,
  prepared: PreparedRestore,
  free: number | null,
): RestorePlanView {
  const { plan } = prepared;
  const { counts, tables } = plan;
  const sum = (key: 'insert' | 'update' | 'same' | 'refused'): number =>
    tables.reduce((all, table) => all + table[key], 0);
  const [problem] = plan.problems;
  return {
    planId,
    backup: item,
    target: plan.target.kind === 'folder' ? plan.target.folder : null,
    inPlace: plan.target.kind === 'in-place',
    counts: {
      created: counts.create.files,
      overwritten: counts.overwrite.files + counts.touch.files,
      unchanged: counts.same.files,
      keptExtra: counts.extra.files,
      refused: sum('refused'),
      rowsInserted: sum('insert'),
      rowsUpdated: sum('update'),
      rowsSame: sum('same'),
    },
    bytesToWrite: plan.writeBytes,
    bytesFree: free,
    warnings: [...plan.warnings, ...redactedWarning(plan), ...olderWarning(plan.backup)],
    problem:
      problem === undefined
        ? null
        : {
            code: problem.code,
            message: plan.problems.map(({ message }) => message).join(' '),
            fix: ERROR_CATALOGUE[problem.code].fix,
            exitCode: ERROR_CATALOGUE[problem.code].exitCode,
          },
    confirmWith: confirmWord(plan.backup),
    sample: [...planItems(prepared, SAMPLE)],
  };
}

/** The tag, or the day of the backup: a person who types it has read what is restored. */
export function confirmWord(info: SourceInfo): string {
  if (info.tag !== null) return info.tag;
  return info.createdAtMs === null ? info.name : new Date(info.createdAtMs).toISOString().slice(0, 10);
}

function redactedWarning(plan: RestorePlan): string[] {
  const redacted = plan.files.filter(({ entry }) => entry.redactions > 0).length;
  return redacted === 0 ? [] : [`${redacted} files are redacted copies: secrets were taken out of them.`];
}

function olderWarning(info: SourceInfo): string[] {
  return info.isAuthenticated || info.warnings.length > 0
    ? []
    : ['It is not proven to be written by a holder of your key.'];
}

/** What would happen, one by one: files that change, files that stay although the backup lacks them, rows. */
export function* planItems(prepared: PreparedRestore, most = Number.POSITIVE_INFINITY): Generator<RestoreItem> {
  const { plan, changes } = prepared;
  const folders = new Map(plan.places.map(({ rootId, folder }) => [rootId, folder]));
  let count = 0;
  for (const { entry, action } of plan.files) {
    if (entry.kind === 'folder' && action === 'touch') continue;
    if (count >= most) return;
    count += 1;
    const root = folders.get(entry.rootId) ?? null;
    yield {
      action: action === 'create' ? 'new' : action === 'same' ? 'unchanged' : 'overwrite',
      target: `${root ?? ''}/${entry.path}`,
      root,
      path: entry.path,
      sizeBytes: entry.sizeBytes,
      note: noteOf(entry.redactions, action === 'touch'),
    };
  }
  for (const { rootId, path, sizeBytes } of plan.extra) {
    if (count >= most) return;
    count += 1;
    const root = folders.get(rootId) ?? null;
    yield { action: 'extra', target: `${root ?? ''}/${path}`, root, path, sizeBytes, note: 'It stays as it is.' };
  }
  for (const { table, row, before } of changes) {
    if (count >= most) return;
    count += 1;
    const title = typeof row.title === 'string' ? row.title : null;
    const action = before === null ? 'insert' : 'update';
    yield { action, target: `${table}/${String(row.id)}`, root: null, path: null, sizeBytes: 0, note: title };
  }
}

function noteOf(redactions: number, isTouch: boolean): string | null {
  if (redactions > 0) return `A redacted copy: ${redactions} secrets were taken out.`;
  return isTouch ? 'The bytes are the same; mode or time changes.' : null;
}

export function viewResult(
  result: RestoreResult,
  plan: RestorePlan,
  startedAtMs: number,
  undoUntilMs: number,
): RestoreResultView {
  return {
    restoreId: result.id,
    startedAtMs,
    durationMs: result.durationMs,
    target: plan.target.kind === 'folder' ? plan.target.folder : null,
    written: result.files,
    overwritten: plan.counts.overwrite.files,
    rowsInserted: result.rowsInserted,
    rowsUpdated: result.rowsUpdated,
    bytes: result.bytes,
    failed: [],
    undoUntilMs,
  };
}

export function viewPast(past: PastRestore, durationMs = 0): RestoreRun {
  const state = { done: 'done', undone: 'undone', 'rolled-back': 'failed' } as const;
  return {
    restoreId: past.id,
    startedAtMs: past.startedAtMs,
    durationMs,
    target: past.inPlace ? null : displayPath(past.places[0]?.folder ?? ''),
    written: past.files,
    overwritten: past.overwritten,
    rowsInserted: past.rowsInserted,
    rowsUpdated: past.rows - past.rowsInserted,
    bytes: past.bytes,
    failed: [],
    undoUntilMs: past.state === 'done' ? past.undoUntilMs : null,
    backupId: past.backupId,
    state: past.state in state ? state[past.state as keyof typeof state] : 'interrupted',
  };
}
