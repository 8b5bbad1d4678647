import { AppError } from '../../shared/errors.ts';

/** Lets one backup or restore run at a time in this process; the lock of the data folder keeps other processes out. */
export type Exclusive = {
  /** Throws `backup.busy`, naming what runs. */
  readonly run: <T>(what: string, work: () => Promise<T>) => Promise<T>;
  /** What runs now; null when nothing does. */
  readonly running: () => string | null;
};

export function createExclusive(): Exclusive {
  let current: string | null = null;
  return {
    run: async (what, work) => {
      if (current !== null) throw new AppError('backup.busy', `A ${current} is running.`, { retryable: true });
      current = what;
      try {
        return await work();
      } finally {
        current = null;
      }
    },
    running: () => current,
  };
}
