import type { VNode } from 'preact';
import type { SyncPlan, SyncTableCounts } from '../../../shared/contract-sync.ts';
import { displayText } from '../../../shared/display.ts';
import { Button, Fix } from '../../parts/basics.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Icon } from '../../parts/icon.tsx';
import { strings } from '../../strings.ts';
import { syncText } from '../../strings-sync.ts';

const text = syncText.plan;

/** What a table would have done to it, in words; empty when nothing. */
export function planWords(counts: SyncTableCounts): readonly string[] {
  return [
    counts.push > 0 ? text.push(counts.push) : '',
    counts.pushDeletes > 0 ? text.pushDeletes(counts.pushDeletes) : '',
    counts.pull > 0 ? text.pull(counts.pull) : '',
    counts.pullCreates > 0 ? text.pullCreates(counts.pullCreates) : '',
    counts.pullDeletes > 0 ? text.pullDeletes(counts.pullDeletes) : '',
    counts.conflicts > 0 ? text.conflicts(counts.conflicts) : '',
    counts.invalid > 0 ? text.invalid(counts.invalid) : '',
  ].filter((word) => word !== '');
}

type PlanProps = { plans: readonly SyncPlan[]; onRun: () => void; onClose: () => void };

/** What a sync would do, for each remote; nothing was done yet. */
export function PlanDialog({ plans, onRun, onClose }: PlanProps): VNode {
  return (
    <Dialog title={text.title} onClose={onClose}>
      <p class="muted">{plans.length === 0 ? text.empty : text.text}</p>
      {plans.map((plan) => (
        <PlanOfRemote key={plan.remote} plan={plan} />
      ))}
      <div class="row end">
        <Button onClick={onClose}>{strings.frame.close}</Button>
        {plans.length === 0 ? null : (
          <Button kind="primary" icon="sync" onClick={onRun}>
            {text.run}
          </Button>
        )}
      </div>
    </Dialog>
  );
}

function PlanOfRemote({ plan }: { plan: SyncPlan }): VNode {
  const tables = plan.tables
    .map((one) => ({ table: one.table, words: planWords(one) }))
    .filter((one) => one.words.length > 0);
  return (
    <section class="stack">
      <h3>{syncText.remotes[plan.remote]}</h3>
      {plan.problem === null ? null : (
        <div class="remote-reason needs_you">
          <p class="wrap">{displayText(plan.problem.message)}</p>
          <Fix text={syncText.fixes[plan.problem.code] ?? plan.problem.fix} />
        </div>
      )}
      {plan.hold === null ? null : (
        <p class="row tight">
          <Icon name="alert" size={16} />
          <strong>{text.held}</strong>
          <span class="wrap">{syncText.holdTitles[plan.hold.kind](syncText.remotes[plan.remote], plan.hold)}</span>
        </p>
      )}
      {tables.length === 0 && plan.problem === null ? <p>{text.nothing}</p> : null}
      <ul class="plain-list">
        {tables.map((one) => (
          <li key={one.table}>
            <strong>{syncText.tables[one.table]}:</strong> {one.words.join(', ')}
          </li>
        ))}
      </ul>
      {plan.sample.length === 0 ? null : (
        <details>
          <summary>{text.sample}</summary>
          <ul class="plain-list small">
            {plan.sample.map((line) => (
              <li key={line} class="wrap">
                {displayText(line)}
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}
