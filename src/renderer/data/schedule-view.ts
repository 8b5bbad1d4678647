/** The schedule as a person reads it: how often in words, and what comes next. Pure. */
import type { ScheduleEntry } from '../../shared/contract-ops.ts';

export type Rhythm =
  | { readonly kind: 'daily'; readonly time: string; readonly zone: string }
  | { readonly kind: 'after_daily'; readonly time: string; readonly zone: string }
  | { readonly kind: 'every'; readonly ms: number }
  | { readonly kind: 'quiet'; readonly ms: number };

export function rhythmOf({ id, everyMs, dailyAt, timeZone }: ScheduleEntry): Rhythm {
  if (dailyAt !== null)
    return { kind: id === 'retention' ? 'after_daily' : 'daily', time: dailyAt, zone: timeZone ?? 'UTC' };
  return { kind: id === 'backup_changes' ? 'quiet' : 'every', ms: everyMs ?? 0 };
}

/** What happens next, in the order of time: everything that is on and has a time. */
export function upcomingOf(
  entries: readonly ScheduleEntry[],
  most: number,
): readonly { readonly id: ScheduleEntry['id']; readonly atMs: number }[] {
  return entries
    .flatMap(({ id, state, nextAtMs }) => {
      const [first] = nextAtMs;
      return first === undefined || state === 'off' ? [] : [{ id, atMs: first }];
    })
    .sort((a, b) => a.atMs - b.atMs)
    .slice(0, most);
}

/** Why an entry that is on has no next time: it waits for something. */
export function waitsFor({ id, state, nextAtMs }: ScheduleEntry): 'change' | 'first_backup' | null {
  if (state === 'off' || nextAtMs.length > 0) return null;
  if (id === 'backup_changes') return 'change';
  return id === 'drill' ? 'first_backup' : null;
}
