import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DIGEST,
  decideNotices,
  EMPTY_MEMORY,
  minuteOfDay,
  NOTICE_KINDS,
  type NoticeDecision,
  type NoticeMemory,
  type NoticeRules,
  type Problem,
} from '../../src/shared/notice-policy.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 10, 24, 8);

const RULES: NoticeRules = {
  isOn: true,
  kinds: { decision: true, fault: true, sync: true, backup: true, schedule: true },
  dailyLimit: 3,
  quiet: null,
  minuteOf: (timeMs) => Math.floor(timeMs / MINUTE) % 1_440,
};
const problem = (id: string, more: Partial<Problem> = {}): Problem => ({
  id,
  kind: 'decision',
  isTransient: false,
  tries: null,
  title: `Title of ${id}`,
  body: `Body of ${id}`,
  action: { label: 'Show', hash: '#/' },
  ...more,
});
const offline = (tries: number): Problem => problem('offline', { kind: 'sync', isTransient: true, tries });

/** Runs the policy through time, as the shell does: at each report and when it asked to be woken. */
function simulate(
  reports: readonly { readonly atMs: number; readonly problems: readonly Problem[] }[],
  rules: NoticeRules = RULES,
  endMs = START + 24 * HOUR,
): { atMs: number; event: string }[] {
  const log: { atMs: number; event: string }[] = [];
  let memory: NoticeMemory = EMPTY_MEMORY;
  let againAtMs: number | null = null;
  let problems: readonly Problem[] = [];
  const step = (atMs: number): void => {
    const decision: NoticeDecision = decideNotices(memory, problems, rules, atMs);
    memory = decision.memory;
    againAtMs = decision.againAtMs;
    for (const notice of decision.show) log.push({ atMs, event: `show ${notice.id}` });
    for (const notice of decision.update) log.push({ atMs, event: `update ${notice.id}` });
    for (const id of decision.withdraw) log.push({ atMs, event: `withdraw ${id}` });
  };
  for (const report of [...reports, { atMs: endMs, problems: null }]) {
    while (againAtMs !== null && againAtMs < report.atMs) step(againAtMs);
    if (report.problems === null) break;
    ({ problems } = report);
    step(report.atMs);
  }
  return log;
}
const shows = (log: readonly { event: string }[]): number => log.filter(({ event }) => event.startsWith('show')).length;

describe('one problem', () => {
  test('what needs a decision is told at once, replaced when it reads differently, withdrawn when solved', () => {
    expect(
      simulate([
        { atMs: START, problems: [problem('held')] },
        { atMs: START + 1, problems: [problem('held')] },
        { atMs: START + 2, problems: [problem('held', { body: 'More are gone.' })] },
        { atMs: START + 3, problems: [] },
      ]).map(({ event }) => event),
    ).toEqual(['show held', 'update held', 'withdraw held']);
  });

  test('what may pass by itself is silent for ten minutes and three tries', () => {
    const atMs = (minutes: number): number => START + minutes * MINUTE;
    expect(simulate([{ atMs: START, problems: [offline(9)] }])).toEqual([{ atMs: atMs(10), event: 'show offline' }]);
    expect(
      simulate([
        { atMs: START, problems: [offline(9)] },
        { atMs: atMs(9.9), problems: [] },
      ]),
    ).toEqual([]);
    expect(simulate([{ atMs: START, problems: [offline(2)] }])).toEqual([]);
    expect(
      simulate([
        { atMs: START, problems: [offline(2)] },
        { atMs: atMs(40), problems: [offline(3)] },
      ]),
    ).toEqual([{ atMs: atMs(40), event: 'show offline' }]);
  });

  test('success is silent', () => {
    expect(simulate([{ atMs: START, problems: [] }])).toEqual([]);
  });
});

test('a network that flaps for 24 hours makes at most three notices, and none of them stays', () => {
  for (const [up, down] of [
    [1, 1],
    [3, 11],
    [5, 30],
    [20, 61],
    [1, 59],
    [60, 180],
  ] as const) {
    const reports: { atMs: number; problems: Problem[] }[] = [];
    for (let atMs = START; atMs < START + 24 * HOUR; atMs += (up + down) * MINUTE) {
      for (let tries = 1; tries <= down; tries += 1)
        reports.push({ atMs: atMs + tries * MINUTE, problems: [offline(tries)] });
      reports.push({ atMs: atMs + down * MINUTE + 1, problems: [] });
    }
    const log = simulate(reports);
    expect(shows(log), `${up} up, ${down} down`).toBeLessThanOrEqual(3);
    expect(log.filter(({ event }) => event.startsWith('withdraw'))).toHaveLength(shows(log));
    if (down > 10) expect(shows(log)).toBeGreaterThan(0);
  }
});

test('what came back within the day must last an hour before it is told again', () => {
  const log = simulate([
    { atMs: START, problems: [offline(5)] },
    { atMs: START + 20 * MINUTE, problems: [] },
    { atMs: START + 30 * MINUTE, problems: [offline(5)] },
    { atMs: START + 80 * MINUTE, problems: [] },
    { atMs: START + 90 * MINUTE, problems: [offline(5)] },
  ]);
  expect(log).toEqual([
    { atMs: START + 10 * MINUTE, event: 'show offline' },
    { atMs: START + 20 * MINUTE, event: 'withdraw offline' },
    { atMs: START + 150 * MINUTE, event: 'show offline' },
  ]);
});

test('beyond the limit it waits, and comes as one when a day has passed', () => {
  const many = (count: number): Problem[] => Array.from({ length: count }, (_, index) => problem(`p${index}`));
  const log = simulate(
    [
      ...[1, 2, 3, 4, 5, 6].map((count) => ({ atMs: START + count * HOUR, problems: many(count) })),
      { atMs: START + 30 * HOUR, problems: [] },
    ],
    RULES,
    START + 40 * HOUR,
  );
  expect(log.map(({ atMs, event }) => [(atMs - START) / HOUR, event])).toEqual([
    [1, 'show p0'],
    [2, 'show p1'],
    [3, 'show p2'],
    [25, `show ${DIGEST}`],
    ...['p0', 'p1', 'p2', DIGEST].map((id) => [30, `withdraw ${id}`]),
  ]);
});

test('a crowd at one moment is one notice', () => {
  const log = simulate([{ atMs: START, problems: ['a', 'b', 'c', 'd'].map((id) => problem(id)) }]);
  expect(log).toEqual([{ atMs: START, event: `show ${DIGEST}` }]);
});

test('in quiet hours nothing is shown; what is still there is told when they end', () => {
  const quiet = { ...RULES, quiet: { fromMinute: 22 * 60, toMinute: 7 * 60 } };
  const night = Date.UTC(2026, 10, 24, 23, 30);
  const morning = Date.UTC(2026, 10, 25, 7);
  expect(simulate([{ atMs: night, problems: [problem('held')] }], quiet, morning + HOUR)).toEqual([
    { atMs: morning, event: 'show held' },
  ]);
  expect(
    simulate(
      [
        { atMs: night, problems: [problem('held')] },
        { atMs: night + HOUR, problems: [] },
      ],
      quiet,
      morning + HOUR,
    ),
  ).toEqual([]);
});

test.each(NOTICE_KINDS)('notices of kind %s can be switched off, and all of them', (kind) => {
  const reports = [{ atMs: START, problems: [problem('x', { kind })] }];
  expect(shows(simulate(reports))).toBe(1);
  expect(simulate(reports, { ...RULES, kinds: { ...RULES.kinds, [kind]: false } })).toEqual([]);
  expect(simulate(reports, { ...RULES, isOn: false })).toEqual([]);
});

test('whatever happens: never more than the limit in 24 hours, never in quiet hours, and what is solved does not stay', () => {
  const ids = ['a', 'b', 'c', 'd', 'e'];
  const report = fc.record({
    afterMs: fc.integer({ min: 1, max: 5 * HOUR }),
    open: fc.subarray(ids),
    tries: fc.nat(5),
  });
  const isQuiet = (timeMs: number): boolean => RULES.minuteOf(timeMs) >= 22 * 60 || RULES.minuteOf(timeMs) < 7 * 60;
  fc.assert(
    fc.property(fc.array(report, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (steps, dailyLimit) => {
      let atMs = START;
      const reports = steps.map(({ afterMs, open, tries }) => {
        atMs += afterMs;
        return { atMs, problems: open.map((id) => problem(id, { isTransient: id < 'c', tries })) };
      });
      reports.push({ atMs: atMs + 1, problems: [] });
      const log = simulate(
        reports,
        { ...RULES, dailyLimit, quiet: { fromMinute: 22 * 60, toMinute: 7 * 60 } },
        atMs + 48 * HOUR,
      );
      const shown = log.filter(({ event }) => event.startsWith('show'));
      for (const { atMs: at } of shown) {
        expect(shown.filter((one) => one.atMs > at - 24 * HOUR && one.atMs <= at).length).toBeLessThanOrEqual(
          dailyLimit,
        );
        expect(isQuiet(at)).toBe(false);
      }
      expect(log.filter(({ event }) => event.startsWith('withdraw'))).toHaveLength(shown.length);
    }),
    { numRuns: Number(process.env.ANGLES_RUNS ?? 200) },
  );
});

test.each([
  ['00:00', 0],
  ['22:30', 1_350],
  ['24:00', null],
  ['', null],
])('%s is minute %s', (clock, minute) => expect(minuteOfDay(clock)).toBe(minute));
