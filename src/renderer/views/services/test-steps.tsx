import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { MethodOutput } from '../../../shared/contract.ts';
import { displayText } from '../../../shared/display.ts';
import { type App, useApp } from '../../app-context.ts';
import { useQuery } from '../../data/query.ts';
import { type ServiceId, type Steps, verdictOf } from '../../data/services.ts';
import { Button, ErrorCard, Fix, IconButton, Skeleton, useTell } from '../../parts/basics.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Icon, type IconName } from '../../parts/icon.tsx';
import { strings } from '../../strings.ts';
import { servicesText } from '../../strings-services.ts';
import '../../styles/services.css';

const text = servicesText.tested;
const ICONS = { ok: 'check', failed: 'error', warning: 'alert', skipped: 'off' } as const satisfies Record<
  string,
  IconName
>;

/** Tests the connection to a service step by step; asks its server. */
export async function testService(client: App['client'], service: ServiceId): Promise<Steps> {
  if (service === 'github') return (await client.call('backups.test', {})).steps;
  const { remotes } = await client.call('sync.test', { remote: service });
  return remotes.find((one) => one.remote === service)?.steps ?? [];
}

type StepsProps = { service: ServiceId; steps: Steps; onPrepared: () => void; onClose: () => void };

/** What a test found, step by step; the step that failed carries its fix, and the button that does it. */
export function TestSteps({ service, steps, onPrepared, onClose }: StepsProps): VNode {
  const [preparing, setPreparing] = useState(false);
  const name = servicesText.services[service].name;
  return (
    <section class="steps-box" aria-live="polite" aria-label={text.title(name)}>
      <header class="card-head">
        <h3 class="steps-title">{text.title(name)}</h3>
        <IconButton icon="close" label={strings.frame.close} onClick={onClose} />
      </header>
      <p>{steps.length === 0 ? text.notConfigured : text.sums[verdictOf(steps)]}</p>
      <ol class="steps">
        {steps.map((step) => (
          <li key={step.id} class={`step ${step.verdict}`}>
            <Icon name={ICONS[step.verdict]} />
            <div class="stack">
              <p>
                <strong>{displayText(step.title)}</strong>{' '}
                <span class="small muted">{text.verdicts[step.verdict]}</span>
                <br />
                <span class="small wrap">{displayText(step.detail)}</span>
              </p>
              {step.fix === null ? null : <Fix text={step.fix} />}
              {step.canPrepare ? (
                <div class="row">
                  <Button kind="primary" icon="plus" onClick={() => setPreparing(true)}>
                    {text.prepare}
                  </Button>
                </div>
              ) : null}
            </div>
          </li>
        ))}
      </ol>
      {preparing ? <PrepareDialog service={service} onClose={() => setPreparing(false)} onDone={onPrepared} /> : null}
    </section>
  );
}

type Prepared = MethodOutput<'backups.prepare'>;
type PrepareProps = { service: ServiceId; onClose: () => void; onDone: () => void };

/** Shows what would be created over there; it is done only when the person says so. */
function PrepareDialog({ service, onClose, onDone }: PrepareProps): VNode {
  const { client } = useApp();
  const tell = useTell();
  const ofGit = useQuery('backups.prepare', service === 'github' ? { apply: false } : null);
  const ofRemote = useQuery('sync.prepare', service === 'github' ? null : { remote: service, apply: false });
  const { data: plan, error: planError, reload } = service === 'github' ? ofGit : ofRemote;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const words = servicesText.prepare;
  const name = servicesText.services[service].name;
  const apply = (): void => {
    setBusy(true);
    setError(null);
    const applied: Promise<Prepared> =
      service === 'github'
        ? client.call('backups.prepare', { apply: true })
        : client.call('sync.prepare', { remote: service, apply: true });
    applied.then(
      () => {
        tell.ok(words.done(name));
        onClose();
        onDone();
      },
      (failure: unknown) => {
        setBusy(false);
        setError(failure);
      },
    );
  };
  return (
    <Dialog title={words.title(name)} onClose={onClose}>
      {plan === undefined ? (
        planError === null ? (
          <Skeleton rows={3} />
        ) : (
          <ErrorCard error={planError} onRetry={reload} />
        )
      ) : plan.steps.length === 0 ? (
        <p>{words.nothing}</p>
      ) : (
        <>
          <p>{words.text}</p>
          <ol class="number-list">
            {plan.steps.map((step) => (
              <li key={step} class="wrap">
                {displayText(step)}
              </li>
            ))}
          </ol>
        </>
      )}
      {error === null ? null : <ErrorCard error={error} />}
      <div class="row end">
        <Button onClick={onClose}>{strings.frame.cancel}</Button>
        <Button kind="primary" busy={busy} disabled={(plan?.steps.length ?? 0) === 0} onClick={apply}>
          {busy ? words.applying : words.apply}
        </Button>
      </div>
    </Dialog>
  );
}
