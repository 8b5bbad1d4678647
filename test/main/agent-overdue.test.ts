import { expect, test } from 'vitest';
import { type OverdueFacts, overdueJobs } from '../../src/main/agent-overdue.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW_MS = 100 * DAY_MS;
const ROOT = { path: '/home/mira/notes', state: 'watching', lastScanAtMs: NOW_MS - HOUR_MS } as const;
const FACTS: OverdueFacts = {
  nowMs: NOW_MS,
  awakeSinceMs: NOW_MS - 30 * DAY_MS,
  scanEveryMs: HOUR_MS / 2,
  roots: [ROOT],
  backup: { isExpected: true, lastAtMs: NOW_MS - DAY_MS },
};
const messages = (change: Partial<OverdueFacts>): string[] =>
  overdueJobs({ ...FACTS, ...change }).map(({ message }) => message);

test('what ran in time, and what nobody was awake for, is not late', () => {
  expect(messages({})).toEqual([]);
  const old = {
    roots: [{ ...ROOT, lastScanAtMs: NOW_MS - 9 * DAY_MS }],
    backup: { isExpected: true, lastAtMs: NOW_MS - 9 * DAY_MS },
  };
  expect(messages({ ...old, awakeSinceMs: NOW_MS - HOUR_MS })).toEqual([]);
  expect(messages(old)).toEqual([
    'The daily backup did not run: the last backup is 9 d old.',
    'The safety scan of /home/mira/notes did not run: the last one is 9 d old.',
  ]);
});

test.each([
  ['twice its time and a quarter', 2.25 * DAY_MS, 0],
  ['a moment more', 2.25 * DAY_MS + 1, 1],
])('a backup of %s', (_, ageMs, count) =>
  expect(messages({ backup: { isExpected: true, lastAtMs: NOW_MS - ageMs } })).toHaveLength(count),
);

test('what is not expected, a folder that is away, and a time of the future say nothing', () => {
  expect(messages({ backup: { isExpected: false, lastAtMs: null } })).toEqual([]);
  expect(messages({ roots: [{ ...ROOT, state: 'missing', lastScanAtMs: null }] })).toEqual([]);
  expect(messages({ backup: { isExpected: true, lastAtMs: NOW_MS + DAY_MS } })).toEqual([]);
});

test('what never ran is late as well', () => {
  expect(messages({ backup: { isExpected: true, lastAtMs: null } })).toEqual([
    'The daily backup did not run: the last backup is still to come.',
  ]);
});
