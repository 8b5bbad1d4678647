import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { RemoteStatus } from '../../../shared/contract-sync.ts';
import { displayText } from '../../../shared/display.ts';
import { useApp } from '../../app-context.ts';
import { useQuery } from '../../data/query.ts';
import { formatRoute } from '../../data/route.ts';
import { SERVICES, type Steps } from '../../data/services.ts';
import { mendOf, rateText, waitingOf } from '../../data/sync-view.ts';
import { formatEta } from '../../data/time.ts';
import { Badge, Button, ErrorCard, Fix, useTell, When } from '../../parts/basics.tsx';
import { syncLooks } from '../../parts/looks.ts';
import { servicesText } from '../../strings-services.ts';
import { syncText as text } from '../../strings-sync.ts';
import { ServiceForm } from '../services/service-form.tsx';
import { TestSteps, testService } from '../services/test-steps.tsx';
import { RemoteHold } from './remote-hold.tsx';
import { tellRun } from './tell-run.ts';

type Props = { status: RemoteStatus; onChanged: () => void };

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
      {status.configured ? (
        <Configured status={status} onChanged={onChanged} />
      ) : (
        <NotSetUp remote={remote} onChanged={onChanged} />
      )}
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
    testService(client, remote)
      .then(setTested, setError)
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
      {tested === null ? null : (
        <TestSteps service={remote} steps={tested} onPrepared={test} onClose={() => setTested(null)} />
      )}
      <Keys remote={remote} onChanged={onChanged} />
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

/** Off is no trouble: says what it would do, and has it set up here. */
function NotSetUp({ remote, onChanged }: { remote: RemoteStatus['remote']; onChanged: () => void }): VNode {
  const { client } = useApp();
  const tell = useTell();
  const { data, reload } = useQuery('settings.show', {}, ['settings']);
  const service = SERVICES.find((one) => one.id === remote);
  const changed = (): void => {
    reload();
    onChanged();
  };
  const key = `sync.${remote}_enabled`;
  const isOff = data?.values.find((one) => one.key === key)?.value === false;
  const switchOn = (): void => {
    client.call('settings.set', { key, value: true }).then(changed, tell.fail);
  };
  return (
    <>
      <p>{text.off[remote]}</p>
      {isOff ? (
        <div class="row">
          <p class="muted">{servicesText.switchedOff(key)}</p>
          <Button kind="primary" onClick={switchOn}>
            {servicesText.switchOn}
          </Button>
        </div>
      ) : null}
      {data === undefined || service === undefined ? null : (
        <ServiceForm service={service} environment={data.environment} onChanged={changed} />
      )}
    </>
  );
}

/** The keys of a service that works, for when they have to be replaced. */
function Keys({ remote, onChanged }: { remote: RemoteStatus['remote']; onChanged: () => void }): VNode {
  const [open, setOpen] = useState(false);
  const { data, reload } = useQuery('settings.show', open ? {} : null, ['settings']);
  const service = SERVICES.find((one) => one.id === remote);
  const changed = (): void => {
    reload();
    onChanged();
  };
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{text.keys}</summary>
      {data === undefined || service === undefined ? null : (
        <ServiceForm service={service} environment={data.environment} onChanged={changed} />
      )}
    </details>
  );
}
