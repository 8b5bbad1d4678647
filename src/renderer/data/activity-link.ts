import type { ActivityRecord } from '../../shared/model.ts';
import { absolutePath } from './paths.ts';
import { formatRoute } from './route.ts';

/** Where an activity leads: a file at the version it made, or the record; null when there is nothing to show. */
export function activityLink(activity: ActivityRecord, rootPaths: ReadonlyMap<number, string>): string | null {
  const { path, rootId, snapshotId, recordTable, recordId } = activity;
  const root = rootId === null ? undefined : rootPaths.get(rootId);
  if (path !== null && root !== undefined) {
    const show = activity.kind === 'file.modified' ? 'changes' : undefined;
    return formatRoute('file', { path: absolutePath({ root, path }), version: snapshotId ?? undefined, show });
  }
  if (recordId !== null && recordTable === 'decision_vault') return formatRoute('decisions', { id: recordId });
  if (recordId !== null && recordTable === 'memories') return formatRoute('memories', { id: recordId });
  return null;
}
