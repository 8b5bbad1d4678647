import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { MethodOutput } from '../../../shared/contract.ts';
import type { RemoteStatus } from '../../../shared/contract-sync.ts';
import { displayText } from '../../../shared/display.ts';
import { useApp } from '../../app-context.ts';
import { useQuery } from '../../data/query.ts';
import { formatRoute } from '../../data/route.ts';
import { mendOf, rateText, waitingOf } from '../../data/sync-view.ts';
import { formatEta } from '../../data/time.ts';
import { Badge, Button, ErrorCard, Fix, useTell, When } from '../../parts/basics.tsx';
import { Icon } from '../../parts/icon.tsx';
import { syncLooks } from '../../parts/looks.ts';
import { syncText as text } from '../../strings-sync.ts';
import { RemoteHold } from './remote-hold.tsx';
import { tellRun } from './tell-run.ts';
import { TestSteps } from './test-steps.tsx';

type Props = { status: RemoteStatus; onChanged: () => void };
type Steps = MethodOutput<'sync.test'>['remotes'][number];

/** One remote: its state by shape and word, why, and the button that mends it. */
export function RemoteCard({ status, onChanged }: Props): VNode {
  const { remote } = status;
  const name = text.remotes[remote];
  const look = syncLooks[status.state];
  const id = `remote-${remote}`;
  return (
    <section class={`card remote remote-${status.state}`} aria-labelledby={id}>
      <header class="card-head">
        <h2 id={id} class="remote-name">
          {name}
        </h2>
        <span role="status">
          <Badge tone={look.tone} icon={look.icon}>
            {text.states[status.state]}
          </Badge>
        </span>
      </header>
      {status.configured ? <Configured status={status} onChanged={onChanged} /> : <NotSetUp remote={remote} />}
    </section>
  );
}

function Configured({ status, onChanged }: Props): VNode {
  const { client, go } = useApp();
  const tell = useTell();
  const { remote } = status;
  const [busy, setBusy] = useState<'test' | 'run' | null>(null);
  const [tested, setTested] = useState<Steps | null>(null);
  const [error, setError] = useState<unknown>(null);
  const mend = mendOf(status);
  const test = (): void => {
    setBusy('test');
    setError(null);
    client
      .call('sync.test', { remote })
      .then(({ remotes }) => setTested(remotes.find((one) => one.remote === remote) ?? null), setError)
      .finally(() => {
        setBusy(null);
        onChanged();
      });
  };
  const run = (): void => {
    setBusy('run');
    client
      .call('sync.run', { remote })
      .then((answer) => tellRun(answer, tell), tell.fail)
      .finally(() => {
        setBusy(null);
        onChanged();
      });
  };
  const queue = formatRoute('sync', { show: 'queue', remote, state: 'parked' });
  return (
    <>
      {status.reason === null || status.hold !== null ? null : (
        <div class={`remote-reason ${status.state}`}>
          <p class="wrap">{displayText(status.reason)}</p>
          {status.fix === null ? null : <Fix text={text.fixes[status.code ?? ''] ?? status.fix} />}
        </div>
      )}
      <RemoteFacts status={status} />
      {status.hold === null ? null : <RemoteHold status={status} hold={status.hold} onChanged={onChanged} />}
      {status.paused.map((one) => (
        <div key={one.table} class="remote-reason needs_you">
          <p class="wrap">
            <strong>{text.paused(text.tables[one.table])}.</strong> {displayText(one.reason)} {text.pausedOthers}
          </p>
          <Fix text={text.fixes[one.code] ?? one.fix} />
        </div>
      ))}
      <div class="row">
        <Button kind={mend === 'test' ? 'primary' : 'plain'} icon="health" busy={busy === 'test'} onClick={test}>
          {busy === 'test' ? text.testing : text.test}
        </Button>
        {mend === 'try_now' ? (
          <Button kind="primary" icon="sync" busy={busy === 'run'} onClick={run}>
            {text.tryNow}
          </Button>
        ) : null}
        {mend === 'conflicts' ? (
          <Button kind="primary" icon="conflicts" onClick={() => go(formatRoute('conflicts', { remote }))}>
            {text.showConflicts}
          </Button>
        ) : null}
        {status.parked > 0 ? (
          <Button kind={mend === 'parked' ? 'primary' : 'plain'} icon="archive" onClick={() => go(queue)}>
            {text.showParked(status.parked)}
          </Button>
        ) : null}
      </div>
      {error === null ? null : <ErrorCard error={error} onRetry={test} />}
      {tested === null ? null : <TestSteps tested={tested} onPrepared={test} onClose={() => setTested(null)} />}
    </>
  );
}

function RemoteFacts({ status }: { status: RemoteStatus }): VNode {
  const waiting = waitingOf(status);
  const rate = rateText(status.perSecond);
  const when = (timeMs: number | null): VNode | string => (timeMs === null ? text.never : <When timeMs={timeMs} ago />);
  return (
    <dl class="fact-grid">
      <Fact name={text.facts.waiting}>
        <a href={formatRoute('sync', { show: 'queue', remote: status.remote })}>
          {waiting === 0 ? text.nothingWaits : text.records(waiting)}
          {status.parked > 0 ? `, ${text.setAside(status.parked)}` : ''}
        </a>
      </Fact>
      <Fact name={text.facts.lastSuccess}>{when(status.lastSuccessAtMs)}</Fact>
      <Fact name={text.facts.lastPull}>{when(status.lastPullAtMs)}</Fact>
      {status.state === 'syncing' && rate !== null ? <Fact name={text.facts.rate}>{text.perSecond(rate)}</Fact> : null}
      {status.etaMs === null ? null : <Fact name={text.facts.eta}>{formatEta(status.etaMs)}</Fact>}
      {status.nextTryAtMs === null || status.state === 'needs_you' ? null : (
        <Fact name={text.facts.nextTry}>
          <When timeMs={status.nextTryAtMs} ago />
        </Fact>
      )}
      {status.oldestAtMs === null ? null : (
        <Fact name={text.facts.oldest}>
          <When timeMs={status.oldestAtMs} ago />
        </Fact>
      )}
      {status.leader === null ? null : <Fact name={text.facts.leader}>{text.leader[status.leader.kind]}</Fact>}
    </dl>
  );
}

export function Fact({ name, children }: { name: string; children: VNode | string | (VNode | string)[] }): VNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Off is no trouble: says what it would do, and how to have it. */
function NotSetUp({ remote }: { remote: RemoteStatus['remote'] }): VNode {
  const { go } = useApp();
  const { data } = useQuery('settings.show', {}, ['settings']);
  const part = data?.off.find((one) => one.part.includes(text.remotes[remote]));
  return (
    <>
      <p>{text.off[remote]}</p>
      {part === undefined ? null : (
        <>
          <p class="muted">{part.consequence}</p>
          <ul class="plain-list">
            {part.missing.map((name) => (
              <li key={name} class="row tight">
                <Icon name="off" size={16} />
                <code>{name}</code>
                <span class="small muted">{/[=.]/.test(name) ? text.off.switched : ''}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      <details>
        <summary>{text.setUp}</summary>
        <ol class="number-list">
          {text.off.steps[remote].map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ol>
      </details>
      <div class="row">
        <Button icon="settings" onClick={() => go(formatRoute('settings'))}>
          {text.openSettings}
        </Button>
      </div>
    </>
  );
}
