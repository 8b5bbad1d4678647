import { AppError } from '../../shared/errors.ts';

/** Failures on our side are not failures of the file that is read. Throws `data.full`, `data.io_error`, `data.unwritable`. */
export function inObjectStore<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw toObjectError(cause);
  }
}

/** What a failed call on a file in `objects/` means. */
export function toObjectError(cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new AppError('data.full', 'No space is left in the data folder.', { cause, retryable: true });
  if (code === 'EIO')
    return new AppError('data.io_error', 'The object store cannot be written.', { cause, retryable: true });
  return new AppError('data.unwritable', `The object store cannot be written: ${code}.`, { cause, retryable: true });
}
