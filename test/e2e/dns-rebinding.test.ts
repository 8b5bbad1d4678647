import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningServer, startServer } from '../../src/main/headless/server.ts';
import { findChromium } from '../support/chromium.ts';
import { createFakeApi, type FakeApi } from '../support/fake-api.ts';

// A hostile page in a real browser: `evil.test` first shows its own page and then, as after a DNS rebinding,
// resolves to this machine. The person is signed in, so the browser has the cookie to steal.
let browser: Browser;
let page: Page;
let server: RunningServer;
let api: FakeApi;
let evil: Server;
let evilPort: number;

beforeAll(async () => {
  api = createFakeApi();
  server = await startServer({ api, port: 0, rendererFolder: '/nonexistent', log: console });
  evil = createServer((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' });
    response.end('<!doctype html><title>evil</title><body></body>');
  });
  await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve));
  evilPort = (evil.address() as AddressInfo).port;
  browser = await chromium.launch({
    executablePath: findChromium(),
    args: [
      '--no-sandbox',
      '--headless',
      '--host-resolver-rules=MAP evil.test 127.0.0.1',
      '--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests',
    ],
  });
  page = await (await browser.newContext()).newPage();
  await page.goto(server.makeLink());
}, 30_000);

afterAll(async () => {
  await browser?.close();
  await server?.close();
  evil?.close();
});

/** Tries every way a page has to reach an address; says which of them got an answer that it could use. */
async function attack(target: string, socketTarget: string): Promise<Record<string, string>> {
  return page.evaluate(
    async ([base, socketBase]) => {
      const outcome = async (work: () => Promise<string>): Promise<string> => work().catch(() => 'failed');
      const read = async (init?: RequestInit): Promise<string> => {
        const response = await fetch(`${base}/api/settings.set`, { credentials: 'include', ...init });
        return response.type === 'opaque' ? 'sent blindly' : `status ${response.status}`;
      };
      const body = JSON.stringify({ key: 'dashboard.theme', value: 'dark' });
      const json = { 'Content-Type': 'application/json' };
      const load = (element: HTMLImageElement | HTMLScriptElement | HTMLIFrameElement): Promise<string> =>
        new Promise((resolve, reject) => {
          element.onload = () => resolve('loaded');
          element.onerror = () => reject(new Error('refused'));
          element.src = `${base}/health`;
          document.body.append(element);
        });
      return {
        get: await outcome(async () => `status ${(await fetch(`${base}/api/agent.status`)).status}`),
        health: await outcome(async () => `status ${(await fetch(`${base}/health`)).status}`),
        ping: await outcome(async () => `status ${(await fetch(`${base}/ping`, { credentials: 'include' })).status}`),
        json: await outcome(() => read({ method: 'POST', headers: json, body })),
        text: await outcome(() => read({ method: 'POST', headers: { 'Content-Type': 'text/plain' }, body })),
        blind: await outcome(() => read({ method: 'POST', mode: 'no-cors', body })),
        beacon: await outcome(async () =>
          navigator.sendBeacon(`${base}/api/agent.stop`, '{}') ? 'sent blindly' : 'failed',
        ),
        image: await outcome(() => load(document.createElement('img'))),
        script: await outcome(() => load(document.createElement('script'))),
        socket: await outcome(
          () =>
            new Promise((resolve, reject) => {
              const socket = new WebSocket(`${socketBase}/events`);
              socket.onopen = () => resolve('opened');
              socket.onerror = () => reject(new Error('refused'));
            }),
        ),
        form: await outcome(
          () =>
            new Promise((resolve) => {
              const frame = document.createElement('iframe');
              frame.name = `frame-${Math.random()}`;
              document.body.append(frame);
              const form = document.createElement('form');
              Object.assign(form, {
                method: 'POST',
                action: `${base}/api/agent.stop`,
                target: frame.name,
                enctype: 'text/plain',
              });
              document.body.append(form);
              frame.onload = () => resolve('sent blindly');
              form.submit();
            }),
        ),
      };
    },
    [target, socketTarget] as const,
  );
}

const usable = (results: Record<string, string>): string[] =>
  Object.entries(results)
    .filter(([, result]) => /status 2|loaded|opened/.test(result))
    .map(([way, result]) => `${way}: ${result}`);

test('the browser is signed in, so the attacks below have something to steal', async () => {
  expect(page.url()).toBe(server.url);
  const status = await page.evaluate(async () => {
    const response = await fetch('/api/roots.list', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{}',
    });
    return response.status;
  });
  expect(status).toBe(200);
});

test('a page of another site reaches nothing at the address of the dashboard', async () => {
  const before = api.calls.length;
  await page.goto(`http://evil.test:${evilPort}/`);
  const results = await attack(`http://127.0.0.1:${server.port}`, `ws://127.0.0.1:${server.port}`);
  expect(Object.keys(results)).toHaveLength(11);
  expect(usable(results)).toEqual([]);
  expect(api.calls.length).toBe(before);
});

test('a page whose name was rebound to this machine reaches nothing either', async () => {
  const before = api.calls.length;
  // The attacker's own page came from the same name and port, before the name was turned to this machine.
  const own = `http://evil.test:${server.port}/own`;
  await page.route(own, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><body></body>' }));
  await page.goto(own);
  const results = await attack(`http://evil.test:${server.port}`, `ws://evil.test:${server.port}`);
  expect(usable(results)).toEqual([]);
  const refused = 'status 403';
  expect(results).toMatchObject({ health: refused, ping: refused, get: refused, json: refused, text: refused });
  expect(api.calls.length).toBe(before);
});

test('another port of this machine is another site', async () => {
  const before = api.calls.length;
  await page.goto(`http://127.0.0.1:${evilPort}/`);
  const results = await attack(`http://127.0.0.1:${server.port}`, `ws://127.0.0.1:${server.port}`);
  expect(usable(results)).toEqual([]);
  expect(api.calls.length).toBe(before);
});
