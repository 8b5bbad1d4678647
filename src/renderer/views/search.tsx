import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { displayPath, displayText } from '../../shared/display.ts';
import type { SearchHit, SearchKind } from '../../shared/model.ts';
import { useApp } from '../app-context.ts';
import { absolutePath, fileName } from '../data/paths.ts';
import { useQuery } from '../data/query.ts';
import { changeParams, formatRoute, type Route } from '../data/route.ts';
import { Badge, Empty, ErrorCard, Skeleton, ViewHead, When } from '../parts/basics.tsx';
import { Chips, Select, TextField, useSettled } from '../parts/fields.tsx';
import { Icon } from '../parts/icon.tsx';
import { strings } from '../strings.ts';

const text = strings.search;
const KINDS = Object.keys(strings.searchKinds) as SearchKind[];
const DAY = 86_400_000;
const SPANS = { day: DAY, week: 7 * DAY, month: 31 * DAY, year: 366 * DAY } as const;
type Span = keyof typeof SPANS;
const isSpan = (value: string): value is Span => Object.hasOwn(SPANS, value);

/** Where a hit leads. */
export function hitLink(hit: SearchHit): string {
  if (hit.kind === 'file' && hit.root !== null && hit.path !== null) {
    return formatRoute('file', { path: absolutePath({ root: hit.root, path: hit.path }) });
  }
  return formatRoute(hit.kind === 'memory' ? 'memories' : 'decisions', { id: hit.recordId ?? '' });
}

/** Search as you type over files, decisions and memories. */
export function SearchView({ route }: { route: Route }): VNode {
  const { replace } = useApp();
  const { params } = route;
  const [query, setQuery] = useState(params.q ?? '');
  const [glob, setGlob] = useState(params.glob ?? '');
  const settled = useSettled(query.trim(), 90);
  const settledGlob = useSettled(glob.trim(), 150);
  const list = useRef<HTMLOListElement>(null);
  const roots = useQuery('roots.list', {}).data?.roots ?? [];
  const kinds = KINDS.filter((one) => (params.kinds ?? '').split(',').includes(one));
  const span = params.since ?? '';
  // The hour is fine enough, and keeps one question one question while it is open.
  const hourMs = Math.floor(Date.now() / 3_600_000) * 3_600_000;
  /** What this page last put into its address: anything else there came from a link, or by going back. */
  const written = useRef({ q: params.q ?? '', glob: params.glob ?? '' });
  useEffect(() => {
    const { q = '', glob: path = '' } = params;
    if (q !== written.current.q) setQuery(q);
    if (path !== written.current.glob) setGlob(path);
    written.current = { q, glob: path };
  }, [params.q, params.glob]);
  useEffect(() => {
    if (settled !== query.trim() || settledGlob !== glob.trim()) return;
    if (settled !== (params.q ?? '') || settledGlob !== (params.glob ?? '')) {
      written.current = { q: settled, glob: settledGlob };
      replace(changeParams(route, { q: settled, glob: settledGlob }));
    }
  }, [settled, settledGlob]);

  const { data, error, reload } = useQuery(
    'search.query',
    settled === ''
      ? null
      : {
          query: settled,
          limit: 100,
          ...(kinds.length === 0 ? {} : { kinds }),
          ...(params.root === undefined ? {} : { rootId: Number(params.root) }),
          ...(settledGlob === '' ? {} : { glob: settledGlob }),
          ...(isSpan(span) ? { sinceMs: hourMs - SPANS[span] } : {}),
        },
    ['activity', 'records'],
  );
  const kept = useRef(data);
  if (data !== undefined) kept.current = data;
  const shown = settled === '' ? undefined : (data ?? kept.current);
  const moveInto = (event: KeyboardEvent): void => {
    if (event.key !== 'ArrowDown') return;
    event.preventDefault();
    list.current?.querySelector('a')?.focus();
  };

  return (
    <div class="view">
      <ViewHead title={strings.views.search} lead={text.lead} />
      {/* biome-ignore lint/a11y/useSemanticElements: the search element is not in all browsers that are in use */}
      <div role="search" class="search-box" onKeyDown={moveInto}>
        <Icon name="search" size={20} />
        <TextField
          label={text.box}
          hideLabel
          type="search"
          placeholder={text.placeholder}
          value={query}
          onInput={setQuery}
          autoFocus
        />
      </div>
      <div class="filters">
        <Chips
          label={text.filters}
          choices={KINDS.map((value) => ({ value, label: strings.searchKinds[value] }))}
          chosen={kinds}
          onChange={(chosen) => replace(changeParams(route, { kinds: chosen.join(',') }))}
        />
        <Select
          label={text.folder}
          hideLabel
          value={params.root ?? ''}
          choices={[
            { value: '', label: strings.activity.allFolders },
            ...roots.map((root) => ({ value: String(root.rootId), label: displayPath(fileName(root.path)) })),
          ]}
          onChange={(value) => replace(changeParams(route, { root: value }))}
        />
        <Select
          label={text.since}
          hideLabel
          value={span}
          choices={[
            { value: '', label: text.any },
            ...(Object.keys(SPANS) as Span[]).map((value) => ({ value, label: text[value] })),
          ]}
          onChange={(value) => replace(changeParams(route, { since: value }))}
        />
        <TextField label={text.glob} hideLabel type="search" placeholder={text.glob} value={glob} onInput={setGlob} />
      </div>
      {error === null ? null : <ErrorCard error={error} onRetry={reload} />}
      {settled === '' ? (
        <Empty icon="search" title={text.start} text={text.startText} />
      ) : shown === undefined ? (
        error === null ? (
          <Skeleton rows={6} tall />
        ) : null
      ) : (
        <>
          <p class="small muted numbers" role="status">
            {text.found(shown.hits.length, shown.tookMs.toFixed(shown.tookMs < 10 ? 1 : 0))}
            {shown.waiting > 0 ? ` ${text.waiting(shown.waiting)}` : ''}
          </p>
          {shown.capped ? <p class="note">{text.capped}</p> : null}
          {shown.hits.length === 0 ? (
            <Empty icon="search" title={text.none(settled)} text={text.noneText} />
          ) : (
            <ol ref={list} class="hits" aria-label={text.results} onKeyDown={moveAmongLinks}>
              {shown.hits.map((hit) => (
                <Hit key={`${hit.kind} ${hit.recordId ?? ''} ${hit.rootId ?? ''} ${hit.path ?? ''}`} hit={hit} />
              ))}
            </ol>
          )}
        </>
      )}
    </div>
  );
}

/** Arrows move from link to link; everything else stays with the browser. */
function moveAmongLinks(event: KeyboardEvent & { currentTarget: HTMLOListElement }): void {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (step === 0) return;
  const links = [...event.currentTarget.querySelectorAll('a')];
  const next = links[links.indexOf(document.activeElement as HTMLAnchorElement) + step];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}

const HIT_ICONS = { file: 'file', decision: 'decisions', memory: 'memories' } as const;
function Hit({ hit }: { hit: SearchHit }): VNode {
  return (
    <li>
      <a class="hit" href={hitLink(hit)}>
        <span class="hit-head">
          <Icon name={HIT_ICONS[hit.kind]} />
          <strong class="wrap">{displayPath(hit.title)}</strong>
          <Badge tone="neutral">{text.kindOne[hit.kind]}</Badge>
          <span class="small muted numbers nowrap push">
            <When timeMs={hit.changedAtMs} />
          </span>
        </span>
        {hit.path === null || hit.root === null ? null : (
          <span class="path small muted wrap">
            {displayPath(absolutePath({ root: hit.root, path: hit.path }))}
            {hit.line === null ? '' : `, ${text.line(hit.line)}`}
          </span>
        )}
        <span class="snippet">
          {hit.snippet.map((piece, index) =>
            piece.hit ? <mark key={index}>{displayText(piece.text)}</mark> : displayText(piece.text),
          )}
        </span>
      </a>
    </li>
  );
}
