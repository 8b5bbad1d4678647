import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lastOccurrence, nextOccurrence } from '../../../src/main/backup/local-time.ts';
import { MOST_WAIT_MS, type NextBackupFacts, nextBackup } from '../../../src/main/backup/next-backup.ts';

const at = (text: string): number => Date.parse(text);
const NOW = at('2026-11-24T12:00:00Z');
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const facts = (more: Partial<NextBackupFacts> = {}): NextBackupFacts => ({
  nowMs: NOW,
  isOn: true,
  firstSeenAtMs: at('2026-11-20T00:00:00Z'),
  lastDailyAtMs: at('2026-11-24T03:00:05Z'),
  lastConfigAtMs: null,
  isConfigChanged: false,
  firstUnsavedAtMs: null,
  lastUnsavedAtMs: null,
  quietMs: 30_000,
  runTime: '03:00',
  timeZone: 'UTC',
  notBeforeMs: null,
  ...more,
});

describe('the next backup', () => {
  it.each<[string, Partial<NextBackupFacts>, ReturnType<typeof nextBackup>]>([
    ['is that of tomorrow when nothing changed', {}, { reason: 'daily', atMs: at('2026-11-25T03:00:00Z') }],
    ['is none while backups are off', { isOn: false, firstUnsavedAtMs: NOW }, null],
    [
      'comes after a pause in the changes',
      { firstUnsavedAtMs: NOW - 60_000, lastUnsavedAtMs: NOW - 5_000 },
      { reason: 'change', atMs: NOW + 25_000 },
    ],
    [
      'does not wait for ever for a pause',
      { firstUnsavedAtMs: NOW - MOST_WAIT_MS, lastUnsavedAtMs: NOW },
      { reason: 'change', atMs: NOW },
    ],
    [
      'is due now when the daily one was slept through, however many there were',
      { lastDailyAtMs: at('2026-11-15T03:00:00Z') },
      { reason: 'daily', atMs: at('2026-11-24T03:00:00Z') },
    ],
    [
      'is not made up for what was due before there were any backups',
      { lastDailyAtMs: null, firstSeenAtMs: at('2026-11-24T11:00:00Z') },
      { reason: 'daily', atMs: at('2026-11-25T03:00:00Z') },
    ],
    [
      'is not silenced by a stamp from the future',
      { nowMs: NOW + 2 * DAY, lastDailyAtMs: NOW + 400 * DAY },
      { reason: 'daily', atMs: at('2026-11-27T03:00:00Z') },
    ],
    ['follows changed settings', { isConfigChanged: true }, { reason: 'config', atMs: 60_000 }],
    [
      'but not more than once a minute',
      { isConfigChanged: true, lastConfigAtMs: NOW - 10_000 },
      { reason: 'config', atMs: NOW + 50_000 },
    ],
    [
      'waits after a failure',
      { firstUnsavedAtMs: NOW - HOUR, lastUnsavedAtMs: NOW - HOUR, notBeforeMs: NOW + HOUR },
      { reason: 'change', atMs: NOW + HOUR },
    ],
    [
      'takes times of versions that lie ahead (the clock went back) as now',
      { firstUnsavedAtMs: NOW + DAY, lastUnsavedAtMs: NOW + 2 * DAY },
      { reason: 'change', atMs: NOW + 30_000 },
    ],
  ])('%s', (_, more, expected) => expect(nextBackup(facts(more))).toEqual(expected));

  it('makes at most one daily backup a local day and misses none, over both leaps of the clock', () => {
    const leaps: [string, string, string][] = [
      ['America/New_York', '2027-03-11T12:00:00Z', '2027-11-04T12:00:00Z'],
      ['Africa/Cairo', '2027-04-27T12:00:00Z', '2027-10-26T12:00:00Z'],
      ['Australia/Lord_Howe', '2027-04-01T12:00:00Z', '2027-09-30T12:00:00Z'],
    ];
    for (const [timeZone, ...starts] of leaps) {
      for (const start of starts) {
        for (const runTime of ['00:00', '01:45', '02:15']) {
          const days = daysOfBackups(at(start), timeZone, runTime);
          expect([timeZone, runTime, new Set(days).size, days.length >= 5]).toEqual([
            timeZone,
            runTime,
            days.length,
            true,
          ]);
        }
      }
    }
  });
});

/** The local days of the daily backups of six days, looked at every half hour. */
function daysOfBackups(startMs: number, timeZone: string, runTime: string): string[] {
  const day = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' });
  const days: string[] = [];
  let lastDailyAtMs: number | null = null;
  for (let nowMs = startMs; nowMs < startMs + 6 * DAY; nowMs += HOUR / 2) {
    const next = nextBackup(facts({ nowMs, firstSeenAtMs: startMs, lastDailyAtMs, runTime, timeZone }));
    if (next === null || next.atMs > nowMs) continue;
    days.push(day.format(nowMs));
    lastDailyAtMs = nowMs;
  }
  return days;
}

describe('times of day', () => {
  it('lie on both sides of now, less than 25.5 hours apart', () => {
    const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Apia');
    const time = fc.integer({ min: 0, max: 1_439 }).map((minute) => {
      const [hours, minutes] = [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0'));
      return `${hours}:${minutes}`;
    });
    const moment = fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2029-01-01T00:00:00Z') });
    fc.assert(
      fc.property(time, zone, moment, (runTime, timeZone, nowMs) => {
        const last = lastOccurrence(runTime, timeZone, nowMs);
        const next = nextOccurrence(runTime, timeZone, nowMs);
        expect(last).toBeLessThanOrEqual(nowMs);
        expect(next).toBeGreaterThan(nowMs);
        expect(next - last).toBeLessThan(25.5 * HOUR);
      }),
      { numRuns: 300 },
    );
  });

  it('that a leap skips count at the leap, those that come twice at the first', () => {
    expect(lastOccurrence('02:30', 'America/New_York', at('2027-03-14T12:00:00Z'))).toBe(at('2027-03-14T07:30:00Z'));
    expect(lastOccurrence('01:30', 'America/New_York', at('2027-11-07T12:00:00Z'))).toBe(at('2027-11-07T05:30:00Z'));
  });
});
