/** The way from nothing to the first file that is safe, as values. */
import type { AgentStatus } from '../../shared/contract.ts';

/** The steps, and the page after them on which services can be added. */
export const FIRST_STEPS = ['folder', 'capture', 'kit'] as const;
export const FIRST_PAGES = [...FIRST_STEPS, 'services'] as const;
export type FirstPage = (typeof FIRST_PAGES)[number];

/** The page after or before one; null beyond the ends. */
export const pageBeside = (page: FirstPage, by: 1 | -1): FirstPage | null =>
  FIRST_PAGES[FIRST_PAGES.indexOf(page) + by] ?? null;

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
