/** How backups stand, in one word and one sentence. Pure: everything follows from stored facts and what runs now. */
import type { BackupStatus, Destination } from '../../shared/contract-backup.ts';
import type { StoredProblem } from './memory.ts';
import { isPassing, viewProblem } from './problems.ts';

export type StatusFacts = {
  readonly isWatching: boolean;
  readonly isOn: boolean;
  readonly isWorking: boolean;
  readonly unsaved: number;
  readonly lastSuccessAtMs: number | null;
  readonly problem: StoredProblem | null;
  readonly destinations: readonly Destination[];
  readonly interrupted: boolean;
};

type Verdict = Pick<BackupStatus, 'state' | 'summary' | 'problem'>;

export function judgeStatus(facts: StatusFacts): Verdict {
  const { problem, destinations, unsaved } = facts;
  if (facts.interrupted)
    return { state: 'needs_you', summary: 'A restore was cut off and waits for you.', problem: null };
  if (problem !== null && !isPassing(problem))
    return { state: 'needs_you', summary: `No backup can be made: ${problem.message}`, problem: viewProblem(problem) };
  const stuck = destinations.find((each) => each.state === 'needs_you');
  if (stuck !== undefined)
    return {
      state: 'needs_you',
      summary: `Backups are on this machine only: ${stuck.problem?.message ?? `${stuck.kind} needs you.`}`,
      problem: stuck.problem,
    };
  if (facts.isWorking) return { state: 'working', summary: 'A backup is being made.', problem: null };
  if (!facts.isOn) return { state: 'off', summary: 'Backups are made only when you ask for one.', problem: null };
  if (!facts.isWatching)
    return { state: 'off', summary: 'No agent is running: backups go on when it is started.', problem: null };
  if (problem !== null)
    return { state: 'waiting', summary: `A backup is tried again: ${problem.message}`, problem: viewProblem(problem) };
  const late = destinations.find((each) => each.state === 'behind');
  if (unsaved > 0 || facts.lastSuccessAtMs === null)
    return {
      state: 'waiting',
      summary: unsaved === 1 ? '1 change waits for its backup.' : `${unsaved} changes wait for their backup.`,
      problem: null,
    };
  if (late !== undefined)
    return { state: 'waiting', summary: `${late.kind} lacks ${late.behind} and gets them.`, problem: late.problem };
  return { state: 'ok', summary: 'Everything captured is in a backup.', problem: null };
}

const STALE_MS = 14 * 86_400_000;

/** The last proof is older than a fortnight, or there never was one though there are backups for as long. */
export function isProofStale(given: {
  readonly lastProvenAtMs: number | null;
  readonly firstBackupAtMs: number | null;
  readonly nowMs: number;
}): boolean {
  if (given.firstBackupAtMs === null) return false;
  return given.nowMs - (given.lastProvenAtMs ?? given.firstBackupAtMs) > STALE_MS;
}
