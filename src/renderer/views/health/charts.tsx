import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import { type Chart, formatMeasure, summaryOf, tableOf } from '../../data/health-view.ts';
import { formatWhen } from '../../data/time.ts';
import { useNow } from '../../parts/basics.tsx';
import { healthText as text } from '../../strings-health.ts';
import { Plot } from './plot.tsx';

const TABLE_ROWS = 24;

/** Charts side by side. */
export function Charts({ charts }: { charts: readonly Chart[] }): VNode {
  return (
    <div class="charts">
      {charts.map((chart) => (
        <ChartCard key={chart.measure} chart={chart} />
      ))}
    </div>
  );
}

/** One figure over time: a sentence, the drawing of it, and the same as a table. */
function ChartCard({ chart }: { chart: Chart }): VNode {
  const { measure } = chart;
  const words = text.measures[measure];
  const nowMs = useNow();
  const summary = useMemo(() => summaryOf(chart), [chart]);
  const format = (value: number): string => formatMeasure(measure, value);
  const sentence =
    summary === null
      ? words.empty
      : text.summary(
          format(summary.last),
          format(summary.mean),
          format(summary.most),
          formatWhen(summary.mostAtMs, nowMs),
        );
  return (
    <section class="card chart-card" aria-labelledby={`chart-${measure}`}>
      <div>
        <h3 id={`chart-${measure}`}>{words.title}</h3>
        <p class="small muted">{words.what}</p>
      </div>
      {summary === null ? (
        <p class="chart-empty muted">{words.empty}</p>
      ) : (
        <>
          <p class="small chart-summary">{sentence}</p>
          <Plot chart={chart} label={text.chart(words.title, sentence)} names={words.lines} />
          <details class="chart-table">
            <summary class="small">{text.table}</summary>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by key */}
            <div class="scroll-box" tabIndex={0}>
              <table class="table small">
                <caption class="visually-hidden">{text.tableOf(words.title)}</caption>
                <thead>
                  <tr>
                    <th scope="col">{text.time}</th>
                    {words.lines.map((name) => (
                      <th key={name} scope="col">
                        {name}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {tableOf(chart, TABLE_ROWS).map((row) => (
                    <tr key={row.atMs}>
                      <th scope="row">{formatWhen(row.atMs, nowMs)}</th>
                      {row.values.map((value, index) => (
                        <td key={words.lines[index]} class="numbers">
                          {value === null ? text.none : format(value)}
                        </td>
                      ))}
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </details>
        </>
      )}
    </section>
  );
}
