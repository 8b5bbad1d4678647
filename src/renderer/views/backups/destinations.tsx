import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { BackupStatus, Destination } from '../../../shared/contract-backup.ts';
import { displayPath, displayText, formatBytes } from '../../../shared/display.ts';
import { useApp } from '../../app-context.ts';
import { Badge, Button, Fix, useTell, When } from '../../parts/basics.tsx';
import { destinationLooks } from '../../parts/looks.ts';
import { backupText as text } from '../../strings-backups.ts';

type Props = { status: BackupStatus; onKit: () => void; onChanged: () => void };

/** Every place that backups are kept at: complete, catching up, or with the reason why not. */
export function Destinations({ status, onKit, onChanged }: Props): VNode {
  return (
    <section class="stack" aria-labelledby="destinations-title">
      <h2 id="destinations-title">{text.destinationsTitle}</h2>
      <ul class="destinations">
        {status.destinations.map((one) => (
          <li key={one.kind} class={`card destination destination-${one.state}`}>
            <DestinationCard destination={one} onKit={onKit} onChanged={onChanged} />
          </li>
        ))}
      </ul>
    </section>
  );
}

type CardProps = { destination: Destination; onKit: () => void; onChanged: () => void };
function DestinationCard({ destination, onKit, onChanged }: CardProps): VNode {
  const { kind, place, state, problem, behind, lastSuccessAtMs, nextTryAtMs, sizeBytes } = destination;
  const look = destinationLooks[state];
  return (
    <>
      <header class="card-head">
        <h3>{text.destinations[kind]}</h3>
        <Badge tone={look.tone} icon={look.icon}>
          {text.destinationStates[state]}
        </Badge>
      </header>
      {place === null ? null : <p class="path small muted wrap">{displayPath(place)}</p>}
      {state === 'off' ? <p class="small muted">{text.offHints[kind]}</p> : null}
      {state === 'off' ? null : (
        <p class="small muted">
          {behind > 0 ? <strong class="warn-text">{text.behind(behind)}, </strong> : null}
          {text.lastSuccess} {lastSuccessAtMs === null ? text.never : <When timeMs={lastSuccessAtMs} ago />}
          {nextTryAtMs === null ? null : (
            <>
              , {text.nextTry} <When timeMs={nextTryAtMs} ago />
            </>
          )}
          {sizeBytes === null ? null : `, ${text.takes(formatBytes(sizeBytes))}`}
        </p>
      )}
      {problem === null ? null : (
        <>
          <p class="wrap">{displayText(problem.message)}</p>
          <DestinationFix problem={problem} onKit={onKit} onChanged={onChanged} />
        </>
      )}
    </>
  );
}

type FixProps = { problem: NonNullable<Destination['problem']>; onKit: () => void; onChanged: () => void };
/** The fix in words, or the button that does it. */
function DestinationFix({ problem, onKit, onChanged }: FixProps): VNode {
  const { client } = useApp();
  const tell = useTell();
  const [busy, setBusy] = useState(false);
  if (problem.code === 'backup.kit_unconfirmed') {
    return (
      <div class="row">
        <Button icon="key" onClick={onKit}>
          {text.kit.open}
        </Button>
      </div>
    );
  }
  const fresh = (): void => {
    setBusy(true);
    client
      .call('backups.fresh', { what: 'branch' })
      .then(() => tell.ok(text.freshDone), tell.fail)
      .finally(() => {
        setBusy(false);
        onChanged();
      });
  };
  return (
    <>
      <Fix text={text.fixes[problem.code] ?? problem.fix} />
      {problem.code === 'backup.remote_moved' ? (
        <div class="row">
          <Button busy={busy} onClick={fresh}>
            {text.fresh}
          </Button>
        </div>
      ) : null}
    </>
  );
}
