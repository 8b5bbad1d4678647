import { expect, test } from 'vitest';
import { SCHEDULE_IDS } from '../../src/shared/contract-ops.ts';
import { everyText, rhythmOf, rhythmText, scheduleNames, waitsFor } from '../../src/shared/schedule-words.ts';
import { scheduleEntry as entry } from '../support/schedule-entry.ts';

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

test('how often, in words', () => {
  expect([
    rhythmText({ kind: 'daily', time: '03:00', zone: 'Europe/Berlin' }),
    rhythmText({ kind: 'after_daily', time: '03:00', zone: 'UTC' }),
    rhythmText({ kind: 'quiet', ms: 1_000 }),
    rhythmText({ kind: 'every', ms: 1_800_000 }),
  ]).toEqual([
    'Every day at 03:00 (Europe/Berlin)',
    'After the daily backup at 03:00 (UTC)',
    '1 second after the last change',
    'Every 30 minutes',
  ]);
});

test.each([
  [60_000, 'Every minute'],
  [1_800_000, 'Every 30 minutes'],
  [3_600_000, 'Every hour'],
  [7_200_000, 'Every 2 hours'],
  [86_400_000, 'Every day'],
  [604_800_000, 'Every week'],
])('%d ms are said as %s', (ms, words) => expect(everyText(ms)).toBe(words));

test('what waits says for what, and every entry has its words', () => {
  expect([
    waitsFor(entry('backup_changes', { state: 'waiting' })),
    waitsFor(entry('drill', { state: 'waiting' })),
    waitsFor(entry('scan')),
    waitsFor(entry('drill', { state: 'off' })),
  ]).toEqual(['change', 'first_backup', null, null]);
  expect(Object.keys(scheduleNames)).toEqual([...SCHEDULE_IDS]);
});
