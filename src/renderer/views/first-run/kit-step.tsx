import type { VNode } from 'preact';
import { useQuery } from '../../data/query.ts';
import { Button, ErrorCard, Skeleton } from '../../parts/basics.tsx';
import { Icon } from '../../parts/icon.tsx';
import { strings } from '../../strings.ts';
import { KitBody } from '../backups/kit-body.tsx';
import type { StepProps } from './first-run.tsx';

const text = strings.firstRun;

/** The key of the backups, away from this machine before anything of them is. */
export function KitStep({ onNext }: StepProps): VNode {
  const { data: key, error, reload } = useQuery('key.show', {}, ['backups']);
  if (key === undefined) return error === null ? <Skeleton rows={5} /> : <ErrorCard error={error} onRetry={reload} />;
  if (key.source === 'environment' || key.kitConfirmedAtMs !== null) {
    return (
      <div class="stack">
        <p class="first-state first-safe" role="status">
          <Icon name="key" size={28} />
          <strong>{key.kitConfirmedAtMs === null ? text.kitOwn : text.kitSaved}</strong>
        </p>
        <div class="row">
          <Button kind="primary" onClick={onNext}>
            {text.next}
          </Button>
        </div>
      </div>
    );
  }
  return (
    <div class="stack">
      <p>{text.kitText}</p>
      <KitBody onConfirmed={onNext} />
    </div>
  );
}
