/** Rate limits in both documented modes, and faults that a test asks for. */
import { ApiError } from './errors.ts';

export type RateMode =
  /** No limit. */
  | { readonly kind: 'none' }
  /** Older text of the documentation: three requests a second on average, bursts allowed (a bucket of tokens). */
  | { readonly kind: 'average'; readonly perSecond: number; readonly burst: number; readonly retryAfterS: number }
  /** Newer text: a fixed budget a connection and 60-second window; `Retry-After` is the rest of the window. */
  | { readonly kind: 'window'; readonly budget: number; readonly windowMs: number };

type Bucket = { tokens: number; atMs: number; windowAtMs: number; used: number };

function limited(retryAfterS: number): ApiError {
  return new ApiError(429, 'rate_limited', 'You have been rate limited. Please try again later.', {
    headers: { 'retry-after': String(Math.max(1, Math.ceil(retryAfterS))) },
    data: { rate_limit_reason: 'public_api_request_rate_limit' },
  });
}

export function createRateLimit(nowMs: () => number): {
  set: (mode: RateMode) => void;
  take: (connection: string) => void;
} {
  let mode: RateMode = { kind: 'none' };
  const buckets = new Map<string, Bucket>();
  return {
    set: (next) => {
      mode = next;
      buckets.clear();
    },
    take: (connection) => {
      if (mode.kind === 'none') return;
      const now = nowMs();
      const fresh = { tokens: mode.kind === 'average' ? mode.burst : 0, atMs: now, windowAtMs: now, used: 0 };
      const bucket = buckets.get(connection) ?? fresh;
      buckets.set(connection, bucket);
      if (mode.kind === 'average') {
        bucket.tokens = Math.min(mode.burst, bucket.tokens + ((now - bucket.atMs) / 1000) * mode.perSecond);
        bucket.atMs = now;
        if (bucket.tokens < 1) throw limited(mode.retryAfterS);
        bucket.tokens -= 1;
        return;
      }
      if (now - bucket.windowAtMs >= mode.windowMs) {
        bucket.windowAtMs = now;
        bucket.used = 0;
      }
      if (bucket.used >= mode.budget) throw limited((bucket.windowAtMs + mode.windowMs - now) / 1000);
      bucket.used += 1;
    },
  };
}

/** What goes wrong with a request that matches. */
export type Fault = {
  /** `GET`, `PATCH`, ...; any when left out. */
  readonly method?: string;
  /** A regular expression on the path; any when left out. */
  readonly path?: string;
  /** How often; 1 when left out. */
  readonly times?: number;
  /** How many matching requests pass unharmed before. */
  readonly skip?: number;
} & (
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly code?: string;
      readonly message?: string;
      readonly retryAfterS?: number;
    }
  /** Answers correctly, later. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** The connection ends before anything was done. */
  | { readonly kind: 'cut-before' }
  /** Everything was done, and the answer never arrives. */
  | { readonly kind: 'cut-after' }
  | { readonly kind: 'html'; readonly status: number }
  /** Valid JSON of somebody else. */
  | { readonly kind: 'foreign' }
  /** The work is done, the JSON of the answer ends in the middle, its length agrees. */
  | { readonly kind: 'truncate' }
  /** The work is done, the answer comes byte by byte and never ends. */
  | { readonly kind: 'drip' }
  /** The work is done, no answer comes and the connection stays open. */
  | { readonly kind: 'hang' }
);

type Waiting = { readonly fault: Fault; left: number; skip: number };

export function createFaults(): {
  add: (fault: Fault) => void;
  clear: () => void;
  take: (method: string, path: string) => Fault | null;
} {
  let waiting: Waiting[] = [];
  return {
    add: (fault) => {
      waiting.push({ fault, left: fault.times ?? 1, skip: fault.skip ?? 0 });
    },
    clear: () => {
      waiting = [];
    },
    take: (method, path) => {
      for (const entry of waiting) {
        const { fault } = entry;
        if (fault.method !== undefined && fault.method !== method) continue;
        if (fault.path !== undefined && !new RegExp(fault.path).test(path)) continue;
        if (entry.skip > 0) {
          entry.skip -= 1;
          continue;
        }
        entry.left -= 1;
        if (entry.left <= 0) waiting = waiting.filter((other) => other !== entry);
        return fault;
      }
      return null;
    },
  };
}
