import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Chart,
  chartsOf,
  formatMeasure,
  formatSpan,
  type Series,
  summaryOf,
  tableOf,
} from '../../../src/renderer/data/health-view.ts';

const point = (atMs: number, more: Partial<Series['points'][number]> = {}): Series['points'][number] => ({
  atMs,
  cpuShare: 0.01,
  memoryBytes: 80e6,
  queued: 0,
  sent: 0,
  latencyMs: null,
  latencyMaxMs: null,
  ...more,
});
const SERIES: Series = {
  bucketMs: 100,
  sinceMs: 1_050,
  untilMs: 1_500,
  points: [point(1_000, { queued: 3 }), point(1_300, { queued: 5, sent: 2, latencyMs: 40, latencyMaxMs: 70 })],
  backups: [{ atMs: 7, durationMs: 900, writtenBytes: 10, repositoryBytes: 99, files: 1 }],
};

test('a chart has every moment of the span; what nobody noted is a gap and not a zero', () => {
  const [latency, queued, , , size, time] = chartsOf(SERIES);
  expect(queued).toEqual({
    measure: 'queued',
    timesMs: [1_000, 1_100, 1_200, 1_300, 1_400],
    lines: [[3, null, null, 5, null]],
    form: 'line',
  });
  expect(latency?.lines).toEqual([
    [null, null, null, 40, null],
    [null, null, null, 70, null],
  ]);
  expect([size?.lines, time?.lines]).toEqual([[[10]], [[900]]]);
});

test('the sentence of a chart: the last, the mean, and the most of all its lines; none without a value', () => {
  const [latency, queued, cpu] = chartsOf(SERIES);
  expect(summaryOf(queued as Chart)).toEqual({
    known: 2,
    last: 5,
    lastAtMs: 1_300,
    mean: 4,
    most: 5,
    mostAtMs: 1_300,
  });
  expect(summaryOf(latency as Chart)).toMatchObject({ last: 40, most: 70 });
  expect(summaryOf({ ...(cpu as Chart), lines: [[null]] })).toBeNull();
});

test('the table has at most so many rows, and the most of each stretch is in it', () => {
  const chart = fc
    .array(fc.option(fc.nat(1_000), { nil: null }), { minLength: 1, maxLength: 400 })
    .map((line): Chart => ({ measure: 'queued', form: 'line', timesMs: line.map((_, index) => index), lines: [line] }));
  fc.assert(
    fc.property(chart, fc.integer({ min: 1, max: 30 }), (given, rows) => {
      const table = tableOf(given, rows);
      expect(table.length).toBeLessThanOrEqual(rows);
      const known = (given.lines[0] ?? []).filter((value) => value !== null);
      const shown = table.map(({ values }) => values[0] ?? null).filter((value) => value !== null);
      expect(shown.length === 0).toBe(known.length === 0);
      if (known.length > 0) expect(Math.max(...shown)).toBe(Math.max(...known));
    }),
  );
});

test.each([
  ['latency', 380, '380 ms'],
  ['latency', 1_449, '1.4 s'],
  ['backup_time', 61_000, '61 s'],
  ['queued', 1_204, '1,204'],
  ['cpu', 0.004, '0.4 %'],
  ['cpu', 0.31, '31 %'],
  ['memory', 92_300_000, '92 MB'],
  ['backup_size', 812, '812 B'],
] as const)('%s %d reads %s', (measure, value, words) => expect(formatMeasure(measure, value)).toBe(words));

test.each([
  [0, '0 ms'],
  [999.4, '999 ms'],
  [999.6, '1.0 s'],
  [89_999, '90 s'],
  [90_000, '2 min'],
  [7_200_000, '2 h'],
])('%d ms read %s', (ms, words) => expect(formatSpan(ms)).toBe(words));
