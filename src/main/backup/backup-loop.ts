/** One timer for everything that backups do by themselves: set for the next thing that is due, never faster than needed. */

export type BackupLoop = {
  readonly start: () => void;
  /** Something changed: looks again after `withinMs` at the latest. Cheap, so it may be called for every save. */
  readonly wake: (withinMs: number) => void;
  /** Resolves when nothing of it runs any more. */
  readonly stop: () => Promise<void>;
};

/** Timers stand still while a machine sleeps: so often the facts are looked at anyway. */
const LONGEST_MS = 10 * 60_000;
/** What is due and could not be done now is not tried faster than this. */
const SHORTEST_AGAIN_MS = 10_000;

export function createBackupLoop(parts: {
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
  /** When the next thing is due; null when nothing is. */
  readonly nextAtMs: () => Promise<number | null>;
  /** Does what is due. Never rejects. */
  readonly act: () => Promise<void>;
  readonly onBug: (cause: unknown) => void;
}): BackupLoop {
  let timer: NodeJS.Timeout | null = null;
  let dueMs = Number.POSITIVE_INFINITY;
  let isRunning = false;
  let isOver = true;
  let turn: Promise<void> = Promise.resolve();

  const arm = (inMs: number): void => {
    if (isOver) return;
    const atMs = parts.monotonicMs() + inMs;
    if (timer !== null && dueMs <= atMs) return;
    if (timer !== null) clearTimeout(timer);
    dueMs = atMs;
    timer = setTimeout(fire, inMs);
    timer.unref();
  };
  const fire = (): void => {
    timer = null;
    dueMs = Number.POSITIVE_INFINITY;
    if (isRunning) return;
    isRunning = true;
    turn = run()
      .catch((cause: unknown) => {
        parts.onBug(cause);
        arm(LONGEST_MS);
      })
      .finally(() => {
        isRunning = false;
      });
  };
  const run = async (): Promise<void> => {
    const dueAtMs = await parts.nextAtMs();
    const isDue = dueAtMs !== null && dueAtMs <= parts.nowMs();
    if (isDue) await parts.act();
    const nextAtMs = isOver ? null : await parts.nextAtMs();
    const waitMs = nextAtMs === null ? LONGEST_MS : nextAtMs - parts.nowMs();
    arm(Math.min(LONGEST_MS, Math.max(waitMs, isDue ? SHORTEST_AGAIN_MS : 1)));
  };
  return {
    start: () => {
      isOver = false;
      arm(0);
    },
    wake: (withinMs) => {
      // While it runs it looks again at its end.
      if (!isRunning) arm(Math.max(0, withinMs));
    },
    stop: async () => {
      isOver = true;
      if (timer !== null) clearTimeout(timer);
      timer = null;
      await turn;
    },
  };
}
