import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { CODE_LIFE_MS } from '../../../src/main/headless/keys.ts';
import { type RunningServer, startServer } from '../../../src/main/headless/server.ts';
import { AppError } from '../../../src/shared/errors.ts';
import { createFakeApi, type FakeApi } from '../../support/fake-api.ts';
import { rawRequest, sendRaw } from '../../support/server-raw.ts';

let server: RunningServer;
let api: FakeApi;
let folder: string;
let nowMs: number;
const errors: string[] = [];

beforeEach(async () => {
  nowMs = 1_000;
  errors.length = 0;
  folder = mkdtempSync(join(tmpdir(), 'angles-server-'));
  const renderer = join(folder, 'renderer');
  mkdirSync(join(renderer, 'assets'), { recursive: true });
  writeFileSync(join(renderer, 'index.html'), '<!doctype html><title>Angles</title>');
  writeFileSync(join(renderer, 'assets', 'main-a1b2c3d4.js'), `export const text = '${'x'.repeat(4_000)}';\n`);
  writeFileSync(join(folder, 'secret.txt'), 'outside');
  api = createFakeApi();
  server = await start(0);
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const start = (port: number): Promise<RunningServer> =>
  startServer({
    api,
    port,
    rendererFolder: join(folder, 'renderer'),
    log: { error: (message) => errors.push(message) },
    version: '0.1.0',
    nowMs: () => nowMs,
  });
const host = (): string => `Host: 127.0.0.1:${server.port}`;
const get = (target: string, ...headers: string[]) =>
  sendRaw(server.port, rawRequest(`GET ${target} HTTP/1.1`, [host(), 'Connection: close', ...headers]));
const post = (method: string, body: string, ...headers: string[]) =>
  sendRaw(
    server.port,
    rawRequest(
      `POST /api/${method} HTTP/1.1`,
      [
        host(),
        'Connection: close',
        'Content-Type: application/json',
        `Authorization: Bearer ${server.token}`,
        ...headers,
      ],
      body,
    ),
  );
const errorOf = (body: string): { code: string; message: string } => JSON.parse(body).error;

describe('calls', () => {
  test('an answer of the agent comes back as JSON', async () => {
    const answer = await post('files.list', '{"glob":"adr/*","limit":2}');
    expect({ status: answer.status, body: JSON.parse(answer.body) }).toEqual({
      status: 200,
      body: await api.methods['files.list']({ glob: 'adr/*', limit: 2 }),
    });
  });

  test.each([
    ['nonsense', '{}', 404, 'server.unknown_method'],
    ['toString', '{}', 404, 'server.unknown_method'],
    ['__proto__', '{}', 404, 'server.unknown_method'],
    ['files.list', '{', 400, 'server.bad_request'],
    ['files.list', '\xff', 400, 'server.bad_request'],
    ['files.list', '[]', 400, 'usage.bad_argument'],
    ['files.list', 'null', 400, 'usage.bad_argument'],
    ['files.list', '{"limit":-1}', 400, 'usage.bad_argument'],
    ['files.history', '{"path":"nowhere.md"}', 404, 'not_found.file'],
    ['files.history', '', 400, 'usage.bad_argument'],
    ['records.edit', '{"table":"memories","id":"019a9b","fields":{},"origin":"cli"}', 409, 'ambiguous.id'],
  ])('%s with %j is refused as %i %s', async (method, body, status, code) => {
    const answer = await post(method, body);
    expect({ status: answer.status, code: errorOf(answer.body).code }).toEqual({ status, code });
  });

  test('a wrong field is named', async () => {
    const answer = await post(
      'records.create',
      '{"table":"memories","fields":{"title":"","kind":"song"},"origin":"cli"}',
    );
    expect(errorOf(answer.body).message).toMatch(/fields\.title: .*; fields\.kind: /);
  });

  test('a bug answers 500 without its text, and is logged', async () => {
    api.failWith('agent.status', new Error('secret detail'));
    const answer = await post('agent.status', '{}');
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain('secret detail');
    expect(errors).toEqual(['a request failed']);
  });

  test('an expected failure is not logged as one', async () => {
    api.failWith('agent.status', new AppError('data.full', 'No space is left.'));
    expect((await post('agent.status', '{}')).status).toBe(500);
    expect(errors).toEqual([]);
  });

  test('a body above 2 MB is refused, with and without a declared length', async () => {
    const large = `{"key":"${'x'.repeat(2_100_000)}"}`;
    const head = [
      'POST /api/settings.set HTTP/1.1',
      host(),
      'Content-Type: application/json',
      `Authorization: Bearer ${server.token}`,
    ];
    const declared = await sendRaw(server.port, `${[...head, 'Content-Length: 99999999'].join('\r\n')}\r\n\r\n{`);
    expect(errorOf(declared.body).message).toContain('2 MB');
    const chunk = `${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`;
    const chunked = await sendRaw(
      server.port,
      `${[...head, 'Transfer-Encoding: chunked'].join('\r\n')}\r\n\r\n${chunk}`,
    );
    expect(chunked.status).toBe(400);
    expect(api.calls).toEqual([]);
  });
});

describe('the dashboard files', () => {
  test('every answer carries the strict headers', async () => {
    for (const target of ['/', '/nothing', '/api/agent.status', '/open/x', '/health', '/ping', '/..']) {
      const { headers } = await get(target);
      expect(headers).toContain("Content-Security-Policy: default-src 'none'; script-src 'self'");
      expect(headers).toContain('X-Content-Type-Options: nosniff');
      expect(headers).toContain('Referrer-Policy: no-referrer');
      expect(headers).toContain('Cross-Origin-Resource-Policy: same-origin');
      expect(headers).toContain('Cross-Origin-Opener-Policy: same-origin');
    }
  });

  test('a hashed asset is kept for ever and comes compressed; the page is asked for again', async () => {
    const asset = await get('/assets/main-a1b2c3d4.js', 'Accept-Encoding: gzip, br');
    expect(asset.headers).toContain('Cache-Control: public, max-age=31536000, immutable');
    expect(asset.headers).toContain('Content-Encoding: gzip');
    const page = await get('/');
    expect(page.headers).toContain('Cache-Control: no-cache');
    const etag = /ETag: (.+)/.exec(page.headers)?.[1] ?? '';
    expect((await get('/', `If-None-Match: ${etag}`)).status).toBe(304);
  });

  test('no path leads out of the folder', async () => {
    symlinkSync(join(folder, 'secret.txt'), join(folder, 'renderer', 'link.txt'));
    await server.close();
    server = await start(0);
    const attempts = [
      '/../secret.txt',
      '/assets/../../secret.txt',
      '/%2e%2e/secret.txt',
      '/%2e%2e%2fsecret.txt',
      '/..%2fsecret.txt',
      '/..%5csecret.txt',
      '/..\\secret.txt',
      '/assets/..%00/secret.txt',
      '/index.html%00.txt',
      '/.%2e/secret.txt',
      '//secret.txt',
      '/%252e%252e/secret.txt',
      '/%c0%ae%c0%ae/secret.txt',
      '/%',
      '/%zz',
      `http://127.0.0.1:${server.port}/secret.txt`,
      'secret.txt',
      '*',
      '/link.txt',
      '/assets',
      '/assets/',
      '/./index.html',
      '/etc/passwd',
      '/%2fetc%2fpasswd',
      '/C:/secret.txt',
      '/index.html/',
      '/INDEX.HTML',
      '/index.html::$DATA',
    ];
    for (const target of attempts) {
      const answer = await get(target);
      expect([400, 404], target).toContain(answer.status);
      expect(answer.text).not.toContain('outside');
    }
  });

  test('without a build the page says what to run', async () => {
    rmSync(join(folder, 'renderer'), { recursive: true });
    await server.close();
    server = await start(0);
    const answer = await get('/');
    expect(answer.status).toBe(503);
    expect(answer.body).toContain('npm run build');
  });
});

describe('one-time links', () => {
  const pathOf = (link: string): string => new URL(link).pathname;

  test('a link signs in once, with a cookie that scripts and other sites cannot use', async () => {
    const path = pathOf(server.makeLink());
    const first = await get(path);
    expect(first.status).toBe(303);
    expect(first.headers).toContain('Location: /');
    expect(first.headers).toMatch(
      new RegExp(`Set-Cookie: angles_${server.port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict`),
    );
    const second = await get(path);
    expect(second.status).toBe(410);
    expect(second.headers).not.toContain('Set-Cookie');
    expect(second.body).toContain('angles open');
  });

  test('a link ends after ten minutes', async () => {
    const [inTime, late] = [pathOf(server.makeLink()), pathOf(server.makeLink())];
    nowMs += CODE_LIFE_MS - 1;
    expect((await get(inTime)).status).toBe(303);
    nowMs += 1;
    expect((await get(late)).status).toBe(410);
  });

  test('looking at a link without opening it does not use it up', async () => {
    const path = pathOf(server.makeLink());
    expect(
      (await sendRaw(server.port, rawRequest(`HEAD ${path} HTTP/1.1`, [host(), 'Connection: close']))).status,
    ).toBe(405);
    expect((await get(path, 'Sec-Purpose: prefetch;prerender')).status).toBe(410);
    expect((await get(path)).status).toBe(303);
  });

  test('a link may be followed from another page, a picture of it may not', async () => {
    const path = pathOf(server.makeLink());
    expect((await get(path, 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors')).status).toBe(403);
    expect((await get(path, 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate')).status).toBe(303);
  });

  test('unknown codes are refused', async () => {
    for (const path of ['/open/', '/open/x', `/open/${'A'.repeat(43)}`]) expect((await get(path)).status).toBe(410);
  });
});

describe('the port', () => {
  test('the next free one is taken when the wanted one is in use, and said', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const taken = (other.address() as AddressInfo).port;
    const second = await start(taken);
    try {
      expect(second.portInUse).toBe(taken);
      expect(second.port).not.toBe(taken);
      expect(
        (
          await sendRaw(
            second.port,
            rawRequest('GET /health HTTP/1.1', [`Host: 127.0.0.1:${second.port}`, 'Connection: close']),
          )
        ).body,
      ).toBe('{"ok":true}');
    } finally {
      await second.close();
      other.close();
    }
  });

  test('it listens on loopback only', async () => {
    expect(server.url).toBe(`http://127.0.0.1:${server.port}/`);
    await expect(
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`ws://[::1]:${server.port}/events`);
        socket.on('open', resolve).on('error', reject);
      }),
    ).rejects.toThrow('ECONNREFUSED');
  });
});

describe('events', () => {
  const listen = (): WebSocket =>
    new WebSocket(`ws://127.0.0.1:${server.port}/events`, { headers: { Authorization: `Bearer ${server.token}` } });

  test('a listener hears what the agent says, as JSON', async () => {
    const socket = listen();
    await new Promise((resolve) => socket.once('open', resolve));
    const heard = new Promise<string>((resolve) => socket.once('message', (data) => resolve(String(data))));
    api.emit({ event: 'records', payload: { table: 'memories' } });
    expect(JSON.parse(await heard)).toEqual({ event: 'records', payload: { table: 'memories' } });
    socket.terminate();
  });

  test('a listener that talks is closed', async () => {
    const socket = listen();
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    socket.once('open', () => socket.send('{"call":"agent.stop"}'));
    expect(await closed).toBe(1_008);
    expect(api.calls).toEqual([]);
  });

  test('closing the server closes its listeners', async () => {
    const socket = listen();
    await new Promise((resolve) => socket.once('open', resolve));
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    await server.close();
    expect(await closed).toBe(1_001);
  });
});
