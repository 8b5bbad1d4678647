import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { MethodOutput } from '../../../shared/contract.ts';
import type { SyncStatus } from '../../../shared/contract-sync.ts';
import { displayText } from '../../../shared/display.ts';
import { useApp } from '../../app-context.ts';
import { useQuery } from '../../data/query.ts';
import { changeParams, formatRoute, type Route } from '../../data/route.ts';
import { waitingOf } from '../../data/sync-view.ts';
import { Button, ErrorCard, Skeleton, useTell, ViewHead } from '../../parts/basics.tsx';
import { Segments } from '../../parts/fields.tsx';
import { Icon } from '../../parts/icon.tsx';
import { strings } from '../../strings.ts';
import { syncText as text } from '../../strings-sync.ts';
import '../../styles/sync.css';
import { Devices } from './devices.tsx';
import { PlanDialog } from './plan-dialog.tsx';
import { Queue } from './queue.tsx';
import { RemoteCard } from './remote-card.tsx';
import { tellRun } from './tell-run.ts';

const TABS = ['services', 'queue', 'devices'] as const;

/** What the remotes have, what waits for them, and who shares them. */
export function SyncView({ route }: { route: Route }): VNode {
  const { replace } = useApp();
  const { data: status, error, reload } = useQuery('sync.status', {}, ['sync', 'conflicts', 'status']);
  const tab = TABS.find((one) => one === route.params.show) ?? 'services';
  const allOff = status?.remotes.every((remote) => !remote.configured) ?? false;
  const waiting = status?.remotes.reduce((sum, remote) => sum + waitingOf(remote) + remote.parked, 0) ?? 0;
  return (
    <div class={tab === 'queue' ? 'view full' : 'view'}>
      <ViewHead title={strings.views.sync} lead={allOff ? text.leadOff : text.lead}>
        {status === undefined || allOff ? null : <RunButtons onDone={reload} />}
      </ViewHead>
      {status === undefined ? (
        error === null ? (
          <Skeleton rows={6} tall />
        ) : (
          <ErrorCard error={error} onRetry={reload} />
        )
      ) : (
        <>
          {status.safeMode === null ? null : <SafeMode safeMode={status.safeMode} onDone={reload} />}
          <Segments
            label={text.tabs}
            value={tab}
            choices={[
              { value: 'services', label: text.services },
              { value: 'queue', label: text.queue(waiting) },
              { value: 'devices', label: text.devices },
            ]}
            onChange={(value) =>
              replace(changeParams(route, { show: value === 'services' ? undefined : value, state: undefined }))
            }
          />
          {tab === 'services' ? (
            <div class="remote-cards">
              {status.remotes.map((remote) => (
                <RemoteCard key={remote.remote} status={remote} onChanged={reload} />
              ))}
            </div>
          ) : tab === 'queue' ? (
            <Queue route={route} remotes={status.remotes} />
          ) : (
            <Devices />
          )}
        </>
      )}
    </div>
  );
}

function RunButtons({ onDone }: { onDone: () => void }): VNode {
  const { client } = useApp();
  const tell = useTell();
  const [busy, setBusy] = useState<'run' | 'preview' | null>(null);
  const [plans, setPlans] = useState<MethodOutput<'sync.run'>['plans'] | null>(null);
  const run = (): void => {
    setBusy('run');
    setPlans(null);
    client
      .call('sync.run', {})
      .then((answer) => tellRun(answer, tell), tell.fail)
      .finally(() => {
        setBusy(null);
        onDone();
      });
  };
  const preview = (): void => {
    setBusy('preview');
    client
      .call('sync.run', { dryRun: true })
      .then((answer) => setPlans(answer.plans), tell.fail)
      .finally(() => setBusy(null));
  };
  return (
    <>
      <Button busy={busy === 'preview'} onClick={preview}>
        {text.preview}
      </Button>
      <Button kind="primary" icon="sync" busy={busy === 'run'} onClick={run}>
        {busy === 'run' ? text.syncing : text.syncNow}
      </Button>
      {plans === null ? null : <PlanDialog plans={plans} onRun={run} onClose={() => setPlans(null)} />}
    </>
  );
}

function SafeMode({ safeMode, onDone }: { safeMode: NonNullable<SyncStatus['safeMode']>; onDone: () => void }): VNode {
  const { client, go } = useApp();
  const tell = useTell();
  const [busy, setBusy] = useState(false);
  const goOn = (): void => {
    setBusy(true);
    client
      .call('sync.run', {})
      .then(() => tell.ok(text.goneOn), tell.fail)
      .finally(() => {
        setBusy(false);
        onDone();
      });
  };
  return (
    <article class="card attention-card">
      <Icon name="pause" size={22} />
      <div class="stack">
        <h2>{text.safeMode}</h2>
        <p class="wrap">{displayText(safeMode.reason)}</p>
        <p class="muted">{text.safeModeText}</p>
        <div class="row">
          <Button kind="primary" busy={busy} onClick={goOn}>
            {text.goOn}
          </Button>
          <Button onClick={() => go(formatRoute('logs', { level: 'error' }))}>{text.readLog}</Button>
        </div>
      </div>
    </article>
  );
}
