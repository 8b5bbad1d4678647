/** One round with a remote, once it is its turn: is it the one that was linked, what changed over there, what is to be sent. */
import type { SyncPlan } from '../../shared/contract-sync.ts';
import { AppError, exitCodeOf } from '../../shared/errors.ts';
import { backoffMs } from './backoff.ts';
import type { Connector, SyncTable } from './connector.ts';
import { withDeadline } from './deadline.ts';
import type { LossAnswer } from './intake.ts';
import { createPlanRun } from './plan-run.ts';
import { type PullOrder, pullAll, reconcile, stillNews, takeFound } from './pull.ts';
import type { PausedTable } from './push.ts';
import type { Rate } from './rate.ts';
import { BLOCKED_MIN_MS, type SessionFacts } from './session-facts.ts';
import type { RunOptions, SessionParts, SessionState } from './session-parts.ts';
import { createTally, type Tally } from './tally.ts';

export type SessionRounds = {
  /** Never rejects: what went wrong is stored, and in the answer. */
  readonly runOnce: (options: RunOptions) => Promise<SyncPlan>;
  readonly planOnce: (options: { readonly pull: boolean }) => Promise<SyncPlan>;
};

const IDENTITY_LIMIT_MS = 60_000;
/** From this many failures in a row on one record is sent first, to see whether the remote is well again. */
const PROBE_FAILURES = 3;
const READ_OWN_MS = 10_000;
/** A record that changes over there whenever it is sent gets as many chances. */
const MOST_ROUNDS = 6;
const MERGED_TABLES = ['decision_vault', 'memories'] as const;
const WEIGH: LossAnswer = { kind: 'weigh' };
const retiredBy = (tally: Tally): number => tally.tables().reduce((sum, { pushDeletes }) => sum + pushDeletes, 0);

export function createSessionRounds(
  parts: SessionParts,
  state: SessionState,
  facts: SessionFacts,
  { rate, signal }: { readonly rate: Rate; readonly signal: AbortSignal },
): SessionRounds {
  const { remote, stores, shell, leader } = parts;
  const { states } = stores;
  const { memory, kept, holds, setHold, worstHold, pausedTables, succeeded, bug, gate } = facts;
  const assertLeader = (): void => leader?.assert();
  const report = (tally: Tally, error: AppError | null): SyncPlan => ({
    remote,
    tables: tally.tables(),
    sample: tally.lines(),
    hold: worstHold(),
    problem:
      error === null
        ? null
        : { code: error.code, message: error.message, fix: error.hint, exitCode: exitCodeOf(error) },
  });

  const identify = async (own: Connector, signal: AbortSignal): Promise<void> => {
    if (state.isIdentified) return;
    const identity = await withDeadline(IDENTITY_LIMIT_MS, signal, own.identity);
    const known = memory().identity;
    const joined = known === null || known === identity ? identity : (own.joinIdentity?.(known, identity) ?? null);
    if (joined === null)
      throw new AppError('remote.replaced', `${remote} holds another database than the one that was linked.`);
    if (known !== joined) states.update(remote, { identity: joined });
    state.isIdentified = true;
  };

  const pull = async (own: Connector, options: RunOptions, tally: Tally, signal: AbortSignal): Promise<void> => {
    const hintsBefore = state.hints;
    const failed = new Map<SyncTable, PausedTable>();
    const onUnread: PullOrder['onUnread'] = (table, { code, message, hint }) =>
      failed.set(table, { code, message, hint });
    const answer = options.answer ?? WEIGH;
    const order = { connector: own, signal, tally, answer, assertMayRead: assertLeader, onUnread };
    const hold = await pullAll(parts, remote, order);
    const compares = options.reconcile === true || state.reconcileDueAtMs <= parts.monotonicMs();
    const second = compares && hold === null ? await reconcile(parts, remote, order) : null;
    if (compares) state.reconcileDueAtMs = parts.monotonicMs() + shell.settings().reconcileMs;
    setHold('pull', hold ?? second);
    noteUnread(failed);
    state.pullDueAtMs = state.hints === hintsBefore ? parts.monotonicMs() + parts.pullEveryMs : 0;
    states.update(remote, { lastPullAtMs: shell.nowMs() });
  };

  const noteUnread = (failed: SessionState['unread']): void => {
    for (const [table, { code, message }] of failed) {
      if (state.unread.get(table)?.message === message) continue;
      shell.log.warn('A table cannot be read; the others go on.', { remote, table, code, reason: message });
    }
    for (const table of state.unread.keys())
      if (!failed.has(table)) shell.log.info('A table can be read again.', { remote, table });
    state.unread = failed;
  };

  /** What was sent is read once more: only a cursor beyond it can tell when the remote goes back to before it. */
  const readOwn = async (own: Connector, options: RunOptions, tally: Tally, signal: AbortSignal): Promise<void> => {
    if (options.isAsked && options.pull === 'first') await pull(own, { ...options, reconcile: false }, tally, signal);
    else state.pullDueAtMs = Math.min(state.pullDueAtMs, parts.monotonicMs() + READ_OWN_MS);
  };

  const send = async (own: Connector, options: RunOptions, tally: Tally, signal: AbortSignal): Promise<void> => {
    let retiredSoFar = retiredBy(tally);
    for (let round = 1; ; round += 1) {
      const { found, error } = await parts.push(remote, {
        connector: own,
        signal,
        tally,
        batchSize: () =>
          memory().failures >= PROBE_FAILURES ? 1 : Math.min(own.batchSize(), shell.settings().batchSize),
        pausedTables,
        pause: (table, why) => {
          const times = (kept.pauses().get(table)?.times ?? 0) + 1;
          const waitMs = Math.max(BLOCKED_MIN_MS, backoffMs(times, shell.random));
          kept.setPauses(new Map(kept.pauses()).set(table, { ...why, times, untilMs: shell.nowMs() + waitMs }));
          shell.log.warn('Sync of a table pauses.', { remote, table, code: why.code, reason: why.message });
        },
        allowance: kept.allowance,
        hold: (deletes, total, sample) =>
          setHold('push', { kind: 'push', sinceMs: shell.nowMs(), deletes, overwrites: 0, total, sample: [...sample] }),
        assertMayWrite: assertLeader,
        shouldEnd: () => !options.isAsked && state.pullDueAtMs <= parts.monotonicMs(),
        onDone: (records) => {
          rate.add(records);
          const retired = retiredBy(tally);
          kept.setAllowance(kept.allowance() - (retired - retiredSoFar));
          retiredSoFar = retired;
          if (memory().failures > 0) succeeded();
          else states.update(remote, { lastSuccessAtMs: shell.nowMs() });
          shell.onState(remote);
        },
      });
      if (found.length > 0 && options.pull !== 'never') {
        // What a push says of edits over there counts only when this is still the remote that was read: an older
        // state of it would look like edits, and its cursor tells.
        await pull(own, options, tally, signal);
        const fresh = await stillNews(parts, remote, { connector: own, signal, assertMayRead: assertLeader }, found);
        setHold('pull', holds().pull ?? takeFound(parts, remote, { tally, answer: options.answer ?? WEIGH }, fresh));
      }
      if (error !== null) throw error;
      if (found.length === 0) forgetConsent();
      if (found.length === 0 || options.pull === 'never') return;
      if (round >= MOST_ROUNDS)
        throw new AppError('remote.bad_answer', 'The same records change over there all the time.');
    }
  };

  /** What a person agreed to counts for what they saw, and not for what comes later. */
  const forgetConsent = (): void => {
    if (kept.allowance() === 0) return;
    const left = MERGED_TABLES.some((table) => stores.records.pendingRetirements(remote, table) > 0);
    if (!left) kept.setAllowance(0);
  };

  const runOnce = async (options: RunOptions): Promise<SyncPlan> => {
    const tally = createTally();
    const blocked = gate(options);
    if (blocked !== null) return report(tally, blocked);
    const own = state.connector;
    if (own === null) return report(tally, null);
    const conflicts = stores.conflicts.countOpen();
    state.active += 1;
    state.triedAtMs = parts.monotonicMs();
    shell.onState(remote);
    try {
      if (options.isAsked) {
        kept.setPauses(new Map());
        // Or it would tell a person that all is well, and leave what failed before to its own time.
        if (options.push) stores.outbox.hurry(remote);
      }
      if (options.reconcile === true) state.isIdentified = false;
      await identify(own, signal);
      if (options.pull === 'first') await pull(own, options, tally, signal);
      if (options.push) await send(own, options, tally, signal);
      if (tally.moved().pushed > 0) await readOwn(own, options, tally, signal);
      succeeded();
      return report(tally, null);
    } catch (cause) {
      // Another connector is in its place by now: what the old one could not do says nothing of it.
      if (state.connector !== own) return report(tally, cause instanceof AppError ? cause : bug(cause));
      if (signal.aborted) return report(tally, new AppError('remote.unavailable', 'The agent is stopping.'));
      return report(tally, facts.failed(cause));
    } finally {
      state.active -= 1;
      if (stores.conflicts.countOpen() !== conflicts) shell.onConflicts();
      shell.onState(remote);
    }
  };
  const planOnce: SessionRounds['planOnce'] = async (options) => {
    const tally = createTally();
    const blocked = gate({ isAsked: true, pull: 'first', push: true });
    if (state.connector === null || (blocked !== null && blocked.code !== 'remote.replaced'))
      return report(tally, blocked);
    try {
      if (blocked === null) await identify(state.connector, signal);
      const planRun = createPlanRun(parts, remote, state.connector);
      const failed = new Map<SyncTable, PausedTable>();
      const onUnread: PullOrder['onUnread'] = (table, { code, message, hint }) =>
        failed.set(table, { code, message, hint });
      const isReplaced = blocked !== null;
      const hold = await planRun({ ...options, tally, signal, isReplaced, onUnread });
      if (options.pull) noteUnread(failed);
      return { ...report(tally, blocked), hold: worstHold() ?? hold };
    } catch (cause) {
      const error = cause instanceof AppError ? cause : bug(cause);
      return report(tally, error);
    }
  };

  return { runOnce, planOnce };
}
