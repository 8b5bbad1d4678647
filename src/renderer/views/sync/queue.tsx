import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { QueueEntry, RemoteStatus } from '../../../shared/contract-sync.ts';
import { displayPath, displayText } from '../../../shared/display.ts';
import type { Remote } from '../../../shared/model.ts';
import { useApp } from '../../app-context.ts';
import { usePages } from '../../data/pages.ts';
import { changeParams, type Route } from '../../data/route.ts';
import { keyOf, keyText } from '../../data/sync-view.ts';
import { Badge, Button, Empty, ErrorCard, Skeleton, useTell, When } from '../../parts/basics.tsx';
import { Segments, Select } from '../../parts/fields.tsx';
import type { Look } from '../../parts/looks.ts';
import { Cell, VirtualList } from '../../parts/virtual-list.tsx';
import { strings } from '../../strings.ts';
import { syncText } from '../../strings-sync.ts';
import { DiscardDialog } from './discard-dialog.tsx';
import { EntryDialog } from './entry-dialog.tsx';

const text = syncText.queueView;
const PAGE = 500;
const STATES = ['all', 'parked', 'pending', 'leased'] as const;
const LOOKS: Record<QueueEntry['state'], Look> = {
  parked: { tone: 'warn', icon: 'archive' },
  pending: { tone: 'neutral', icon: 'clock' },
  leased: { tone: 'info', icon: 'working' },
};

/** What waits to be sent, and what was set aside; the latter can be looked at, mended, retried and discarded. */
export function Queue({ route, remotes }: { route: Route; remotes: readonly RemoteStatus[] }): VNode {
  const { client, replace } = useApp();
  const state = STATES.find((one) => one === route.params.state) ?? 'all';
  const remote = remotes.find((one) => one.remote === route.params.remote)?.remote;
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [opened, setOpened] = useState<QueueEntry | null>(null);
  const pages = usePages<QueueEntry>(
    JSON.stringify([state, remote]),
    async (cursor) => {
      const answer = await client.call('queue.list', {
        limit: PAGE,
        cursor,
        ...(state === 'all' ? {} : { state }),
        ...(remote === undefined ? {} : { remote }),
      });
      return { items: answer.entries, next: answer.next, total: answer.total };
    },
    ['sync'],
  );
  const toggle = (entry: QueueEntry): void => {
    const next = new Set(chosen);
    if (!next.delete(keyText(entry))) next.add(keyText(entry));
    setChosen(next);
  };
  const parked = state === 'parked';
  const picked = pages.items.filter((entry) => entry.state === 'parked' && chosen.has(keyText(entry)));
  return (
    <>
      <div class="filters">
        <Segments
          label={text.state}
          value={state}
          choices={STATES.map((value) => ({ value, label: text.states[value] }))}
          onChange={(value) => {
            setChosen(new Set());
            replace(changeParams(route, { state: value === 'all' ? undefined : value }));
          }}
        />
        <RemoteFilter value={remote} remotes={remotes} route={route} />
        {pages.total === null ? null : <span class="muted numbers">{text.total(pages.total)}</span>}
      </div>
      {parked ? (
        <ParkedBar picked={picked} total={pages.total ?? 0} remote={remote} onDone={() => setChosen(new Set())} />
      ) : null}
      {pages.error !== null ? <ErrorCard error={pages.error} onRetry={pages.reload} /> : null}
      {pages.items.length > 0 ? (
        <VirtualList
          class="panel"
          label={text.list}
          items={pages.items}
          total={pages.total}
          rowHeight={64}
          keyOf={keyText}
          onOpen={setOpened}
          onNearEnd={pages.readMore}
          render={(entry) => <EntryRow entry={entry} />}
          {...(parked
            ? {
                choosing: {
                  isChosen: (entry: QueueEntry) => chosen.has(keyText(entry)),
                  toggle,
                  labelOf: (entry: QueueEntry) => displayPath(entry.title),
                },
              }
            : {})}
        />
      ) : pages.loading ? (
        <Skeleton rows={8} tall />
      ) : pages.error !== null ? null : state !== 'all' || remote !== undefined ? (
        <Empty icon="check" title={text.none} text={text.noneText}>
          <Button onClick={() => replace(changeParams(route, { state: undefined, remote: undefined }))}>
            {strings.activity.clear}
          </Button>
        </Empty>
      ) : (
        <Empty icon="check" title={text.empty} text={text.emptyText} />
      )}
      {opened === null ? null : <EntryDialog entry={opened} onClose={() => setOpened(null)} />}
    </>
  );
}

type FilterProps = { value: Remote | undefined; remotes: readonly RemoteStatus[]; route: Route };
function RemoteFilter({ value, remotes, route }: FilterProps): VNode {
  const { replace } = useApp();
  return (
    <Select
      label={text.remote}
      hideLabel
      value={value ?? ''}
      choices={[
        { value: '', label: text.allRemotes },
        ...remotes.map(({ remote }) => ({ value: remote, label: syncText.remotes[remote] })),
      ]}
      onChange={(chosen) => replace(changeParams(route, { remote: chosen }))}
    />
  );
}

type BarProps = { picked: readonly QueueEntry[]; total: number; remote: Remote | undefined; onDone: () => void };
/** What can be done with entries that were set aside: the chosen ones, or a retry of all. */
function ParkedBar({ picked, total, remote, onDone }: BarProps): VNode {
  const { client } = useApp();
  const tell = useTell();
  const [busy, setBusy] = useState(false);
  const [discarding, setDiscarding] = useState(false);
  const retry = (): void => {
    setBusy(true);
    client
      .call('queue.retry', {
        ...(picked.length > 0 ? { keys: picked.slice(0, 1_000).map(keyOf) } : {}),
        ...(remote === undefined ? {} : { remote }),
      })
      .then(({ retried }) => {
        tell.ok(text.retried(retried));
        onDone();
      }, tell.fail)
      .finally(() => setBusy(false));
  };
  return (
    <div class="bulk-bar">
      <p class="grow">{picked.length === 0 ? text.parkedLead : text.selected(picked.length)}</p>
      <Button icon="sync" busy={busy} disabled={total === 0} onClick={retry}>
        {picked.length === 0 ? text.retryAll(total) : text.retry}
      </Button>
      <Button kind="plain" icon="deleted" disabled={picked.length === 0} onClick={() => setDiscarding(true)}>
        {text.discard}
      </Button>
      {discarding ? <DiscardDialog entries={picked} onClose={() => setDiscarding(false)} onDone={onDone} /> : null}
    </div>
  );
}

function EntryRow({ entry }: { entry: QueueEntry }): VNode {
  const look = LOOKS[entry.state];
  return (
    <>
      <Cell class="file-cell">
        <span class="file-text">
          <span class="cut strong">{displayPath(entry.title)}</span>
          <span class={`cut small ${entry.reason === null ? 'muted' : 'warn-text'}`}>
            {entry.reason === null
              ? `${syncText.tables[entry.table]}${entry.attempts > 0 ? `, ${text.attempts(entry.attempts)}` : ''}`
              : displayText(entry.reason).replaceAll('\n', ' ')}
          </span>
        </span>
      </Cell>
      <Cell class="state-cell">
        <Badge tone={look.tone} icon={look.icon}>
          {text.states[entry.state]}
        </Badge>
      </Cell>
      <Cell class="small muted cell-size">{syncText.remotes[entry.remote]}</Cell>
      <Cell class="numbers small muted cell-when">
        {entry.nextTryAtMs === null ? (
          <When timeMs={entry.enqueuedAtMs} ago />
        ) : (
          <>
            {text.again} <When timeMs={entry.nextTryAtMs} ago />
          </>
        )}
      </Cell>
    </>
  );
}
