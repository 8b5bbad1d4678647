import { z } from 'zod';
import { AppError } from '../../../shared/errors.ts';
import type { SupabaseConnection } from './client.ts';

export type LeaseAnswer =
  /** This device holds it. `fencing` grows whenever the holder may have been another one meanwhile. */
  { readonly fencing: number; readonly untilMs: number } | { readonly heldBy: string; readonly untilMs: number };

/**
 * Elects one of several devices. Time is the server's alone, so that clocks need not agree; `untilMs` is of the caller's
 * clock, reckoned from before the question: never later than the server's end.
 */
export type Leases = {
  /** Takes a lease that is free, over, or held by this device already (then `fencing` stays). */
  readonly take: (name: string, ttlMs: number, signal: AbortSignal) => Promise<LeaseAnswer>;
  /** False when it is not held any more, or was over: whatever it allowed has to stop. */
  readonly renew: (name: string, fencing: number, ttlMs: number, signal: AbortSignal) => Promise<boolean>;
  /** Gives it back early; does nothing when it was not held any more. */
  readonly release: (name: string, fencing: number, signal: AbortSignal) => Promise<void>;
};

const taken = z.object({ taken: z.boolean(), holder: z.string(), fence: z.number(), remaining_ms: z.number() });

export function createSupabaseLeases(parts: {
  readonly connection: SupabaseConnection;
  readonly deviceId: string;
  /** What `untilMs` is of. */
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
      if (answer.taken) return { fencing: answer.fence, untilMs: askedMs + ttlMs };
      return { heldBy: answer.holder, untilMs: nowMs() + answer.remaining_ms };
    },
    renew: (name, fencing, ttlMs, signal) =>
      call('angles_lease_renew', { p_name: name, p_fence: fencing, p_ttl_ms: ttlMs }, z.boolean(), signal),
    release: async (name, fencing, signal) => {
      await call('angles_lease_release', { p_name: name, p_fence: fencing }, z.boolean(), signal);
    },
  };
}
