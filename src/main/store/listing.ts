import { AppError } from '../../shared/errors.ts';

/** A cursor that is a change number. Throws `usage.bad_argument` for anything else. */
export function parseSeqCursor(cursor: string): number {
  if (!/^\d{1,15}$/.test(cursor)) {
    throw new AppError('usage.bad_argument', 'The position in the list is not valid.', {
      hint: 'Read the list again from its beginning.',
    });
  }
  return Number(cursor);
}
