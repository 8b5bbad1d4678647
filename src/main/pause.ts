import { AppError } from '../shared/errors.ts';

/**
 * A pause of everything that leaves this machine or works in the background: sending and backing up. Watching and
 * capturing go on, so nothing is lost by a pause, and forgetting about one cannot lose anything either: it ends by
 * itself. It survives a restart.
 */
export type Pause = {
  /** When it ends; null when nothing is paused. What sends or backs up asks this before it begins. */
  readonly untilMs: () => number | null;
  /** Throws `usage.bad_argument` for a time that has passed or is more than {@link LONGEST_PAUSE_MS} away. */
  readonly start: (untilMs: number) => void;
  readonly end: () => void;
  /** Calls off the timer; the pause itself stays. */
  readonly close: () => void;
};

export const LONGEST_PAUSE_MS = 14 * 86_400_000;

export type PauseNeeds = {
  readonly meta: { readonly get: (key: string) => string | null; readonly set: (key: string, value: string) => void };
  readonly nowMs: () => number;
  /** Called when a pause began, ended, or ran out. */
  readonly onChange: () => void;
};

const KEY = 'paused_until_ms';

export function createPause({ meta, nowMs, onChange }: PauseNeeds): Pause {
  let timer: NodeJS.Timeout | null = null;
  const stored = (): number => Number(meta.get(KEY) ?? '0') || 0;
  const untilMs = (): number | null => {
    const until = stored();
    const left = until - nowMs();
    // A clock that was set back must not make a pause longer than one can be asked for.
    return left > 0 && left <= LONGEST_PAUSE_MS ? until : null;
  };
  const watchEnd = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const until = untilMs();
    if (until === null) return;
    timer = setTimeout(() => {
      watchEnd();
      if (untilMs() === null) onChange();
    }, until - nowMs());
    timer.unref();
  };
  watchEnd();
  return {
    untilMs,
    start: (until) => {
      const left = until - nowMs();
      if (left <= 0) throw new AppError('usage.bad_argument', 'A pause must end in the future.');
      if (left > LONGEST_PAUSE_MS) throw new AppError('usage.bad_argument', 'A pause may last 14 days at most.');
      meta.set(KEY, String(until));
      watchEnd();
      onChange();
    },
    end: () => {
      if (stored() === 0) return;
      meta.set(KEY, '0');
      watchEnd();
      onChange();
    },
    close: () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}
