import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { displayText, formatDuration } from '../../shared/display.ts';
import type { LogLevel, LogRecord } from '../../shared/model.ts';
import { useApp } from '../app-context.ts';
import type { LogFilter } from '../data/log-lines.ts';
import { changeParams, formatRoute, type Route } from '../data/route.ts';
import { formatFull, formatSeconds } from '../data/time.ts';
import { useTail } from '../data/use-tail.ts';
import { Button, Empty, ErrorCard, IconButton, Skeleton, useTell, ViewHead } from '../parts/basics.tsx';
import { Select, TextField, useSettled } from '../parts/fields.tsx';
import { levelTones } from '../parts/looks.ts';
import { Cell, VirtualList } from '../parts/virtual-list.tsx';
import { strings } from '../strings.ts';

const text = strings.logs;
const LEVELS = Object.keys(strings.levels) as LogLevel[];

/** The log as it grows: filtered, paused, copied; one line opened for its details. */
export function LogsView({ route }: { route: Route }): VNode {
  const { go, replace } = useApp();
  const tell = useTell();
  const [typed, setTyped] = useState(route.params.text ?? '');
  const settled = useSettled(typed, 150);
  const level = LEVELS.find((one) => one === route.params.level) ?? 'info';
  const filter: LogFilter = { level, component: route.params.component ?? '', text: settled };
  const tail = useTail(filter);
  const [open, setOpen] = useState<LogRecord | null>(null);
  const filtered = level !== 'debug' || filter.component !== '' || filter.text !== '';
  const clear = (): void => {
    setTyped('');
    go(formatRoute('logs', { level: 'debug' }));
  };
  const copy = (): void => {
    const lines = tail.lines.map(asText).join('\n');
    navigator.clipboard.writeText(lines).then(() => tell.ok(text.copied(tail.lines.length)), tell.fail);
  };

  return (
    <div class="view full">
      <ViewHead title={strings.views.logs} lead={text.lead}>
        <Button icon={tail.paused ? 'play' : 'pause'} onClick={tail.paused ? tail.resume : tail.pause}>
          {tail.paused ? text.resume : text.pause}
        </Button>
        <Button icon="copy" disabled={tail.lines.length === 0} onClick={copy}>
          {text.copy}
        </Button>
      </ViewHead>
      <div class="filters">
        <Select
          label={text.level}
          hideLabel
          value={level}
          choices={LEVELS.map((value) => ({ value, label: strings.levels[value] }))}
          onChange={(value) => replace(changeParams(route, { level: value }))}
        />
        <Select
          label={text.component}
          hideLabel
          value={filter.component}
          choices={[
            { value: '', label: text.allComponents },
            ...[...new Set([...tail.components, ...(filter.component === '' ? [] : [filter.component])])]
              .sort()
              .map((value) => ({ value, label: value })),
          ]}
          onChange={(value) => replace(changeParams(route, { component: value }))}
        />
        <TextField label={text.text} hideLabel type="search" placeholder={text.text} value={typed} onInput={setTyped} />
        {tail.paused ? <span class="small muted">{text.paused(tail.waiting)}</span> : null}
      </div>
      {tail.error === null ? null : <ErrorCard error={tail.error} onRetry={tail.reload} />}
      {tail.lines.length > 0 ? (
        <div class="log-split">
          <VirtualList
            class="panel log"
            label={text.list}
            items={tail.lines}
            rowHeight={28}
            keyOf={(line) => String(line.seq)}
            followEnd={!tail.paused}
            onLeaveEnd={tail.pause}
            onOpen={setOpen}
            render={(line) => <Line line={line} />}
          />
          {open === null ? null : <LineDetail line={open} onClose={() => setOpen(null)} />}
        </div>
      ) : tail.loading ? (
        <Skeleton rows={14} />
      ) : tail.error !== null ? null : filtered ? (
        <Empty icon="logs" title={text.none} text={text.noneText(describeFilter(filter))}>
          <Button onClick={clear}>{text.clear}</Button>
        </Empty>
      ) : (
        <Empty icon="logs" title={text.empty} text={text.emptyText} />
      )}
    </div>
  );
}

const describeFilter = (filter: LogFilter): string =>
  [
    strings.levels[filter.level].toLowerCase(),
    filter.component === '' ? '' : `part “${filter.component}”`,
    filter.text === '' ? '' : `text “${filter.text}”`,
  ]
    .filter((one) => one !== '')
    .join(', ');

const asText = (line: LogRecord): string =>
  [new Date(line.timeMs).toISOString(), line.level, line.component, line.message, dataText(line)]
    .filter((one) => one !== '')
    .join(' ');
const dataText = (line: LogRecord): string => (Object.keys(line.data).length === 0 ? '' : JSON.stringify(line.data));

function Line({ line }: { line: LogRecord }): VNode {
  return (
    <>
      <Cell class="log-time numbers">{formatSeconds(line.timeMs)}</Cell>
      <Cell class={`log-level tone-${levelTones[line.level]}`}>{line.level}</Cell>
      <Cell class="log-part cut">{displayText(line.component)}</Cell>
      <Cell class="log-text cut">{displayText(line.message).replaceAll('\n', '\\n')}</Cell>
    </>
  );
}

function LineDetail({ line, onClose }: { line: LogRecord; onClose: () => void }): VNode {
  return (
    <aside class="card log-detail" aria-label={text.line}>
      <header class="card-head">
        <h2>{formatFull(line.timeMs)}</h2>
        <IconButton icon="close" label={strings.frame.close} onClick={onClose} />
      </header>
      <p class="wrap body-text">{displayText(line.message)}</p>
      <dl class="facts">
        {line.runId === null ? null : (
          <div>
            <dt>{text.run}</dt>
            <dd>
              <code>{line.runId}</code>
            </dd>
          </div>
        )}
        {line.durationMs === null ? null : (
          <div>
            <dt>{text.took}</dt>
            <dd>{line.durationMs < 1_000 ? `${Math.round(line.durationMs)} ms` : formatDuration(line.durationMs)}</dd>
          </div>
        )}
      </dl>
      {Object.keys(line.data).length === 0 ? null : (
        <pre class="small wrap">{displayText(JSON.stringify(line.data, null, 2))}</pre>
      )}
    </aside>
  );
}
