import { errorOfAnswer } from './answer-error.ts';
import { unreachable } from './network-error.ts';
import type { Session } from './session.ts';

export type GuardedFetchParts = {
  /** Time limit of a request with its answer. */
  readonly timeLimitMs: number;
  /** The same for objects of Storage, which may be large. */
  readonly objectTimeLimitMs: number;
  readonly session: Session | null;
  readonly nowMs: () => number;
};

/**
 * A fetch that gives good answers only, read to their end, and throws an AppError for everything else; an abort by the
 * caller throws its reason. It follows no redirect: the key would go along. Objects that are downloaded are streamed.
 */
export function createGuardedFetch(parts: GuardedFetchParts): typeof fetch {
  const { session } = parts;
  return async (input, init) => {
    if (session === null) return responseOf(await attempt(parts, input, init));
    const token = await session.token(init?.signal ?? null);
    const first = await attempt(parts, input, signedBy(token, init));
    if (!('error' in first) || first.error.code !== 'remote.unauthorized') return responseOf(first);
    // Nothing was carried out, so asking again with a fresh token repeats nothing.
    const fresh = await session.renew(token, init?.signal ?? null);
    return responseOf(await attempt(parts, input, signedBy(fresh, init)));
  };
}

function signedBy(token: string, init: RequestInit | undefined): RequestInit {
  const headers = new Headers(init?.headers);
  headers.set('authorization', `Bearer ${token}`);
  return { ...init, headers };
}

function responseOf(made: Attempt): Response {
  if ('error' in made) throw made.error;
  return made.response;
}

type Attempt = { readonly response: Response } | { readonly error: NonNullable<ReturnType<typeof errorOfAnswer>> };

async function attempt(
  parts: GuardedFetchParts,
  input: Parameters<typeof fetch>[0],
  init: RequestInit | undefined,
): Promise<Attempt> {
  const url = new URL(input instanceof Request ? input.url : input);
  const isObject = url.pathname.startsWith('/storage/v1/object/');
  const isDownload =
    isObject && (init?.method ?? 'GET') === 'GET' && !url.pathname.startsWith('/storage/v1/object/info/');
  const limit = AbortSignal.timeout(isObject ? parts.objectTimeLimitMs : parts.timeLimitMs);
  const caller = init?.signal ?? null;
  const signal = caller === null ? limit : AbortSignal.any([caller, limit]);
  try {
    const response = await fetch(input, { ...init, signal, redirect: 'manual' });
    if (isDownload && response.ok) return { response };
    const bytes = await response.arrayBuffer();
    const answer = {
      status: response.status,
      contentType: response.headers.get('content-type') ?? '',
      retryAfter: response.headers.get('retry-after'),
      body: new TextDecoder().decode(bytes),
      location: response.headers.get('location'),
    };
    const error = errorOfAnswer(answer, !isDownload, parts.nowMs());
    if (error !== null) return { error };
    const { status, headers } = response;
    return { response: new Response(status === 204 || bytes.byteLength === 0 ? null : bytes, { status, headers }) };
  } catch (error) {
    if (caller?.aborted === true) throw caller.reason;
    throw unreachable(error, url.host);
  }
}
