/** The one back-off of everything that is tried again. Pure; chance is handed in. */

const FIRST_MS = 1_000;
export const LONGEST_BACKOFF_MS = 15 * 60_000;
/** Several devices told the same time must not come back in the same instant. */
const AFTER_JITTER_MS = 500;

/**
 * How long to wait after `failures` failures in a row (1 after the first): exponential with full jitter, at most 15
 * minutes. A remote that says when to come back is obeyed, however long that is.
 */
export function backoffMs(failures: number, random: () => number, retryAfterMs?: number): number {
  if (retryAfterMs !== undefined) return Math.ceil(Math.max(0, retryAfterMs) + random() * AFTER_JITTER_MS);
  const ceiling = Math.min(LONGEST_BACKOFF_MS, FIRST_MS * 2 ** Math.min(30, Math.max(0, failures - 1)));
  return Math.round(random() * ceiling);
}
