/** Failures as the reason of a state: what is kept of them, and what a face is told. */
import type { Destination } from '../../shared/contract-backup.ts';
import { AppError, ERROR_CATALOGUE } from '../../shared/errors.ts';
import type { StoredProblem } from './memory.ts';

export type ProblemView = NonNullable<Destination['problem']>;

/** What is kept of a failure. A bug keeps its words, so that a person sees more than "internal". */
export function toStored(cause: unknown): StoredProblem {
  if (cause instanceof AppError) return { code: cause.code, message: cause.message, hint: cause.hint };
  const message = cause instanceof Error ? cause.message : String(cause);
  return { code: 'internal', message, hint: ERROR_CATALOGUE.internal.fix };
}

export function viewProblem(problem: StoredProblem): ProblemView {
  return {
    code: problem.code,
    message: problem.message,
    fix: problem.hint,
    exitCode: ERROR_CATALOGUE[problem.code]?.exitCode ?? 1,
  };
}

/** Problems that end by themselves: an unreachable server, a busy moment. Everything else waits for a person. */
export function isPassing(problem: StoredProblem): boolean {
  return PASSING.has(problem.code);
}

const PASSING: ReadonlySet<string> = new Set([
  'backup.unreachable',
  'backup.busy',
  'remote.unreachable',
  'remote.unavailable',
  'remote.rate_limited',
  'remote.bad_answer',
  'interrupted',
]);
