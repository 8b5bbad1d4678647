import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connect } from '../../../src/main/headless/client.ts';
import { inProcessClient } from '../../../src/main/headless/dispatch.ts';
import { endpointFile, readEndpoint, removeEndpoint, writeEndpoint } from '../../../src/main/headless/endpoint.ts';
import { type RunningServer, startServer } from '../../../src/main/headless/server.ts';
import { createFakeApi, type FakeApi } from '../../support/fake-api.ts';

let api: FakeApi;
let server: RunningServer;
let dataFolder: string;

beforeEach(async () => {
  dataFolder = mkdtempSync(join(tmpdir(), 'angles-client-'));
  api = createFakeApi();
  server = await startServer({
    api,
    port: 0,
    rendererFolder: join(dataFolder, 'none'),
    log: console,
    version: '0.1.0',
  });
  publish({});
});
afterEach(async () => {
  await server.close();
  rmSync(dataFolder, { recursive: true });
});

const publish = (change: { pid?: number; url?: string; token?: string }): void =>
  writeEndpoint(dataFolder, {
    pid: process.pid,
    url: server.url,
    token: server.token,
    version: '0.1.0',
    startedAtMs: 1,
    ...change,
  });
const deadPid = (): number => spawnSync('true').pid;

test('agent.json is readable by its owner only, written whole, and removed', () => {
  expect(statSync(endpointFile(dataFolder)).mode & 0o777).toBe(0o600);
  expect(readdirSync(dataFolder)).toEqual(['agent.json']);
  expect(readEndpoint(dataFolder)).toEqual({
    pid: process.pid,
    url: server.url,
    token: server.token,
    version: '0.1.0',
    startedAtMs: 1,
  });
  removeEndpoint(dataFolder);
  removeEndpoint(dataFolder);
  expect(readEndpoint(dataFolder)).toBeNull();
});

test('a command finds the running agent and calls it', async () => {
  const connection = await connect(dataFolder);
  expect(connection?.version).toBe('0.1.0');
  expect(await connection?.client.call('roots.list', {})).toEqual(await api.methods['roots.list']({}));
  connection?.client.close();
});

test('errors arrive as they were thrown, whatever the carrier', async () => {
  const connection = await connect(dataFolder);
  for (const client of [connection?.client, inProcessClient(api)]) {
    await expect(client?.call('files.history', { path: 'nowhere.md' })).rejects.toMatchObject({
      name: 'AppError',
      code: 'not_found.file',
      message: 'The vault knows no nowhere.md.',
      hint: 'Run `angles files` to list what is captured.',
    });
    await expect(client?.call('files.list', { limit: 0 })).rejects.toMatchObject({ code: 'usage.bad_argument' });
    client?.close();
  }
});

test('events reach a listener until it stops, whatever the carrier', async () => {
  const connection = await connect(dataFolder);
  for (const client of [connection?.client, inProcessClient(api)]) {
    const heard: string[] = [];
    const first = Promise.withResolvers<void>();
    const stop = client?.on('records', ({ table }) => {
      heard.push(table);
      first.resolve();
    });
    const repeat = setInterval(() => api.emit({ event: 'records', payload: { table: 'memories' } }), 5);
    await first.promise;
    clearInterval(repeat);
    stop?.();
    const count = heard.length;
    api.emit({ event: 'records', payload: { table: 'memories' } });
    await client?.call('roots.list', {});
    expect(heard.length).toBe(count);
    client?.close();
  }
});

test.each([
  ['no file', () => removeEndpoint(dataFolder)],
  ['a process that is gone', () => publish({ pid: deadPid() })],
  ['a port that nobody answers', () => publish({ url: 'http://127.0.0.1:1/' })],
  ['another key', () => publish({ token: 'A'.repeat(43) })],
  ['another process', () => publish({ pid: process.ppid })],
  ['a truncated file', () => writeFileSync(endpointFile(dataFolder), '{"pid": 1')],
  ['a file of another form', () => writeFileSync(endpointFile(dataFolder), '[1]')],
  [
    'a foreign address',
    () =>
      writeFileSync(
        endpointFile(dataFolder),
        JSON.stringify({ ...readEndpoint(dataFolder), url: 'http://evil.test:80/' }),
      ),
  ],
])('%s means that no agent runs', async (_, prepare) => {
  prepare();
  expect(await connect(dataFolder)).toBeNull();
});

test('an agent that hangs is named with its process id', async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  publish({ url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/` });
  try {
    await expect(connect(dataFolder, 50)).rejects.toMatchObject({
      code: 'agent.not_answering',
      message: expect.stringContaining(String(process.pid)),
    });
  } finally {
    silent.closeAllConnections();
    silent.close();
  }
});

test('an agent that ends during a call is told as such', async () => {
  const connection = await connect(dataFolder);
  api.failWith('agent.status', null);
  await server.close();
  await expect(connection?.client.call('agent.status', {})).rejects.toMatchObject({ code: 'agent.not_answering' });
  connection?.client.close();
});
