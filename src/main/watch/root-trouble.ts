import { AppError, ERROR_CATALOGUE } from '../../shared/errors.ts';
import type { RootContext } from './root-context.ts';
import { type Trouble, toTrouble } from './trouble.ts';

/**
 * Why a root is not simply watched, and what the vault could not take of it yet. One trouble is told at a time: the
 * newest one. A trouble of the vault (a full disk) ends only when everything that it kept out is in.
 */
export type RootTrouble = {
  readonly current: () => Trouble | null;
  readonly set: (trouble: Trouble | null) => void;
  /** Tells what went wrong: as a trouble of this root when it is one, else in the log. */
  readonly explain: (cause: unknown) => void;
  /** What these paths hold could not be captured, and why. */
  readonly failed: (cause: unknown, paths: readonly string[]) => void;
  /** What these paths hold is durable, or waits for its writer. */
  readonly done: (paths: readonly string[]) => void;
  /** A scan could not record what it found; what that was, only another scan tells. */
  readonly scanFailed: (cause: unknown) => void;
  /** A scan of the whole ended well. What the vault did not take of events stays: a scan passes it over. */
  readonly scanned: (isLimited: boolean) => void;
};

export function createRootTrouble({ parts, rootPath }: RootContext, onChange: () => void): RootTrouble {
  let current: Trouble | null = null;
  const unsaved = new Set<string>();
  let hasUnsavedScan = false;
  const isOfVault = (): boolean => current?.code.startsWith('data.') === true;

  const set = (next: Trouble | null): void => {
    if (current?.code === next?.code && current?.detail === next?.detail) return;
    current = next;
    if (next !== null)
      parts.log.warn(ERROR_CATALOGUE[next.code].title, { root: rootPath, code: next.code, detail: next.detail });
    onChange();
  };

  const explain = (cause: unknown): void => {
    if (cause instanceof AppError && cause.code === 'interrupted') return;
    const explained = toTrouble(cause);
    if (explained !== null) set(explained);
    else parts.log.error('Capturing failed in an unexpected way.', { root: rootPath, error: cause });
  };

  return {
    current: () => current,
    set,
    explain,
    failed: (cause, paths) => {
      if (isFailureOfVault(cause)) for (const path of paths) unsaved.add(path);
      explain(cause);
    },
    done: (paths) => {
      for (const path of paths) unsaved.delete(path);
      // One save that fits says nothing of a full disk while others wait for space.
      if (isOfVault() && unsaved.size === 0 && !hasUnsavedScan) set(null);
    },
    scanFailed: (cause) => {
      if (isFailureOfVault(cause)) hasUnsavedScan = true;
    },
    scanned: (isLimited) => {
      hasUnsavedScan = false;
      if (isOfVault() && unsaved.size > 0) return;
      if (!isLimited) set(null);
      else if (current?.code !== 'watch.limited')
        set({ code: 'watch.limited', detail: 'Not all folders can be watched.' });
    },
  };
}

function isFailureOfVault(cause: unknown): boolean {
  return cause instanceof AppError && cause.code.startsWith('data.');
}
