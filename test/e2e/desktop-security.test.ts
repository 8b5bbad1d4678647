/** Electron's security checklist ("Security", 20 recommendations), one assertion each over the running program. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FuseV1Options } from '@electron/fuses';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/main/package-root.ts';
import type { AnglesBridge } from '../../src/renderer/data/client.ts';
import { load } from '../docs/documents.ts';
import { type Desktop, isReal, makePlace, type Place, startDesktop } from '../support/desktop.ts';
import type { HostState } from '../support/electron-host/control.ts';
import { PERMISSIONS } from '../support/electron-host/session.ts';

declare const angles: AnglesBridge;

describe.skipIf(isReal)('the checklist of Electron', () => {
  let place: Place;
  let desktop: Desktop;
  let page: Page;
  let state: HostState;
  let preferences: Readonly<Record<string, unknown>>;
  let policy: string;
  beforeAll(async () => {
    place = makePlace();
    desktop = await startDesktop({ place });
    page = await desktop.page();
    state = await desktop.host.state(undefined as never);
    preferences = state.windows[0]?.preferences ?? {};
    policy = await page.evaluate(async () => {
      const [script] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
      return String(script?.name);
    });
  }, 120_000);
  afterAll(async () => {
    await desktop.kill();
    place.remove();
  });
  /** What the page tried and could not do, as its policy reports it. */
  const violations = (act: string): Promise<string[]> =>
    page.evaluate(async (code) => {
      const found: string[] = [];
      const note = (event: SecurityPolicyViolationEvent): void => void found.push(event.effectiveDirective);
      document.addEventListener('securitypolicyviolation', note);
      await new (Object.getPrototypeOf(async () => undefined).constructor)(code)()?.catch?.(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 150));
      document.removeEventListener('securitypolicyviolation', note);
      return [...new Set(found)];
    }, act);
  const refusal = (args: unknown[], from: object): Promise<unknown> =>
    desktop.host.forgeInvoke({ channel: 'angles:call', args, from } as never).then((text) => JSON.stringify(text));

  const CHECKS: readonly (readonly [number: number, what: string, check: () => Promise<unknown> | unknown])[] = [
    [
      1,
      'only secure content is loaded',
      async () => {
        expect(policy).toMatch(/^https:\/\/angles\.app\.electron-host\.test\/index\.html/);
        expect((await desktop.until('', () => true)).windows[0]?.url).toMatch(/^app:\/\/angles\/index\.html/);
      },
    ],
    [
      2,
      'no Node integration for content',
      () =>
        expect([
          preferences.nodeIntegration,
          preferences.nodeIntegrationInWorker,
          preferences.nodeIntegrationInSubFrames,
        ]).toEqual([false, false, false]),
    ],
    [
      3,
      'context isolation',
      async () => {
        expect(preferences.contextIsolation).toBe(true);
        expect(
          await page.evaluate(() => ['require', 'process', 'module', 'Buffer'].filter((name) => name in globalThis)),
        ).toEqual([]);
      },
    ],
    [4, 'process sandboxing', () => expect([preferences.sandbox, state.sandboxed]).toEqual([true, true])],
    [
      5,
      'permission requests and checks are denied, but for copying plain text on our own page',
      async () => {
        const granted: string[] = [];
        for (const url of ['app://angles/index.html', 'https://example.org/'])
          for (const permission of [
            ...Object.keys(PERMISSIONS),
            'fullscreen',
            'pointerLock',
            'openExternal',
            'unknown',
            'hid',
            'serial',
          ])
            if (await desktop.host.isGranted({ permission, url })) granted.push(`${permission} ${url}`);
        expect(granted).toEqual(['clipboard-sanitized-write app://angles/index.html']);
      },
    ],
    [6, 'web security is on', () => expect(preferences.webSecurity).toBe(true)],
    [
      7,
      'a content security policy without inline code',
      async () => {
        expect(
          await violations(
            "document.body.append(Object.assign(document.createElement('script'), { textContent: 'globalThis.canary = 1' }))",
          ),
        ).toContain('script-src-elem');
        expect(await violations("document.body.setAttribute('style', 'color: red')")).toContain('style-src-attr');
        expect(await violations("await fetch('https://example.org/')")).toContain('connect-src');
        expect(await violations("await fetch('index.html')")).toContain('connect-src');
        expect(
          await violations(
            "document.body.append(Object.assign(document.createElement('iframe'), { src: 'https://example.org/' }))",
          ),
        ).toContain('frame-src');
        expect(await page.evaluate(() => (globalThis as { canary?: number }).canary)).toBeUndefined();
      },
    ],
    [8, 'no insecure content', () => expect(preferences.allowRunningInsecureContent).toBe(false)],
    [9, 'no experimental features', () => expect(preferences.experimentalFeatures).toBe(false)],
    [10, 'no Blink features', () => expect(preferences.enableBlinkFeatures).toBeUndefined()],
    [11, 'no embedded pages that open windows', () => expect(preferences.webviewTag).toBe(false)],
    [
      12,
      'embedded pages are refused before they are made',
      () => expect(sourceOf('secure-window.ts')).toMatch(/'will-attach-webview'[\s\S]{0,40}preventDefault/),
    ],
    [
      13,
      'navigation is limited to the page itself',
      async () => {
        for (const to of ['https://example.org/', 'app://angles/other.html', 'app://other/', 'data:text/html,x'])
          await page.evaluate(
            (url) => {
              location.href = url;
            },
            to
              .replace('app://angles/', `${new URL(page.url()).origin}/`)
              .replace('app://other/', 'https://other.app.electron-host.test/'),
          );
        await desktop.until(
          'all are refused',
          () => (desktopLog(place).match(/Refused: navigation/g) ?? []).length >= 3,
        );
        expect(await page.evaluate(() => location.pathname)).toBe('/index.html');
      },
    ],
    [
      14,
      'no window is opened by the page',
      async () => {
        expect(await page.evaluate(() => String(window.open('https://example.org/', '_blank', 'noopener=no')))).toBe(
          'null',
        );
        await page.evaluate(() =>
          Object.assign(document.createElement('a'), { href: 'https://example.org/', target: '_blank' }).click(),
        );
        await desktop.until('both were asked for', () => (desktopLog(place).match(/Refused: link/g) ?? []).length >= 2);
        expect((await desktop.host.state(undefined as never)).windows).toHaveLength(1);
      },
    ],
    [
      15,
      'only pages of known services go to the browser',
      async () => {
        const open = (url: string) => page.evaluate((to) => angles.call('desktop.openLink', { url: to }), url);
        for (const url of [
          'file:///etc/passwd',
          'http://github.com/',
          'https://github.com.evil.test/',
          'smb://x/y',
          'javascript:1',
          'C:\\Windows\\calc.exe',
        ])
          expect(await open(url)).toMatchObject({ error: { code: 'window.link_refused' } });
        expect(await open('https://github.com/settings/tokens')).toEqual({ value: {} });
        expect((await desktop.host.state(undefined as never)).opened).toEqual(['https://github.com/settings/tokens']);
      },
    ],
    [
      16,
      'a current Electron, of one exact version',
      () => {
        const { devDependencies } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'));
        expect(devDependencies.electron).toMatch(/^\d+\.\d+\.\d+$/);
        expect(Number.parseInt(devDependencies.electron, 10)).toBeGreaterThanOrEqual(45);
      },
    ],
    [
      17,
      'the sender of every call is checked',
      async () => {
        const call = ['agent.status', {}];
        expect(await refusal(call, {})).toContain('dataFolder');
        for (const from of [
          { url: 'https://example.org/' },
          { url: 'app://other/index.html' },
          { url: 'file:///x' },
          { url: '' },
          { subFrame: true },
          { otherWindow: true },
          { noFrame: true },
        ])
          expect(await refusal(call, from), JSON.stringify(from)).toContain('server.forbidden');
      },
    ],
    [
      18,
      'no file:// but a protocol of its own, whose paths lead nowhere else',
      async () => {
        expect(state.schemes).toMatchObject([{ scheme: 'app', privileges: { standard: true, secure: true } }]);
        const origin = new URL(page.url()).origin;
        for (const path of [
          '/../../package.json',
          '/..%2f..%2fpackage.json',
          '/%2e%2e/%2e%2e/etc/passwd',
          '/etc/passwd',
          '//etc/passwd',
          '/assets/',
          '/index.html%00.js',
          '/INDEX.HTML',
          '/..%5c..%5cpackage.json',
        ])
          expect(await statusOf(page, `${origin}${path}`), path).toBe(404);
        expect(await statusOf(page, `${origin}/index.html`)).toBe(200);
      },
    ],
    [
      19,
      'the fuses are decided',
      async () => {
        const { FUSES } = await load<{ FUSES: Record<number, boolean> & { strictlyRequireAllFuses: boolean } }>(
          'packaging/fuses.mjs',
        );
        expect([
          FUSES.strictlyRequireAllFuses,
          FUSES[FuseV1Options.RunAsNode],
          FUSES[FuseV1Options.OnlyLoadAppFromAsar],
        ]).toEqual([true, false, true]);
      },
    ],
    [
      20,
      'no API of Electron reaches the page',
      async () => {
        expect(await page.evaluate(() => [Object.keys(angles), Object.isFrozen(angles)])).toEqual([
          ['call', 'on'],
          true,
        ]);
        expect(await page.evaluate(() => angles.call('toString' as never, {}))).toMatchObject({
          error: { code: 'server.unknown_method' },
        });
        expect(await page.evaluate(() => angles.call('__proto__' as never, {}))).toMatchObject({
          error: { code: 'server.unknown_method' },
        });
      },
    ],
  ];

  test('has twenty points, and each is here', () => {
    expect(CHECKS.map(([number]) => number)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });
  test.each(CHECKS)('%i: %s', async (_number, _what, check) => {
    await check();
  });
});

const sourceOf = (name: string): string => readFileSync(join(packageRoot(), 'src/main/desktop', name), 'utf8');

/** Everything the program logged. */
function desktopLog(place: Place): string {
  const folder = join(place.dataFolder, 'logs');
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('');
}

/** The status that an address of the page's own origin answers with. */
const statusOf = (page: Page, url: string): Promise<number> =>
  page.evaluate(
    (src) =>
      new Promise<number>((resolve) => {
        const script = Object.assign(document.createElement('script'), { src });
        const tell = (): void => {
          const entries = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
          resolve(entries.at(-1)?.responseStatus ?? -1);
        };
        script.onload = tell;
        script.onerror = tell;
        document.head.append(script);
      }),
    url,
  );
