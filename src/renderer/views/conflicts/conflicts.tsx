import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { Conflict } from '../../../shared/contract-sync.ts';
import { displayText } from '../../../shared/display.ts';
import type { Remote } from '../../../shared/model.ts';
import { useApp } from '../../app-context.ts';
import { valueText } from '../../data/conflict-view.ts';
import { type Pages, usePages } from '../../data/pages.ts';
import { changeParams, formatRoute, type Route } from '../../data/route.ts';
import { Badge, Button, Empty, ErrorCard, Skeleton, ViewHead, When } from '../../parts/basics.tsx';
import { Segments, Select } from '../../parts/fields.tsx';
import { Cell, VirtualList } from '../../parts/virtual-list.tsx';
import { strings } from '../../strings.ts';
import { syncText, conflictText as text } from '../../strings-sync.ts';
import { fieldName } from '../sync/entry-dialog.tsx';
import '../../styles/sync.css';
import { BulkBar } from './bulk-bar.tsx';
import { ConflictDetail } from './conflict.tsx';
import { titleOf } from './title-of.ts';

const PAGE = 500;
const REMOTES: readonly Remote[] = ['supabase', 'notion'];

/** Where two sides disagree: a list to decide from, alone or together, and one record field by field. */
export function ConflictsView({ route }: { route: Route }): VNode {
  const { id } = route.params;
  return id === undefined ? <ConflictList route={route} /> : <ConflictDetail key={id} id={id} />;
}

function ConflictList({ route }: { route: Route }): VNode {
  const { client, go, replace } = useApp();
  const state = route.params.show === 'resolved' ? 'resolved' : 'open';
  const remote = REMOTES.find((one) => one === route.params.remote);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const pages = usePages<Conflict>(
    JSON.stringify([state, remote]),
    async (cursor) => {
      const answer = await client.call('conflicts.list', {
        state,
        limit: PAGE,
        cursor,
        ...(remote === undefined ? {} : { remote }),
      });
      return { items: answer.conflicts, next: answer.next, total: answer.open };
    },
    ['conflicts', 'records'],
  );
  const toggle = ({ id }: Conflict): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  const picked = pages.items.filter((one) => chosen.has(one.id));
  const open = state === 'open';
  return (
    <div class="view full">
      <ViewHead title={strings.views.conflicts} lead={text.lead}>
        {pages.total === null ? null : <span class="muted numbers">{text.total(pages.total)}</span>}
      </ViewHead>
      <div class="filters">
        <Segments
          label={text.tabs}
          value={state}
          choices={[
            { value: 'open', label: text.open },
            { value: 'resolved', label: text.resolved },
          ]}
          onChange={(value) => {
            setChosen(new Set());
            replace(changeParams(route, { show: value === 'open' ? undefined : value }));
          }}
        />
        <Select
          label={text.service}
          hideLabel
          value={remote ?? ''}
          choices={[
            { value: '', label: syncText.queueView.allRemotes },
            ...REMOTES.map((value) => ({ value, label: syncText.remotes[value] })),
          ]}
          onChange={(value) => replace(changeParams(route, { remote: value }))}
        />
      </div>
      {open && pages.items.length > 0 ? (
        <BulkBar
          picked={picked}
          onChooseAll={() => setChosen(new Set(pages.items.map((one) => one.id)))}
          onChooseNone={() => setChosen(new Set())}
          allChosen={picked.length === pages.items.length}
        />
      ) : null}
      {pages.error !== null ? <ErrorCard error={pages.error} onRetry={pages.reload} /> : null}
      {pages.items.length > 0 ? (
        <VirtualList
          class="panel"
          label={text.list}
          items={pages.items}
          rowHeight={68}
          keyOf={(one) => one.id}
          onOpen={(one) => go(formatRoute('conflicts', { id: one.id }))}
          onNearEnd={pages.readMore}
          render={(one) => <ConflictRow conflict={one} />}
          {...(open
            ? {
                choosing: {
                  isChosen: (one: Conflict) => chosen.has(one.id),
                  toggle,
                  labelOf: (one: Conflict) => text.choose(titleOf(one)),
                },
              }
            : {})}
        />
      ) : (
        <NoConflicts pages={pages} open={open} filtered={remote !== undefined} route={route} />
      )}
    </div>
  );
}

type NoneProps = { pages: Pages<Conflict>; open: boolean; filtered: boolean; route: Route };
function NoConflicts({ pages, open, filtered, route }: NoneProps): VNode | null {
  const { replace } = useApp();
  if (pages.loading) return <Skeleton rows={8} tall />;
  if (pages.error !== null) return null;
  if (filtered) {
    return (
      <Empty icon="conflicts" title={text.none} text={text.noneText}>
        <Button onClick={() => replace(changeParams(route, { remote: undefined }))}>{strings.activity.clear}</Button>
      </Empty>
    );
  }
  return open ? (
    <Empty icon="check" title={text.empty} text={text.emptyText} />
  ) : (
    <Empty icon="conflicts" title={text.emptyResolved} text={text.emptyResolvedText} />
  );
}

function ConflictRow({ conflict }: { conflict: Conflict }): VNode {
  const { field } = conflict;
  const short = (value: unknown): string => {
    const words = displayText(valueText(field, value)).replaceAll('\n', ' ');
    return words === '' ? (field === 'deletedAtMs' ? text.present : text.empty_value) : words;
  };
  return (
    <>
      <Cell class="file-cell">
        <span class="file-text">
          <span class="cut strong">{titleOf(conflict)}</span>
          <span class="cut small muted">
            <span class="strong">{fieldName(field)}:</span> {short(conflict.mine)} <span aria-hidden="true">⇄</span>
            <span class="visually-hidden">/</span> {short(conflict.theirs)}
          </span>
        </span>
      </Cell>
      <Cell class="state-cell">
        {conflict.resolution === null ? (
          <Badge
            tone={conflict.kind === 'invalid' ? 'error' : 'warn'}
            icon={conflict.kind === 'invalid' ? 'error' : 'conflicts'}
          >
            {text.kinds[conflict.kind]}
          </Badge>
        ) : (
          <Badge tone="ok" icon="check">
            {text.decisions[conflict.resolution]}
          </Badge>
        )}
      </Cell>
      <Cell class="small muted cell-size">{syncText.remotes[conflict.remote]}</Cell>
      <Cell class="numbers small muted cell-when">
        <When timeMs={conflict.resolvedAtMs ?? conflict.detectedAtMs} ago />
      </Cell>
    </>
  );
}
