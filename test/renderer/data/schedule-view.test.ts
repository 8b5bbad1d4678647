import { expect, test } from 'vitest';
import { rhythmOf, upcomingOf, waitsFor } from '../../../src/renderer/data/schedule-view.ts';
import { scheduleText } from '../../../src/renderer/strings-health.ts';
import { SCHEDULE_IDS, type ScheduleEntry } from '../../../src/shared/contract-ops.ts';

const entry = (id: ScheduleEntry['id'], more: Partial<ScheduleEntry> = {}): ScheduleEntry => ({
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

test('how often, as values', () => {
  expect([
    rhythmOf(entry('backup_daily', { dailyAt: '03:00', timeZone: 'Europe/Berlin' })),
    rhythmOf(entry('retention', { dailyAt: '03:00' })),
    rhythmOf(entry('backup_changes', { everyMs: 30_000 })),
    rhythmOf(entry('scan', { everyMs: 1_800_000 })),
  ]).toEqual([
    { kind: 'daily', time: '03:00', zone: 'Europe/Berlin' },
    { kind: 'after_daily', time: '03:00', zone: 'UTC' },
    { kind: 'quiet', ms: 30_000 },
    { kind: 'every', ms: 1_800_000 },
  ]);
});

test.each([
  [60_000, 'Every 1 minute'],
  [1_800_000, 'Every 30 minutes'],
  [3_600_000, 'Every hour'],
  [7_200_000, 'Every 2 hours'],
  [86_400_000, 'Every day'],
  [604_800_000, 'Every week'],
])('%d ms are said as %s', (ms, words) => expect(scheduleText.every(ms)).toBe(words));

test('what comes next, in the order of time; what is off or waits is not in it', () => {
  const entries = [
    entry('scan', { nextAtMs: [30, 60] }),
    entry('drill', { nextAtMs: [10] }),
    entry('sync_notion', { state: 'off', nextAtMs: [1] }),
    entry('backup_changes', { state: 'waiting' }),
    entry('tidy', { nextAtMs: [20] }),
  ];
  expect(upcomingOf(entries, 2)).toEqual([
    { id: 'drill', atMs: 10 },
    { id: 'tidy', atMs: 20 },
  ]);
});

test('what waits says for what, and every entry has its words', () => {
  expect([
    waitsFor(entry('backup_changes', { state: 'waiting' })),
    waitsFor(entry('drill', { state: 'waiting' })),
    waitsFor(entry('scan')),
    waitsFor(entry('drill', { state: 'off' })),
  ]).toEqual(['change', 'first_backup', null, null]);
  expect(Object.keys(scheduleText.entries)).toEqual([...SCHEDULE_IDS]);
});
