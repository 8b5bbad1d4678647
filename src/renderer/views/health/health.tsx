import type { VNode } from 'preact';
import { displayText } from '../../../shared/display.ts';
import type { Check } from '../../../shared/model.ts';
import { useQuery } from '../../data/query.ts';
import { Badge, Button, ErrorCard, Fix, Skeleton, ViewHead } from '../../parts/basics.tsx';
import { Icon } from '../../parts/icon.tsx';
import { verdictLooks } from '../../parts/looks.ts';
import { strings } from '../../strings.ts';
import { OverTime } from './over-time.tsx';

const text = strings.health;
const ORDER = { error: 0, warn: 1, ok: 2, off: 3 } as const;

/** Every check with its verdict, its reason and how to mend it, the worst first; and how it went over time. */
export function HealthView(): VNode {
  const { data, error, loading, reload } = useQuery('doctor.run', {});
  const checks = [...(data?.checks ?? [])].sort((a, b) => ORDER[a.verdict] - ORDER[b.verdict]);
  const errors = checks.filter((check) => check.verdict === 'error').length;
  const warnings = checks.filter((check) => check.verdict === 'warn').length;
  return (
    <div class="view">
      <ViewHead title={strings.views.health} lead={text.lead}>
        <Button icon="working" busy={loading} onClick={reload}>
          {loading ? text.running : text.again}
        </Button>
      </ViewHead>
      {error === null ? null : <ErrorCard error={error} onRetry={reload} />}
      {data === undefined ? (
        error === null ? (
          <Skeleton rows={7} tall />
        ) : null
      ) : (
        <>
          <p class="health-sum" role="status">
            <Icon name={errors > 0 ? 'error' : warnings > 0 ? 'alert' : 'safe'} size={20} />
            <strong>{errors + warnings === 0 ? text.allWell : text.some(errors, warnings)}</strong>
          </p>
          <ul class="checks" aria-label={text.checks}>
            {checks.map((check) => (
              <CheckRow key={check.id} check={check} />
            ))}
          </ul>
        </>
      )}
      <OverTime />
    </div>
  );
}

function CheckRow({ check }: { check: Check }): VNode {
  const look = verdictLooks[check.verdict];
  return (
    <li class={`card check verdict-${check.verdict}`}>
      <div class="check-head">
        <h2>{check.title}</h2>
        <Badge tone={look.tone} icon={look.icon}>
          {strings.verdicts[check.verdict]}
        </Badge>
      </div>
      <p class="muted wrap">{displayText(check.reason)}</p>
      {check.fix === null ? null : <Fix text={check.fix} />}
    </li>
  );
}
