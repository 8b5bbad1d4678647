import { expect, test } from 'vitest';
import { createHttpClient, type HttpWorld, type Socket } from '../../../src/renderer/data/http-client.ts';
import { retryDelayMs } from '../../../src/renderer/data/reconnect.ts';
import { AppError, toWireError } from '../../../src/shared/errors.ts';

type Reply = { readonly status: number; readonly body: unknown } | 'unreachable';
const UP: Reply = { status: 200, body: { version: '1' } };
const SIGNED_OUT: Reply = { status: 401, body: { error: toWireError(new AppError('server.unauthorized', 'no key')) } };

/** A world in which nothing happens by itself: the test answers, opens, closes and lets time pass. */
function createWorld(first: Reply) {
  const state = {
    reply: first,
    sockets: [] as Socket[],
    tasks: [] as { delayMs: number; run: () => void }[],
    asked: [] as string[],
  };
  const world: HttpWorld = {
    fetch: async (path) => {
      state.asked.push(path);
      const { reply } = state;
      if (reply === 'unreachable') throw new TypeError('Failed to fetch');
      return { status: reply.status, json: async () => reply.body };
    },
    openSocket: () => {
      const socket: Socket = { onopen: null, onmessage: null, onclose: null, close: () => undefined };
      state.sockets.push(socket);
      return socket;
    },
    later: (delayMs, run) => {
      const task = { delayMs, run };
      state.tasks.push(task);
      return () => {
        state.tasks = state.tasks.filter((other) => other !== task);
      };
    },
    random: () => 0.5,
    nowMs: () => 1_000,
  };
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  };
  const open = (): void => state.sockets.at(-1)?.onopen?.(undefined as never);
  const drop = (): void => state.sockets.at(-1)?.onclose?.(undefined as never);
  const pass = async (): Promise<void> => {
    const [task] = state.tasks;
    task?.run();
    await settle();
  };
  return { state, world, settle, open, drop, pass };
}

test('connects: a call first, then the events, and then it is live', async () => {
  const { world, state, settle, open } = createWorld(UP);
  const client = createHttpClient(world);
  expect(client.connection.get()).toEqual({ state: 'connecting', reads: 0 });
  await settle();
  expect(state.asked).toEqual(['/api/agent.status']);
  open();
  expect(client.connection.get()).toEqual({ state: 'live', reads: 1 });
});

test('a lost connection is tried again with growing waits, and a new one asks views to read again', async () => {
  const { world, state, settle, open, drop, pass } = createWorld(UP);
  const client = createHttpClient(world);
  await settle();
  open();
  drop();
  expect(client.connection.get()).toEqual({ state: 'lost', reads: 1, sinceMs: 1_000 });
  state.reply = 'unreachable';
  const waits: (number | undefined)[] = [];
  for (let turn = 0; turn < 6; turn += 1) {
    waits.push(state.tasks[0]?.delayMs);
    await pass();
    expect(state.tasks).toHaveLength(1);
  }
  expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000]);
  state.reply = UP;
  await pass();
  open();
  expect(client.connection.get()).toEqual({ state: 'live', reads: 2 });
  drop();
  expect(state.tasks[0]?.delayMs).toBe(250);
});

test('without a key it is signed out, says so instead of retrying hard, and follows when another tab signs in', async () => {
  const { world, state, settle, open, pass } = createWorld(SIGNED_OUT);
  const client = createHttpClient(world);
  await settle();
  expect(client.connection.get().state).toBe('signed-out');
  expect(state.sockets).toHaveLength(0);
  expect(state.tasks.map((task) => task.delayMs)).toEqual([15_000]);
  state.reply = UP;
  await pass();
  open();
  expect(client.connection.get()).toEqual({ state: 'live', reads: 1 });
});

test('a call that is refused for want of a key signs the page out', async () => {
  const { world, state, settle, open } = createWorld(UP);
  const client = createHttpClient(world);
  await settle();
  open();
  state.reply = SIGNED_OUT;
  await expect(client.call('roots.list', {})).rejects.toMatchObject({ code: 'server.unauthorized' });
  expect(client.connection.get().state).toBe('signed-out');
});

test('errors arrive as AppErrors: those of the agent, and the network', async () => {
  const { world, state, settle } = createWorld(UP);
  const client = createHttpClient(world);
  await settle();
  state.reply = { status: 409, body: { error: toWireError(new AppError('file.exists', '/a is there')) } };
  await expect(client.call('files.list', {})).rejects.toMatchObject({ code: 'file.exists', message: '/a is there' });
  state.reply = { status: 502, body: 'no JSON of ours' };
  await expect(client.call('files.list', {})).rejects.toMatchObject({ code: 'internal' });
  state.reply = 'unreachable';
  await expect(client.call('files.list', {})).rejects.toMatchObject({ code: 'agent.not_running', retryable: true });
});

test('events reach the listeners of their name until they stop', async () => {
  const { world, state, settle, open } = createWorld(UP);
  const client = createHttpClient(world);
  const heard: unknown[] = [];
  const stop = client.on('records', (payload) => heard.push(payload));
  await settle();
  open();
  const send = (event: string): void =>
    state.sockets[0]?.onmessage?.(
      new MessageEvent('message', { data: JSON.stringify({ event, payload: { table: 'memories' } }) }),
    );
  send('records');
  send('settings');
  stop();
  send('records');
  expect(heard).toEqual([{ table: 'memories' }]);
});

test('a closed client stays closed', async () => {
  const { world, state, settle, open, drop } = createWorld(UP);
  const client = createHttpClient(world);
  await settle();
  open();
  client.close();
  drop();
  client.retryNow();
  await settle();
  expect(state.tasks).toHaveLength(0);
  expect(state.sockets).toHaveLength(1);
});

test('no wait is shorter than a floor or longer than ten seconds, however often it failed', () => {
  for (const attempt of [0, 1, 5, 50, 5_000]) {
    for (const random of [0, 0.3, 0.999_999]) {
      expect(retryDelayMs(attempt, random)).toBeGreaterThanOrEqual(150);
      expect(retryDelayMs(attempt, random)).toBeLessThanOrEqual(10_000);
    }
  }
});
