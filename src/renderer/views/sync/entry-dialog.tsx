import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { OutgoingView, QueueEntry } from '../../../shared/contract-sync.ts';
import { displayPath, displayText } from '../../../shared/display.ts';
import { useApp } from '../../app-context.ts';
import { valueText } from '../../data/conflict-view.ts';
import { useQuery } from '../../data/query.ts';
import { formatRoute } from '../../data/route.ts';
import { entryPlace, keyOf, keyText } from '../../data/sync-view.ts';
import { Button, CopyButton, ErrorCard, Fix, Skeleton, useTell } from '../../parts/basics.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Icon } from '../../parts/icon.tsx';
import { strings } from '../../strings.ts';
import { syncText } from '../../strings-sync.ts';
import { DiscardDialog } from './discard-dialog.tsx';

const text = syncText.entry;

/** One entry of the queue: why it is there, exactly what would leave this machine, and what can be done with it. */
export function EntryDialog({ entry, onClose }: { entry: QueueEntry; onClose: () => void }): VNode {
  const { client, go } = useApp();
  const tell = useTell();
  const { data, error, reload } = useQuery('queue.show', { id: entry.recordId, remote: entry.remote });
  const [discarding, setDiscarding] = useState(false);
  const shown = data?.entries.find((one) => keyText(one.entry) === keyText(entry));
  const place = entryPlace(entry);
  const retry = (): void => {
    client.call('queue.retry', { keys: [keyOf(entry)] }).then(({ retried }) => {
      tell.ok(syncText.queueView.retried(retried));
      onClose();
    }, tell.fail);
  };
  if (discarding) return <DiscardDialog entries={[entry]} onClose={() => setDiscarding(false)} onDone={onClose} />;
  return (
    <Dialog title={displayPath(entry.title)} kind="wide" onClose={onClose}>
      {entry.reason === null ? null : (
        <div class="remote-reason needs_you">
          <p class="wrap">{displayText(entry.reason)}</p>
          {entry.fix === null ? null : <Fix text={syncText.fixes[entry.code ?? ''] ?? entry.fix} />}
        </div>
      )}
      {data === undefined ? (
        error === null ? (
          <Skeleton rows={5} />
        ) : (
          <ErrorCard error={error} onRetry={reload} />
        )
      ) : shown === undefined || shown.outgoing === null ? (
        <p>{text.none}</p>
      ) : (
        <Outgoing outgoing={shown.outgoing} />
      )}
      <div class="row end">
        {place === null ? null : (
          <Button icon="edit" onClick={() => go(formatRoute(place.view, { id: place.id }))}>
            {syncText.queueView.edit}
          </Button>
        )}
        {entry.state === 'parked' ? (
          <>
            <Button icon="deleted" onClick={() => setDiscarding(true)}>
              {syncText.queueView.discard}
            </Button>
            <Button kind="primary" icon="sync" onClick={retry}>
              {syncText.queueView.retry}
            </Button>
          </>
        ) : (
          <Button onClick={onClose}>{strings.frame.close}</Button>
        )}
      </div>
    </Dialog>
  );
}

function Outgoing({ outgoing }: { outgoing: OutgoingView }): VNode {
  return (
    <section class="stack" aria-label={text.title}>
      <header class="card-head">
        <h3>{text.title}</h3>
        <CopyButton text={JSON.stringify(outgoing.fields, null, 2)} label={text.copy} />
      </header>
      <p class="muted">
        {syncText.remotes[outgoing.remote]}: {text.action[outgoing.action]}
      </p>
      {outgoing.held ? <p class="note warn">{text.held}</p> : null}
      {outgoing.redactions > 0 ? (
        <p class="row tight">
          <Icon name="key" size={16} />
          {text.redactions(outgoing.redactions, outgoing.redactedKinds.map(displayText).join(', '))}
        </p>
      ) : null}
      {outgoing.changes.length === 0 ? null : (
        <>
          <h4>{text.changes}</h4>
          <dl class="outgoing">
            {outgoing.changes.map((change) => (
              <div key={change.field}>
                <dt>{fieldName(change.field)}</dt>
                <dd>
                  <p class="field-value removed wrap">− {displayText(valueText(change.field, change.before))}</p>
                  <p class="field-value added wrap">+ {displayText(valueText(change.field, change.after))}</p>
                </dd>
              </div>
            ))}
          </dl>
        </>
      )}
      <details>
        <summary>{text.fields}</summary>
        <dl class="outgoing">
          {Object.entries(outgoing.fields).map(([field, value]) => (
            <div key={field}>
              <dt>{fieldName(field)}</dt>
              <dd class="wrap pre">{displayText(valueText(field, value))}</dd>
            </div>
          ))}
        </dl>
      </details>
      {outgoing.content === null ? null : outgoing.content.kind === 'none' ? (
        <p class="muted">{text.noContent[outgoing.content.reason]}</p>
      ) : (
        <details>
          <summary>{text.content}</summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by key */}
          <pre class="panel scroll-box wrap" tabIndex={0}>
            {displayText(outgoing.content.text)}
          </pre>
          {outgoing.content.isCut ? <p class="small muted">{text.cut}</p> : null}
        </details>
      )}
    </section>
  );
}

/** The name of a field as the forms have it. */
export const fieldName = (field: string): string => strings.records.fields[field] ?? displayPath(field);
