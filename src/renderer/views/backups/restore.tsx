import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { BackupItem, RestorePlanView, RestoreResultView } from '../../../shared/contract-backup.ts';
import { useApp } from '../../app-context.ts';
import { type Chosen, planInput, type RestoreChoice } from '../../data/backup-view.ts';
import { ErrorCard, Skeleton } from '../../parts/basics.tsx';
import { PlanView } from './plan-view.tsx';
import { RestoreChoose } from './restore-choose.tsx';
import { RestoreResult } from './restore-result.tsx';

type Step =
  | { readonly step: 'choose' }
  | { readonly step: 'planning' }
  | { readonly step: 'plan'; readonly plan: RestorePlanView }
  | { readonly step: 'done'; readonly result: RestoreResultView };

type RestoreProps = {
  readonly backup: BackupItem;
  readonly chosen: readonly Chosen[];
  /** Goes to the plan at once. */
  readonly atOnce: boolean;
  readonly onPick: () => void;
};

/** Choose, see the plan, confirm, watch, and take it back if it was wrong: nothing is written before the third. */
export function RestoreView({ backup, chosen, atOnce, onPick }: RestoreProps): VNode {
  const { client } = useApp();
  const [choice, setChoice] = useState<RestoreChoice>({
    what: chosen.length > 0 ? 'chosen' : 'all',
    chosen,
    tables: [],
    where: 'beside',
    folder: '',
    allowRedacted: false,
  });
  const [state, setState] = useState<Step>({ step: 'choose' });
  const [error, setError] = useState<unknown>(null);
  const plan = (): void => {
    setError(null);
    setState({ step: 'planning' });
    client.call('restore.plan', planInput(backup.id, choice)).then(
      (made) => setState({ step: 'plan', plan: made }),
      (failure: unknown) => {
        setError(failure);
        setState({ step: 'choose' });
      },
    );
  };
  useEffect(() => {
    if (atOnce) plan();
  }, []);
  switch (state.step) {
    case 'choose':
      return (
        <>
          {error === null ? null : <ErrorCard error={error} onRetry={plan} />}
          <RestoreChoose backup={backup} choice={choice} onChange={setChoice} onPick={onPick} onPlan={plan} />
        </>
      );
    case 'planning':
      return <Skeleton rows={6} tall />;
    case 'plan':
      return (
        <PlanView
          key={state.plan.planId}
          plan={state.plan}
          onChange={() => setState({ step: 'choose' })}
          onPlanAgain={plan}
          onDone={(result) => setState({ step: 'done', result })}
        />
      );
    case 'done':
      return <RestoreResult result={state.result} />;
  }
}
