/** Orders activities for reading: by day, and within a day saves that belong together as one burst. */
import type { ActivityRecord } from '../../shared/model.ts';

/** Saves of one folder tree at most this far apart belong together. */
const BURST_GAP_MS = 60_000;
const BURST_FROM = 3;

export type ActivityRow =
  | { readonly row: 'day'; readonly key: string; readonly timeMs: number; readonly count: number }
  | {
      readonly row: 'burst';
      readonly key: string;
      readonly activities: readonly ActivityRecord[];
      readonly open: boolean;
    }
  | { readonly row: 'one'; readonly key: string; readonly activity: ActivityRecord; readonly inBurst: boolean };

/**
 * Rows of the activity list, newest first as they come. A burst is three or more file events of one root with less
 * than a minute between neighbours; those whose key is in `openBursts` show their members.
 */
export function activityRows(
  activities: readonly ActivityRecord[],
  dayOf: (timeMs: number) => string,
  openBursts: ReadonlySet<string>,
): ActivityRow[] {
  const rows: ActivityRow[] = [];
  for (const day of split(activities, (before, next) => dayOf(before.occurredAtMs) === dayOf(next.occurredAtMs))) {
    const [first] = day;
    if (first === undefined) continue;
    rows.push({ row: 'day', key: `day ${dayOf(first.occurredAtMs)}`, timeMs: first.occurredAtMs, count: day.length });
    for (const group of split(day, sameBurst)) rows.push(...groupRows(group, openBursts));
  }
  return rows;
}

function groupRows(group: readonly ActivityRecord[], openBursts: ReadonlySet<string>): ActivityRow[] {
  const one =
    (inBurst: boolean) =>
    (activity: ActivityRecord): ActivityRow => ({
      row: 'one',
      key: activity.id,
      activity,
      inBurst,
    });
  if (group.length < BURST_FROM) return group.map(one(false));
  // The oldest member names the burst: it stays the same while new saves join.
  const key = `burst ${group.at(-1)?.id ?? ''}`;
  const open = openBursts.has(key);
  return [{ row: 'burst', key, activities: group, open }, ...(open ? group.map(one(true)) : [])];
}

const sameBurst = (before: ActivityRecord, next: ActivityRecord): boolean =>
  before.kind.startsWith('file.') &&
  next.kind.startsWith('file.') &&
  before.rootId === next.rootId &&
  Math.abs(before.occurredAtMs - next.occurredAtMs) < BURST_GAP_MS;

function split<T>(items: readonly T[], together: (before: T, next: T) => boolean): T[][] {
  const groups: T[][] = [];
  let before: T | undefined;
  for (const item of items) {
    const current = groups.at(-1);
    if (before !== undefined && current !== undefined && together(before, item)) current.push(item);
    else groups.push([item]);
    before = item;
  }
  return groups;
}

/**
 * Puts a freshly read first page before what was loaded already. When they do not touch, something in between is
 * unknown: then only the fresh page stands.
 */
export function joinNewest<T>(
  fresh: readonly T[],
  loaded: readonly T[],
  idOf: (item: T) => string,
): { readonly items: readonly T[]; readonly touched: boolean } {
  const known = new Set(loaded.map(idOf));
  const added = fresh.filter((item) => !known.has(idOf(item)));
  if (loaded.length > 0 && added.length === fresh.length && fresh.length > 0) return { items: fresh, touched: false };
  return added.length === 0 ? { items: loaded, touched: true } : { items: [...added, ...loaded], touched: true };
}
