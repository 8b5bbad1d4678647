/**
 * One local Supabase project as a process: Postgres, PostgREST, and the gateway with its stand-ins. It prints where it
 * is as one line of JSON, and ends everything as soon as its standard input closes: nothing outlives who started it.
 */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { type AuthSettings, answerAuth } from './auth.ts';
import { createFaults, type FaultOrder } from './faults.ts';
import { type Answer, callerOf, deliver, json, proxyToPostgrest, readBody } from './gateway.ts';
import { makeKeys } from './keys.ts';
import { findServerPackages } from './packages.ts';
import { serveRealtime } from './realtime.ts';
import { connectAsAdmin, startPostgres, startPostgrest } from './servers.ts';
import { answerStorage, type StorageSettings } from './storage.ts';

const packages = findServerPackages();
if (packages === null) throw new Error('the packages of PostgreSQL and PostgREST are not installed');
const keys = makeKeys(randomBytes(16).toString('hex'));
const database = await startPostgres(packages);
const rest = await startPostgrest(packages, database, keys.jwtSecret);
const admin = connectAsAdmin(database.socketFolder, database.port, 4);
const faults = createFaults();
const auth: AuthSettings = { tokenLifetimeS: 3_600 };
const storage: StorageSettings = { fileSizeLimitBytes: 50 * 1024 * 1024 };
let log: { method: string; path: string; status: number; atMs: number; bytes: number }[] = [];

const server = createServer((request, response) => {
  const method = request.method ?? 'GET';
  const path = request.url ?? '/';
  void (async () => {
    const body = await readBody(request);
    if (path.startsWith('/control/')) return deliver(response, await control(path, body), null);
    const entry = { method, path, status: 0, atMs: Date.now(), bytes: body.length };
    log.push(entry);
    const fault = faults.take(method, path);
    if (fault?.kind === 'hang') return undefined;
    if (fault?.kind === 'cut-before') return void request.socket.destroy();
    if (fault?.kind === 'answer') {
      entry.status = fault.status;
      const headers = { 'content-type': 'application/json', ...fault.headers };
      return deliver(response, { status: fault.status, headers, body: Buffer.from(fault.body ?? '{}') }, null);
    }
    const answer = await answerOf(method, path, request.headers, body);
    entry.status = answer.status;
    if (fault?.kind === 'delay') await new Promise((resolve) => setTimeout(resolve, fault.ms));
    return deliver(response, answer, fault);
  })().catch((error: unknown) => {
    if (!response.headersSent) deliver(response, json(500, { message: String(error) }), null);
    else response.destroy();
  });
});

async function answerOf(
  method: string,
  path: string,
  headers: Parameters<typeof callerOf>[0],
  body: Buffer,
): Promise<Answer> {
  const url = new URL(path, 'http://local');
  const caller = callerOf(headers, url.searchParams, keys);
  if ('refused' in caller) return json(401, caller.refused);
  if (url.pathname.startsWith('/rest/v1'))
    return proxyToPostgrest(rest.port, caller, { method, path: path.replace('/rest/v1', '') || '/', headers, body });
  if (url.pathname.startsWith('/auth/v1/')) return answerAuth(admin, keys, auth, { method, url, body });
  if (url.pathname.startsWith('/storage/v1/'))
    return answerStorage(admin, storage, caller, { method, url, headers, body });
  return json(404, { message: 'no Route matched with those values' });
}

async function control(path: string, body: Buffer): Promise<Answer> {
  const given = body.length === 0 ? {} : JSON.parse(body.toString());
  switch (path) {
    case '/control/fault':
      faults.order(given as FaultOrder);
      break;
    case '/control/clear':
      faults.clear();
      log = [];
      break;
    case '/control/log':
      return json(200, log);
    case '/control/settings':
      Object.assign(auth, given.auth);
      Object.assign(storage, given.storage);
      break;
    case '/control/realtime':
      realtime.setOpen(given.open === true);
      break;
    default:
      return json(404, {});
  }
  return json(200, {});
}

const realtime = await serveRealtime(server, admin, keys);
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
const address = server.address();
const port = typeof address === 'object' && address !== null ? address.port : 0;

let isEnding = false;
async function end(): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  realtime.close();
  server.closeAllConnections();
  server.close();
  await admin.end({ timeout: 1 });
  await rest.stop();
  await database.stop();
  process.exit(0);
}
process.stdin.on('end', () => void end());
process.stdin.on('close', () => void end());
process.stdin.resume();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void end());

const dbUrl = `postgres://postgres:${database.password}@127.0.0.1:${database.port}/postgres`;
const place = {
  url: `http://127.0.0.1:${port}`,
  dbUrl,
  socketFolder: database.socketFolder,
  pids: [database.pid, rest.pid],
  dbPort: database.port,
  keys,
};
process.stdout.write(`${JSON.stringify(place)}\n`);
