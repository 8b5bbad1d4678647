/**
 * The one gate of all requests of a connection: as fast as the service allows and not faster. After a 429 or 529 it
 * refuses everything until the `Retry-After` is over, without asking the service: waiting is the engine's part.
 */
import PQueue from 'p-queue';
import { AppError } from '../../../shared/errors.ts';

/** A little below the documented three a second: requests that left evenly do not arrive evenly. */
const WINDOW_MS = 1010;
const SLOWEST = 0.25;
/** After how many requests in a row without a refusal the rate goes up again. */
const CALM_REQUESTS = 60;
/** Without a `Retry-After`: what the service most likely meant. */
const DEFAULT_PAUSE_MS = 1000;

export type Limiter = {
  /** Runs a request when its turn comes. Throws `remote.rate_limited` instead while the service wants none. */
  readonly run: <T>(request: () => Promise<T>, signal: AbortSignal) => Promise<T>;
  /** The service refused: nothing is sent for so long, and slower afterwards. */
  readonly pause: (retryAfterMs: number | undefined) => void;
  readonly ratePerSecond: () => number;
};

export function createLimiter(options: { readonly perSecond: number; readonly monotonicMs: () => number }): Limiter {
  let rate = options.perSecond;
  let calm = 0;
  let closedUntilMs = Number.NEGATIVE_INFINITY;
  let queue = makeQueue(rate);

  const adapt = (next: number): void => {
    const bounded = Math.min(options.perSecond, Math.max(SLOWEST, next));
    calm = 0;
    if (bounded === rate) return;
    rate = bounded;
    queue = makeQueue(rate);
  };
  const refuseWhileClosed = (): void => {
    const left = closedUntilMs - options.monotonicMs();
    if (left <= 0) return;
    throw new AppError('remote.rate_limited', `Notion asked to wait another ${Math.ceil(left / 1000)} s`, {
      retryAfterMs: Math.ceil(left),
      retryable: true,
    });
  };
  return {
    run: async (request, signal) => {
      refuseWhileClosed();
      return queue.add(
        async () => {
          refuseWhileClosed();
          const result = await request();
          calm += 1;
          if (calm >= CALM_REQUESTS) adapt(rate * 1.2);
          return result;
        },
        { signal },
      );
    },
    pause: (retryAfterMs) => {
      const until = options.monotonicMs() + (retryAfterMs ?? DEFAULT_PAUSE_MS);
      // Answers to requests that were under way already say the same once more; they slow down nothing further.
      if (until > closedUntilMs + 500) adapt(rate / 1.5);
      closedUntilMs = Math.max(closedUntilMs, until);
    },
    ratePerSecond: () => rate,
  };
}

/** Whole requests a window: a rate of 1.3 is 13 in ten seconds. */
function makeQueue(perSecond: number): PQueue {
  const whole = perSecond >= 3;
  return new PQueue({
    concurrency: 6,
    intervalCap: whole ? Math.floor(perSecond) : 1,
    interval: whole ? WINDOW_MS : Math.ceil(WINDOW_MS / perSecond),
    strict: true,
  });
}
