/**
 * The desktop app as a person has it: the built program, in the stand-in for Electron with Debian's Chromium, or with
 * `ANGLES_ELECTRON=real` in Electron itself, driven through Playwright. The same specs run on both; what only the
 * stand-in can do (press a tray menu, crash a page by name) is `host`.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { _electron, type Browser, chromium, type Page } from 'playwright-core';
import { packageRoot } from '../../src/main/package-root.ts';
import { openBrowser, SHARED_BROWSER_NAME } from './electron-host/browser.ts';
import type { HostActions, HostState } from './electron-host/control.ts';
import { HOST_OPTIONS_NAME, type HostOptions } from './electron-host/options.ts';
import { NODE } from './strace.ts';

const ROOT = packageRoot();
const REGISTER = join(import.meta.dirname, 'electron-host', 'register.ts');
const PATIENCE_MS = 60_000;

export const isReal = process.env.ANGLES_ELECTRON === 'real';

/** The folder of one person: home, data folder, a folder of notes. */
export type Place = {
  readonly home: string;
  readonly dataFolder: string;
  readonly notes: string;
  readonly remove: () => void;
};

export function makePlace(): Place {
  const home = mkdtempSync(join(quickFolder(), 'angles-desktop-'));
  mkdirSync(join(home, 'notes'));
  return {
    home,
    dataFolder: join(home, 'data'),
    notes: join(home, 'notes'),
    remove: () => rmSync(home, { recursive: true, force: true, maxRetries: 5 }),
  };
}

const ROOMY_BYTES = 2_000_000_000;

/** A folder in memory where there is a roomy one: what is asked here is not whether a disk keeps its promises. */
function quickFolder(): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    if (bavail * bsize > ROOMY_BYTES) return '/dev/shm';
  } catch {
    // There is none.
  }
  return tmpdir();
}

export type Desktop = {
  readonly pid: number;
  /** The page of the window, once it is drawn. Rejects when none opens. */
  readonly page: () => Promise<Page>;
  /** The page of another program that this one started. Throws on real Electron. */
  readonly otherPage: () => Promise<Page>;
  /** The system around the program. Throws on real Electron. */
  readonly host: HostActions;
  /** What was printed so far. */
  readonly output: () => string;
  /** Resolves with the exit code when the program has ended. */
  readonly ended: Promise<number | null>;
  /** Waits until the state of the surroundings is so; throws with the last state when it does not become so. */
  readonly until: (what: string, test: (state: HostState) => boolean) => Promise<HostState>;
  /** Quits it as a person does and waits for its end. */
  readonly quit: () => Promise<number | null>;
  readonly kill: () => Promise<void>;
};

export type DesktopStart = {
  readonly place: Place;
  readonly args?: readonly string[];
  readonly options?: Partial<HostOptions>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Another built program than that of this folder. */
  readonly entry?: string;
  /** A browser of its own, which crashes alone. Without it, all programs of a test file use one. */
  readonly ownBrowser?: boolean;
};

export async function startDesktop(start: DesktopStart): Promise<Desktop> {
  return isReal ? startReal(start) : startHosted(start);
}

/** Why the specs cannot run on real Electron here; null when they can, or are not asked to. */
export function missingElectron(): string | null {
  if (!isReal) return null;
  try {
    realBinary();
    return null;
  } catch (error) {
    return `ANGLES_ELECTRON=real, but ${(error as Error).message}`;
  }
}

function realBinary(): string {
  const folder = join(ROOT, 'node_modules', 'electron');
  if (!existsSync(join(folder, 'path.txt'))) throw new Error('Electron has no binary here (`npx electron` fetches it)');
  return createRequire(import.meta.url)('electron') as string;
}

function environmentOf({ place, options, environment }: DesktopStart): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    HOME: place.home,
    ANGLES_HOME: place.dataFolder,
    TZ: 'UTC',
    ...(process.env.CHROMIUM_PATH === undefined ? {} : { CHROMIUM_PATH: process.env.CHROMIUM_PATH }),
    ...(process.env.DISPLAY === undefined ? {} : { DISPLAY: process.env.DISPLAY }),
    ...(options === undefined ? {} : { [HOST_OPTIONS_NAME]: JSON.stringify(options) }),
    ...environment,
  };
}

async function startHosted(start: DesktopStart): Promise<Desktop> {
  const entry = start.entry ?? join(ROOT, 'out', 'main', 'desktop.js');
  if (!existsSync(entry)) throw new Error(`${entry} does not exist: run \`npm run build\` first`);
  const shared = start.ownBrowser === true ? {} : { [SHARED_BROWSER_NAME]: (await openBrowser()).url };
  const child = fork(entry, [...(start.args ?? ['--port', '0'])], {
    execPath: NODE,
    execArgv: ['--no-warnings', '--import', REGISTER],
    env: { ...environmentOf(start), ...shared },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const output = collect(child);
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const host = remoteActions(child, ended);
  const until: Desktop['until'] = async (what, test) => {
    let state: HostState | null = null;
    for (const endMs = performance.now() + PATIENCE_MS; performance.now() < endMs; ) {
      state = await host.state(undefined as never);
      if (test(state)) return state;
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    throw new Error(
      `did not become so within ${PATIENCE_MS} ms: ${what}\n${summaryOf(state)}\n${output().slice(-2_000)}`,
    );
  };
  const page = async (): Promise<Page> => {
    const state = await until('a window shows its page', ({ windows }) => windows[0]?.url.startsWith('app:') === true);
    const { browserUrl, windows } = state;
    for (const endMs = performance.now() + PATIENCE_MS; performance.now() < endMs; ) {
      const found = await findPage(await connection(browserUrl ?? ''), (id) => id === windows[0]?.targetId);
      if (found !== null && (await isDrawn(found))) return found;
      // A page that crashed stays so for its connection, whatever is loaded into it later.
      if (found !== null) disconnect(browserUrl ?? '');
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    throw new Error(`no page within ${PATIENCE_MS} ms\n${output()}`);
  };
  const otherPage = async (): Promise<Page> => {
    const { browserUrl, windows } = await until('a window is open', (state) => state.windows.length > 0);
    for (const endMs = performance.now() + PATIENCE_MS; performance.now() < endMs; ) {
      const found = await findPage(await connection(browserUrl ?? ''), (id) => id !== windows[0]?.targetId);
      if (found !== null && (await isDrawn(found))) return found;
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    throw new Error(`no other page within ${PATIENCE_MS} ms`);
  };
  return {
    pid: child.pid ?? 0,
    page,
    otherPage,
    host,
    output,
    ended,
    until,
    quit: async () => {
      await host.quit(undefined as never).catch(() => undefined);
      return ended;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Connections of this test file, by the address of the browser. */
const connections = new Map<string, Promise<Browser>>();

function connection(url: string): Promise<Browser> {
  const known = connections.get(url) ?? chromium.connectOverCDP(url);
  connections.set(url, known);
  return known;
}

function disconnect(url: string): void {
  const known = connections.get(url);
  connections.delete(url);
  known?.then((browser) => browser.close()).catch(() => undefined);
}

/** The page of a window; null until the connection knows it. */
async function findPage(browser: Browser, isWanted: (targetId: string) => boolean): Promise<Page | null> {
  for (const context of browser.contexts()) {
    for (const page of context.pages().filter((one) => one.url().includes('.electron-host.test/'))) {
      try {
        const session = await context.newCDPSession(page);
        const { targetInfo } = await session.send('Target.getTargetInfo');
        await session.detach();
        if (isWanted(targetInfo.targetId)) return page;
      } catch {
        // It has gone meanwhile, with the program before.
      }
    }
  }
  return null;
}

/** False when the page crashed before it was drawn, or since. */
async function isDrawn(page: Page): Promise<boolean> {
  try {
    page.setDefaultTimeout(10_000);
    await page.locator('h1').first().waitFor({ state: 'attached' });
    return true;
  } catch (error) {
    if (/crashed|closed/.test(String(error))) return false;
    throw error;
  }
}

/** What of the surroundings tells most about why something did not happen. */
function summaryOf(state: HostState | null): string {
  if (state === null) return 'no state was seen';
  const { trays, notifications, dialogs, windows, pages } = state;
  return JSON.stringify(
    {
      tray: trays.map(({ image, tooltip }) => [image, tooltip]),
      notifications,
      dialogs,
      windows: windows.map(({ url, visible, focused }) => [url, visible, focused]),
      pages,
    },
    null,
    1,
  );
}

function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (piece) => {
      text += String(piece);
    });
  return () => text;
}

function remoteActions(child: ChildProcess, ended: Promise<number | null>): HostActions {
  const pending = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  let last = 0;
  child.on('message', (message: { id: number; value?: unknown; error?: string }) => {
    const call = pending.get(message.id);
    pending.delete(message.id);
    if (message.error === undefined) call?.resolve(message.value as never);
    else call?.reject(new Error(message.error));
  });
  void ended.then(() => {
    for (const call of pending.values()) call.reject(new Error('the program has ended'));
    pending.clear();
  });
  return new Proxy({} as HostActions, {
    get: (_, name) =>
      name === 'then'
        ? undefined
        : (input: unknown) => {
            last += 1;
            const id = last;
            const answer = new Promise((resolve, reject) => pending.set(id, { resolve: resolve as never, reject }));
            if (child.connected) child.send({ id, name, input });
            else return Promise.reject(new Error('the program has ended'));
            return answer;
          },
  });
}

async function startReal(start: DesktopStart): Promise<Desktop> {
  const running = await _electron.launch({
    executablePath: realBinary(),
    args: [ROOT, ...(start.args ?? ['--port', '0']), ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
    env: environmentOf(start),
  });
  const child = running.process();
  const output = collect(child);
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const host = new Proxy({} as HostActions, {
    get: (_, name) => () => {
      throw new Error(`host.${String(name)} exists only in the stand-in for Electron`);
    },
  });
  return {
    pid: child.pid ?? 0,
    page: async () => {
      const page = await running.firstWindow();
      page.setDefaultTimeout(10_000);
      await page.locator('h1').first().waitFor({ state: 'attached' });
      return page;
    },
    otherPage: () => Promise.reject(new Error('another program is known only to the stand-in')),
    host,
    output,
    ended,
    until: () => Promise.reject(new Error('the surroundings are known only to the stand-in')),
    quit: async () => {
      await running.close();
      return ended;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
