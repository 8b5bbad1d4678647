/** The stand-in behaves as Electron does where the program relies on it. The same program runs in Electron itself. */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Desktop, isReal, makePlace, type Place, startDesktop } from '../support/desktop.ts';
import { createCodec } from '../support/electron-host/codec.ts';
import { fromCarried, toCarried } from '../support/electron-host/session.ts';

const ENTRY = join(import.meta.dirname, '..', 'support', 'electron-fixture', 'main.mjs');
type Fixture = {
  invoke: (channel: string, ...args: unknown[]) => Promise<unknown>;
  send: (channel: string, ...args: unknown[]) => void;
  pushed: () => unknown[][];
  tryRequire: (name: string) => string;
  globals: () => unknown;
  call: (callback: (...args: unknown[]) => unknown) => unknown;
  later: (callback: (value: string) => unknown) => Promise<unknown>;
  fail: () => never;
  unknown: () => string;
  nested: { list: [number, { deep: boolean }] };
};
declare const fixture: Fixture;
declare const again: string;

const start = (place: Place, mode = '', args: string[] = []): Promise<Desktop> =>
  startDesktop({ place, entry: ENTRY, args, environment: { FIXTURE: mode } });
const lines = (desktop: Desktop): string[] => desktop.output().trim().split('\n');

describe.skipIf(isReal)('the stand-in for Electron', () => {
  let place: Place;
  let desktop: Desktop;
  let page: Page;
  beforeAll(async () => {
    place = makePlace();
    desktop = await start(place);
    page = await desktop.page();
  });
  afterAll(async () => {
    await desktop.kill();
    place.remove();
  });
  const rejection = (channel: string, ...args: unknown[]): Promise<string> =>
    page.evaluate(([name, given]) => fixture.invoke(name, ...given).then(String, (error: Error) => error.message), [
      channel,
      args,
    ] as const);

  test('a handler that throws gives the text of Electron, and so does one that is missing', async () => {
    expect(await rejection('boom')).toBe("Error invoking remote method 'boom': TypeError: no such thing");
    expect(await rejection('nobody')).toBe(
      "Error invoking remote method 'nobody': Error: No handler registered for 'nobody'",
    );
    expect(await rejection('function')).toBe(
      "Error invoking remote method 'function': Error: An object could not be cloned.",
    );
    expect(await rejection('unknown', 'second handler')).toContain("second handler for 'echo'");
  });

  test('values are cloned both ways, and what cannot be cloned is refused', async () => {
    const [kinds, refused] = await page.evaluate(async () => {
      const sent = {
        nothing: undefined,
        minusZero: -0,
        big: 10n,
        date: new Date(5),
        pattern: /a/g,
        map: new Map([[1, new Set(['x'])]]),
        bytes: new Uint8Array([1, 255]),
        text: 'é\u2028',
      };
      const [got] = (await fixture.invoke('echo', sent)) as [typeof sent];
      return [
        [
          Object.keys(got),
          Object.is(got.minusZero, -0),
          String(got.big),
          got.date.getTime(),
          String(got.pattern),
          [...(got.map.get(1) ?? [])],
          [...got.bytes],
          got.text,
        ],
        await (async () => fixture.invoke('echo', document))().then(
          () => 'sent',
          () => 'refused',
        ),
      ] as const;
    });
    expect(kinds).toEqual([
      ['nothing', 'minusZero', 'big', 'date', 'pattern', 'map', 'bytes', 'text'],
      true,
      '10',
      5,
      '/a/g',
      ['x'],
      [1, 255],
      'é\u2028',
    ]);
    expect(refused).toBe('refused');
  });

  test('a call comes from the main frame, by the address of the program', async () => {
    expect(await page.evaluate(() => fixture.invoke('from'))).toEqual(['app://fixture/index.html', true, true]);
  });

  test('messages arrive all, and in their order', async () => {
    await page.evaluate(() => fixture.send('poke', 'x'));
    await page.waitForFunction(() => fixture.pushed().length === 50);
    expect(await page.evaluate(() => fixture.pushed())).toEqual(Array.from({ length: 50 }, (_, index) => [index, 'x']));
  });

  test('what is exposed is frozen, cannot be replaced, and is exposed once', async () => {
    const found = await page.evaluate(() => {
      const attempts = [
        () => Object.assign(fixture, { invoke: 1 }),
        () => Object.assign(globalThis, { fixture: 1 }),
        () => (fixture.nested.list as unknown[]).push(2),
      ].map((attempt) => {
        try {
          attempt();
          return 'done';
        } catch {
          return 'refused';
        }
      });
      return [attempts, Object.isFrozen(fixture.nested.list[1]), again];
    });
    expect(found).toEqual([
      ['refused', 'refused', 'refused'],
      true,
      'Cannot bind an API on top of an existing property on the window object',
    ]);
  });

  test('the preload script lives in a world of its own', async () => {
    const found = await page.evaluate(() => {
      Object.assign(Object.prototype, { polluted: true });
      const seen = fixture.globals();
      delete (Object.prototype as { polluted?: boolean }).polluted;
      const names = ['require', 'process', 'module', 'ofPreload', '__electronHostSend', '__electronHostReceive'];
      return [seen, names.filter((name) => name in globalThis)];
    });
    expect(found).toEqual([{ inline: 'undefined', outside: 'undefined', polluted: null }, []]);
  });

  test('functions, promises and errors cross the bridge', async () => {
    const found = await page.evaluate(async () => [
      fixture.call((one, two) => [one, two]),
      await fixture.later((value) => `${value}!`),
      (() => {
        try {
          return fixture.fail();
        } catch (error) {
          return (error as Error).message;
        }
      })(),
    ]);
    expect(found).toEqual([[1, { two: 2 }], 'later!', 'out of it']);
  });

  test('require of the preload script has four modules', async () => {
    const found = await page.evaluate(() =>
      ['electron', 'events', 'node:timers', 'url', 'fs', 'node:child_process', 'path'].map((name) =>
        fixture.tryRequire(name),
      ),
    );
    expect(found).toEqual([
      'object',
      'function',
      'object',
      'object',
      'module not found: fs',
      'module not found: node:child_process',
      'module not found: path',
    ]);
  });

  test.each([
    ['method', 'app.setBadgeCount'],
    ['event', "app event 'gpu-info-update'"],
    ['option', "BrowserWindow option 'kiosk'"],
    ['preference', "webPreferences option 'webgl'"],
    ['insecure', 'webPreferences.nodeIntegration: true'],
    ['unsandboxed', 'webPreferences.sandbox: false'],
    ['write', 'app.badge (set)'],
  ])('an unknown %s fails by name', async (name, text) => {
    expect(await rejection('unknown', name)).toBe(`electron-host: ${text} is not emulated`);
  });

  test('so does one of the preload script; what is too late is said', async () => {
    expect(await page.evaluate(() => fixture.unknown())).toBe(
      'electron-host: ipcRenderer.sendToHost is not emulated in the preload',
    );
    expect(await rejection('unknown', 'late')).toContain('before app is ready');
  });

  test('the policy of the custom protocol is enforced', async () => {
    const found = await page.evaluate(async () => [
      typeof (globalThis as { inline?: number }).inline,
      typeof (globalThis as { outside?: number }).outside,
      await fetch('page.js').then(String, (error: Error) => error.name),
    ]);
    expect(found).toEqual(['undefined', 'number', 'TypeError']);
  });

  test('a page cannot open a window or leave; the program is asked', async () => {
    expect(await page.evaluate(() => String(window.open('https://example.org/a')))).toBe('null');
    await page.evaluate(() => {
      location.href = 'https://example.org/b';
    });
    await desktop.until('the navigation is announced', () =>
      desktop.output().includes('will-navigate https://example.org/b'),
    );
    expect(lines(desktop)).toEqual(
      expect.arrayContaining(['window-open https://example.org/a', 'will-frame-navigate true https://example.org/b']),
    );
    expect(await page.evaluate(() => location.pathname)).toBe('/index.html');
    expect(
      await page
        .evaluate(() => fixture.invoke('load', 'app://fixture/index.html').catch(() => 'gone'))
        .catch(() => 'gone'),
    ).toBeDefined();
  });

  test('without handlers every permission is given, as in Electron', async () => {
    expect(await permissions(await desktop.page())).toEqual(['granted', 'granted', 'granted']);
  });
});

const permissions = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    Promise.all(
      ['geolocation', 'camera', 'clipboard-read'].map(
        async (name) => (await navigator.permissions.query({ name: name as PermissionName })).state,
      ),
    ),
  );

describe.skipIf(isReal)('the life of a program in the stand-in', () => {
  let place: Place;
  let desktop: Desktop | null = null;
  beforeAll(() => {
    place = makePlace();
  });
  afterEach(async () => {
    await desktop?.kill();
  });
  afterAll(() => place.remove());

  test('handlers deny; a crash is told and the page can be loaded again; a second start is told; quitting has its order', async () => {
    desktop = await start(place, 'locked');
    expect(await permissions(await desktop.page())).toEqual(['denied', 'denied', 'denied']);

    await desktop.host.crashPage(undefined as never);
    await desktop.until('the page is back', () => (desktop?.output().match(/^loaded/gm) ?? []).length === 2);
    expect(lines(desktop)).toContain('gone crashed');
    expect(await (await desktop.page()).textContent('h1')).toBe('Fixture');

    const second = await start(place, '', ['hello']);
    expect(await second.ended).toBe(0);
    expect(lines(second)[0]).toBe('held');
    await desktop.until('the first is told', () => desktop?.output().includes('second hello') === true);

    expect(await desktop.quit()).toBe(0);
    expect(lines(desktop).slice(-5)).toEqual([
      'app before-quit',
      'window close',
      'window closed',
      'app will-quit',
      'app quit',
    ]);
  });

  test('a lock is free when its holder was killed; a window that stays keeps the program', async () => {
    desktop = await start(place);
    await desktop.page();
    await desktop.kill();
    desktop = await start(place, 'stays');
    await desktop.page();
    void desktop.host.quit(undefined as never);
    await desktop.until('the window was asked', () => desktop?.output().includes('window close') === true);
    expect(lines(desktop)).not.toContain('app will-quit');
    expect((await desktop.host.state(undefined as never)).windows).toHaveLength(1);
  });
});

test('addresses of custom schemes are carried and come back', () => {
  for (const url of [
    'app://angles/index.html#/x?y=1',
    'app://angles/',
    'https://example.org/',
    'about:blank',
    'data:text/html,x',
  ])
    expect(fromCarried(toCarried(url))).toBe(url);
  expect(toCarried('app://angles/a')).toBe('https://angles.app.electron-host.test/a');
});

test('the codec keeps cycles', () => {
  const { encode, decode } = createCodec();
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const got = decode(encode(cycle)) as typeof cycle;
  expect(got.self).toBe(got);
  expect(() => encode(() => 1)).toThrow('could not be cloned');
});

test('the codec keeps __proto__ a plain field and holes holes', () => {
  const { encode, decode } = createCodec();
  const value = decode(encode(JSON.parse('{"__proto__": {"polluted": true}}'))) as object;
  expect([Object.keys(value), (value as { polluted?: boolean }).polluted]).toEqual([['__proto__'], undefined]);
  // biome-ignore lint/suspicious/noSparseArray: the hole is what is tested
  const list = decode(encode([1, , 3])) as unknown[];
  expect([list.length, 1 in list]).toEqual([3, false]);
});
