import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { MethodOutput } from '../../../shared/contract.ts';
import { displayText } from '../../../shared/display.ts';
import type { Remote } from '../../../shared/model.ts';
import { useApp } from '../../app-context.ts';
import { useQuery } from '../../data/query.ts';
import { Button, ErrorCard, Fix, IconButton, Skeleton, useTell } from '../../parts/basics.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Icon, type IconName } from '../../parts/icon.tsx';
import { strings } from '../../strings.ts';
import { syncText } from '../../strings-sync.ts';

const text = syncText.steps;
type Tested = MethodOutput<'sync.test'>['remotes'][number];
const ICONS = { ok: 'check', failed: 'error', warning: 'alert', skipped: 'off' } as const satisfies Record<
  string,
  IconName
>;

type StepsProps = { tested: Tested; onPrepared: () => void; onClose: () => void };

/** What a test found, step by step; the step that failed carries its fix, and the button that does it. */
export function TestSteps({ tested, onPrepared, onClose }: StepsProps): VNode {
  const [preparing, setPreparing] = useState(false);
  const name = syncText.remotes[tested.remote];
  return (
    <section class="steps-box" aria-live="polite" aria-label={text.title(name)}>
      <header class="card-head">
        <h3 class="steps-title">{text.title(name)}</h3>
        <IconButton icon="close" label={strings.frame.close} onClick={onClose} />
      </header>
      {tested.steps.length === 0 ? <p>{text.notConfigured}</p> : null}
      <ol class="steps">
        {tested.steps.map((step) => (
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
      {preparing ? (
        <PrepareDialog remote={tested.remote} onClose={() => setPreparing(false)} onDone={onPrepared} />
      ) : null}
    </section>
  );
}

/** Shows what would be created over there; it is done only when the person says so. */
function PrepareDialog({
  remote,
  onClose,
  onDone,
}: {
  remote: Remote;
  onClose: () => void;
  onDone: () => void;
}): VNode {
  const { client } = useApp();
  const tell = useTell();
  const { data: plan, error: planError, reload } = useQuery('sync.prepare', { remote, apply: false });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const words = syncText.prepare;
  const name = syncText.remotes[remote];
  const apply = (): void => {
    setBusy(true);
    setError(null);
    client.call('sync.prepare', { remote, apply: true }).then(
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
