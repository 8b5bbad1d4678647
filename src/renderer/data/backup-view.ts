/** Backups as a person sees them: how old the proof is, days of the timeline, what a plan does, what is chosen. */
import type { MethodInput } from '../../shared/contract.ts';
import type {
  BackupEntryView,
  BackupItem,
  BackupProgressView,
  BackupStatus,
  RestoreItem,
  RestorePlanView,
} from '../../shared/contract-backup.ts';
import { dayKey } from './time.ts';

/** How the last proven restore looks. `none`: nothing was proven though there is something to prove. */
export type Proof = 'nothing' | 'none' | 'stale' | 'failed' | 'fresh';

export function proofOf(
  status: Pick<BackupStatus, 'lastBackupAtMs' | 'lastProvenAtMs' | 'lastDrill' | 'proofIsStale'>,
): Proof {
  if (status.lastBackupAtMs === null) return 'nothing';
  if (status.lastDrill?.passed === false) return 'failed';
  if (status.lastProvenAtMs === null) return 'none';
  return status.proofIsStale ? 'stale' : 'fresh';
}

export type TimelineRow =
  | { readonly kind: 'day'; readonly key: string; readonly timeMs: number; readonly backups: number }
  | { readonly kind: 'backup'; readonly key: string; readonly backup: BackupItem };

/** The backups under their days, newest first as they came. */
export function timelineOf(backups: readonly BackupItem[], timeZone?: string): readonly TimelineRow[] {
  const rows: TimelineRow[] = [];
  let day = '';
  for (const backup of backups) {
    const key = dayKey(backup.createdAtMs, timeZone);
    if (key !== day) {
      const onDay = backups.filter((one) => dayKey(one.createdAtMs, timeZone) === key).length;
      rows.push({ kind: 'day', key, timeMs: backup.createdAtMs, backups: onDay });
      day = key;
    }
    rows.push({ kind: 'backup', key: `${backup.kind} ${backup.id}`, backup });
  }
  return rows;
}

/** A short name for a commit; an archive keeps its own. */
export const shortId = (backup: Pick<BackupItem, 'kind' | 'id'>): string =>
  backup.kind === 'archive' ? backup.id : backup.id.slice(0, 8);

/** What was chosen in a backup: a file, or a folder with everything in it. */
export type Chosen = Pick<BackupEntryView, 'rootId' | 'root' | 'path' | 'kind'>;
export const chosenKey = ({ rootId, path }: Pick<Chosen, 'rootId' | 'path'>): string => `${rootId} ${path}`;

/** Chooses or lets go; a folder takes what was chosen inside of it, and what is inside of it cannot be let go alone. */
export function toggleChosen(chosen: readonly Chosen[], entry: Chosen): readonly Chosen[] {
  const key = chosenKey(entry);
  if (chosen.some((one) => chosenKey(one) === key)) return chosen.filter((one) => chosenKey(one) !== key);
  return [...chosen.filter((one) => !isInside(one, entry)), entry];
}

export const isChosen = (chosen: readonly Chosen[], entry: Chosen): boolean =>
  chosen.some((one) => chosenKey(one) === chosenKey(entry) || isInside(entry, one));

const isInside = (inner: Chosen, outer: Chosen): boolean =>
  outer.kind === 'folder' &&
  inner.rootId === outer.rootId &&
  inner.path !== outer.path &&
  (outer.path === '' || inner.path.startsWith(`${outer.path}/`));

export type RestoreChoice = {
  readonly what: 'all' | 'chosen' | 'tables';
  readonly chosen: readonly Chosen[];
  readonly tables: readonly string[];
  readonly where: 'beside' | 'folder' | 'in_place';
  readonly folder: string;
  readonly allowRedacted: boolean;
};

/** Why no plan can be made of a choice yet; null when one can. */
export function missingIn(choice: RestoreChoice): 'nothing_chosen' | 'no_tables' | 'folder' | null {
  if (choice.what === 'chosen' && choice.chosen.length === 0) return 'nothing_chosen';
  if (choice.what === 'tables' && choice.tables.length === 0) return 'no_tables';
  // Rows go into the vault: there is no folder to choose.
  return choice.what !== 'tables' && choice.where === 'folder' && choice.folder.trim() === '' ? 'folder' : null;
}

/** The choice as the question for a plan. */
export function planInput(backupId: string, choice: RestoreChoice): MethodInput<'restore.plan'> {
  const files = choice.what !== 'tables';
  return {
    backup: backupId,
    ...(choice.what === 'chosen' ? { paths: choice.chosen.map(({ rootId, path }) => ({ rootId, path })) } : {}),
    ...(files ? {} : { files: false }),
    ...(choice.tables.length > 0 ? { tables: [...choice.tables] } : {}),
    ...(files && choice.where === 'folder' ? { to: choice.folder.trim() } : {}),
    ...(files && choice.where === 'in_place' ? { inPlace: true } : {}),
    ...(choice.allowRedacted ? { allowRedacted: true } : {}),
  };
}

export type PlanCount = { readonly action: RestoreItem['action']; readonly count: number };

/** The counts of a plan that are worth a tile: those of files always where there are any files, rows likewise. */
export function planCounts({ counts }: Pick<RestorePlanView, 'counts'>): readonly PlanCount[] {
  const files: PlanCount[] = [
    { action: 'new', count: counts.created },
    { action: 'overwrite', count: counts.overwritten },
    { action: 'unchanged', count: counts.unchanged },
    { action: 'extra', count: counts.keptExtra },
  ];
  const rows: PlanCount[] = [
    { action: 'insert', count: counts.rowsInserted },
    { action: 'update', count: counts.rowsUpdated },
    { action: 'same', count: counts.rowsSame },
  ];
  const shown = (group: readonly PlanCount[]): readonly PlanCount[] =>
    group.some((one) => one.count > 0) ? group : [];
  return [
    ...shown(files),
    ...shown(rows),
    ...(counts.refused > 0 ? [{ action: 'refused' as const, count: counts.refused }] : []),
  ];
}

/** Whether anything would be written. */
export const writesAnything = ({ counts }: Pick<RestorePlanView, 'counts'>): boolean =>
  counts.created + counts.overwritten + counts.rowsInserted + counts.rowsUpdated > 0;

/** What was typed confirms the plan: exactly, but for the space around it. */
export const isConfirmed = (
  plan: Pick<RestorePlanView, 'confirmWith' | 'inPlace' | 'counts'>,
  typed: string,
): boolean => !needsTyping(plan) || typed.trim() === plan.confirmWith;

/** What replaces something is typed; what only adds is a button. */
export const needsTyping = ({ inPlace, counts }: Pick<RestorePlanView, 'inPlace' | 'counts'>): boolean =>
  inPlace || counts.rowsUpdated > 0;

/** The done share of a running operation from 0 to 1, or null while the total is not known. By bytes where there are any. */
export function backupShare(
  progress: Pick<BackupProgressView, 'doneItems' | 'totalItems' | 'doneBytes' | 'totalBytes'>,
): number | null {
  const [done, total] =
    progress.totalBytes > 0 ? [progress.doneBytes, progress.totalBytes] : [progress.doneItems, progress.totalItems];
  return total === 0 ? null : Math.min(1, Math.max(0, done / total));
}

/** Takes in a report. While an operation is in one phase its numbers never fall, whatever order reports come in. */
export function takeBackupProgress(before: BackupProgressView | null, report: BackupProgressView): BackupProgressView {
  if (before === null || before.operation !== report.operation || before.phase !== report.phase) return report;
  return {
    ...report,
    doneItems: Math.max(before.doneItems, report.doneItems),
    doneBytes: Math.max(before.doneBytes, report.doneBytes),
  };
}

/** A tag as the agent takes it. */
export const isTag = (text: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(text);
