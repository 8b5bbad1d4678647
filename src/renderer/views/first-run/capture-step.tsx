import type { VNode } from 'preact';
import { displayPath, displayText } from '../../../shared/display.ts';
import { firstCapture } from '../../data/first-run.ts';
import { useQuery } from '../../data/query.ts';
import { useProgress, useStatus } from '../../data/use-status.ts';
import { Button, ErrorCard, Skeleton } from '../../parts/basics.tsx';
import { Icon } from '../../parts/icon.tsx';
import { strings } from '../../strings.ts';
import { ProgressPanel } from '../overview/progress-panel.tsx';
import type { StepProps } from './first-run.tsx';

const text = strings.firstRun;

/** The first capture, as it happens: it ends with a file that is safe. */
export function CaptureStep({ onNext }: StepProps): VNode {
  const { data: status, error, reload } = useStatus();
  const progress = useProgress(status);
  const { data: recent } = useQuery('activities.list', { limit: 5, kinds: ['file.created', 'file.modified'] }, [
    'activity',
    'status',
  ]);
  if (status === undefined)
    return error === null ? <Skeleton rows={4} /> : <ErrorCard error={error} onRetry={reload} />;
  const [root] = status.roots;
  const state = firstCapture(status);
  return (
    <div class="stack">
      <p class={`first-state first-${state}`} role="status">
        <Icon name={state === 'safe' ? 'safe' : state === 'reading' ? 'working' : 'clock'} size={28} />
        <strong>
          {state === 'safe'
            ? text.safe(status.totals.files)
            : state === 'reading'
              ? text.reading
              : root === undefined
                ? text.noFolder
                : text.saveOne(displayPath(root.path))}
        </strong>
      </p>
      {progress.size > 0 ? <ProgressPanel progress={[...progress.values()]} /> : null}
      {state === 'safe' ? (
        <ul class="plain-list">
          {(recent?.activities ?? []).map((one) => (
            <li key={one.id} class="row tight">
              <Icon name="saved" size={16} />
              <span class="wrap">{displayText(one.summary)}</span>
            </li>
          ))}
        </ul>
      ) : (
        <p class="muted">{text.captureText}</p>
      )}
      <div class="row">
        <Button kind="primary" onClick={onNext}>
          {text.next}
        </Button>
      </div>
    </div>
  );
}
