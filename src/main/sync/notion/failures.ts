/** Turns what the client throws into the failures of a remote. Classes: see `errorClassOf`. */
import { AppError, type ErrorCode } from '../../../shared/errors.ts';

/** The parts of an error of the client that we look at; its classes are not imported, as the client is loaded late. */
type ClientError = {
  readonly name?: string;
  readonly code?: string;
  readonly status?: number;
  readonly message?: string;
  readonly headers?: unknown;
  readonly cause?: unknown;
};

const SERVICE = 'Notion';
/** Longest time to wait that is believed; a header that says more is one of a proxy, or a mistake. */
const MAX_RETRY_AFTER_MS = 3_600_000;

export function retryAfterMsOf(headers: unknown): number | undefined {
  const get = (headers as { get?: (name: string) => string | null } | undefined)?.get;
  const text = typeof get === 'function' ? get.call(headers, 'retry-after') : null;
  if (text === null || !/^\d+$/.test(text.trim())) return undefined;
  return Math.min(Number(text) * 1000, MAX_RETRY_AFTER_MS);
}

function validation(message: string): ErrorCode {
  if (/is not a property that exists|is expected to be|Could not find property|does not match filter/i.test(message))
    return 'remote.schema';
  if (/\.length should be ≤|too large|more than \d+ blocks/i.test(message)) return 'remote.too_large';
  return 'remote.rejected';
}

/** A plan without room for more: the form of this error is not documented, so it is known by its words. */
const isQuota = (message: string): boolean =>
  /block limit|blocks? (?:usage )?limit|upgrade .*plan|plan restriction/i.test(message);

function codeOfStatus(status: number, code: string, message: string): ErrorCode {
  if (status === 401) return 'remote.unauthorized';
  if (status >= 400 && status < 500 && isQuota(message)) return 'remote.quota';
  if (status === 403) return 'remote.forbidden';
  if (status === 404) return code === 'object_not_found' ? 'remote.not_shared' : 'remote.bad_answer';
  if (status === 413) return 'remote.too_large';
  if (status === 429) return 'remote.rate_limited';
  if (status === 400) return code === 'validation_error' ? validation(message) : 'remote.rejected';
  if (status === 408 || status === 409 || status === 425 || status >= 500) return 'remote.unavailable';
  return 'remote.rejected';
}

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|ERR_SSL/;

function network(cause: unknown): string {
  for (let one: unknown = cause, depth = 0; one !== undefined && one !== null && depth < 5; depth += 1) {
    const code = (one as ClientError).code;
    if (typeof code === 'string') {
      if (CERTIFICATE.test(code)) return `its certificate is not accepted (${code})`;
      if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `its name cannot be looked up (${code})`;
      if (code === 'ECONNREFUSED') return 'it refuses the connection (ECONNREFUSED)';
      return `the connection broke (${code})`;
    }
    one = (one as ClientError).cause;
  }
  return 'the connection broke';
}

/** One line of a text of somebody else, short enough for a message. */
const short = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, 300);

/**
 * The failure behind anything that a request threw. `timedOutMs` is set when our own time limit ended it, `aborted` when
 * the caller did.
 */
export function notionFailure(
  cause: unknown,
  what: string,
  ended: { readonly timedOutMs?: number; readonly aborted?: boolean } = {},
): AppError {
  if (cause instanceof AppError) return cause;
  if (ended.aborted) return new AppError('interrupted', `${what} was interrupted`, { cause, retryable: true });
  if (ended.timedOutMs !== undefined) {
    const message = `${SERVICE} did not answer within ${Math.round(ended.timedOutMs / 1000)} s (${what})`;
    return new AppError('remote.unreachable', message, { cause, retryable: true });
  }
  const error = cause as ClientError;
  if (cause instanceof SyntaxError) {
    return new AppError('remote.bad_answer', `${SERVICE} answered with something that is not JSON (${what})`, {
      cause,
      retryable: true,
    });
  }
  if (typeof error.status !== 'number') {
    if (error.code === 'notionhq_client_request_timeout') {
      return new AppError('remote.unreachable', `${SERVICE} did not answer in time (${what})`, {
        cause,
        retryable: true,
      });
    }
    return new AppError('remote.unreachable', `${SERVICE} cannot be reached: ${network(cause)} (${what})`, {
      cause,
      retryable: true,
    });
  }
  const spoken = error.code !== 'notionhq_client_response_error';
  const message = short(error.message ?? '');
  // An answer in another form than Notion's: something between us and it spoke.
  const code = spoken
    ? codeOfStatus(error.status, error.code ?? '', message)
    : error.status >= 500 || error.status === 429
      ? codeOfStatus(error.status, '', '')
      : 'remote.bad_answer';
  const retryAfterMs = retryAfterMsOf(error.headers);
  return new AppError(code, `${SERVICE} answered ${error.status}: ${message} (${what})`, {
    cause,
    retryable: ['remote.rate_limited', 'remote.unavailable', 'remote.bad_answer'].includes(code),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
