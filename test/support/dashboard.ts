/** The dashboard as a user has it: the real page in real Chromium, from the real server, over the fake agent. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { build } from 'vite';
import { type RunningServer, startServer } from '../../src/main/headless/server.ts';
import { load } from '../docs/documents.ts';
import { launchChromium } from './chromium.ts';
import { createFakeApi, type FakeApi, type FakeOptions } from './fake-api.ts';
import { FAKE_NOW_MS } from './fake-data.ts';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const RENDERER = join(ROOT, 'src', 'renderer');

export type Bench = {
  readonly browser: Browser;
  readonly rendererFolder: string;
  /** A page that no visit uses now: a new one costs more than most visits. */
  readonly takePage: () => Promise<Page>;
  readonly givePage: (page: Page) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** The page as it was built from these very sources, or built now, and the browser; once for a test file. */
export async function openBench(): Promise<Bench> {
  const { builtFrom, fingerprint } =
    await load<Record<'builtFrom' | 'fingerprint', (root: string) => string | null>>('scripts/sources.mjs');
  const isBuilt = builtFrom(ROOT) === fingerprint(ROOT);
  const rendererFolder = isBuilt ? join(ROOT, 'out', 'renderer') : await buildPage();
  const browser = await launchChromium();
  const free: Page[] = [];
  return {
    browser,
    rendererFolder,
    takePage: async () => free.pop() ?? makePage(browser),
    givePage: async (page) => {
      if (await tidy(page)) free.push(page);
      else await page.context().close();
    },
    close: async () => {
      await browser.close();
      if (!isBuilt) rmSync(rendererFolder, { recursive: true, force: true });
    },
  };
}

async function makePage(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ reducedMotion: 'reduce', timezoneId: 'UTC' });
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const page = await context.newPage();
  await page.addInitScript(() => {
    const violations: string[] = [];
    Object.assign(globalThis, { violations });
    addEventListener('securitypolicyviolation', (event) => {
      violations.push(`${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  await page.clock.setFixedTime(FAKE_NOW_MS);
  return page;
}

/** Leaves nothing of a visit behind; false when that cannot be known. What pages store belongs to a port, and each visit has its own. */
async function tidy(page: Page): Promise<boolean> {
  try {
    const context = page.context();
    for (const other of context.pages()) if (other !== page) await other.close();
    await page.unrouteAll();
    await page.evaluate(() => {
      localStorage.clear();
      sessionStorage.clear();
    });
    await context.clearCookies();
    return !page.isClosed();
  } catch {
    return false;
  }
}

async function buildPage(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'angles-renderer-'));
  await build({
    configFile: false,
    root: RENDERER,
    base: './',
    logLevel: 'error',
    // As it is shipped, though this runs as a test.
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact', development: false } },
    build: {
      target: 'es2023',
      outDir: folder,
      emptyOutDir: true,
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
  });
  return folder;
}

export type Visit = {
  readonly api: FakeApi;
  readonly server: RunningServer;
  readonly context: BrowserContext;
  readonly page: Page;
  /** What went wrong in the page: exceptions and violations of its policy. */
  readonly faults: () => Promise<string[]>;
  readonly goTo: (hash: string) => Promise<void>;
  readonly close: () => Promise<void>;
};

export type VisitOptions = FakeOptions & {
  readonly theme?: 'light' | 'dark';
  readonly width?: number;
  readonly signedIn?: boolean;
};

/** A fresh agent and server, and a page without a memory, at the time of the sample data. */
export async function visit(bench: Bench, options: VisitOptions = {}): Promise<Visit> {
  const api = createFakeApi(options);
  const server = await startServer({ api, port: 0, rendererFolder: bench.rendererFolder, log: console });
  const page = await bench.takePage();
  const context = page.context();
  await page.setViewportSize({ width: options.width ?? 1_280, height: 800 });
  await page.emulateMedia({ colorScheme: options.theme ?? 'light', reducedMotion: 'reduce', forcedColors: 'none' });
  page.setDefaultTimeout(10_000);
  const exceptions: string[] = [];
  const note = (error: Error): void => void exceptions.push(String(error));
  page.on('pageerror', note);
  await page.goto(options.signedIn === false ? server.url : server.makeLink(), { waitUntil: 'commit' });
  await page.locator('h1').first().waitFor({ state: 'attached' });
  return {
    api,
    server,
    context,
    page,
    faults: async () => [
      ...exceptions,
      ...(await page.evaluate(() => (globalThis as unknown as { violations: string[] }).violations)),
    ],
    goTo: async (hash) => {
      await page.evaluate(async (wanted) => {
        location.hash = wanted;
        // The page hears of the new place in its own turn, and draws it in the next frame.
        await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
      }, hash);
      await page.waitForFunction(() => document.querySelector('.skeleton') === null);
      await page.locator('h1').first().waitFor({ state: 'attached' });
    },
    close: async () => {
      page.off('pageerror', note);
      await bench.givePage(page);
      await server.close();
      api.close();
    },
  };
}

const FILE = encodeURIComponent('/home/mira/projects/atlas/docs/architecture.md');
const SKIPPED = encodeURIComponent('/home/mira/notes/private/keys.txt');

/** A way to every view and to its main states, by name. `ids` are of records that exist. */
export const placesOf = (ids: {
  readonly decision: string;
  readonly memory: string;
  readonly conflict?: string;
  readonly backup?: string;
}): Readonly<Record<string, string>> => ({
  overview: '#/',
  activity: '#/activity',
  'activity without a match': '#/activity?path=nowhere',
  files: '#/files',
  'a folder': '#/files?root=2&folder=guides&state=present,deleted,skipped',
  'a folder that is held': '#/files?root=3',
  'a file': `#/file?path=${FILE}`,
  'the changes of a file': `#/file?path=${FILE}&show=changes`,
  'a file that was never captured': `#/file?path=${SKIPPED}`,
  'a file that does not exist': '#/file?path=%2Fno%2Fsuch.md',
  'search before typing': '#/search',
  search: '#/search?q=vault',
  'search without a match': '#/search?q=zzzz',
  decisions: '#/decisions',
  'the board': '#/decisions?layout=board',
  'a decision': `#/decisions?id=${ids.decision}`,
  'a new decision': '#/decisions?new=1',
  memories: '#/memories',
  'a memory': `#/memories?id=${ids.memory}`,
  conflicts: '#/conflicts',
  'conflicts that were decided': '#/conflicts?show=resolved',
  'conflicts without a match': '#/conflicts?show=resolved&remote=supabase',
  'a conflict': `#/conflicts?id=${ids.conflict ?? ''}`,
  'a conflict that does not exist': '#/conflicts?id=000000',
  sync: '#/sync',
  'the queue': '#/sync?show=queue',
  'what was set aside': '#/sync?show=queue&state=parked',
  devices: '#/sync?show=devices',
  backups: '#/backups',
  'the recovery kit': '#/backups?kit=1',
  'back up now': '#/backups?run=1',
  'a backup': `#/backups?id=${ids.backup ?? ''}`,
  'a folder of a backup': `#/backups?id=${ids.backup ?? ''}&root=2&folder=guides`,
  'a search in a backup': `#/backups?id=${ids.backup ?? ''}&q=md`,
  'a restore': `#/backups?id=${ids.backup ?? ''}&restore=1`,
  'a restore plan': `#/backups?id=${ids.backup ?? ''}&restore=now`,
  'a backup that does not exist': '#/backups?id=nowhere',
  schedule: '#/schedule',
  logs: '#/logs',
  'logs without a match': '#/logs?text=zzzz',
  health: '#/health',
  settings: '#/settings',
  'the first run': '#/welcome',
});

export async function recordIds(
  api: FakeApi,
): Promise<{ decision: string; memory: string; conflict: string; backup: string }> {
  const first = async (table: 'decision_vault' | 'memories'): Promise<string> =>
    (await api.methods['records.list']({ table })).records[0]?.id ?? '';
  return {
    decision: await first('decision_vault'),
    memory: await first('memories'),
    conflict: (await api.methods['conflicts.list']({})).conflicts[0]?.id ?? '',
    backup: (await api.methods['backups.list']({})).backups[0]?.id ?? '',
  };
}
