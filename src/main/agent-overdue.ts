/** Planned work that did not happen, though the agent runs: not to have run is a failure, too. Pure. */
import type { AgentStatus } from '../shared/contract.ts';
import { displayPath, formatDuration } from '../shared/display.ts';
import { ERROR_CATALOGUE } from '../shared/errors.ts';
import type { RootInfo } from '../shared/model.ts';

export type OverdueFacts = {
  readonly nowMs: number;
  /** Since when there was somebody to do it: the start, or the last waking. */
  readonly awakeSinceMs: number;
  readonly scanEveryMs: number;
  readonly roots: readonly Pick<RootInfo, 'path' | 'state' | 'lastScanAtMs'>[];
  readonly backup: {
    /** Backups run by themselves, nothing about them waits for a person, and there is something to back up. */
    readonly isExpected: boolean;
    readonly lastAtMs: number | null;
  };
};

const DAY_MS = 86_400_000;
/** Twice the time between two runs, and the quarter by which a scan may be late. */
const PATIENCE = 2.25;

export function overdueJobs(facts: OverdueFacts): AgentStatus['attention'] {
  const { nowMs, awakeSinceMs, scanEveryMs, roots, backup } = facts;
  const isLate = (lastAtMs: number | null, everyMs: number): boolean =>
    nowMs - Math.max(lastAtMs ?? 0, awakeSinceMs) > PATIENCE * everyMs;
  const late = (message: string, rootId: number | null = null): AgentStatus['attention'][number] => ({
    code: 'job.overdue',
    message,
    fix: ERROR_CATALOGUE['job.overdue'].fix,
    rootId,
  });
  return [
    ...(backup.isExpected && isLate(backup.lastAtMs, DAY_MS)
      ? [late(`The daily backup did not run: the last backup is ${ageText(backup.lastAtMs, nowMs)}.`)]
      : []),
    // A folder that is away or held has its own words.
    ...roots
      .filter(({ state, lastScanAtMs }) => /^(watching|limited)$/.test(state) && isLate(lastScanAtMs, scanEveryMs))
      .map(({ path, lastScanAtMs }) =>
        late(`The safety scan of ${displayPath(path)} did not run: the last one is ${ageText(lastScanAtMs, nowMs)}.`),
      ),
  ];
}

const ageText = (lastAtMs: number | null, nowMs: number): string =>
  lastAtMs === null ? 'still to come' : `${formatDuration(nowMs - lastAtMs)} old`;
