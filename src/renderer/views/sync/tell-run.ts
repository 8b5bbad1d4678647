import type { MethodOutput } from '../../../shared/contract.ts';
import { displayText } from '../../../shared/display.ts';
import { waitingOf } from '../../data/sync-view.ts';
import type { useTell } from '../../parts/basics.tsx';
import { syncText as text } from '../../strings-sync.ts';

/** Says how a run ended: its first problem, what still waits, or that all is done. */
export function tellRun(answer: MethodOutput<'sync.run'>, tell: ReturnType<typeof useTell>): void {
  const problem = answer.plans.find((plan) => plan.problem !== null)?.problem;
  const waiting = answer.status.remotes.reduce((sum, remote) => sum + waitingOf(remote), 0);
  if (problem !== null && problem !== undefined) tell.problem(displayText(problem.message));
  else tell.ok(waiting > 0 ? text.syncedWaits(waiting) : text.synced);
}
