import type { ScheduleEntry } from '../../src/shared/contract-ops.ts';

/** One line of the schedule: on, with no times. */
export const scheduleEntry = (id: ScheduleEntry['id'], more: Partial<ScheduleEntry> = {}): ScheduleEntry => ({
  id,
  state: 'on',
  everyMs: null,
  dailyAt: null,
  timeZone: null,
  lastAtMs: null,
  lastOutcome: null,
  nextAtMs: [],
  reason: null,
  ...more,
});
