/**
 * Stands in for the gateway of a hosted project (Kong or its successor): one address for REST, auth, storage and
 * realtime, and keys that become roles.
 *
 * Documented behaviour that it keeps:
 * - `sb_publishable_...` is the role anon, `sb_secret_...` the role service_role; they travel in `apikey`, and a bearer
 *   that equals the key is no user. https://supabase.com/docs/guides/api/api-keys
 * - A missing key: 401 `No API key found in request`; a wrong one: 401 `Invalid API key`.
 *   https://supabase.com/docs/guides/troubleshooting (as reported by clients in public threads)
 * - A user's bearer token decides role and `auth.uid()`; PostgREST itself judges signature and expiry, also those of a
 *   key in the old form, which is a token itself.
 * Not kept: rate limits per plan (ordered as faults instead), CORS, edge functions, GraphQL.
 */
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Fault } from './faults.ts';
import { expiredJwt, type ProjectKeys, signJwt } from './keys.ts';

export type Caller = {
  readonly role: 'anon' | 'authenticated' | 'service_role' | string;
  readonly userId: string | null;
  /** What PostgREST gets as bearer. */
  readonly token: string;
};

/** Who calls, by key and bearer; or the answer that refuses. Does not verify a user's token: the services do. */
export function callerOf(
  headers: IncomingMessage['headers'],
  query: URLSearchParams,
  keys: ProjectKeys,
): Caller | { readonly refused: { readonly message: string; readonly hint: string } } {
  const apikey = headers.apikey?.toString() ?? query.get('apikey');
  if (apikey === null || apikey === '')
    return {
      refused: { message: 'No API key found in request', hint: 'No `apikey` request header or url param was found.' },
    };
  const expired = expiredJwt(apikey, keys.jwtSecret);
  if (expired !== null) return { role: String(expired.role), userId: null, token: apikey };
  const keyRole = roleOfKey(apikey, keys);
  if (keyRole === null)
    return {
      refused: { message: 'Invalid API key', hint: 'Double check your Supabase `anon` or `service_role` API key.' },
    };
  const bearer = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined && bearer !== apikey && bearer.split('.').length === 3) {
    const claims = claimsOf(bearer);
    return {
      role: String(claims.role ?? 'anon'),
      userId: claims.sub === undefined ? null : String(claims.sub),
      token: bearer,
    };
  }
  const iat = Math.floor(Date.now() / 1_000);
  return { role: keyRole, userId: null, token: signJwt({ role: keyRole, iat, exp: iat + 60 }, keys.jwtSecret) };
}

function roleOfKey(apikey: string, keys: ProjectKeys): Caller['role'] | null {
  if (apikey === keys.publishable || apikey === keys.anonJwt) return 'anon';
  return apikey === keys.secret || apikey === keys.serviceJwt ? 'service_role' : null;
}

function claimsOf(token: string): Record<string, unknown> {
  try {
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>;
  } catch {
    return {};
  }
}

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
};

export const json = (status: number, value: unknown, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  body: Buffer.from(JSON.stringify(value)),
});

export async function readBody(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Passes a request on to PostgREST under the caller's role. */
export function proxyToPostgrest(
  port: number,
  caller: Caller,
  incoming: { method: string; path: string; headers: IncomingMessage['headers']; body: Buffer },
): Promise<Answer> {
  const headers: IncomingMessage['headers'] = { ...incoming.headers, authorization: `Bearer ${caller.token}` };
  delete headers.apikey;
  delete headers.host;
  delete headers['transfer-encoding'];
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        host: '127.0.0.1',
        port,
        method: incoming.method,
        path: incoming.path,
        headers: { ...headers, 'content-length': String(incoming.body.length) },
      },
      (response) => {
        readBody(response).then((body) => {
          const passed = Object.entries(response.headers).filter(
            ([name]) => !/^(transfer-encoding|connection)$/.test(name),
          );
          resolve({
            status: response.statusCode ?? 502,
            headers: Object.fromEntries(passed) as Answer['headers'],
            body,
          });
        }, reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(incoming.body);
  });
}

/** Sends the answer, or what the fault makes of it. */
export function deliver(response: ServerResponse, answer: Answer, fault: Fault | null): void {
  if (fault?.kind === 'cut-after') {
    response.destroy();
    return;
  }
  const isHalf = fault?.kind === 'truncate' || fault?.kind === 'cut-within';
  const body = isHalf ? answer.body.subarray(0, Math.floor(answer.body.length / 2)) : answer.body;
  const stated = fault?.kind === 'cut-within' ? answer.body.length : body.length;
  response.writeHead(answer.status, { ...answer.headers, 'content-length': String(stated) });
  if (fault?.kind !== 'cut-within') response.end(body);
  else response.write(body, () => response.destroy());
}
