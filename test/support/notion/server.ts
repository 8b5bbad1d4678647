/**
 * A stand-in of the Notion API, a process of its own: `node test/support/notion/server.ts`. It prints `{"port": N}`, and
 * ends when its standard input closes. State lives in memory. `POST /_control` drives it (see `start.ts`), `GET /` is a
 * page on which a person edits what it holds.
 *
 * What it enforces, and where that is documented (developers.notion.com, versions 2022-06-28 to 2026-03-11):
 * - "Status codes": errors `{object, status, code, message, request_id}` with invalid_json, invalid_request_url,
 *   validation_error, missing_version (400), unauthorized (401), restricted_resource (403), object_not_found (404, also
 *   for what is not shared), rate_limited (429), service_overload (529).
 * - "Versioning": a request without `Notion-Version` is refused.
 * - "Request limits": see `validate.ts`; 500 KB a request; 429 and 529 with `Retry-After` in whole seconds and
 *   `additional_data.rate_limit_reason`; an average of three requests a second, or a budget per 60-second window.
 * - "Append block children": 100 children an array, two levels, `after` and `position`.
 * - "Pagination": `page_size` at most 100, opaque cursors.
 * - "Query a data source": at most 10,000 results, then `request_status`; filters by property and time; `in_trash`.
 * - "Page": `created_time` and `last_edited_time` rounded down to the minute.
 * - "Update page": properties by name or id, each of its type; `in_trash`.
 * - "Workspace block limits": creation fails when no block is left; the form of that error is not documented there.
 * - Reports of users: options are made on demand, no comma in an option (`Invalid select option, commas not allowed: X`),
 *   at most 100 characters; `X is not a property that exists.`; `X is expected to be T.`; `Can't edit block that is
 *   archived. ...`; `archived` must not be present in a new block.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Request as ApiRequest, answer } from './api.ts';
import { ApiError } from './errors.ts';
import { createFaults, createRateLimit, type Fault, type RateMode } from './faults.ts';
import { renderPage } from './page.ts';
import { act } from './person.ts';
import { createState, type Json, newId, type Token } from './state.ts';
import { MAX_BODY_BYTES } from './validate.ts';

/** One request as the log keeps it. Times are of this process, in milliseconds since 1970. */
export type LoggedRequest = {
  readonly method: string;
  readonly path: string;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly status: number;
  readonly retryAfterS: number | null;
  readonly fault: string | null;
  readonly body: Json;
};

const realMs = (): number => performance.timeOrigin + performance.now();
let clockOffsetMs = 0;
let fixedMs: number | null = null;
const nowMs = (): number => fixedMs ?? Date.now() + clockOffsetMs;

const state = createState(nowMs);
const faults = createFaults();
const rate = createRateLimit(realMs);
let log: LoggedRequest[] = [];

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function tokenOf(request: IncomingMessage): Token {
  const token = state.tokens.get((request.headers.authorization ?? '').replace(/^Bearer /, ''));
  if (!token?.valid) throw new ApiError(401, 'unauthorized', 'API token is invalid.');
  return token;
}

function parse(raw: Buffer): Json {
  if (raw.length > MAX_BODY_BYTES) throw new ApiError(413, 'validation_error', 'Request body too large.');
  if (raw.length === 0) return {};
  try {
    return JSON.parse(raw.toString('utf8')) as Json;
  } catch {
    throw new ApiError(400, 'invalid_json', 'Error parsing JSON body.');
  }
}

type Result = { readonly status: number; readonly headers: Record<string, string>; readonly body: Json };

function work(request: IncomingMessage, url: URL, raw: Buffer): Result {
  try {
    if (request.headers['notion-version'] === undefined) {
      throw new ApiError(
        400,
        'missing_version',
        'Notion-Version header failed validation: Notion-Version header should be defined, instead was `undefined`.',
      );
    }
    const token = tokenOf(request);
    rate.take(token.botId);
    const call: ApiRequest = {
      method: request.method ?? '',
      path: url.pathname,
      search: url.searchParams,
      body: parse(raw),
      token,
    };
    return { status: 200, headers: {}, body: answer(state, call) };
  } catch (cause) {
    if (cause instanceof ApiError) return { status: cause.status, headers: cause.headers, body: cause.body() };
    const message = cause instanceof Error ? `${cause.message} ${cause.stack}` : String(cause);
    return { status: 500, headers: {}, body: new ApiError(500, 'internal_server_error', message).body() };
  }
}

function failed(fault: Fault): Result | null {
  if (fault.kind !== 'status') return null;
  const codes: Record<number, string> = {
    429: 'rate_limited',
    529: 'service_overload',
    503: 'service_unavailable',
    409: 'conflict_error',
    401: 'unauthorized',
    504: 'gateway_timeout',
  };
  const error = new ApiError(
    fault.status,
    fault.code ?? codes[fault.status] ?? 'internal_server_error',
    fault.message ?? 'A fault was asked for.',
  );
  const headers: Record<string, string> =
    fault.retryAfterS === undefined ? {} : { 'retry-after': String(fault.retryAfterS) };
  return { status: fault.status, headers, body: error.body() };
}

/** Gives back what was answered; the connection may have ended otherwise. */
async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  raw: Buffer,
  fault: Fault | null,
): Promise<Result> {
  if (fault?.kind === 'cut-before') {
    response.destroy();
    return { status: 0, headers: {}, body: {} };
  }
  if (fault?.kind === 'delay') await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
  const result =
    (fault && failed(fault)) ??
    (fault?.kind === 'html' ? { status: fault.status, headers: {}, body: {} } : work(request, url, raw));
  const text = JSON.stringify(result.body);
  const headers = {
    ...result.headers,
    date: new Date(nowMs()).toUTCString(),
    'content-type': 'application/json; charset=utf-8',
  };
  switch (fault?.kind) {
    case 'cut-after':
      response.destroy();
      return { ...result, status: 0 };
    case 'hang':
      return { ...result, status: 0 };
    case 'drip':
      response.writeHead(200, headers).write(text.slice(0, 1));
      setInterval(() => response.write(' '), 50).unref();
      return { ...result, status: 0 };
    case 'truncate':
      response.writeHead(result.status, headers).end(text.slice(0, Math.floor(text.length / 2)));
      return result;
    case 'html':
      response
        .writeHead(fault.status, { 'content-type': 'text/html' })
        .end('<!doctype html><title>Sign in</title><p>Sign in to the network');
      return result;
    case 'foreign':
      response.writeHead(200, headers).end('{"ok":true}');
      return result;
    default:
      response.writeHead(result.status, headers).end(text);
      return result;
  }
}

function control(op: string, args: Record<string, unknown>): unknown {
  switch (op) {
    case 'token': {
      const capabilities = { read: true, insert: true, update: true, ...(args.capabilities as object | undefined) };
      const known = state.tokens.get(String(args.token));
      const botId = known?.botId ?? newId();
      state.tokens.set(String(args.token), { botId, valid: args.valid !== false, capabilities });
      return { botId };
    }
    case 'clock':
      if (args.fixedMs !== undefined) fixedMs = args.fixedMs as number | null;
      if (args.advanceMs !== undefined) {
        if (fixedMs === null) clockOffsetMs += Number(args.advanceMs);
        else fixedMs += Number(args.advanceMs);
      }
      return { nowMs: nowMs() };
    case 'fault':
      faults.add(args as unknown as Fault);
      return {};
    case 'clearFaults':
      faults.clear();
      return {};
    case 'rate':
      rate.set(args as unknown as RateMode);
      return {};
    case 'log':
      return log;
    case 'clearLog':
      log = [];
      return {};
    case 'blocksLeft':
      state.blocksLeft = args.count as number | null;
      return {};
    case 'maxResults':
      state.maxResults = Number(args.count);
      return {};
    case 'indexLag':
      state.indexLagMs = Number(args.ms);
      return {};
    default:
      return act(state, op, args);
  }
}

async function handleControl(response: ServerResponse, raw: Buffer): Promise<void> {
  try {
    const { op, ...args } = JSON.parse(raw.toString('utf8')) as { op: string } & Record<string, unknown>;
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(control(op, args)));
  } catch (cause) {
    response.writeHead(400).end(cause instanceof Error ? cause.message : String(cause));
  }
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? '/', 'http://stand-in');
  const startedMs = realMs();
  try {
    const raw = await readBody(request);
    if (url.pathname === '/_control' && request.method === 'POST') return await handleControl(response, raw);
    if (url.pathname === '/') {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(renderPage(state));
      return;
    }
    const fault = faults.take(request.method ?? '', url.pathname);
    const result = await respond(request, response, url, raw, fault);
    let body: Json = {};
    try {
      if (raw.length > 0 && raw.length < 20_000) body = JSON.parse(raw.toString('utf8')) as Json;
    } catch {
      body = { unreadable: true };
    }
    const retryAfter = result.headers['retry-after'];
    log.push({
      method: request.method ?? '',
      path: url.pathname,
      startedMs,
      endedMs: realMs(),
      status: result.status,
      retryAfterS: retryAfter === undefined ? null : Number(retryAfter),
      fault: fault?.kind ?? null,
      body,
    });
  } catch {
    // The caller gave up while its request was read: nothing was done.
    response.destroy();
  }
});
server.listen(Number(process.env.STAND_IN_PORT ?? 0), '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${JSON.stringify({ port: typeof address === 'object' ? address?.port : null })}\n`);
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
process.stdin.on('error', () => process.exit(0));
