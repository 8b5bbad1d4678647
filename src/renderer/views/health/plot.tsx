import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { useApp } from '../../app-context.ts';
import { type Chart, formatMeasure } from '../../data/health-view.ts';
import { useStore } from '../../data/store.ts';
import { formatClock, formatWhen } from '../../data/time.ts';
import 'uplot/dist/uPlot.min.css';

const HEIGHT = 150;
const HOUR_S = 3_600;
type Props = { readonly chart: Chart; readonly label: string; readonly names: readonly string[] };

/** The drawing. It is an image for a screen reader, whose text says what it shows; the pointer reads single moments. */
export function Plot({ chart, label, names }: Props): VNode {
  const box = useRef<HTMLDivElement>(null);
  const readout = useRef<HTMLParagraphElement>(null);
  const theme = useStore(useApp().theme);
  useEffect(() => {
    const target = box.current;
    if (target === null) return;
    const draw = (): uPlot =>
      new uPlot(
        optionsOf(chart, target, names, (words) => tell(readout.current, words)),
        dataOf(chart),
        target,
      );
    let plot = draw();
    const redraw = (): void => {
      plot.destroy();
      plot = draw();
    };
    const sized = new ResizeObserver(() => {
      if (target.clientWidth > 0) plot.setSize({ width: target.clientWidth, height: HEIGHT });
    });
    sized.observe(target);
    // Colours are read once for a drawing: a theme that follows the system changes without a word to the page.
    const schemes = [matchMedia('(prefers-color-scheme: dark)'), matchMedia('(forced-colors: active)')];
    for (const scheme of schemes) scheme.addEventListener('change', redraw);
    return () => {
      sized.disconnect();
      for (const scheme of schemes) scheme.removeEventListener('change', redraw);
      plot.destroy();
    };
  }, [chart, theme]);
  return (
    <div class="plot">
      <div ref={box} role="img" aria-label={label} />
      <p ref={readout} class="plot-readout small numbers" aria-hidden="true" />
    </div>
  );
}

function tell(line: HTMLParagraphElement | null, words: string): void {
  if (line !== null && line.textContent !== words) line.textContent = words;
}

const dataOf = ({ timesMs, lines }: Chart): uPlot.AlignedData => [
  timesMs.map((timeMs) => timeMs / 1_000),
  ...lines.map((line) => [...line]),
];

type Colours = Readonly<Record<'line' | 'second' | 'grid' | 'text' | 'fill', string>>;

/** From the tokens of the page. A canvas knows no variables, but the colours that the system forces. */
function coloursOf(target: HTMLElement): Colours {
  if (matchMedia('(forced-colors: active)').matches)
    return { line: 'Highlight', second: 'CanvasText', grid: 'GrayText', text: 'CanvasText', fill: 'transparent' };
  const style = getComputedStyle(target);
  const token = (name: string): string => style.getPropertyValue(name).trim();
  const line = token('--accent');
  return { line, second: token('--arc'), grid: token('--line'), text: token('--ink-2'), fill: `${line}22` };
}

function optionsOf(
  chart: Chart,
  target: HTMLElement,
  names: readonly string[],
  say: (words: string) => void,
): uPlot.Options {
  const colours = coloursOf(target);
  const font = `12px ${getComputedStyle(target).fontFamily}`;
  const format = (value: number): string => formatMeasure(chart.measure, value);
  const [first = 0, last = 0] = [chart.timesMs[0], chart.timesMs.at(-1)];
  const isLong = last - first > 2 * 24 * HOUR_S * 1_000;
  const axis = { stroke: colours.text, font, grid: { stroke: colours.grid, width: 1 }, ticks: { show: false } };
  return {
    width: Math.max(1, target.clientWidth),
    height: HEIGHT,
    padding: [8, 16, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: {
      x: { time: true, range: chart.form === 'bars' ? (_, min, max) => spaced(min, max) : (_, min, max) => [min, max] },
      // From zero, so that a small change does not look like a large one.
      y: { range: (_, __, max) => [0, roomAbove(max ?? 0, chart.measure)] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 26,
        space: 70,
        values: (_, splits) =>
          splits.map((seconds) => (isLong ? dayOf(seconds * 1_000) : formatClock(seconds * 1_000))),
      },
      { ...axis, size: 62, space: 34, values: (_, splits) => splits.map(format) },
    ],
    series: [
      {},
      ...chart.lines.map(
        (_, index): uPlot.Series => ({
          label: names[index] ?? '',
          stroke: index === 0 ? colours.line : colours.second,
          width: index === 0 ? 2 : 1.25,
          ...(index === 0 ? { fill: colours.fill } : { dash: [3, 3] }),
          // A value between two gaps makes no line.
          points: {
            show: chart.form === 'line',
            size: 4,
            fill: index === 0 ? colours.line : colours.second,
            filter: () => [...alone(chart.lines[index] ?? [])],
          },
          spanGaps: false,
          ...(chart.form === 'bars' ? { paths: barsOf(), fill: colours.line } : {}),
        }),
      ),
    ],
    hooks: {
      setCursor: [(plot) => say(wordsAt(plot, chart, names, format))],
      ready: [() => say('')],
    },
  };
}

/** The moments of a line whose neighbours are both unknown. */
function alone(line: readonly (number | null)[]): readonly number[] {
  return line.flatMap((value, index) =>
    value !== null && (line[index - 1] ?? null) === null && (line[index + 1] ?? null) === null ? [index] : [],
  );
}

function barsOf(): uPlot.Series.PathBuilder {
  const make = uPlot.paths.bars;
  if (make === undefined) throw new Error('this build of the charts draws no bars');
  return make({ size: [0.7, 14], radius: 0.2 });
}

/** Bars at the ends need half their width. */
function spaced(min: number, max: number): [number, number] {
  const room = Math.max(HOUR_S, (max - min) * 0.02);
  return [min - room, max + room];
}

const SMALLEST: Readonly<Record<Chart['measure'], number>> = {
  latency: 1_000,
  queued: 10,
  cpu: 0.05,
  memory: 50e6,
  backup_size: 100_000,
  backup_time: 1_000,
};
const roomAbove = (max: number, measure: Chart['measure']): number => Math.max(SMALLEST[measure], max * 1.12);

function wordsAt(
  plot: uPlot,
  { timesMs, lines }: Chart,
  names: readonly string[],
  format: (value: number) => string,
): string {
  const index = plot.cursor.idx;
  const atMs = index === null || index === undefined ? undefined : timesMs[index];
  if (index === null || index === undefined || atMs === undefined) return '';
  const values = lines.flatMap((line, row) => {
    const value = line[index];
    return value === null || value === undefined
      ? []
      : [lines.length > 1 ? `${names[row]} ${format(value)}` : format(value)];
  });
  return values.length === 0 ? '' : `${formatWhen(atMs, Date.now())}: ${values.join(', ')}`;
}

const days = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const dayOf = (timeMs: number): string => days.format(timeMs);
