/** When to try again after the agent did not answer: exponential with full jitter, so that many pages do not knock together. */

const FIRST_MS = 500;
const CAP_MS = 10_000;
/** Below this a retry would only burn the processor of a machine whose agent is starting. */
const FLOOR_MS = 150;

/**
 * The wait before try number `attempt` (from 0), in milliseconds.
 * `random` is uniform in [0, 1).
 */
export function retryDelayMs(attempt: number, random: number): number {
  const ceiling = Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(attempt, 20));
  return Math.max(FLOOR_MS, Math.round(ceiling * random));
}
