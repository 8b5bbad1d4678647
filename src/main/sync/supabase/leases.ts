import { z } from 'zod';
import { AppError } from '../../../shared/errors.ts';
import type { SupabaseConnection } from './client.ts';

/** A lease that this device holds. The fence grows with every change of holder: what is written under it can carry it. */
export type HeldLease = {
  readonly name: string;
  readonly fence: number;
  /** By the clock of the caller, reckoned from when it asked: never later than the server's end. */
  readonly untilMs: number;
};

export type LeaseAnswer =
  | { readonly kind: 'held'; readonly lease: HeldLease }
  /** Another device has it. */
  | { readonly kind: 'other'; readonly holder: string; readonly remainingMs: number };

/** Elects one of several devices. Time is the server's alone, so that clocks need not agree. */
export type Leases = {
  /** Takes a lease that is free, over, or held by this device already (then the fence stays). */
  readonly take: (name: string, ttlMs: number, signal: AbortSignal) => Promise<LeaseAnswer>;
  /** Null when it is not held any more: whatever it allowed has to stop. */
  readonly renew: (lease: HeldLease, ttlMs: number, signal: AbortSignal) => Promise<HeldLease | null>;
  /** Gives it back early. False when it was not held any more. */
  readonly release: (lease: HeldLease, signal: AbortSignal) => Promise<boolean>;
};

const taken = z.object({ taken: z.boolean(), holder: z.string(), fence: z.number(), remaining_ms: z.number() });

export function createSupabaseLeases(parts: {
  readonly connection: SupabaseConnection;
  readonly deviceId: string;
  /** A clock that never goes back, in milliseconds; also what `untilMs` is of. */
  readonly nowMs: () => number;
}): Leases {
  const { connection, deviceId, nowMs } = parts;
  const call = async <Schema extends z.ZodType>(
    name: string,
    args: Readonly<Record<string, unknown>>,
    schema: Schema,
    signal: AbortSignal,
  ): Promise<z.infer<Schema>> => {
    const answer = schema.safeParse(await connection.call(name, { ...args, p_device: deviceId }, signal));
    if (answer.success) return answer.data;
    throw new AppError('remote.bad_answer', 'The answer about a lease is of another form.', { retryable: true });
  };
  return {
    take: async (name, ttlMs, signal) => {
      const askedMs = nowMs();
      const answer = await call('angles_lease_take', { p_name: name, p_ttl_ms: ttlMs }, taken, signal);
      if (!answer.taken) return { kind: 'other', holder: answer.holder, remainingMs: answer.remaining_ms };
      return { kind: 'held', lease: { name, fence: answer.fence, untilMs: askedMs + ttlMs } };
    },
    renew: async (lease, ttlMs, signal) => {
      const askedMs = nowMs();
      const args = { p_name: lease.name, p_fence: lease.fence, p_ttl_ms: ttlMs };
      const isHeld = await call('angles_lease_renew', args, z.boolean(), signal);
      return isHeld ? { ...lease, untilMs: askedMs + ttlMs } : null;
    },
    release: (lease, signal) =>
      call('angles_lease_release', { p_name: lease.name, p_fence: lease.fence }, z.boolean(), signal),
  };
}
