import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { RemoteStatus, SyncHold } from '../../../shared/contract-sync.ts';
import { displayText } from '../../../shared/display.ts';
import { useApp } from '../../app-context.ts';
import { Button, useTell, When } from '../../parts/basics.tsx';
import { ConfirmDialog } from '../../parts/dialog.tsx';
import { syncText as text } from '../../strings-sync.ts';

type Answer = 'accept' | 'refuse';
type HoldProps = { status: RemoteStatus; hold: SyncHold; onChanged: () => void };

/** What a remote holds back until a person decides, with both answers and what each does. */
export function RemoteHold({ status, hold, onChanged }: HoldProps): VNode {
  const { client } = useApp();
  const tell = useTell();
  const [asking, setAsking] = useState<Answer | null>(null);
  const [busy, setBusy] = useState<Answer | null>(null);
  const name = text.remotes[status.remote];
  const answers = {
    accept: text.holdAnswers[hold.kind].accept(name),
    refuse: text.holdAnswers[hold.kind].refuse(name),
  };
  const decide = (decision: Answer): void => {
    setBusy(decision);
    client
      .call('sync.decide', { remote: status.remote, decision })
      .then(() => tell.ok(text.decided), tell.fail)
      .finally(() => {
        setBusy(null);
        onChanged();
      });
  };
  return (
    <div class="hold stack">
      <h3 class="wrap">{text.holdTitles[hold.kind](name, hold)}</h3>
      <p>{text.holdText}</p>
      <details>
        <summary>{text.holdSample}</summary>
        <ul class="plain-list small">
          {hold.sample.map((line) => (
            <li key={line} class="wrap">
              {displayText(line)}
            </li>
          ))}
        </ul>
        <p class="small muted">
          {text.holdSince} <When timeMs={hold.sinceMs} ago />
        </p>
      </details>
      <div class="answers">
        {(['refuse', 'accept'] as const).map((answer) => (
          <div key={answer}>
            <Button
              kind={answer === 'refuse' ? 'primary' : 'plain'}
              busy={busy === answer}
              onClick={() => setAsking(answer)}
            >
              {answers[answer][0]}
            </Button>
            <p class="small muted">{answers[answer][1]}</p>
          </div>
        ))}
      </div>
      {asking === null ? null : (
        <ConfirmDialog
          title={text.holdConfirm(answers[asking][0])}
          text={answers[asking][1]}
          confirm={answers[asking][0]}
          danger={asking === 'accept' && hold.kind !== 'replaced'}
          onConfirm={() => decide(asking)}
          onClose={() => setAsking(null)}
        />
      )}
    </div>
  );
}
