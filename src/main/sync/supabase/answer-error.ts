/** What an answer of Supabase, or none, means. Pure: the one place where statuses and codes become ours. */
import { AppError, type ErrorCode } from '../../../shared/errors.ts';

export type Answer = {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string | null;
  readonly body: string;
  /** Where a redirect points to. */
  readonly location: string | null;
};

/** Kept as `cause` of the AppError, for decisions that need more than the class. */
export type AnswerCause = { readonly status: number; readonly code: string };

type Meaning = { readonly code: ErrorCode; readonly retryable?: boolean; readonly hint?: string };

/** By code of Postgres (SQLSTATE), PostgREST, Auth or Storage; the first that matches counts. */
const BY_CODE: readonly (readonly [RegExp, Meaning])[] = [
  [/^42501$/, { code: 'remote.forbidden' }],
  [/^PGRST30\d$/, { code: 'remote.unauthorized' }],
  [
    /^(invalid_credentials|InvalidJWT|bad_jwt|no_authorization|session_not_found|user_banned)$/,
    { code: 'remote.unauthorized' },
  ],
  [/^(42P01|42703|42704|42804|42883|42P10|42P13|PGRST20[0-5]|PGRST106)$/, { code: 'remote.schema' }],
  [/^(NoSuchBucket|Bucket not found)$/, { code: 'remote.schema', hint: 'Run `angles migrate` to create the buckets.' }],
  [
    /^(25006|53100|DatabaseReadOnly)$/,
    { code: 'remote.quota', hint: 'The database is full or read-only: free some room or change the plan.' },
  ],
  [
    /^(57014|53|40|55|57|58|08|XX|0A000|PGRST00\d|SlowDown|DatabaseTimeout|LockTimeout|InternalError)/,
    { code: 'remote.unavailable', retryable: true },
  ],
  [/^(54000|EntityTooLarge|Payload too large)$/, { code: 'remote.too_large' }],
  [/^(21|22|23|44|P0|54|42)/, { code: 'remote.rejected' }],
];

/**
 * The failure that an answer stands for; null when it is a good one.
 * @param wantsJson whether a good answer has to be JSON (everything but the download of an object)
 */
export function errorOfAnswer(answer: Answer, wantsJson: boolean, nowMs: number): AppError | null {
  const { status } = answer;
  if (status >= 200 && status < 300) return wantsJson ? badJson(answer) : null;
  if (status >= 300 && status < 400) return badAnswer(answer, `It redirects to ${hostOf(answer.location)}.`);
  const said = parsed(answer);
  const details = said ?? { code: '', message: '' };
  const cause: AnswerCause = { status: details.status ?? status, code: details.code };
  const meaning = meaningOf(cause, said !== null);
  const text = details.message === '' ? `The answer was ${status}.` : details.message.slice(0, 500);
  const wait = status === 429 || status === 503 || status === 529 ? retryAfterMs(answer.retryAfter, nowMs) : undefined;
  return new AppError(meaning.code, text, {
    retryable: meaning.retryable ?? false,
    ...(meaning.hint === undefined ? {} : { hint: meaning.hint }),
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
    cause,
  });
}

function meaningOf({ status, code }: AnswerCause, isJson: boolean): Meaning {
  if (status === 429) return { code: 'remote.rate_limited', retryable: true };
  const found = BY_CODE.find(([pattern]) => pattern.test(code))?.[1];
  if (found !== undefined) return found;
  if (status === 402)
    return { code: 'remote.quota', hint: 'The project is restricted: look at its usage and billing page.' };
  if (status === 540)
    return {
      code: 'remote.unavailable',
      retryable: true,
      hint: 'The project is paused: restore it in the dashboard of Supabase.',
    };
  if (status >= 500 || status === 408 || status === 425) return { code: 'remote.unavailable', retryable: true };
  if (!isJson) return { code: 'remote.bad_answer', retryable: true };
  if (status === 401 || status === 403) return { code: 'remote.unauthorized' };
  if (status === 413) return { code: 'remote.too_large' };
  if (status === 404) return { code: 'remote.schema' };
  return { code: 'remote.rejected' };
}

/** The cause of a failure that an answer stood for; null for any other error. */
export function causeOf(error: unknown): AnswerCause | null {
  const cause = error instanceof AppError ? error.cause : undefined;
  return typeof cause === 'object' && cause !== null && 'status' in cause ? (cause as AnswerCause) : null;
}

/** Milliseconds from now of a `Retry-After`, which is seconds or a date; undefined when it is neither. */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(header)) return Math.ceil(Number(header) * 1_000);
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

function badJson(answer: Answer): AppError | null {
  if (answer.body === '' || answer.status === 204) return null;
  try {
    JSON.parse(answer.body);
    return null;
  } catch {
    const isCut = answer.contentType.includes('json');
    return badAnswer(answer, isCut ? 'It is cut off.' : `It is ${answer.contentType || 'of no type'}, not JSON.`);
  }
}

const badAnswer = (answer: Answer, why: string): AppError =>
  new AppError('remote.bad_answer', `Status ${answer.status}. ${why}`, {
    retryable: true,
    cause: { status: answer.status, code: '' } satisfies AnswerCause,
  });

function hostOf(location: string | null): string {
  return URL.parse(location ?? '')?.host ?? 'another page';
}

type Said = { readonly code: string; readonly message: string; readonly status?: number };

/** PostgREST says {code, message}, Auth {error_code, msg}, Storage {statusCode, error, message}, the gateway {message}. */
function parsed({ body }: Answer): Said | null {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const given = value as Record<string, unknown>;
  const text = (name: string): string => (typeof given[name] === 'string' ? given[name] : '');
  const status = Number(given.statusCode);
  return {
    code: text('error_code') || (given.statusCode === undefined ? text('code') : text('code') || text('error')),
    message: text('message') || text('msg') || text('error_description'),
    ...(Number.isInteger(status) && status >= 400 ? { status } : {}),
  };
}
