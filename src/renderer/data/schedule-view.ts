/** The schedule as a page shows it: what comes next. Pure. */
import type { ScheduleEntry } from '../../shared/contract-ops.ts';

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
