/** Everything about one remote: when it is read and sent to, one thing at a time. */
import { AppError } from '../../shared/errors.ts';
import { createRate } from './rate.ts';
import { needsPerson } from './remote-state.ts';
import { createDecide } from './session-decide.ts';
import { createSessionFacts, LONGEST_WAIT_MS } from './session-facts.ts';
import { newSessionState, type Session, type SessionParts } from './session-parts.ts';
import { createSessionRounds } from './session-rounds.ts';
import { statusOf } from './session-status.ts';

/** A save during a long wait is worth another look, unless there was one just now. */
const NUDGE_MS = 5_000;
const LONGEST_TIMER_MS = 2_000_000_000;

export function createSession(parts: SessionParts): Session {
  const { remote, stores, shell, leader } = parts;
  const { states, outbox } = stores;
  const state = newSessionState();
  const rate = createRate(parts.monotonicMs);
  const stopping = new AbortController();
  const facts = createSessionFacts(parts, state);
  const { memory, kept, holds, worstHold, failure, pauses, pausedTables, pausedUntilMs, waits } = facts;
  const { runOnce, planOnce } = createSessionRounds(parts, state, facts, { rate, signal: stopping.signal });
  const decide = createDecide(parts, state, facts, runOnce);
  let unlisten = (): void => undefined;
  let isFirst = true;
  let timer: NodeJS.Timeout | null = null;
  /** One thing at a time: a pull never meets a push of the same record. */
  let queue: Promise<unknown> = Promise.resolve();

  const hinted = (): void => {
    state.hints += 1;
    state.pullDueAtMs = 0;
  };
  const exclusive = <T>(work: () => Promise<T>): Promise<T> => {
    const next = queue.then(work);
    queue = next.catch(() => undefined);
    return next;
  };

  /** When something is to be done without being asked, by the monotonic clock; null: only when told. */
  const nextAtMs = (): number | null => {
    if (
      !state.isRunning ||
      state.isStopped ||
      state.connector === null ||
      holds().replaced !== undefined ||
      parts.isSafeMode()
    )
      return null;
    // Its end rings.
    if (pausedUntilMs() !== null) return null;
    if (leader !== null && !leader.isThisDevice()) return null;
    const now = parts.monotonicMs();
    const { failures, notBeforeMs } = memory();
    const last = failure();
    if (last !== null && last.class === 'reauth' && needsPerson(last, failures)) return null;
    if (notBeforeMs !== null && waits(notBeforeMs)) return now + notBeforeMs - shell.nowMs();
    const dueMs = outbox.nextDueMs(remote, pausedTables());
    const pushAtMs = dueMs === null ? null : now + Math.min(Math.max(0, dueMs - shell.nowMs()), LONGEST_WAIT_MS);
    const ends = [...pauses().values()].map((pause) => now + pause.untilMs - shell.nowMs());
    return Math.min(pushAtMs ?? Number.POSITIVE_INFINITY, state.pullDueAtMs, state.reconcileDueAtMs, ...ends);
  };
  const arm = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (state.active > 0) return;
    const atMs = nextAtMs();
    if (atMs === null || atMs === Number.POSITIVE_INFINITY) return;
    timer = setTimeout(() => void tick(), Math.max(0, Math.min(atMs - parts.monotonicMs(), LONGEST_TIMER_MS)));
    timer.unref();
  };
  const tick = async (): Promise<void> => {
    timer = null;
    const atMs = nextAtMs();
    if (atMs !== null && atMs <= parts.monotonicMs() + 1) {
      const pulls = Math.min(state.pullDueAtMs, state.reconcileDueAtMs) <= parts.monotonicMs();
      await exclusive(() => runTick(pulls));
    }
    arm();
  };
  const runTick = async (pulls: boolean): Promise<void> => {
    await runOnce({ isAsked: false, pull: pulls ? 'first' : 'if_needed', push: true });
  };

  return {
    remote,
    connector: () => state.connector,
    connect: (next) => {
      if (next === state.connector) return;
      unlisten();
      state.connector = next;
      state.isIdentified = false;
      // The first one of a start is, as far as anybody knows, the last one of the run before.
      if (!isFirst) kept.setPauses(new Map());
      isFirst = isFirst && next === null;
      state.unread = new Map();
      states.update(remote, { failures: 0, errorJson: null, notBeforeMs: null });
      state.pullDueAtMs = 0;
      state.reconcileDueAtMs = parts.monotonicMs() + shell.settings().reconcileMs;
      if (next !== null) {
        unlisten = next.listen(() => {
          hinted();
          arm();
        });
      }
      arm();
      shell.onState(remote);
    },
    run: async (options) => {
      const result = await exclusive(() => runOnce(options));
      arm();
      return result;
    },
    plan: (options) => exclusive(() => planOnce(options)),
    decide: async (decision) => {
      const hold = worstHold();
      if (hold === null) throw new AppError('not_found.entry', `Nothing of ${remote} is held.`);
      await exclusive(() => decide(hold, decision));
      arm();
      shell.onState(remote);
    },
    status: (summary) => statusOf(parts, state, facts, summary, { rate, nextAtMs }),
    start: () => {
      state.isRunning = true;
      arm();
    },
    wake: (why) => {
      if (why === 'hint') hinted();
      const last = failure();
      const isUnreachable = last?.code === 'remote.unreachable';
      const isRested = parts.monotonicMs() - state.triedAtMs > NUDGE_MS;
      if (isUnreachable && (why === 'network' || isRested)) states.update(remote, { notBeforeMs: null });
      arm();
    },
    stop: async () => {
      state.isStopped = true;
      state.isRunning = false;
      if (timer !== null) clearTimeout(timer);
      stopping.abort(new AppError('remote.unavailable', 'The agent is stopping.'));
      unlisten();
      await queue;
    },
  };
}
