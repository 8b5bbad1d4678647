import { AppError } from '../../shared/errors.ts';

/** Lets one backup or restore run at a time in this process; the lock of the data folder keeps other processes out. */
export type Exclusive = {
  /**
   * Throws `backup.busy`, naming what runs. What the agent began by itself (`isAutomatic`) refuses nobody: a person's
   * work waits until it has ended.
   */
  readonly run: <T>(what: string, work: () => Promise<T>, options?: { readonly isAutomatic: boolean }) => Promise<T>;
  /** What runs now; null when nothing does. */
  readonly running: () => string | null;
};

type Running = { readonly what: string; readonly isAutomatic: boolean; readonly ended: Promise<void> };

export function createExclusive(): Exclusive {
  let current: Running | null = null;
  const busy = ({ what }: Running): AppError =>
    new AppError('backup.busy', `A ${what} is running.`, { retryable: true });
  return {
    run: async (what, work, { isAutomatic } = { isAutomatic: false }) => {
      while (current?.isAutomatic === true && !isAutomatic) await current.ended;
      if (current !== null) throw busy(current);
      const { promise: ended, resolve: end } = Promise.withResolvers<void>();
      const mine: Running = { what, isAutomatic, ended };
      current = mine;
      try {
        return await work();
      } finally {
        current = null;
        end();
      }
    },
    running: () => current?.what ?? null,
  };
}
