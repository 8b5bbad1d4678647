/** What is stored of a remote: what went wrong, what is held, which tables pause; and what follows for a run. */
import type { SyncHold } from '../../shared/contract-sync.ts';
import { AppError } from '../../shared/errors.ts';
import { backoffMs } from './backoff.ts';
import { errorClassOf, type SyncTable } from './connector.ts';
import { type Failure, failureOf, needsPerson, parseFailure } from './remote-state.ts';
import { createSessionMemory, type Pause, type SessionMemory } from './session-memory.ts';
import type { Holds, RunOptions, SessionParts, SessionState } from './session-parts.ts';

export type SessionFacts = {
  readonly memory: () => ReturnType<SessionParts['stores']['states']['read']>;
  readonly kept: SessionMemory;
  readonly holds: () => Holds;
  readonly setHold: (kind: SyncHold['kind'], hold: SyncHold | null) => void;
  readonly worstHold: () => SyncHold | null;
  readonly failure: () => Failure | null;
  /** Tables that pause now. */
  readonly pauses: () => ReadonlyMap<SyncTable, Pause>;
  readonly pausedTables: () => SyncTable[];
  readonly pausedUntilMs: () => number | null;
  /** Whether a time of the wall clock is still to come. */
  readonly waits: (untilMs: number) => boolean;
  readonly succeeded: () => void;
  /** Stores a failure with the time of the next try; gives it as what it is told. */
  readonly failed: (cause: unknown) => AppError;
  readonly bug: (cause: unknown) => AppError;
  /** What keeps a run from beginning; null when nothing does. */
  readonly gate: (options: RunOptions) => AppError | null;
};

/** A remote that a person has to mend is looked at again, but not at once. */
export const BLOCKED_MIN_MS = 60_000;
/** Longer than any wait that is set. */
export const LONGEST_WAIT_MS = 24 * 3_600_000;

export function createSessionFacts(parts: SessionParts, state: SessionState): SessionFacts {
  const { remote, stores, shell, leader } = parts;
  const { states } = stores;
  const kept = createSessionMemory(stores.meta, remote);

  /** A wait longer than any that is set comes from before a clock jumped back. */
  const waits = (untilMs: number): boolean => untilMs > shell.nowMs() && untilMs - shell.nowMs() <= LONGEST_WAIT_MS;
  const memory = () => states.read(remote);
  const holds = (): Holds => JSON.parse(memory().holdJson ?? '{}') as Holds;
  const setHold = (kind: SyncHold['kind'], hold: SyncHold | null): void => {
    const { [kind]: before, ...others } = holds();
    // It waits since it was first seen.
    const next = hold === null ? others : { ...others, [kind]: { ...hold, sinceMs: before?.sinceMs ?? hold.sinceMs } };
    states.update(remote, { holdJson: Object.keys(next).length === 0 ? null : JSON.stringify(next) });
    if (hold !== null && before === undefined) {
      shell.log.warn('Sync is held until a person decides.', { remote, ...hold });
    }
  };
  const worstHold = (): SyncHold | null => {
    const all = holds();
    return all.replaced ?? all.pull ?? all.push ?? null;
  };
  const failure = (): Failure | null => parseFailure(memory().errorJson);
  const pauses = (): ReadonlyMap<SyncTable, Pause> =>
    new Map([...kept.pauses()].filter(([, { untilMs }]) => waits(untilMs)));
  const pausedTables = (): SyncTable[] => [...pauses().keys()];
  const pausedUntilMs = (): number | null => shell.pausedUntilMs?.() ?? null;

  const succeeded = (): void => {
    states.update(remote, { failures: 0, errorJson: null, notBeforeMs: null, lastSuccessAtMs: shell.nowMs() });
  };
  const failed = (cause: unknown): AppError => {
    const error = cause instanceof AppError ? cause : bug(cause);
    const failures = memory().failures + 1;
    if (error.code === 'remote.replaced') {
      setHold('replaced', {
        kind: 'replaced',
        sinceMs: shell.nowMs(),
        deletes: 0,
        overwrites: 0,
        total: 0,
        sample: [],
      });
      return error;
    }
    const isBlocked = errorClassOf(error.code) === 'blocked';
    const waitMs = Math.max(backoffMs(failures, shell.random, error.retryAfterMs), isBlocked ? BLOCKED_MIN_MS : 0);
    const stored = failureOf(error);
    states.update(remote, { failures, notBeforeMs: shell.nowMs() + waitMs, errorJson: JSON.stringify(stored) });
    const isNew = failures === 1 || needsPerson(stored, failures);
    if (isNew) shell.log.warn('Sync failed.', { remote, error, failures, waitMs });
    return error;
  };
  const bug = (cause: unknown): AppError => {
    shell.log.error('Sync failed unexpectedly.', { remote, error: cause });
    return new AppError('internal', 'The agent could not sync because of a fault of its own.', { cause });
  };

  const gate = ({ isAsked, answer }: RunOptions): AppError | null => {
    if (state.connector === null) return new AppError('sync.off', `Sync with ${remote} is off.`);
    if (state.isStopped) return new AppError('remote.unavailable', 'The agent is stopping.');
    if (holds().replaced !== undefined)
      return new AppError('remote.replaced', `${remote} is not the one that was linked.`);
    if (parts.isSafeMode() && !isAsked) return new AppError('sync.safe_mode', 'Sending is paused.');
    if (pausedUntilMs() !== null && !isAsked) return new AppError('remote.unavailable', 'Sending rests for a while.');
    if (leader !== null && !leader.isThisDevice())
      return new AppError('remote.unavailable', `Another device talks to ${remote}.`);
    const last = failure();
    const { failures, notBeforeMs } = memory();
    if (last === null || isAsked || answer !== undefined) return retryAfterGate(last, notBeforeMs);
    if (last.class === 'reauth' && needsPerson(last, failures)) return new AppError(last.code, last.message);
    return notBeforeMs !== null && waits(notBeforeMs) ? new AppError(last.code, last.message) : null;
  };
  /** Nobody's impatience is a reason to call before the time that the remote has set. */
  const retryAfterGate = (last: Failure | null, notBeforeMs: number | null): AppError | null =>
    last?.code === 'remote.rate_limited' && notBeforeMs !== null && waits(notBeforeMs)
      ? new AppError(last.code, last.message, { retryAfterMs: notBeforeMs - shell.nowMs() })
      : null;

  return {
    memory,
    kept,
    holds,
    setHold,
    worstHold,
    failure,
    pauses,
    pausedTables,
    pausedUntilMs,
    waits,
    succeeded,
    failed,
    bug,
    gate,
  };
}
