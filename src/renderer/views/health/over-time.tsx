import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { type Chart, chartsOf } from '../../data/health-view.ts';
import { useQuery } from '../../data/query.ts';
import { Empty, ErrorCard, Skeleton } from '../../parts/basics.tsx';
import { Segments } from '../../parts/fields.tsx';
import { lazyPart } from '../../parts/lazy.tsx';
import { healthText as text } from '../../strings-health.ts';
import '../../styles/health.css';

/** The library that draws is heavier than everything else here, so it comes when there is something to draw. */
const Charts = lazyPart<{ readonly charts: readonly Chart[] }>(async () => (await import('./charts.tsx')).Charts);

const HOUR_MS = 3_600_000;
const SPANS = { hour: HOUR_MS, day: 24 * HOUR_MS, week: 7 * 24 * HOUR_MS } as const;
type Span = keyof typeof SPANS;
const AGAIN_MS = 60_000;

/** How the agent was doing: charts, each with a sentence and a table that say the same. */
export function OverTime(): VNode {
  const [span, setSpan] = useState<Span>('day');
  const { data, error, reload } = useQuery('health.series', { spanMs: SPANS[span] }, ['backups']);
  // A minute is the finest that is noted, and only a page that is looked at asks for it.
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) reload();
    }, AGAIN_MS);
    return () => clearInterval(timer);
  }, [reload]);
  const isEmpty = data !== undefined && data.points.length === 0 && data.backups.length === 0;
  return (
    <section class="over-time" aria-labelledby="over-time">
      <header class="over-time-head">
        <div>
          <h2 id="over-time">{text.title}</h2>
          <p class="muted">{text.lead}</p>
        </div>
        <Segments
          label={text.span}
          value={span}
          choices={Object.entries(text.spans).map(([value, label]) => ({ value, label }))}
          onChange={(value) => setSpan(value as Span)}
        />
      </header>
      {error === null ? null : <ErrorCard error={error} onRetry={reload} />}
      {data === undefined ? (
        error === null ? (
          <Skeleton rows={6} tall />
        ) : null
      ) : isEmpty ? (
        <Empty icon="health" title={text.nothing} text={text.nothingText} />
      ) : (
        <Charts charts={chartsOf(data)} />
      )}
    </section>
  );
}
