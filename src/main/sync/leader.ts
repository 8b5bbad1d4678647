/** Elects the one device that talks to a remote which all devices share. */
import type { SyncLeader } from '../../shared/contract-sync.ts';
import { AppError } from '../../shared/errors.ts';
import type { SyncLogger } from './parts.ts';

/** A lease in a place that all devices see: the Supabase project. Errors are AppErrors `remote.*`. */
export type LeaseService = {
  /** Takes a lease that nobody holds, or that this device holds already. `fencing` grows with each holder. */
  readonly take: (
    name: string,
    ttlMs: number,
    signal: AbortSignal,
  ) => Promise<
    { readonly fencing: number; readonly untilMs: number } | { readonly heldBy: string; readonly untilMs: number }
  >;
  /** False when somebody else took it meanwhile. */
  readonly renew: (name: string, fencing: number, ttlMs: number, signal: AbortSignal) => Promise<boolean>;
  readonly release: (name: string, fencing: number, signal: AbortSignal) => Promise<void>;
};

/** A lease that its holder stops renewing is free after this long ... */
export const LEASE_TTL_MS = 40_000;
/** ... and is looked at this often: another device takes over within their sum. */
export const LEASE_EVERY_MS = 15_000;
/** Before its end a lease counts as over: a write that was begun must not end after it. */
const MARGIN_MS = 5_000;
const CALL_LIMIT_MS = 10_000;

export type Leader = {
  /** Whether this device may write now; to be asked before each write. */
  readonly isThisDevice: () => boolean;
  /** Throws `remote.unavailable` when this device may not. */
  readonly assert: () => void;
  readonly state: () => SyncLeader;
  /** With null this device is alone, and always the leader. */
  readonly setService: (service: LeaseService | null) => void;
  /** Takes or renews the lease now; never rejects. */
  readonly check: () => Promise<void>;
  readonly start: () => void;
  /** Gives the lease back. */
  readonly stop: () => Promise<void>;
};

export type LeaderParts = {
  readonly name: string;
  readonly deviceId: string;
  /** Only durations count: clocks of two machines never agree. */
  readonly monotonicMs: () => number;
  readonly nowMs: () => number;
  readonly log: SyncLogger;
  readonly onChange: () => void;
  /**
   * Whether no other device is known to share the project. Such a one goes on while leases cannot be asked for: trouble
   * with one service must not stop another one where nobody competes.
   */
  readonly isAlone?: () => boolean;
};

type Held = { readonly fencing: number; readonly endsAtMs: number };

export function createLeader(parts: LeaderParts): Leader {
  const { name, monotonicMs } = parts;
  let service: LeaseService | null = null;
  let held: Held | null = null;
  let other: string | null = null;
  /** Until when this device counts as the leader for being alone. */
  let aloneUntilMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | null = null;
  let wasLeader = false;

  const isThisDevice = (): boolean => {
    const endsAtMs = Math.max(held?.endsAtMs ?? Number.NEGATIVE_INFINITY, aloneUntilMs);
    return service === null || monotonicMs() < endsAtMs - MARGIN_MS;
  };
  const check = async (): Promise<void> => {
    const asked = service;
    if (asked === null) return;
    // The lease begins at the latest when the answer comes, and at the earliest when it was asked for.
    const endsAtMs = monotonicMs() + LEASE_TTL_MS;
    const signal = AbortSignal.timeout(CALL_LIMIT_MS);
    try {
      if (held !== null && (await asked.renew(name, held.fencing, LEASE_TTL_MS, signal))) {
        if (service === asked) held = { ...held, endsAtMs };
      } else {
        const answer = await asked.take(name, LEASE_TTL_MS, signal);
        if (service !== asked) return;
        aloneUntilMs = Number.NEGATIVE_INFINITY;
        held = 'fencing' in answer ? { fencing: answer.fencing, endsAtMs } : null;
        other = 'heldBy' in answer ? answer.heldBy : null;
      }
    } catch (cause) {
      // Without an answer the lease runs out by itself, and this device stops writing in time.
      if (!(cause instanceof Error)) throw cause;
      if (service === asked && parts.isAlone?.() === true) aloneUntilMs = endsAtMs;
    }
    tellChange();
  };
  const tellChange = (): void => {
    const now = isThisDevice();
    if (now === wasLeader) return;
    wasLeader = now;
    parts.log.info(now ? 'This device is the leader.' : 'This device is not the leader any more.', { lease: name });
    parts.onChange();
  };
  return {
    isThisDevice,
    assert: () => {
      if (!isThisDevice())
        throw new AppError('remote.unavailable', 'Another device has taken over.', { retryAfterMs: LEASE_EVERY_MS });
    },
    state: () => {
      if (service === null || isThisDevice()) {
        const leftMs = held === null ? null : Math.max(0, held.endsAtMs - monotonicMs());
        return {
          kind: 'this_device',
          deviceId: parts.deviceId,
          untilMs: service === null || leftMs === null ? null : Math.round(parts.nowMs() + leftMs),
        };
      }
      return { kind: other === null ? 'none' : 'other_device', deviceId: other, untilMs: null };
    },
    setService: (next) => {
      if (next === service) return;
      service = next;
      held = null;
      other = null;
      aloneUntilMs = Number.NEGATIVE_INFINITY;
      tellChange();
      if (timer !== null) void check();
    },
    check,
    start: () => {
      wasLeader = isThisDevice();
      timer ??= setInterval(() => void check(), LEASE_EVERY_MS);
      timer.unref();
      void check();
    },
    stop: async () => {
      if (timer !== null) clearInterval(timer);
      timer = null;
      const { fencing } = held ?? {};
      held = null;
      if (service === null || fencing === undefined) return;
      try {
        await service.release(name, fencing, AbortSignal.timeout(CALL_LIMIT_MS));
      } catch (cause) {
        parts.log.warn('The lease could not be given back; it ends by itself.', { lease: name, error: cause });
      }
    },
  };
}
