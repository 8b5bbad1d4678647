import { AppError, type ErrorCode } from '../../shared/errors.ts';

/** What keeps a root from being captured, with words for a person. */
export type Trouble = { readonly code: ErrorCode; readonly detail: string };

/** What a failed scan or capture says about the root; null when it is a bug. Pure. */
export function toTrouble(cause: unknown): Trouble | null {
  if (cause instanceof AppError) return { code: cause.code, detail: cause.message };
  const systemCode = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  // A thread that cannot be started says it in its text only.
  const answer = systemCode === 'ERR_WORKER_INIT_FAILED' ? /: (\w+)$/.exec(String(cause))?.[1] : systemCode;
  if (answer !== 'EMFILE' && answer !== 'ENFILE' && answer !== 'EAGAIN') return null;
  return { code: 'watch.limited', detail: `The system answered ${answer}: too many open files or threads.` };
}
