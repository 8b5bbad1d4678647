/** Figures of the agent as charts, sentences and tables. Pure. */

import type { BackupPointView, HealthPointView } from '../../shared/contract-ops.ts';
import { formatBytes } from '../../shared/display.ts';

export const MEASURES = ['latency', 'queued', 'cpu', 'memory', 'backup_size', 'backup_time'] as const;
export type Measure = (typeof MEASURES)[number];

/** A chart: one moment a column, one line a row of values. null is a gap: nothing is known of it. */
export type Chart = {
  readonly measure: Measure;
  /** Milliseconds since 1970. */
  readonly timesMs: readonly number[];
  /** The main line, and a second one where there is one (the most of each moment). */
  readonly lines: readonly (readonly (number | null)[])[];
  /** Backups are single events: bars, not a line. */
  readonly form: 'line' | 'bars';
};

export type Series = {
  readonly bucketMs: number;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly points: readonly HealthPointView[];
  readonly backups: readonly BackupPointView[];
};

export function chartsOf(series: Series): readonly Chart[] {
  const filled = fillGaps(series);
  const timesMs = filled.map(({ atMs }) => atMs);
  const line = (measure: Measure, ...reads: ((point: HealthPointView) => number | null)[]): Chart => ({
    measure,
    timesMs,
    lines: reads.map((read) => filled.map(({ point }) => (point === null ? null : read(point)))),
    form: 'line',
  });
  const { backups } = series;
  const bars = (measure: Measure, read: (backup: BackupPointView) => number): Chart => ({
    measure,
    timesMs: backups.map(({ atMs }) => atMs),
    lines: [backups.map(read)],
    form: 'bars',
  });
  return [
    line(
      'latency',
      (point) => point.latencyMs,
      (point) => point.latencyMaxMs,
    ),
    line('queued', (point) => point.queued),
    line('cpu', (point) => point.cpuShare),
    line('memory', (point) => point.memoryBytes),
    bars('backup_size', (backup) => backup.writtenBytes),
    bars('backup_time', (backup) => backup.durationMs),
  ];
}

/** Every bucket of the span, also those in which no agent ran. */
function fillGaps({
  bucketMs,
  sinceMs,
  untilMs,
  points,
}: Series): readonly { readonly atMs: number; readonly point: HealthPointView | null }[] {
  if (bucketMs <= 0) return [];
  const byTime = new Map(points.map((point) => [point.atMs, point]));
  const firstMs = Math.floor(sinceMs / bucketMs) * bucketMs;
  const count = Math.max(0, Math.ceil((untilMs - firstMs) / bucketMs));
  return Array.from({ length: count }, (_, index) => {
    const atMs = firstMs + index * bucketMs;
    return { atMs, point: byTime.get(atMs) ?? null };
  });
}

export type Summary = {
  /** How many moments have a value. */
  readonly known: number;
  readonly last: number;
  readonly lastAtMs: number;
  readonly mean: number;
  readonly most: number;
  readonly mostAtMs: number;
};

/** What a chart says in numbers; null when it has none. The most counts every line. */
export function summaryOf({ timesMs, lines }: Chart): Summary | null {
  const [main = []] = lines;
  const values = main.flatMap((value, index) => (value === null ? [] : [{ value, atMs: timesMs[index] ?? 0 }]));
  const last = values.at(-1);
  if (last === undefined) return null;
  const all = lines.flatMap((line) =>
    line.flatMap((value, index) => (value === null ? [] : [{ value, atMs: timesMs[index] ?? 0 }])),
  );
  const most = all.reduce((best, one) => (one.value > best.value ? one : best), last);
  return {
    known: values.length,
    last: last.value,
    lastAtMs: last.atMs,
    mean: values.reduce((sum, { value }) => sum + value, 0) / values.length,
    most: most.value,
    mostAtMs: most.atMs,
  };
}

export type TableRow = { readonly atMs: number; readonly values: readonly (number | null)[] };

/** The chart as a table of at most `rows` rows: of each stretch the most. Stretches without a value are left out. */
export function tableOf({ timesMs, lines }: Chart, rows: number): readonly TableRow[] {
  const each = Math.max(1, Math.ceil(timesMs.length / rows));
  return Array.from({ length: Math.ceil(timesMs.length / each) }, (_, index) => {
    const from = index * each;
    const values = lines.map((line) => {
      const known = line.slice(from, from + each).filter((value) => value !== null);
      return known.length === 0 ? null : Math.max(...known);
    });
    return { atMs: timesMs[from] ?? 0, values };
  }).filter(({ values }) => values.some((value) => value !== null));
}

/** A value as a person reads it. */
export function formatMeasure(measure: Measure, value: number): string {
  switch (measure) {
    case 'latency':
    case 'backup_time':
      return formatSpan(value);
    case 'queued':
      return new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 }).format(value);
    case 'cpu':
      return `${(value * 100).toFixed(value < 0.0995 ? 1 : 0)} %`;
    case 'memory':
    case 'backup_size':
      return formatBytes(Math.round(value));
  }
}

/** `0 ms`, `420 ms`, `1.4 s`, `12 s`, `3 min`, `2 h`. */
export function formatSpan(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 90_000) return `${Math.round(ms / 1_000)} s`;
  return ms < 5_400_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}
