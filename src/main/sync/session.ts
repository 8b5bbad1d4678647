/** Everything about one remote: when it is read and sent to, what went wrong, and what waits for a person. */
import type { RemoteStatus, SyncHold, SyncPlan } from '../../shared/contract-sync.ts';
import { AppError, type ErrorCode, exitCodeOf } from '../../shared/errors.ts';
import type { OutboxSummary, Remote } from '../../shared/model.ts';
import { backoffMs } from './backoff.ts';
import { type Connector, errorClassOf, type SyncTable } from './connector.ts';
import { withDeadline } from './deadline.ts';
import type { IntakeParts, LossAnswer } from './intake.ts';
import type { Leader } from './leader.ts';
import { createPlanRun } from './plan-run.ts';
import { type PullOrder, pullAll, reconcile, stillNews, takeFound } from './pull.ts';
import type { PausedTable, Pusher } from './push.ts';
import { createRate } from './rate.ts';
import { describeRemote, type Failure, failureOf, needsPerson, parseFailure } from './remote-state.ts';
import { createSessionMemory, type Pause } from './session-memory.ts';
import { createTally, type Tally } from './tally.ts';

export type SessionParts = IntakeParts & {
  readonly remote: Remote;
  readonly push: Pusher;
  /** null where every device may talk to the remote. */
  readonly leader: Leader | null;
  readonly isSafeMode: () => boolean;
  /** How often changes are read without a hint. */
  readonly pullEveryMs: number;
  readonly monotonicMs: () => number;
};

export type RunOptions = {
  /** A person asked: waits for a later attempt are not kept. */
  readonly isAsked: boolean;
  /** `first` reads what changed; `if_needed` reads only when sending finds edits over there; `never` leaves these waiting. */
  readonly pull: 'first' | 'if_needed' | 'never';
  readonly push: boolean;
  readonly reconcile?: boolean;
  readonly answer?: LossAnswer;
};

export type Session = {
  readonly remote: Remote;
  /** Another connector, or none: forgets what went wrong with the one before. */
  readonly connect: (connector: Connector | null) => void;
  readonly connector: () => Connector | null;
  /** Reads and sends once, after what runs already. Never rejects: what went wrong is in the answer. */
  readonly run: (options: RunOptions) => Promise<SyncPlan>;
  /** What a run would do, without doing any of it. */
  readonly plan: (options: { readonly pull: boolean }) => Promise<SyncPlan>;
  /** See `sync.decide`. Throws `not_found.entry` when nothing is held. */
  readonly decide: (decision: 'accept' | 'refuse') => Promise<void>;
  readonly status: (summary: OutboxSummary) => RemoteStatus;
  /** Runs by itself from now on. */
  readonly start: () => void;
  /** Something may be due: looks again. `isHint`: the remote says that it changed. */
  readonly wake: (why: 'queued' | 'hint' | 'network') => void;
  /** Ends after what is in flight was given up; nothing is lost by it. */
  readonly stop: () => Promise<void>;
};

export type Holds = { readonly [K in SyncHold['kind']]?: SyncHold };

const IDENTITY_LIMIT_MS = 60_000;
/** A remote that a person has to mend is looked at again, but not at once. */
const BLOCKED_MIN_MS = 60_000;
/** A save during a long wait is worth another look, unless there was one just now. */
const NUDGE_MS = 5_000;
/** From this many failures in a row on one record is sent first, to see whether the remote is well again. */
const PROBE_FAILURES = 3;

export function createSession(parts: SessionParts): Session {
  const { remote, stores, shell, leader } = parts;
  const { states, outbox } = stores;
  const rate = createRate(parts.monotonicMs);
  let connector: Connector | null = null;
  let unlisten = (): void => undefined;
  let isIdentified = false;
  let isRunning = false;
  let isStopped = false;
  let active = 0;
  let pullDueAtMs = 0;
  /** Hints so far: one that comes while a pull runs asks for another one. */
  let hints = 0;
  let reconcileDueAtMs = Number.POSITIVE_INFINITY;
  let triedAtMs = Number.NEGATIVE_INFINITY;
  const kept = createSessionMemory(stores.meta, remote);
  let isFirst = true;
  /** Tables that the last look could not read; the rest was. */
  let unread: ReadonlyMap<SyncTable, PausedTable> = new Map();
  let timer: NodeJS.Timeout | null = null;
  const stopping = new AbortController();
  /** One thing at a time: a pull never meets a push of the same record. */
  let queue: Promise<unknown> = Promise.resolve();

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
  /** Tables that pause now; a pause longer than any that is set comes from before a clock jumped back. */
  const pauses = (): ReadonlyMap<SyncTable, Pause> =>
    new Map([...kept.pauses()].filter(([, { untilMs }]) => waits(untilMs)));
  const pausedTables = (): SyncTable[] => [...pauses().keys()];
  const hinted = (): void => {
    hints += 1;
    pullDueAtMs = 0;
  };
  const assertLeader = (): void => leader?.assert();
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

  /** What keeps a run from beginning; null when nothing does. */
  const gate = ({ isAsked, answer }: RunOptions): AppError | null => {
    if (connector === null) return new AppError('sync.off', `Sync with ${remote} is off.`);
    if (isStopped) return new AppError('remote.unavailable', 'The agent is stopping.');
    if (holds().replaced !== undefined)
      return new AppError('remote.replaced', `${remote} is not the one that was linked.`);
    if (parts.isSafeMode() && !isAsked) return new AppError('sync.safe_mode', 'Sending is paused.');
    if (pausedUntilMs() !== null && !isAsked) return new AppError('remote.unavailable', 'Sending rests for a while.');
    if (leader !== null && !leader.isThisDevice())
      return new AppError('remote.unavailable', `Another device talks to ${remote}.`);
    const last = failure();
    const state = memory();
    if (last === null || isAsked || answer !== undefined) return retryAfterGate(last, state.notBeforeMs);
    if (last.class === 'reauth' && needsPerson(last, state.failures)) return new AppError(last.code, last.message);
    return state.notBeforeMs !== null && waits(state.notBeforeMs) ? new AppError(last.code, last.message) : null;
  };
  /** Nobody's impatience is a reason to call before the time that the remote has set. */
  const retryAfterGate = (last: Failure | null, notBeforeMs: number | null): AppError | null =>
    last?.code === 'remote.rate_limited' && notBeforeMs !== null && waits(notBeforeMs)
      ? new AppError(last.code, last.message, { retryAfterMs: notBeforeMs - shell.nowMs() })
      : null;
  /** A wait longer than any that is set comes from before a clock jumped back. */
  const waits = (untilMs: number): boolean => untilMs > shell.nowMs() && untilMs - shell.nowMs() <= LONGEST_WAIT_MS;

  const identify = async (own: Connector, signal: AbortSignal): Promise<void> => {
    if (isIdentified) return;
    const identity = await withDeadline(IDENTITY_LIMIT_MS, signal, own.identity);
    const known = memory().identity;
    const joined = known === null || known === identity ? identity : (own.joinIdentity?.(known, identity) ?? null);
    if (joined === null)
      throw new AppError('remote.replaced', `${remote} holds another database than the one that was linked.`);
    if (known !== joined) states.update(remote, { identity: joined });
    isIdentified = true;
  };

  const pull = async (own: Connector, options: RunOptions, tally: Tally, signal: AbortSignal): Promise<void> => {
    const hintsBefore = hints;
    const failed = new Map<SyncTable, PausedTable>();
    const onUnread: PullOrder['onUnread'] = (table, { code, message, hint }) =>
      failed.set(table, { code, message, hint });
    const answer = options.answer ?? WEIGH;
    const order = { connector: own, signal, tally, answer, assertMayRead: assertLeader, onUnread };
    const hold = await pullAll(parts, remote, order);
    const compares = options.reconcile === true || reconcileDueAtMs <= parts.monotonicMs();
    const second = compares && hold === null ? await reconcile(parts, remote, order) : null;
    if (compares) reconcileDueAtMs = parts.monotonicMs() + shell.settings().reconcileMs;
    setHold('pull', hold ?? second);
    noteUnread(failed);
    pullDueAtMs = hints === hintsBefore ? parts.monotonicMs() + parts.pullEveryMs : 0;
    states.update(remote, { lastPullAtMs: shell.nowMs() });
  };

  const noteUnread = (failed: typeof unread): void => {
    for (const [table, { code, message }] of failed) {
      if (unread.get(table)?.message === message) continue;
      shell.log.warn('A table cannot be read; the others go on.', { remote, table, code, reason: message });
    }
    for (const table of unread.keys())
      if (!failed.has(table)) shell.log.info('A table can be read again.', { remote, table });
    unread = failed;
  };

  /** What was sent is read once more: only a cursor beyond it can tell when the remote goes back to before it. */
  const readOwn = async (own: Connector, options: RunOptions, tally: Tally, signal: AbortSignal): Promise<void> => {
    if (options.isAsked && options.pull === 'first') await pull(own, { ...options, reconcile: false }, tally, signal);
    else pullDueAtMs = Math.min(pullDueAtMs, parts.monotonicMs() + READ_OWN_MS);
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
        shouldEnd: () => !options.isAsked && pullDueAtMs <= parts.monotonicMs(),
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
    const own = connector;
    if (own === null) return report(tally, null);
    const { signal } = stopping;
    const conflicts = stores.conflicts.countOpen();
    active += 1;
    triedAtMs = parts.monotonicMs();
    shell.onState(remote);
    try {
      if (options.isAsked) kept.setPauses(new Map());
      if (options.reconcile === true) isIdentified = false;
      await identify(own, signal);
      if (options.pull === 'first') await pull(own, options, tally, signal);
      if (options.push) await send(own, options, tally, signal);
      if (tally.moved().pushed > 0) await readOwn(own, options, tally, signal);
      succeeded();
      return report(tally, null);
    } catch (cause) {
      // Another connector is in its place by now: what the old one could not do says nothing of it.
      if (connector !== own) return report(tally, cause instanceof AppError ? cause : bug(cause));
      if (signal.aborted) return report(tally, new AppError('remote.unavailable', 'The agent is stopping.'));
      return report(tally, failed(cause));
    } finally {
      active -= 1;
      if (stores.conflicts.countOpen() !== conflicts) shell.onConflicts();
      shell.onState(remote);
    }
  };
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
  const exclusive = <T>(work: () => Promise<T>): Promise<T> => {
    const next = queue.then(work);
    queue = next.catch(() => undefined);
    return next;
  };

  /** When something is to be done without being asked, by the monotonic clock; null: only when told. */
  const nextAtMs = (): number | null => {
    if (!isRunning || isStopped || connector === null || holds().replaced !== undefined || parts.isSafeMode())
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
    return Math.min(pushAtMs ?? Number.POSITIVE_INFINITY, pullDueAtMs, reconcileDueAtMs, ...ends);
  };
  const arm = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (active > 0) return;
    const atMs = nextAtMs();
    if (atMs === null || atMs === Number.POSITIVE_INFINITY) return;
    timer = setTimeout(() => void tick(), Math.max(0, Math.min(atMs - parts.monotonicMs(), LONGEST_TIMER_MS)));
    timer.unref();
  };
  const tick = async (): Promise<void> => {
    timer = null;
    const atMs = nextAtMs();
    if (atMs !== null && atMs <= parts.monotonicMs() + 1) {
      const pulls = Math.min(pullDueAtMs, reconcileDueAtMs) <= parts.monotonicMs();
      await exclusive(() => runTick(pulls));
    }
    arm();
  };
  const runTick = async (pulls: boolean): Promise<void> => {
    await runOnce({ isAsked: false, pull: pulls ? 'first' : 'if_needed', push: true });
  };

  return {
    remote,
    connector: () => connector,
    connect: (next) => {
      if (next === connector) return;
      unlisten();
      connector = next;
      isIdentified = false;
      // The first one of a start is, as far as anybody knows, the last one of the run before.
      if (!isFirst) kept.setPauses(new Map());
      isFirst = isFirst && next === null;
      unread = new Map();
      states.update(remote, { failures: 0, errorJson: null, notBeforeMs: null });
      pullDueAtMs = 0;
      reconcileDueAtMs = parts.monotonicMs() + shell.settings().reconcileMs;
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
    plan: (options) =>
      exclusive(async () => {
        const tally = createTally();
        const blocked = gate({ isAsked: true, pull: 'first', push: true });
        if (connector === null || (blocked !== null && blocked.code !== 'remote.replaced'))
          return report(tally, blocked);
        try {
          if (blocked === null) await identify(connector, stopping.signal);
          const planRun = createPlanRun(parts, remote, connector);
          const failed = new Map<SyncTable, PausedTable>();
          const onUnread: PullOrder['onUnread'] = (table, { code, message, hint }) =>
            failed.set(table, { code, message, hint });
          const isReplaced = blocked !== null;
          const hold = await planRun({ ...options, tally, signal: stopping.signal, isReplaced, onUnread });
          if (options.pull) noteUnread(failed);
          return { ...report(tally, blocked), hold: worstHold() ?? hold };
        } catch (cause) {
          const error = cause instanceof AppError ? cause : bug(cause);
          return report(tally, error);
        }
      }),
    decide: async (decision) => {
      const hold = worstHold();
      if (hold === null) throw new AppError('not_found.entry', `Nothing of ${remote} is held.`);
      await exclusive(() => decide(hold, decision));
      arm();
      shell.onState(remote);
    },
    status: (summary) => {
      const state = memory();
      const [oldestParked] = summary.parked > 0 ? outbox.parked(remote, 1) : [];
      const allPaused = [...new Map<SyncTable, PausedTable>([...unread, ...pauses()])].map(
        ([table, { code, message, hint }]) => ({
          table,
          code,
          reason: message,
          fix: hint,
        }),
      );
      const hold = worstHold();
      const words = describeRemote({
        isConfigured: summary.configured,
        isConnected: connector !== null,
        isRunning,
        isActive: active > 0,
        isSafeMode: parts.isSafeMode(),
        pausedUntilMs: pausedUntilMs(),
        failure: parseFailure(state.errorJson),
        failures: state.failures,
        hold,
        leader: leader?.state() ?? null,
        paused: allPaused,
        waiting: summary.pending + summary.leased,
        parked: summary.parked,
        parkedCode: oldestParked?.errorCode ?? null,
      });
      const nextMs = active > 0 ? null : nextAtMs();
      const isPlanned = nextMs !== null && nextMs !== Number.POSITIVE_INFINITY;
      return {
        remote,
        configured: summary.configured,
        ...words,
        pending: summary.pending,
        leased: summary.leased,
        parked: summary.parked,
        oldestAtMs: summary.oldestAtMs,
        perSecond: rate.perSecond(),
        etaMs: rate.etaMs(summary.pending + summary.leased),
        lastSuccessAtMs: state.lastSuccessAtMs,
        lastPullAtMs: state.lastPullAtMs,
        nextTryAtMs: isPlanned ? Math.round(shell.nowMs() + Math.max(0, nextMs - parts.monotonicMs())) : null,
        paused: allPaused,
        hold,
        leader: connector === null ? null : (leader?.state() ?? null),
      };
    },
    start: () => {
      isRunning = true;
      arm();
    },
    wake: (why) => {
      if (why === 'hint') hinted();
      const last = failure();
      const isUnreachable = last?.code === 'remote.unreachable';
      const isRested = parts.monotonicMs() - triedAtMs > NUDGE_MS;
      if (isUnreachable && (why === 'network' || isRested)) states.update(remote, { notBeforeMs: null });
      arm();
    },
    stop: async () => {
      isStopped = true;
      isRunning = false;
      if (timer !== null) clearTimeout(timer);
      stopping.abort(new AppError('remote.unavailable', 'The agent is stopping.'));
      unlisten();
      await queue;
    },
  };

  async function decide(hold: SyncHold, decision: 'accept' | 'refuse'): Promise<void> {
    switch (hold.kind) {
      case 'replaced':
        if (decision === 'accept') linkAnew();
        return;
      case 'pull': {
        const answer: LossAnswer =
          decision === 'refuse'
            ? { kind: 'refuse' }
            : { kind: 'accept', deletes: hold.deletes, overwrites: hold.overwrites };
        const { problem } = await runOnce({ isAsked: true, pull: 'first', push: true, reconcile: true, answer });
        // It is one of ours: the report made it of an AppError.
        if (problem !== null) throw new AppError(problem.code as ErrorCode, problem.message, { hint: problem.fix });
        return;
      }
      case 'push':
        if (decision === 'accept') {
          kept.setAllowance(hold.deletes);
          outbox.unparkCode(remote, 'sync.held');
        } else {
          bringBack();
        }
        setHold('push', null);
    }
  }

  /** Nothing of the old links is believed; everything is compared by content and id, and sent where it is missing. */
  function linkAnew(): void {
    stores.write((tx) => {
      stores.links.clear(tx, remote);
      outbox.restartBacklog(tx, remote);
      states.update(remote, { identity: null, pullCursor: null, holdJson: null, failures: 0, errorJson: null });
    });
    isIdentified = false;
    pullDueAtMs = 0;
    while (outbox.fillBacklog(2_000));
  }

  /** The retirements are not sent: the records live on here, too. */
  function bringBack(): void {
    const keys = outbox.list({ remote, state: 'parked', limit: 100_000, offset: 0 }).entries;
    const held = keys.filter((entry) => entry.errorCode === 'sync.held');
    stores.write((tx) => {
      stores.records.apply(
        tx,
        held.flatMap(({ table, recordId }) =>
          table === 'decision_vault' || table === 'memories'
            ? [
                {
                  table,
                  id: recordId,
                  fields: { deletedAtMs: null },
                  origin: 'cli',
                  editedAtMs: null,
                  confirmed: [],
                  remotes: { record: outbox.remotesFor(table), activity: outbox.remotesFor('activities') },
                },
              ]
            : [],
        ),
      );
    });
    for (const table of MERGED_TABLES) shell.onRecords(table);
  }
}

const MERGED_TABLES = ['decision_vault', 'memories'] as const;
const retiredBy = (tally: Tally): number => tally.tables().reduce((sum, { pushDeletes }) => sum + pushDeletes, 0);
const READ_OWN_MS = 10_000;
/** A record that changes over there whenever it is sent gets as many chances. */
const MOST_ROUNDS = 6;
const WEIGH: LossAnswer = { kind: 'weigh' };
const LONGEST_WAIT_MS = 24 * 3_600_000;
const LONGEST_TIMER_MS = 2_000_000_000;
