/** Requests to Notion: through the gate of the connection, with a time limit, answers checked, failures as AppErrors. */
import type { Client } from '@notionhq/client';
import type { z } from 'zod';
import { AppError } from '../../../shared/errors.ts';
import { notionFailure, retryAfterMsOf } from './failures.ts';
import type { Limiter } from './limiter.ts';

/** The version of the API that knows data sources. */
export const NOTION_VERSION = '2025-09-03';

export type NotionApi = {
  /**
   * One request. `what` names it in failures. A write that fails with `remote.unreachable` or `remote.bad_answer` may
   * have been done all the same.
   */
  readonly call: <T>(
    what: string,
    shape: z.ZodType<T>,
    send: (client: Client) => Promise<unknown>,
    signal: AbortSignal,
  ) => Promise<T>;
  /** The clock of the service, as of its last answers, never ahead of it. Null before the first: ours may be wrong. */
  readonly serverNowMs: () => number | null;
};

export type NotionApiOptions = {
  readonly token: string;
  readonly baseUrl: string;
  readonly timeoutMs: number;
  readonly limiter: Limiter;
  readonly monotonicMs: () => number;
  /** Asked before each request that changes something; throws an AppError when this device may not just now. */
  readonly assertMayWrite?: () => void;
};

/** Everything that is not known to read only. */
const isWrite = (method: string | undefined, path: string): boolean =>
  method !== undefined && method !== 'GET' && !/\/query$|\/search$/.test(path);

export function createNotionApi(options: NotionApiOptions): NotionApi {
  const { timeoutMs, limiter, monotonicMs } = options;
  let clock: { readonly serverMs: number; readonly atMs: number } | null = null;
  const noteDate = (headers: Headers): void => {
    const serverMs = Date.parse(headers.get('date') ?? '');
    if (!Number.isNaN(serverMs)) clock = { serverMs, atMs: monotonicMs() };
  };
  // A client per request: its `fetch` is where the signal of the call gets in, and making one costs next to nothing.
  const clientFor = async (signal: AbortSignal): Promise<Client> => {
    const { Client } = await import('@notionhq/client');
    return new Client({
      auth: options.token,
      baseUrl: options.baseUrl.replace(/\/+$/, ''),
      notionVersion: NOTION_VERSION,
      retry: false,
      timeoutMs: timeoutMs + 10_000,
      logger: () => undefined,
      fetch: async (url, init) => {
        const { method, headers, body } = init ?? {};
        // Here, after every wait: between the question and the request there is nothing that takes time.
        if (isWrite(method, new URL(url).pathname)) options.assertMayWrite?.();
        const response = await fetch(url, {
          signal,
          ...(method === undefined ? {} : { method }),
          ...(headers === undefined ? {} : { headers }),
          ...(body === undefined ? {} : { body }),
        });
        noteDate(response.headers);
        // Closed with the first byte of the answer, before any other request takes its turn.
        const retryAfterMs = retryAfterMsOf(response.headers);
        const refused = response.status === 429 || (!response.ok && retryAfterMs !== undefined);
        if (refused) limiter.pause(retryAfterMs);
        const { ok, status } = response;
        return { ok, status, headers: response.headers, text: () => response.text() };
      },
    });
  };
  return {
    serverNowMs: () => (clock ? Math.floor(clock.serverMs + (monotonicMs() - clock.atMs)) : null),
    call: async (what, shape, send, signal) => {
      let limit: AbortSignal | null = null;
      try {
        const answer = await limiter.run(async () => {
          limit = AbortSignal.timeout(timeoutMs);
          return send(await clientFor(AbortSignal.any([signal, limit])));
        }, signal);
        return parse(shape, answer, what);
      } catch (cause) {
        throw asFailure(cause, what, signal, limit, timeoutMs);
      }
    },
  };
}

function asFailure(
  cause: unknown,
  what: string,
  signal: AbortSignal,
  limit: AbortSignal | null,
  timeoutMs: number,
): AppError {
  return notionFailure(cause, what, {
    aborted: signal.aborted,
    ...(limit?.aborted ? { timedOutMs: timeoutMs } : {}),
  });
}

/** An answer that is JSON but none of Notion's is not believed. */
function parse<T>(shape: z.ZodType<T>, answer: unknown, what: string): T {
  const result = shape.safeParse(answer);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue ? `${issue.path.join('.') || 'it'}: ${issue.message}` : 'unknown form';
  throw new AppError('remote.bad_answer', `the answer is not one of Notion (${what}; ${where})`, { retryable: true });
}
