/** The way from nothing to the first file that is safe, as values. */
import type { AgentStatus } from '../../shared/contract.ts';

export const FIRST_STEPS = ['folder', 'capture', 'kit', 'services'] as const;
export type FirstStep = (typeof FIRST_STEPS)[number];

/** The steps of this agent: a recovery kit is saved where backups can make one. */
export function stepsOf(hasKit: boolean): readonly FirstStep[] {
  return FIRST_STEPS.filter((step) => step !== 'kit' || hasKit);
}

/** The step after or before one; null beyond the ends. */
export function stepBeside(steps: readonly FirstStep[], step: FirstStep, by: 1 | -1): FirstStep | null {
  const at = steps.indexOf(step);
  return at === -1 ? null : (steps[at + by] ?? null);
}

/** Whether a person should be led: nothing is watched, and nothing that should be watched is refused. */
export function needsFirstRun(status: Pick<AgentStatus, 'roots' | 'attention'> | undefined): boolean {
  return (
    status !== undefined && status.roots.length === 0 && status.attention.some((each) => each.code === 'root.none')
  );
}

export type FirstCapture = 'reading' | 'waiting' | 'safe';

/** How far the first capture is: the folder is read, then it waits for a file if it was empty. */
export function firstCapture(status: Pick<AgentStatus, 'totals' | 'progress' | 'safety'>): FirstCapture {
  if (status.progress.length > 0) return 'reading';
  if (status.totals.files > 0) return 'safe';
  return status.safety.verdict === 'working' ? 'reading' : 'waiting';
}
