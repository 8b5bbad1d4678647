import { expect, test } from 'vitest';
import { describeSchedule, type ScheduleFacts } from '../../src/main/agent-schedule.ts';

const NOW_MS = Date.UTC(2026, 10, 24, 12);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const FACTS: ScheduleFacts = {
  nowMs: NOW_MS,
  isRunning: true,
  startedAtMs: NOW_MS - 2 * DAY_MS - HOUR_MS,
  backup: {
    isOn: true,
    runTime: '03:00',
    timeZone: 'UTC',
    quietMs: 30_000,
    lastBackupAtMs: NOW_MS - HOUR_MS,
    lastDailyAtMs: NOW_MS - 9 * HOUR_MS,
    changesAtMs: null,
    dailyAtMs: [NOW_MS + 15 * HOUR_MS],
    lastDrill: null,
    drillAtMs: NOW_MS + DAY_MS,
    lastPruneAtMs: null,
    problem: null,
  },
  scan: { roots: 1, everyMs: 1_800_000, lastAtMs: NOW_MS - 60_000, nextAtMs: NOW_MS + 1_700_000 },
  reconcileMs: HOUR_MS,
  remotes: [
    { remote: 'supabase', configured: true, state: 'ok', reason: null, lastPullAtMs: NOW_MS - 5, nextTryAtMs: null },
    { remote: 'notion', configured: false, state: 'off', reason: 'Off.', lastPullAtMs: null, nextTryAtMs: null },
  ],
};
const line = (facts: ScheduleFacts): string[] =>
  describeSchedule(facts).map(
    ({ id, state, lastOutcome, nextAtMs }) =>
      `${id} ${state} ${lastOutcome} ${nextAtMs.map((atMs) => (atMs - NOW_MS) / HOUR_MS).join(',')}`,
  );

test('everything that runs by itself, with its last and next run', () => {
  expect(line(FACTS)).toEqual([
    'backup_changes waiting ok ',
    'backup_daily on ok 15',
    'drill on null 24,192,360',
    'retention on null 15',
    'scan on ok 0.4722222222222222',
    `sync_supabase on ok ${(HOUR_MS - 5) / HOUR_MS}`,
    'sync_notion off null ',
    'tidy on ok 23,47,71',
  ]);
});

test('backups that are switched off have no next run; a failure says why and when it is tried again', () => {
  const off = describeSchedule({ ...FACTS, backup: { ...FACTS.backup, isOn: false, dailyAtMs: [], drillAtMs: null } });
  expect(off.slice(0, 4).map(({ state, nextAtMs }) => [state, nextAtMs])).toEqual(Array(4).fill(['off', []]));
  const failing = describeSchedule({
    ...FACTS,
    backup: { ...FACTS.backup, problem: 'The disk is full.', changesAtMs: NOW_MS + 60_000 },
  });
  expect(failing[0]).toMatchObject({
    state: 'failing',
    lastOutcome: 'failed',
    reason: 'The disk is full.',
    nextAtMs: [NOW_MS + 60_000],
  });
});

test('a service that is away is failing, with its own next try; without a folder there is no scan', () => {
  const entries = describeSchedule({
    ...FACTS,
    scan: { ...FACTS.scan, roots: 0, nextAtMs: null },
    remotes: FACTS.remotes.map((one) => ({
      ...one,
      configured: true,
      state: 'offline',
      reason: 'Away.',
      nextTryAtMs: NOW_MS + 5,
    })),
  });
  expect(entries.filter(({ id }) => id.startsWith('sync'))).toMatchObject([
    { state: 'failing', reason: 'Away.', nextAtMs: [NOW_MS + 5] },
    { state: 'failing', reason: 'Away.', nextAtMs: [NOW_MS + 5] },
  ]);
  expect(entries.find(({ id }) => id === 'scan')).toMatchObject({ state: 'off', nextAtMs: [] });
});

test('without an agent nothing runs by itself, and the last runs are still told', () => {
  const entries = describeSchedule({ ...FACTS, isRunning: false, startedAtMs: null });
  expect(new Set(entries.map(({ state, nextAtMs, reason }) => `${state} ${nextAtMs.length} ${reason}`))).toEqual(
    new Set(['off 0 No agent is running.']),
  );
  expect(entries[0]?.lastAtMs).toBe(NOW_MS - HOUR_MS);
});
