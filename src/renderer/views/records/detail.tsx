import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { displayPath, displayText } from '../../../shared/display.ts';
import type { EditableRecord } from '../../../shared/model.ts';
import { useApp } from '../../app-context.ts';
import { useQuery } from '../../data/query.ts';
import { formatRoute } from '../../data/route.ts';
import { Button, ErrorCard, Skeleton, useTell, ViewHead, When } from '../../parts/basics.tsx';
import { ConfirmDialog } from '../../parts/dialog.tsx';
import { strings } from '../../strings.ts';
import { Chain } from './chain.tsx';
import { RecordForm } from './form.tsx';
import { History } from './history.tsx';
import { RecordBadges, viewOf } from './records.tsx';

const text = strings.records;

/** One record: what it says, where it stands, and every value its fields ever held. */
export function RecordDetail({ table, id }: { table: EditableRecord['table']; id: string }): VNode {
  const { go } = useApp();
  const { data, error, reload } = useQuery('records.show', { table, id }, ['records']);
  const [mode, setMode] = useState<'read' | 'edit' | 'supersede'>('read');
  const view = viewOf(table);
  const back = (
    <nav class="trail" aria-label={strings.views[view]}>
      <a href={formatRoute(view)}>{strings.views[view]}</a>
    </nav>
  );
  if (data === undefined) {
    return (
      <div class="view">
        {back}
        <ViewHead title={strings.views[view]} />
        {error === null ? <Skeleton rows={8} tall /> : <ErrorCard error={error} onRetry={reload} />}
      </div>
    );
  }
  const { record } = data;
  const body = record.table === 'decision_vault' ? record.decision : record.content;
  if (mode !== 'read') {
    return (
      <div class="view">
        {back}
        <ViewHead
          title={mode === 'edit' ? text.edit : text.supersedeTitle(displayText(record.title))}
          lead={mode === 'supersede' ? text.supersedeText : undefined}
        />
        <RecordForm
          table={table}
          purpose={{ kind: mode, record }}
          onCancel={() => {
            setMode('read');
            reload();
          }}
          onDone={(saved) => {
            setMode('read');
            if (saved.id === record.id) reload();
            else go(formatRoute(view, { id: saved.id }));
          }}
        />
      </div>
    );
  }
  return (
    <div class="view">
      {back}
      <ViewHead title={<span class="wrap">{displayText(record.title)}</span>} lead={<RecordBadges record={record} />}>
        <Button icon="edit" onClick={() => setMode('edit')}>
          {text.edit}
        </Button>
        {record.status === 'superseded' ? null : (
          <Button icon="right" onClick={() => setMode('supersede')}>
            {text.supersede}
          </Button>
        )}
        <RetireButton record={record} onDone={reload} />
      </ViewHead>
      <div class="columns">
        <div class="stack wide">
          <section class="card prose">
            {body.trim() === '' ? (
              <p class="muted">{text.bodyEmpty}</p>
            ) : (
              <p class="body-text wrap">{displayText(body)}</p>
            )}
          </section>
          <History history={data.history} />
        </div>
        <div class="stack">
          <Facts record={record} />
          <Chain record={record} supersededBy={data.supersededBy} />
        </div>
      </div>
    </div>
  );
}

function RetireButton({ record, onDone }: { record: EditableRecord; onDone: () => void }): VNode {
  const { client } = useApp();
  const tell = useTell();
  const [asking, setAsking] = useState(false);
  const retire = (retired: boolean): void => {
    client.call('records.retire', { table: record.table, id: record.id, retired, origin: 'dashboard' }).then(() => {
      if (retired) tell.ok(text.retiredNotice, { label: strings.restore.undo, run: () => retire(false) });
      else tell.ok(text.restoredNotice);
      onDone();
    }, tell.fail);
  };
  if (record.deletedAtMs !== null) {
    return (
      <Button icon="restore" onClick={() => retire(false)}>
        {text.restore}
      </Button>
    );
  }
  return (
    <>
      <Button icon="archive" onClick={() => setAsking(true)}>
        {text.retire}
      </Button>
      {asking ? (
        <ConfirmDialog
          title={text.retireAsk(displayText(record.title))}
          text={text.retireText}
          confirm={text.retire}
          onConfirm={() => retire(true)}
          onClose={() => setAsking(false)}
        />
      ) : null}
    </>
  );
}

function Facts({ record }: { record: EditableRecord }): VNode {
  const view = viewOf(record.table);
  const facts: (readonly [string, VNode | string])[] = [
    [text.written, <When key="w" timeMs={record.createdAtMs} />],
    [text.changed, <When key="c" timeMs={record.updatedAtMs} />],
    ...(record.table === 'decision_vault'
      ? ([
          [text.fields.priority ?? '', strings.priorities[record.priority]],
          [text.fields.type ?? '', displayText(record.type)],
          [text.fields.date ?? '', record.date ?? ''],
        ] as const)
      : ([[text.fields.kind ?? '', strings.memoryKinds[record.kind]]] as const)),
    [text.category, displayText(record.category)],
    [text.source, record.sourcePath === null ? originText(record.origin) : displayPath(record.sourcePath)],
    [
      text.id,
      <code key="i" class="small wrap">
        {record.id}
      </code>,
    ],
  ];
  return (
    <section class="card">
      <h2 class="visually-hidden">{strings.frame.details}</h2>
      <dl class="facts">
        {facts
          .filter(([, value]) => value !== '')
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd class="wrap">{value}</dd>
            </div>
          ))}
      </dl>
      {record.tags.length === 0 ? null : (
        <ul class="tags" aria-label={text.fields.tags ?? ''}>
          {record.tags.map((tag) => (
            <li key={tag}>
              <a class="chip" href={formatRoute(view, { tag })}>
                {displayText(tag)}
              </a>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** Where it was written, in words; other devices and programs have names of their own. */
const originText = (origin: string): string => text.origins[origin] ?? displayText(origin);
