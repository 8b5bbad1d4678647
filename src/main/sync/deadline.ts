import { AppError } from '../../shared/errors.ts';

/**
 * Runs one call to a remote with a time limit. The call gets a signal; one that does not listen to it is left behind.
 * Rejects with `remote.unreachable` when the time is over, with the reason of `signal` when that is aborted.
 */
export async function withDeadline<T>(
  limitMs: number,
  signal: AbortSignal,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  let settle: (reason: unknown) => void = () => undefined;
  const ended = new Promise<never>((_resolve, reject) => {
    settle = reject;
  });
  // Whoever loses the race has nobody left who listens.
  ended.catch(() => undefined);
  const end = (reason: unknown): void => {
    controller.abort(reason);
    settle(reason);
  };
  const onAbort = (): void => end(signal.reason);
  const timer = setTimeout(() => {
    end(new AppError('remote.unreachable', `No answer came within ${Math.round(limitMs / 1_000)} s.`));
  }, limitMs);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([call(controller.signal), ended]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
