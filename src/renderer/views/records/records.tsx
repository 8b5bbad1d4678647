import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { displayText } from '../../../shared/display.ts';
import type { EditableRecord } from '../../../shared/model.ts';
import { useApp } from '../../app-context.ts';
import { usePages } from '../../data/pages.ts';
import { changeParams, formatRoute, type Route } from '../../data/route.ts';
import { Badge, Button, Empty, ErrorCard, Skeleton, ViewHead, When } from '../../parts/basics.tsx';
import { Segments, Select, TextField, useSettled } from '../../parts/fields.tsx';
import { priorityTones, statusLooks } from '../../parts/looks.ts';
import { Cell, VirtualList } from '../../parts/virtual-list.tsx';
import { strings } from '../../strings.ts';
import { Board } from './board.tsx';
import { RecordDetail } from './detail.tsx';
import { RecordForm } from './form.tsx';

const text = strings.records;
const PAGE = 500;
type Table = EditableRecord['table'];
export const viewOf = (table: Table): 'decisions' | 'memories' =>
  table === 'decision_vault' ? 'decisions' : 'memories';

/** Decisions or memories: a list or a board, and one record with its history. */
export function RecordsView({ route, table }: { route: Route; table: Table }): VNode {
  const { go } = useApp();
  const view = viewOf(table);
  if (route.params.new !== undefined) {
    return (
      <div class="view">
        <ViewHead title={table === 'decision_vault' ? text.newDecision : text.newMemory} />
        <RecordForm
          table={table}
          purpose={{ kind: 'create' }}
          onDone={(record) => go(formatRoute(view, { id: record.id }))}
          onCancel={() => go(formatRoute(view))}
        />
      </div>
    );
  }
  const { id } = route.params;
  return id === undefined ? (
    <RecordList route={route} table={table} />
  ) : (
    <RecordDetail key={id} table={table} id={id} />
  );
}

function RecordList({ route, table }: { route: Route; table: Table }): VNode {
  const { client, go, replace } = useApp();
  const view = viewOf(table);
  const { status = '', tag = '', layout = '' } = route.params;
  const retired = route.params.retired === '1';
  const [category, setCategory] = useState(route.params.category ?? '');
  const settledCategory = useSettled(category.trim(), 200);
  const board = table === 'decision_vault' && layout === 'board';
  const pages = usePages<EditableRecord>(
    JSON.stringify([table, status, tag, settledCategory, retired]),
    async (cursor) => {
      const answer = await client.call('records.list', {
        table,
        limit: PAGE,
        cursor,
        includeRetired: retired,
        ...(status === '' ? {} : { status }),
        ...(tag === '' ? {} : { tag }),
        ...(settledCategory === '' ? {} : { category: settledCategory }),
      });
      return { items: answer.records, next: answer.next };
    },
    ['records'],
  );
  const filtered = status !== '' || tag !== '' || settledCategory !== '';
  const create = (): void => go(formatRoute(view, { new: '1' }));
  const open = (record: EditableRecord): void => go(formatRoute(view, { id: record.id }));
  const statuses = table === 'decision_vault' ? DECISION_STATUSES : MEMORY_STATUSES;

  return (
    <div class="view full">
      <ViewHead title={strings.views[view]} lead={table === 'decision_vault' ? text.decisionsLead : text.memoriesLead}>
        <Button kind="primary" icon="plus" onClick={create}>
          {table === 'decision_vault' ? text.newDecision : text.newMemory}
        </Button>
      </ViewHead>
      <div class="filters">
        {table === 'decision_vault' ? (
          <Segments
            label={text.viewAs}
            value={board ? 'board' : 'list'}
            choices={[
              { value: 'list', label: text.list },
              { value: 'board', label: text.board },
            ]}
            onChange={(value) => replace(changeParams(route, { layout: value === 'board' ? 'board' : undefined }))}
          />
        ) : null}
        {board ? null : (
          <Select
            label={text.status}
            hideLabel
            value={status}
            choices={[
              { value: '', label: `${text.status}: ${text.all.toLowerCase()}` },
              ...statuses.map((value) => ({ value, label: strings.statuses[value] })),
            ]}
            onChange={(value) => replace(changeParams(route, { status: value }))}
          />
        )}
        <TextField
          label={text.category}
          hideLabel
          type="search"
          placeholder={text.category}
          value={category}
          onInput={setCategory}
        />
        <label class="check-line">
          <input
            type="checkbox"
            checked={retired}
            onChange={(event) =>
              replace(changeParams(route, { retired: event.currentTarget.checked ? '1' : undefined }))
            }
          />
          <span>{text.showRetired}</span>
        </label>
        {tag === '' ? null : (
          <button
            type="button"
            class="chip"
            aria-pressed="true"
            onClick={() => replace(changeParams(route, { tag: undefined }))}
          >
            {`${text.tag}: ${displayText(tag)} ×`}
          </button>
        )}
      </div>
      {pages.error !== null ? <ErrorCard error={pages.error} onRetry={pages.reload} /> : null}
      {pages.items.length > 0 ? (
        board ? (
          <Board records={pages.items} />
        ) : (
          <VirtualList
            class="panel record-list"
            label={strings.views[view]}
            items={pages.items}
            rowHeight={60}
            keyOf={(record) => record.id}
            onOpen={open}
            onNearEnd={pages.readMore}
            render={(record) => <RecordRow record={record} />}
          />
        )
      ) : pages.loading ? (
        <Skeleton rows={8} tall />
      ) : pages.error !== null ? null : filtered ? (
        <Empty icon={view} title={text.none} text={text.noneText}>
          <Button onClick={() => go(formatRoute(view))}>{strings.activity.clear}</Button>
        </Empty>
      ) : (
        <Empty
          icon={view}
          title={table === 'decision_vault' ? text.emptyDecisions : text.emptyMemories}
          text={table === 'decision_vault' ? text.emptyDecisionsText : text.emptyMemoriesText}
        >
          <Button kind="primary" icon="plus" onClick={create}>
            {table === 'decision_vault' ? text.newDecision : text.newMemory}
          </Button>
        </Empty>
      )}
    </div>
  );
}

export const DECISION_STATUSES = ['proposed', 'open', 'accepted', 'rejected', 'deprecated', 'superseded'] as const;
export const MEMORY_STATUSES = ['active', 'superseded'] as const;

function RecordRow({ record }: { record: EditableRecord }): VNode {
  const body = record.table === 'decision_vault' ? record.decision : record.content;
  return (
    <>
      <Cell class="file-cell">
        <span class="file-text">
          <span class="cut strong">{displayText(record.title)}</span>
          <span class="cut small muted">{displayText(body).replaceAll('\n', ' ')}</span>
        </span>
      </Cell>
      <Cell class="state-cell">
        <RecordBadges record={record} />
      </Cell>
      <Cell class="small muted cell-size cut">{displayText(record.category)}</Cell>
      <Cell class="numbers small muted cell-when">
        <When timeMs={record.updatedAtMs} />
      </Cell>
    </>
  );
}

/** Status, priority or kind, and whether it was retired. */
export function RecordBadges({ record }: { record: EditableRecord }): VNode {
  const look = statusLooks[record.status];
  return (
    <span class="row tight">
      {record.table === 'decision_vault' && (record.priority === 'high' || record.priority === 'critical') ? (
        <Badge tone={priorityTones[record.priority]}>{strings.priorities[record.priority]}</Badge>
      ) : null}
      {record.table === 'memories' ? <Badge tone="accent">{strings.memoryKinds[record.kind]}</Badge> : null}
      {record.deletedAtMs === null ? (
        <Badge tone={look.tone} icon={look.icon}>
          {strings.statuses[record.status]}
        </Badge>
      ) : (
        <Badge tone="neutral" icon="archive">
          {text.retired}
        </Badge>
      )}
    </span>
  );
}
