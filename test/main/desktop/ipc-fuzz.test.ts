import type { IpcMainInvokeEvent, WebContents } from 'electron';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { agentMethods } from '../../../src/shared/contract.ts';
import { desktopMethods } from '../../../src/shared/desktop.ts';
import { createFakeApi } from '../../support/fake-api.ts';

vi.mock('electron', () => ({ ipcMain: {} }));
const { serveCalls } = await import('../../../src/main/desktop/ipc.ts');

type Listener = (event: IpcMainInvokeEvent, ...args: unknown[]) => Promise<unknown>;
const RUNS = Number(process.env.ANGLES_RUNS ?? 3_000);
const mainFrame = { url: 'app://angles/index.html#/x' };
const ours = { mainFrame } as unknown as WebContents;
const api = createFakeApi();
const bugs: unknown[] = [];
let call: Listener = () => Promise.reject(new Error('not served'));
const rejections: unknown[] = [];
const onRejection = (reason: unknown): void => void rejections.push(reason);

beforeAll(() => {
  process.on('unhandledRejection', onRejection);
  serveCalls(
    {
      api,
      desktop: {
        'desktop.info': async () => ({
          platform: 'linux',
          hasTray: true,
          keychain: { state: 'strong', backend: 'x', passphrase: 'none' },
          startsAtLogin: null,
        }),
        'desktop.ready': async () => ({ waiting: [] }),
        'desktop.pickFolder': async () => ({ path: null }),
        'desktop.openDemo': async () => ({}),
        'desktop.setPassphrase': async () => ({}),
        'desktop.unlock': async () => ({}),
        'desktop.forgetPassphrase': async () => ({}),
        'desktop.openLink': async () => ({}),
      },
      windowContents: () => ours,
      log: { warn: () => undefined, error: (_message, data) => void bugs.push(data) },
    },
    {
      handle: (_channel, listener) => {
        call = listener as Listener;
      },
      removeHandler: () => undefined,
    },
  );
});
afterAll(() => {
  process.off('unhandledRejection', onRejection);
  api.close();
});

const trusted = { sender: ours, senderFrame: mainFrame } as unknown as IpcMainInvokeEvent;
const names = [...Object.keys(agentMethods), ...Object.keys(desktopMethods)];
const method = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...names) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('__proto__', 'constructor', 'toString', '', 'agent.status ', 'AGENT.STATUS'),
  },
  { weight: 1, arbitrary: fc.string() },
  { weight: 1, arbitrary: fc.anything() },
);
/** Values of the kinds that structured clone can carry, many under the names that the contract knows. */
const field = fc.constantFrom(
  'path',
  'table',
  'id',
  'fields',
  'title',
  'limit',
  'cursor',
  'version',
  'atMs',
  'query',
  'key',
  'value',
  'origin',
  'url',
  'untilMs',
  'to',
  'inPlace',
  '__proto__',
  'constructor',
);
const value = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withObjectString: true,
  withSparseArray: true,
  key: fc.oneof(field, fc.string()),
});
const input = fc.oneof(
  value,
  fc.dictionary(
    field,
    fc.oneof(
      value,
      fc.constantFrom(
        'decision_vault',
        'memories',
        'cli',
        'dashboard',
        '../../etc/passwd',
        '/etc/passwd\0',
        1e308,
        -1,
        Number.NaN,
      ),
    ),
    { maxKeys: 6 },
  ),
);

test(`${RUNS} messages of any form are answered, and nothing breaks`, async () => {
  const outcomes = { value: 0, error: 0 };
  await fc.assert(
    fc.asyncProperty(method, input, fc.array(value, { maxLength: 2 }), async (name, given, more) => {
      const answer = (await call(trusted, name, given, ...(more.length > 1 ? more : []))) as {
        error?: { code: string; message: string };
      };
      outcomes[answer.error === undefined ? 'value' : 'error'] += 1;
      if (answer.error !== undefined) expect(answer.error.code).not.toBe('internal');
      structuredClone(answer);
    }),
    { numRuns: RUNS },
  );
  // Rejections that nobody waited for are told a turn later.
  await new Promise(setImmediate);
  expect({ bugs, rejections }).toEqual({ bugs: [], rejections: [] });
  // The messages reached both sides of the check.
  expect(outcomes.value).toBeGreaterThan(RUNS / 100);
  expect(outcomes.error).toBeGreaterThan(RUNS / 3);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
}, 600_000);

describe('a call from elsewhere is refused before it is looked at', () => {
  const sub = { url: mainFrame.url };
  test.each([
    ['another page', { sender: ours, senderFrame: { url: 'https://example.org/' } }],
    ['a frame of our page', { sender: ours, senderFrame: sub }],
    ['another window with our address', { sender: { mainFrame: sub }, senderFrame: sub }],
    ['a frame that is gone', { sender: ours, senderFrame: null }],
  ])('%s', async (_, event) => {
    const before = api.calls.length;
    const answer = await call(event as unknown as IpcMainInvokeEvent, 'agent.status', {});
    expect([answer, api.calls.length]).toMatchObject([{ error: { code: 'server.forbidden' } }, before]);
  });

  test('so is one from our frame when it shows another address', async () => {
    const frame = { url: 'https://example.org/' };
    const moved = { mainFrame: frame };
    const answer = await call(
      { sender: moved, senderFrame: frame } as unknown as IpcMainInvokeEvent,
      'agent.status',
      {},
    );
    expect(answer).toMatchObject({ error: { code: 'server.forbidden' } });
  });
});

test('a bug of the agent is told as one, without its text', async () => {
  api.failWith('agent.status', new Error('a secret of the inside'));
  expect(await call(trusted, 'agent.status', {})).toMatchObject({ error: { code: 'internal' } });
  expect(JSON.stringify(await call(trusted, 'agent.status', {}))).not.toContain('secret');
  api.failWith('agent.status', null);
  expect(bugs.splice(0)).toHaveLength(2);
});
