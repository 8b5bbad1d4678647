const WITHIN_MS = 5 * 60_000;
const MOST = 3;

/** Decides whether a page that crashed is opened again: three times in five minutes, then it stays closed. */
export function createCrashGuard(nowMs: () => number): { readonly mayReopen: () => boolean } {
  let crashes: number[] = [];
  return {
    mayReopen: () => {
      crashes = [...crashes.filter((timeMs) => nowMs() - timeMs < WITHIN_MS), nowMs()];
      return crashes.length <= MOST;
    },
  };
}
