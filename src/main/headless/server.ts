import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { AppError } from '../../shared/errors.ts';
import type { AgentApi } from '../api-types.ts';
import { SECURITY_HEADERS, sendError, sendJson, sendPage } from './answers.ts';
import { callMethod } from './dispatch.ts';
import { createEventStream, type EventStream } from './events.ts';
import { decide, type Refusal, type RequestHead } from './guard.ts';
import { createKeys, type Keys } from './keys.ts';
import { readJson } from './read-json.ts';
import { listStaticFiles, type StaticFiles } from './static-files.ts';

/** Not by `import`, which would load all of Node's fetch with it: see client.ts. */
const http = process.getBuiltinModule('node:http');

export type ServerOptions = {
  readonly api: AgentApi;
  /** The first port tried; 0 takes any. */
  readonly port: number;
  /** The built dashboard; it may be missing. */
  readonly rendererFolder: string;
  readonly log: { readonly error: (message: string, data?: Record<string, unknown>) => void };
  readonly version?: string;
  readonly nowMs?: () => number;
};

export type RunningServer = {
  /** `http://127.0.0.1:<port>/` */
  readonly url: string;
  readonly port: number;
  /** The wanted port, when it was in use and another one was taken. */
  readonly portInUse: number | null;
  readonly token: string;
  /** A link that signs a browser in once, within ten minutes. */
  readonly makeLink: () => string;
  /** Lets running requests end for a moment, then cuts them. Safe to repeat. */
  readonly close: () => Promise<void>;
};

const PORTS_TRIED = 20;
const CLOSE_WAIT_MS = 1_000;

type Parts = {
  readonly options: ServerOptions;
  readonly keys: Keys;
  readonly files: StaticFiles;
  readonly events: EventStream;
  readonly port: number;
};

/**
 * Serves the contract and the dashboard on 127.0.0.1: the wanted port, else the next free one of twenty, else any.
 * Nothing is answered that {@link decide} refuses; data needs the key of this start or a session besides.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const server = http.createServer({
    requestTimeout: 60_000,
    headersTimeout: 15_000,
    keepAliveTimeout: 5_000,
  });
  server.maxConnections = 256;
  const port = await listen(server, options.port);
  const keys = createKeys(`angles_${port}`, options.nowMs ?? Date.now);
  const events = createEventStream(options.api);
  const parts: Parts = { options, keys, files: listStaticFiles(options.rendererFolder), events, port };
  server.on('request', (request, response) => {
    answer(parts, request, response).catch((error: unknown) => {
      if (!(error instanceof AppError)) {
        options.log.error('a request failed', { target: request.url, error: String((error as Error).stack ?? error) });
      }
      if (!request.complete && !response.headersSent) response.setHeader('Connection', 'close');
      sendError(response, error);
    });
  });
  server.on('upgrade', (request, socket, head) => upgrade(parts, request, socket, head));
  const url = `http://127.0.0.1:${port}/`;
  let closing: Promise<void> | undefined;
  return {
    url,
    port,
    portInUse: options.port === 0 || options.port === port ? null : options.port,
    token: keys.token,
    makeLink: () => `${url}open/${keys.makeCode()}`,
    close: () => {
      closing ??= close(server, events);
      return closing;
    },
  };
}

async function answer(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const decision = decide(headOf(request, false), parts.port);
  if (!decision.allowed) return refuse(response, decision.refusal);
  if (decision.needsKey && !hasKey(parts.keys, request)) {
    response.setHeader('Connection', 'close');
    return sendError(response, new AppError('server.unauthorized', 'The request carries no valid key.'));
  }
  const { route } = decision;
  if (route.kind === 'api')
    return sendJson(response, 200, await callMethod(parts.options.api, route.method, await readJson(request)));
  if (route.kind === 'file') return sendFile(parts.files, route.path, request, response);
  if (route.kind === 'open') return openSession(parts.keys, route.code, request, response);
  if (route.kind === 'ping') return sendJson(response, 200, { pid: process.pid, version: parts.options.version ?? '' });
  return sendJson(response, 200, { ok: true });
}

function upgrade(parts: Parts, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  socket.on('error', () => socket.destroy());
  const decision = decide(headOf(request, true), parts.port);
  if (!decision.allowed) refuseUpgrade(socket, decision.refusal.status);
  else if (!hasKey(parts.keys, request)) refuseUpgrade(socket, 401);
  else parts.events.accept(request, socket, head);
}

function refuseUpgrade(socket: Duplex, status: number): void {
  socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function refuse(response: ServerResponse, { status, reason, allow }: Refusal): void {
  if (allow !== undefined) response.setHeader('Allow', allow);
  response.setHeader('Connection', 'close');
  sendError(response, new AppError(status === 403 ? 'server.forbidden' : 'server.bad_request', reason), status);
}

function hasKey(keys: Keys, request: IncomingMessage): boolean {
  const { authorization = [], cookie = [] } = request.headersDistinct;
  return authorization.length <= 1 && keys.accepts(authorization[0], cookie.join('; '));
}

function headOf(request: IncomingMessage, upgrade: boolean): RequestHead {
  const headers = request.headersDistinct;
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    host: headers.host ?? [],
    origin: headers.origin ?? [],
    contentType: headers['content-type'] ?? [],
    fetchSite: headers['sec-fetch-site'] ?? [],
    fetchMode: headers['sec-fetch-mode'] ?? [],
    upgrade,
  };
}

async function sendFile(
  files: StaticFiles,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const file = files.get(path);
  if (file === null) {
    const missing = path === '/index.html';
    return sendPage(
      response,
      missing ? 503 : 404,
      missing ? 'The dashboard was not built' : 'There is no such page',
      missing
        ? 'Run <code>npm run build</code>, then start the agent again.'
        : 'The dashboard is at <a href="/">its start</a>.',
    );
  }
  const { body, gzipped, etag } = await file.load();
  const zipped = gzipped !== null && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
  const headers = {
    ...SECURITY_HEADERS,
    'Content-Type': file.type,
    'Cache-Control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    Vary: 'Accept-Encoding',
    ETag: etag,
  };
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, headers).end();
    return;
  }
  const content = zipped ? gzipped : body;
  response.writeHead(200, {
    ...headers,
    ...(zipped ? { 'Content-Encoding': 'gzip' } : {}),
    'Content-Length': content.length,
  });
  response.end(request.method === 'HEAD' ? undefined : content);
}

/** A browser that loads pages ahead must not use the link up: only a real visit does. */
function openSession(keys: Keys, code: string, request: IncomingMessage, response: ServerResponse): void {
  const ahead = /prefetch|prerender/.test(`${request.headers['sec-purpose'] ?? ''} ${request.headers.purpose ?? ''}`);
  const cookie = ahead ? null : keys.redeem(code);
  if (cookie === null) {
    sendPage(
      response,
      410,
      'This link was used or is too old',
      'Run <code>angles open</code> in a terminal for a new one.',
    );
    return;
  }
  response.writeHead(303, { ...SECURITY_HEADERS, 'Set-Cookie': cookie, Location: '/', 'Content-Length': 0 });
  response.end();
}

async function listen(server: Server, wanted: number): Promise<number> {
  const last = Math.min(65_535, wanted + PORTS_TRIED - 1);
  const tried = wanted === 0 ? [] : Array.from({ length: last - wanted + 1 }, (_, index) => wanted + index);
  for (const port of [...tried, 0]) {
    if (await listenOn(server, port)) return (server.address() as AddressInfo).port;
  }
  throw new AppError('server.port_in_use', `The ports ${wanted} to ${last} are in use.`);
}

function listenOn(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      server.off('listening', onListening);
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    };
    const onListening = (): void => {
      server.off('error', onError);
      resolve(true);
    };
    server.once('error', onError).once('listening', onListening);
    server.listen({ host: '127.0.0.1', port, exclusive: true });
  });
}

function close(server: Server, events: EventStream): Promise<void> {
  events.close();
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), CLOSE_WAIT_MS);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
