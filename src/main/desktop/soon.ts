/** Runs a task at most once in `everyMs`, at once when it has rested, and always after the last call. */
export function createSoon(
  everyMs: number,
  task: () => void,
): { readonly call: () => void; readonly stop: () => void } {
  let timer: NodeJS.Timeout | null = null;
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    call: () => {
      timer ??= setTimeout(
        () => {
          timer = null;
          lastMs = performance.now();
          task();
        },
        Math.max(0, lastMs + everyMs - performance.now()),
      );
    },
    stop: () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}
