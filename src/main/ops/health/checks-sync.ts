import type { RemoteStatus } from '../../../shared/contract-sync.ts';
import { displayPath } from '../../../shared/display.ts';
import type { Check } from '../../../shared/model.ts';
import type { DoctorFacts } from './facts.ts';
import { counted, error, ok, warn } from './verdicts.ts';

/** One check for each service that is set up; what is off is told with the other parts that are. */
export function checkSync({ sync, lock }: DoctorFacts): Check[] {
  const { status, warnUnsent, errorUnsent } = sync;
  const isRunning = lock.holder === 'self';
  return status.remotes
    .filter((remote) => remote.configured)
    .flatMap((remote) => checkRemote(remote, isRunning, { warnUnsent, errorUnsent }));
}

type Limits = { readonly warnUnsent: number; readonly errorUnsent: number };

function checkRemote(remote: RemoteStatus, isRunning: boolean, limits: Limits): Check[] {
  const id = `sync.${remote.remote}`;
  const title = `Sync with ${remote.remote === 'supabase' ? 'Supabase' : 'Notion'}`;
  const unsent = remote.pending + remote.leased;
  const waits = `${counted(unsent, 'change')} not sent yet${remote.parked === 0 ? '' : `, ${remote.parked} set aside`}.`;
  const reason = remote.reason === null ? '' : ` ${displayPath(remote.reason)}`;
  const fix = remote.fix ?? 'Look at `angles sync --test`.';
  if (remote.state === 'needs_you') return error(id, title, `${waits}${reason}`, fix);
  const isOther = remote.leader?.kind === 'other_device';
  if (isOther) return ok(id, title, 'Another device talks to it for all devices.');
  const why = isRunning ? fix : 'Start the agent: `angles start`.';
  // While the queue is being worked off it is long for a good reason.
  const isMoving = remote.state === 'syncing' && remote.perSecond > 0;
  if (unsent > limits.errorUnsent && !isMoving) return error(id, title, `${waits}${reason}`, why);
  if ((unsent > limits.warnUnsent && !isMoving) || remote.state === 'offline')
    return warn(id, title, `${waits}${reason}`, why);
  return ok(id, title, unsent === 0 ? 'Everything is the same on both sides.' : waits);
}

export function checkConflicts({ sync }: DoctorFacts): Check[] {
  const { conflicts, remotes } = sync.status;
  if (conflicts === 0) {
    if (!remotes.some((remote) => remote.configured)) return [];
    return ok('conflicts', 'Conflicts', 'No field has two values that wait for a decision.');
  }
  return warn(
    'conflicts',
    'Conflicts',
    `${counted(conflicts, 'field')} changed on two sides; both values are kept, the newer one is in force.`,
    'Decide with `angles conflicts`.',
  );
}
