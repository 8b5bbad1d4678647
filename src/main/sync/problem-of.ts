import { type AppError, exitCodeOf } from '../../shared/errors.ts';

/** A failure as the contract tells it. */
export const problemOf = (error: AppError) => ({
  code: error.code,
  message: error.message,
  fix: error.hint,
  exitCode: exitCodeOf(error),
});
