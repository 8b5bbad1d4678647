import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatTime, parseTime, parseVersion } from '../../../../src/main/headless/cli/time.ts';

const iso = (text: string): number => Date.parse(text);
const NOW = iso('2026-11-20T09:30:00Z');
const utc = { nowMs: NOW, timeZone: 'UTC', day: 'start' } as const;
const berlin = { ...utc, timeZone: 'Europe/Berlin' } as const;

describe('a time is read as a person writes it', () => {
  test.each([
    ['now', '2026-11-20T09:30:00Z'],
    ['2026-11-20', '2026-11-20T00:00:00Z'],
    ['2026-11-20 14:05', '2026-11-20T14:05:00Z'],
    ['2026-11-20T14:05:06', '2026-11-20T14:05:06Z'],
    ['2026-11-20T14:05:06.5', '2026-11-20T14:05:06.500Z'],
    ['2026-11-20T14:05:06.123456Z', '2026-11-20T14:05:06.123Z'],
    ['2026-11-20T14:05+02:00', '2026-11-20T12:05:00Z'],
    ['2026-11-20 14:05 -0530', '2026-11-20T19:35:00Z'],
    ['90m', '2026-11-20T08:00:00Z'],
    ['3d', '2026-11-17T09:30:00Z'],
    ['2h ago', '2026-11-20T07:30:00Z'],
    ['2 hours ago', '2026-11-20T07:30:00Z'],
    ['1.5h', '2026-11-20T08:00:00Z'],
    ['1d 12h', '2026-11-18T21:30:00Z'],
    ['1h30m ago', '2026-11-20T08:00:00Z'],
    ['45 s', '2026-11-20T09:29:15Z'],
    ['2 weeks ago', '2026-11-06T09:30:00Z'],
    ['today', '2026-11-20T00:00:00Z'],
    ['yesterday', '2026-11-19T00:00:00Z'],
    ['Yesterday  14:00', '2026-11-19T14:00:00Z'],
    ['today 08:15:30', '2026-11-20T08:15:30Z'],
    ['08:15', '2026-11-20T08:15:00Z'],
    ['14:00', '2026-11-19T14:00:00Z'],
    ['2024-02-29', '2024-02-29T00:00:00Z'],
  ])('%s', (text, expected) => {
    expect(new Date(parseTime(text, utc) ?? 0).toISOString()).toBe(new Date(expected).toISOString());
  });

  test.each([
    '',
    'soon',
    '2026-13-01',
    '2026-02-30',
    '2025-02-29',
    '25:00',
    '12:60',
    '2026-11-20 24:00',
    '2026-11-20T1',
    '3 parsecs',
    '3',
    'ago',
    '2hago',
    '-3d',
    '3d later',
    'yesterday noon',
    '20261120',
    '4f1c22ab',
    '1m1',
    'tomorrow',
  ])('%j is not a time', (text) => {
    expect(parseTime(text, utc)).toBeNull();
  });
});

describe('days and zones', () => {
  test('a day alone is its end where the newest of it is wanted', () => {
    expect(parseTime('2026-11-19', { ...utc, day: 'end' })).toBe(iso('2026-11-19T23:59:59.999Z'));
    expect(parseTime('yesterday', { ...berlin, day: 'end' })).toBe(iso('2026-11-19T22:59:59.999Z'));
    expect(parseTime('2026-11-19 10:00', { ...utc, day: 'end' })).toBe(iso('2026-11-19T10:00:00Z'));
  });

  test.each([
    ['2026-11-20 14:00', '2026-11-20T13:00:00Z'],
    ['2026-07-01', '2026-06-30T22:00:00Z'],
    // Clocks leap from 02:00 to 03:00 on 29 March 2026: half past two does not exist, the moment after the leap is meant.
    ['2026-03-29 02:30', '2026-03-29T01:30:00Z'],
    ['2026-03-29 03:30', '2026-03-29T01:30:00Z'],
    ['2026-03-29 01:59', '2026-03-29T00:59:00Z'],
    // They go back from 03:00 to 02:00 on 25 October 2026: 02:30 is there twice.
    ['2026-10-25 03:30', '2026-10-25T02:30:00Z'],
    ['2026-10-25 01:30', '2026-10-24T23:30:00Z'],
  ])('%s in Berlin', (text, expected) => {
    expect(new Date(parseTime(text, berlin) ?? 0).toISOString()).toBe(new Date(expected).toISOString());
  });

  test('yesterday is the calendar day before, also when today began elsewhere', () => {
    const late = { nowMs: iso('2026-11-20T23:30:00Z'), timeZone: 'Asia/Tokyo', day: 'start' } as const;
    expect(new Date(parseTime('yesterday 12:00', late) ?? 0).toISOString()).toBe('2026-11-20T03:00:00.000Z');
  });

  test('what is shown is read back as the same second, in every zone', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: iso('1990-01-01T00:00:00Z') / 1_000, max: iso('2090-01-01T00:00:00Z') / 1_000 }),
        fc.constantFrom(
          'UTC',
          'Europe/Berlin',
          'America/St_Johns',
          'Asia/Kathmandu',
          'Pacific/Apia',
          'Australia/Lord_Howe',
        ),
        (seconds, timeZone) => {
          const shown = formatTime(seconds * 1_000, timeZone);
          const read = parseTime(shown, { nowMs: NOW, timeZone, day: 'start' });
          // An hour that clocks show twice is read as one of the two.
          expect(formatTime(read ?? 0, timeZone)).toBe(shown);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('the zone of the process is the one that its clocks show', () => {
    const at = new Date(2026, 2, 29, 14, 5, 9);
    expect(parseTime('2026-03-29 14:05:09', { ...utc, timeZone: 'local' })).toBe(at.getTime());
    expect(formatTime(at.getTime(), 'local')).toBe('2026-03-29 14:05:09');
  });

  test('no text makes the parser throw or give half a number', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9hmdw :tz+.-]{0,20}$/)), (text) => {
        const time = parseTime(text, utc);
        expect(time === null || Number.isInteger(time)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a version', () => {
  test.each([
    ['2h ago', { atMs: iso('2026-11-20T07:30:00Z') }],
    ['yesterday', { atMs: iso('2026-11-19T23:59:59.999Z') }],
    ['4F1C22AB', { snapshotId: '4f1c22ab' }],
    ['019a9b00-1111-7abc-8def-0123456789ab', { snapshotId: '019a9b00-1111-7abc-8def-0123456789ab' }],
  ])('%s', (text, expected) => {
    expect(parseVersion(text, utc)).toEqual(expected);
  });

  test.each(['4f1c2', 'newest', 'xyzxyz', ''])('%j is refused with the forms that are understood', (text) => {
    expect(() => parseVersion(text, utc)).toThrow(
      expect.objectContaining({ code: 'usage.bad_argument', hint: expect.stringContaining('yesterday 14:00') }),
    );
  });
});
