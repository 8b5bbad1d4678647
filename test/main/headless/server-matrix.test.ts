import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningServer, startServer } from '../../../src/main/headless/server.ts';
import { createFakeApi, type FakeApi } from '../../support/fake-api.ts';
import { rawRequest, sendRaw } from '../../support/server-raw.ts';

let server: RunningServer;
let api: FakeApi;
let folder: string;
let cookie: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'angles-server-'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Angles</title>');
  api = createFakeApi();
  server = await startServer({
    api,
    port: 0,
    rendererFolder: folder,
    log: {
      error: (message) => {
        throw new Error(message);
      },
    },
  });
  const opened = await sendRaw(
    server.port,
    rawRequest(`GET ${new URL(server.makeLink()).pathname} HTTP/1.1`, [
      `Host: 127.0.0.1:${server.port}`,
      'Connection: close',
    ]),
  );
  cookie = /Set-Cookie: ([^;]+)/.exec(opened.headers)?.[1] ?? '';
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const HOSTS = {
  'the address': (port: number) => [`Host: 127.0.0.1:${port}`],
  localhost: (port: number) => [`Host: localhost:${port}`],
  'IPv6 loopback': (port: number) => [`Host: [::1]:${port}`],
  'a rebound name': (port: number) => [`Host: evil.test:${port}`],
  'no port': () => ['Host: 127.0.0.1'],
  'another port': () => ['Host: 127.0.0.1:1'],
  'a look-alike': (port: number) => [`Host: 127.0.0.1.evil.test:${port}`],
  'a user part': (port: number) => [`Host: evil@127.0.0.1:${port}`],
  'two hosts': (port: number) => [`Host: 127.0.0.1:${port}`, 'Host: evil.test'],
  none: () => [],
} as const;
const GOOD_HOSTS: readonly string[] = ['the address', 'localhost', 'IPv6 loopback'];
const HOST_NAMES: Readonly<Record<string, string>> = {
  'the address': '127.0.0.1',
  localhost: 'localhost',
  'IPv6 loopback': '[::1]',
};

const ORIGINS = {
  none: () => [],
  same: (host: string) => [`Origin: http://${host}`],
  evil: () => ['Origin: http://evil.test'],
  null: () => ['Origin: null'],
  'https twin': (host: string) => [`Origin: https://${host}`],
} as const;
const GOOD_ORIGINS: readonly string[] = ['none', 'same'];

const SITES = {
  none: [],
  'same-origin': ['Sec-Fetch-Site: same-origin'],
  'cross-site': ['Sec-Fetch-Site: cross-site'],
  'same-site': ['Sec-Fetch-Site: same-site'],
} as const;
const TYPES = {
  json: ['Content-Type: application/json'],
  'json with charset': ['Content-Type: application/json; charset=UTF-8'],
  form: ['Content-Type: application/x-www-form-urlencoded'],
  text: ['Content-Type: text/plain'],
  'json in disguise': ['Content-Type: text/plain; application/json'],
  none: [],
} as const;
const KEYS = {
  token: () => [`Authorization: Bearer ${server.token}`],
  session: () => [`Cookie: theme=dark; ${cookie}`],
  none: () => [],
  'wrong token': () => [`Authorization: Bearer ${'A'.repeat(43)}`],
  'wrong token, right session': () => [`Authorization: Bearer x`, `Cookie: ${cookie}`],
  'wrong session': () => [`Cookie: angles_${server.port}=${'A'.repeat(43)}`],
  "another port's session": () => [`Cookie: ${cookie.replace(/^angles_\d+/, 'angles_1')}`],
  'token in the query': () => [],
} as const;
const GOOD_KEYS: readonly string[] = ['token', 'session'];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'] as const;
const PATHS = ['/api/agent.status', '/ping', '/health', '/', '/events'] as const;

type Cell = {
  host: keyof typeof HOSTS;
  origin: keyof typeof ORIGINS;
  site: keyof typeof SITES;
  type: keyof typeof TYPES;
  key: keyof typeof KEYS;
  method: (typeof METHODS)[number];
  path: (typeof PATHS)[number];
};

/** The oracle: the promise in words, apart from the code that keeps it. */
function isAllowed(cell: Cell): boolean {
  if (!GOOD_HOSTS.includes(cell.host) || !GOOD_ORIGINS.includes(cell.origin)) return false;
  if (cell.site !== 'none' && cell.site !== 'same-origin') return false;
  const read = cell.method === 'GET' || cell.method === 'HEAD';
  if (cell.path === '/health' || cell.path === '/') return read;
  if (!GOOD_KEYS.includes(cell.key)) return false;
  if (cell.path === '/api/agent.status')
    return cell.method === 'POST' && (cell.type === 'json' || cell.type === 'json with charset');
  return cell.method === 'GET';
}

function keysOf<T extends object>(table: T): (keyof T)[] {
  return Object.keys(table) as (keyof T)[];
}

function cells(): Cell[] {
  const plain: Cell = {
    host: 'the address',
    origin: 'none',
    site: 'none',
    type: 'json',
    key: 'token',
    method: 'POST',
    path: '/api/agent.status',
  };
  const all = new Map<string, Cell>();
  const add = (change: Partial<Cell>): void => {
    const cell = { ...plain, ...change };
    all.set(JSON.stringify(cell), cell);
  };
  for (const path of PATHS) {
    const method = path.startsWith('/api') ? 'POST' : 'GET';
    for (const host of keysOf(HOSTS)) for (const origin of keysOf(ORIGINS)) add({ path, method, host, origin });
    for (const key of keysOf(KEYS)) for (const type of keysOf(TYPES)) add({ path, method, key, type });
    for (const other of METHODS) for (const key of keysOf(KEYS)) add({ path, method: other, key });
    for (const site of keysOf(SITES)) for (const key of keysOf(KEYS)) add({ path, method, site, key });
    for (const host of ['localhost', 'a rebound name'] as const)
      for (const site of keysOf(SITES))
        for (const origin of keysOf(ORIGINS)) add({ path, method, host, site, origin, key: 'session' });
  }
  return [...all.values()];
}

async function ask(cell: Cell): Promise<number> {
  const upgrade =
    cell.path === '/events'
      ? [
          'Upgrade: websocket',
          'Connection: Upgrade',
          'Sec-WebSocket-Version: 13',
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        ]
      : ['Connection: close'];
  const query = cell.key === 'token in the query' ? `?token=${server.token}&key=${server.token}` : '';
  const body = cell.method === 'POST' || cell.method === 'PUT' || cell.method === 'PATCH' ? '{}' : '';
  const sameHost = `${HOST_NAMES[cell.host] ?? '127.0.0.1'}:${server.port}`;
  const headers = [
    ...HOSTS[cell.host](server.port),
    ...ORIGINS[cell.origin](sameHost),
    ...SITES[cell.site],
    ...TYPES[cell.type],
    ...KEYS[cell.key](),
    ...upgrade,
  ];
  const answer = await sendRaw(server.port, rawRequest(`${cell.method} ${cell.path}${query} HTTP/1.1`, headers, body));
  expect(answer.headers.toLowerCase()).not.toContain('access-control-');
  return answer.status;
}

describe('the request matrix', () => {
  test('answers exactly the allowed cells, and runs nothing for the others', async () => {
    const table = cells();
    expect(table.length).toBeGreaterThanOrEqual(300);
    const before = api.calls.length;
    const wrong: string[] = [];
    let allowed = 0;
    for (const cell of table) {
      const status = await ask(cell);
      const passed = status === 200 || status === 101;
      if (isAllowed(cell)) allowed += 1;
      if (passed !== isAllowed(cell)) wrong.push(`${status} ${JSON.stringify(cell)}`);
      if (!passed) expect(status, JSON.stringify(cell)).toBeGreaterThanOrEqual(400);
    }
    expect(wrong).toEqual([]);
    expect(allowed).toBeGreaterThan(40);
    const apiCells = table.filter((cell) => cell.path === '/api/agent.status' && isAllowed(cell)).length;
    expect(api.calls.length - before).toBe(apiCells);
    console.info(`request matrix: ${table.length} cells, ${allowed} allowed`);
  });
});
