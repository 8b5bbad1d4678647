import type { VNode } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { displayPath, displayText } from '../../shared/display.ts';
import type { ActivityKind, ActivityRecord } from '../../shared/model.ts';
import { useApp } from '../app-context.ts';
import { activityLink } from '../data/activity-link.ts';
import { type ActivityRow, activityRows, joinNewest } from '../data/group-activities.ts';
import { usePages } from '../data/pages.ts';
import { fileName } from '../data/paths.ts';
import { useQuery } from '../data/query.ts';
import { changeParams, formatRoute, type Route } from '../data/route.ts';
import { useStore } from '../data/store.ts';
import { dayKey, formatDay, formatFull, formatSeconds } from '../data/time.ts';
import { Badge, Button, Empty, ErrorCard, Skeleton, useNow, ViewHead } from '../parts/basics.tsx';
import { Chips, Select, TextField, useSettled } from '../parts/fields.tsx';
import { Icon } from '../parts/icon.tsx';
import { activityIcon } from '../parts/looks.ts';
import { Cell, VirtualList } from '../parts/virtual-list.tsx';
import { formatCount, plural, strings } from '../strings.ts';

const text = strings.activity;
const PAGE = 300;
const GROUPS = Object.keys(text.groups) as (keyof typeof text.groups)[];
const ALL_KINDS = Object.keys(strings.activityKinds) as ActivityKind[];

/** Everything that happened, live, by day and burst. */
export function ActivityView({ route }: { route: Route }): VNode {
  const { client, go, replace } = useApp();
  const { state: connected } = useStore(client.connection);
  const roots = useQuery('roots.list', {}, ['status']).data?.roots ?? [];
  const [path, setPath] = useState(route.params.path ?? '');
  const settledPath = useSettled(path, 150);
  const groups = (route.params.kinds ?? '').split(',').filter((one) => one !== '');
  const rootId = route.params.root ?? '';
  const [openBursts, setOpenBursts] = useState<ReadonlySet<string>>(new Set());
  const nowMs = useNow();
  const filtered = groups.length > 0 || rootId !== '' || settledPath !== '';

  const pages = usePages<ActivityRecord>(
    JSON.stringify([groups, rootId, settledPath]),
    async (cursor) => {
      const answer = await client.call('activities.list', {
        limit: PAGE,
        cursor,
        ...(groups.length === 0
          ? {}
          : { kinds: ALL_KINDS.filter((kind) => groups.includes(kind.split('.')[0] ?? '')) }),
        ...(rootId === '' ? {} : { rootId: Number(rootId) }),
        ...(settledPath === '' ? {} : { path: settledPath }),
      });
      return { items: answer.activities, next: answer.next };
    },
    ['activity'],
    (fresh, loaded) => joinNewest(fresh, loaded, (one) => one.id),
  );
  const rows = useMemo(
    () => activityRows(pages.items, (timeMs) => dayKey(timeMs), openBursts),
    [pages.items, openBursts],
  );
  const rootPaths = new Map(roots.map((root) => [root.rootId, root.path]));
  const clear = (): void => {
    setPath('');
    replace(formatRoute('activity'));
  };
  const open = (row: ActivityRow): void => {
    if (row.row === 'burst') {
      const next = new Set(openBursts);
      if (!next.delete(row.key)) next.add(row.key);
      setOpenBursts(next);
    } else if (row.row === 'one') {
      const href = activityLink(row.activity, rootPaths);
      if (href !== null) go(href);
    }
  };

  return (
    <div class="view full">
      <ViewHead title={strings.views.activity} lead={text.lead}>
        <Badge tone={connected === 'live' ? 'ok' : 'neutral'} icon={connected === 'live' ? 'activity' : 'clock'}>
          {connected === 'live' ? text.live : text.paused}
        </Badge>
      </ViewHead>
      <div class="filters">
        <Chips
          label={text.kinds}
          choices={GROUPS.map((value) => ({ value, label: text.groups[value] }))}
          chosen={groups}
          onChange={(chosen) => replace(changeParams(route, { kinds: chosen.join(',') }))}
        />
        <Select
          label={text.folder}
          hideLabel
          value={rootId}
          choices={[
            { value: '', label: text.allFolders },
            ...roots.map((root) => ({ value: String(root.rootId), label: displayPath(fileName(root.path)) })),
          ]}
          onChange={(value) => replace(changeParams(route, { root: value }))}
        />
        <TextField label={text.path} hideLabel type="search" placeholder={text.path} value={path} onInput={setPath} />
      </div>
      {pages.error !== null ? <ErrorCard error={pages.error} onRetry={pages.reload} /> : null}
      {rows.length > 0 ? (
        <VirtualList
          class="panel"
          label={text.list}
          items={rows}
          rowHeight={44}
          keyOf={(row) => row.key}
          onOpen={open}
          onNearEnd={pages.readMore}
          render={(row) => <Row row={row} nowMs={nowMs} rootPaths={rootPaths} />}
        />
      ) : pages.loading ? (
        <Skeleton rows={12} />
      ) : pages.error !== null ? null : filtered ? (
        <Empty icon="activity" title={text.none} text={text.noneText}>
          <Button onClick={clear}>{text.clear}</Button>
        </Empty>
      ) : (
        <Empty icon="activity" title={text.empty} text={text.emptyText} />
      )}
    </div>
  );
}

type RowProps = { row: ActivityRow; nowMs: number; rootPaths: ReadonlyMap<number, string> };
function Row({ row, nowMs, rootPaths }: RowProps): VNode {
  if (row.row === 'day') {
    return (
      <Cell class="day-row">
        <strong>{formatDay(row.timeMs, nowMs)}</strong>
        <span class="small muted">{formatCount(row.count)}</span>
      </Cell>
    );
  }
  if (row.row === 'burst') return <BurstRow row={row} rootPaths={rootPaths} />;
  const { activity } = row;
  const root = activity.rootId === null ? undefined : rootPaths.get(activity.rootId);
  return (
    <Cell class={row.inBurst ? 'activity-line inset' : 'activity-line'}>
      <span class={`activity-mark kind-${activity.kind.replace('.', '-')}`}>
        <Icon name={activityIcon(activity.kind)} />
      </span>
      <span class="cut" title={displayText(activity.summary)}>
        {displayText(activity.summary)}
      </span>
      {root === undefined ? null : <span class="muted small nowrap activity-root">{displayPath(fileName(root))}</span>}
      <span class="muted small numbers nowrap" title={formatFull(activity.occurredAtMs)}>
        {formatSeconds(activity.occurredAtMs)}
      </span>
    </Cell>
  );
}

function BurstRow({
  row,
  rootPaths,
}: {
  row: ActivityRow & { row: 'burst' };
  rootPaths: ReadonlyMap<number, string>;
}): VNode {
  const [newest] = row.activities;
  const root = newest?.rootId === null || newest === undefined ? undefined : rootPaths.get(newest.rootId);
  const kinds = new Map<ActivityKind, number>();
  for (const { kind } of row.activities) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const detail = [...kinds].map(
    ([kind, count]) => `${formatCount(count)} ${strings.activityKinds[kind].toLowerCase()}`,
  );
  const paths = new Set(row.activities.map((one) => one.path));
  const sentence =
    paths.size === 1 && newest?.path != null
      ? displayPath(newest.path)
      : root === undefined
        ? plural(paths.size, 'file')
        : text.burst(paths.size, displayPath(fileName(root)));
  return (
    <Cell class="activity-line burst">
      <span class="activity-mark">
        <Icon name={row.open ? 'down' : 'right'} />
      </span>
      <span class="cut">
        <strong>{sentence}</strong> <span class="muted">{detail.join(', ')}</span>
      </span>
      <span class="muted small numbers nowrap">{newest === undefined ? '' : formatSeconds(newest.occurredAtMs)}</span>
    </Cell>
  );
}
