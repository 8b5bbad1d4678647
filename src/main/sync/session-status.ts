/** What is told of a remote, from what is stored and what runs. */
import type { RemoteStatus } from '../../shared/contract-sync.ts';
import type { OutboxSummary } from '../../shared/model.ts';
import type { SyncTable } from './connector.ts';
import type { PausedTable } from './push.ts';
import type { Rate } from './rate.ts';
import { describeRemote, parseFailure } from './remote-state.ts';
import type { SessionFacts } from './session-facts.ts';
import type { SessionParts, SessionState } from './session-parts.ts';

/** `nextAtMs`: when something is done without being asked, by the monotonic clock. */
export function statusOf(
  parts: SessionParts,
  state: Readonly<SessionState>,
  { memory, pauses, worstHold, pausedUntilMs }: SessionFacts,
  summary: OutboxSummary,
  { rate, nextAtMs }: { readonly rate: Rate; readonly nextAtMs: () => number | null },
): RemoteStatus {
  const { remote, stores, shell, leader } = parts;
  const { outbox } = stores;
  const stored = memory();
  const [oldestParked] = summary.parked > 0 ? outbox.parked(remote, 1) : [];
  const allPaused = [...new Map<SyncTable, PausedTable>([...state.unread, ...pauses()])].map(
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
    isConnected: state.connector !== null,
    isRunning: state.isRunning,
    isActive: state.active > 0,
    isSafeMode: parts.isSafeMode(),
    pausedUntilMs: pausedUntilMs(),
    failure: parseFailure(stored.errorJson),
    failures: stored.failures,
    hold,
    leader: leader?.state() ?? null,
    paused: allPaused,
    waiting: summary.pending + summary.leased,
    parked: summary.parked,
    parkedCode: oldestParked?.errorCode ?? null,
  });
  const nextMs = state.active > 0 ? null : nextAtMs();
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
    lastSuccessAtMs: stored.lastSuccessAtMs,
    lastPullAtMs: stored.lastPullAtMs,
    nextTryAtMs: isPlanned ? Math.round(shell.nowMs() + Math.max(0, nextMs - parts.monotonicMs())) : null,
    paused: allPaused,
    hold,
    leader: state.connector === null ? null : (leader?.state() ?? null),
  };
}
