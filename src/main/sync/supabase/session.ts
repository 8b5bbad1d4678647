import { z } from 'zod';
import { AppError } from '../../../shared/errors.ts';
import { errorOfAnswer } from './answer-error.ts';
import { unreachable } from './network-error.ts';
import { withAbort } from './with-abort.ts';

/** Signs in with e-mail and password, so that row level security knows whose the rows are. Keeps the token in memory. */
export type Session = {
  /** A token that is valid for a while yet. Throws `remote.unauthorized` when the sign-in is refused. */
  readonly token: (signal: AbortSignal | null) => Promise<string>;
  /** A fresh token in the place of one that was refused. */
  readonly renew: (refused: string, signal: AbortSignal | null) => Promise<string>;
};

export type SignIn = { readonly email: string; readonly password: string };

/** A token is replaced this long before its end. */
const MARGIN_MS = 60_000;
const granted = z.looseObject({ access_token: z.string().min(1), expires_in: z.number() });

export function createSession(parts: {
  readonly url: URL;
  readonly key: string;
  readonly signIn: SignIn;
  readonly timeLimitMs: number;
  readonly nowMs: () => number;
}): Session {
  let current: { token: string; untilMs: number } | null = null;
  let pending: Promise<string> | null = null;

  const request = async (): Promise<string> => {
    const answer = await requestToken(parts);
    current = { token: answer.access_token, untilMs: parts.nowMs() + answer.expires_in * 1_000 - MARGIN_MS };
    return answer.access_token;
  };
  /** One sign-in at a time, for everybody who waits; each waits only as long as its own signal allows. */
  const shared = (signal: AbortSignal | null): Promise<string> => {
    pending ??= request().finally(() => {
      pending = null;
    });
    return withAbort(pending, signal);
  };
  return {
    token: async (signal) => (current !== null && parts.nowMs() < current.untilMs ? current.token : shared(signal)),
    renew: async (refused, signal) => {
      if (current !== null && current.token !== refused) return current.token;
      current = null;
      return shared(signal);
    },
  };
}

async function requestToken(parts: {
  readonly url: URL;
  readonly key: string;
  readonly signIn: SignIn;
  readonly timeLimitMs: number;
  readonly nowMs: () => number;
}): Promise<z.infer<typeof granted>> {
  const address = new URL('/auth/v1/token?grant_type=password', parts.url);
  let response: Response;
  let body: string;
  try {
    response = await fetch(address, {
      method: 'POST',
      headers: { apikey: parts.key, 'content-type': 'application/json' },
      body: JSON.stringify(parts.signIn),
      redirect: 'manual',
      signal: AbortSignal.timeout(parts.timeLimitMs),
    });
    body = await response.text();
  } catch (error) {
    throw unreachable(error, address.host);
  }
  const { status, headers } = response;
  const header = (name: string): string | null => headers.get(name);
  const answer = {
    status,
    body,
    contentType: header('content-type') ?? '',
    retryAfter: header('retry-after'),
    location: header('location'),
  };
  const error = errorOfAnswer(answer, true, parts.nowMs());
  if (error !== null)
    throw error.code === 'remote.unauthorized' || error.code === 'remote.rejected' ? refused(error) : error;
  const parsed = granted.safeParse(JSON.parse(body === '' ? 'null' : body));
  if (!parsed.success) throw new AppError('remote.bad_answer', 'The sign-in gave no token.', { retryable: true });
  return parsed.data;
}

const refused = (error: AppError): AppError =>
  new AppError('remote.unauthorized', `The sign-in was refused: ${error.message}`, {
    hint: 'Check SUPABASE_EMAIL and SUPABASE_PASSWORD: a user of the project (Authentication, Users).',
    cause: error.cause,
  });
