import type { RemoteStatus } from '../../../shared/contract-sync.ts';
import { displayPath, formatDuration } from '../../../shared/display.ts';
import type { Check } from '../../../shared/model.ts';
import type { DoctorFacts } from './facts.ts';
import { counted, error, ok, warn } from './verdicts.ts';

/** One check for each service that is set up; what is off is told with the other parts that are. */
export function checkSync({ sync, lock, nowMs }: DoctorFacts): Check[] {
  const { status, warnUnsent, errorUnsent } = sync;
  const isRunning = lock.holder === 'self';
  return status.remotes
    .filter((remote) => remote.configured)
    .flatMap((remote) => [
      ...checkRemote(remote, isRunning, nowMs, { warnUnsent, errorUnsent }),
      ...checkLeader(remote, isRunning),
    ]);
}

type Limits = { readonly warnUnsent: number; readonly errorUnsent: number };

function checkRemote(remote: RemoteStatus, isRunning: boolean, nowMs: number, limits: Limits): Check[] {
  const id = `sync.${remote.remote}`;
  const title = `Sync with ${nameOf(remote)}`;
  const unsent = remote.pending + remote.leased;
  const waits = `${counted(unsent, 'change')} not sent yet${remote.parked === 0 ? '' : `, ${remote.parked} set aside`}.`;
  const reason = remote.reason === null ? '' : ` ${displayPath(remote.reason)}`;
  const fix = remote.fix ?? 'Look at `angles sync --test`.';
  const last = lastSuccess(remote, nowMs);
  if (remote.state === 'needs_you') return error(id, title, `${waits}${reason}${last}`, fix);
  const isOther = remote.leader?.kind === 'other_device';
  if (isOther) return ok(id, title, `Another device talks to it for all devices.${last}`);
  const why = isRunning ? fix : 'Start the agent: `angles start`.';
  // While the queue is being worked off it is long for a good reason.
  const isMoving = remote.state === 'syncing' && remote.perSecond > 0;
  if (unsent > limits.errorUnsent && !isMoving) return error(id, title, `${waits}${reason}${last}`, why);
  if ((unsent > limits.warnUnsent && !isMoving) || remote.state === 'offline')
    return warn(id, title, `${waits}${reason}${last}`, why);
  return ok(id, title, `${unsent === 0 ? 'Nothing waits to be sent.' : waits}${last}`);
}

const nameOf = ({ remote }: RemoteStatus): string => (remote === 'supabase' ? 'Supabase' : 'Notion');

function lastSuccess({ lastSuccessAtMs }: RemoteStatus, nowMs: number): string {
  if (lastSuccessAtMs === null) return ' It was never reached.';
  const agoMs = Math.max(0, nowMs - lastSuccessAtMs);
  return agoMs < 1_000 ? ' Last success just now.' : ` Last success ${formatDuration(agoMs)} ago.`;
}

/** Who talks to a remote that one device serves for all. */
function checkLeader(remote: RemoteStatus, isRunning: boolean): Check[] {
  const { leader } = remote;
  if (leader === null || !isRunning || remote.state === 'off') return [];
  const id = `sync.${remote.remote}.leader`;
  const title = `Who talks to ${nameOf(remote)}`;
  if (leader.kind === 'this_device')
    return ok(id, title, leader.untilMs === null ? 'This device.' : 'This device, for all that share the project.');
  if (leader.kind === 'other_device')
    return ok(id, title, `The device ${displayPath(leader.deviceId ?? '')}; this one takes over when it is gone.`);
  return warn(
    id,
    title,
    `No device does just now, so nothing is read from or sent to ${nameOf(remote)}.`,
    'One takes over within a minute. Later than that, look whether Supabase can be reached: `angles sync --test --only supabase`.',
  );
}

/** Whether a plan waits because it would delete or overwrite much, or the remote is not the one that was known. */
export function checkHolds({ sync }: DoctorFacts): Check[] {
  const configured = sync.status.remotes.filter((remote) => remote.configured);
  if (configured.length === 0) return [];
  const held = configured.flatMap((remote) => (remote.hold === null ? [] : [{ remote, hold: remote.hold }]));
  if (held.length === 0) return ok('sync.held', 'Held changes', 'Nothing is held back.');
  return held.flatMap(({ remote, hold }) =>
    error(
      `sync.held.${remote.remote}`,
      'Held changes',
      hold.kind === 'replaced'
        ? `${nameOf(remote)} holds another database than before, or an older state of it: nothing is read or sent.`
        : `${counted(hold.deletes, 'record')} would be retired and ${hold.overwrites} overwritten ${hold.kind === 'pull' ? 'here' : `in ${nameOf(remote)}`}, of ${hold.total}.`,
      `Look with \`angles sync --dry-run\`, then \`angles sync --accept --only ${remote.remote}\` or \`--refuse\`.`,
    ),
  );
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
