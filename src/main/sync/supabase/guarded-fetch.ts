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
  return async (input, init) => {
    const first = await attempt(parts, input, init);
    if ('response' in first) return first.response;
    const renewed = first.error.code === 'remote.unauthorized' ? await renewedHeaders(parts.session, init) : null;
    if (renewed === null) throw first.error;
    // Nothing was carried out, so asking again with a fresh token repeats nothing.
    const second = await attempt(parts, input, { ...init, headers: renewed });
    if ('response' in second) return second.response;
    throw second.error;
  };
}

async function renewedHeaders(session: Session | null, init: RequestInit | undefined): Promise<Headers | null> {
  const headers = new Headers(init?.headers);
  const used = /^Bearer (.+)$/.exec(headers.get('authorization') ?? '')?.[1];
  if (session === null || used === undefined) return null;
  const token = await session.renew(used, init?.signal ?? null);
  headers.set('authorization', `Bearer ${token}`);
  return headers;
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
