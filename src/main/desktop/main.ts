/**
 * The entry of the desktop app: `out/main/desktop.js`, started by Electron. What must happen before Electron is ready
 * happens while this module is evaluated; `main` does the rest.
 */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { app, protocol } from 'electron';
import { programVersion } from '../headless/version.ts';
import { packageRoot } from '../package-root.ts';
import { defaultDataFolder } from '../settings/data-folder.ts';
import { linkIn } from './address.ts';
import { readArguments } from './arguments.ts';
import { type Desktop, startDesktop } from './desktop-app.ts';
import { askAfterFailure } from './failure.ts';
import { PRIVILEGED_SCHEMES } from './secure-window.ts';

/** Runs the desktop app until it quits. `argv` is what follows the program: `[start] [options] [angles://...]`. */
export async function main(argv: readonly string[]): Promise<void> {
  app.enableSandbox();
  protocol.registerSchemesAsPrivileged(PRIVILEGED_SCHEMES);
  const dataFolder = defaultDataFolder(process.env, process.platform, homedir());
  try {
    app.setPath('userData', profileFolder(dataFolder));
  } catch {
    // The folder cannot be written: opening the agent says so in words.
  }
  if (!app.requestSingleInstanceLock()) {
    process.stderr.write('Angles is running already; its window is shown.\n');
    app.exit(0);
    return;
  }
  let desktop: Desktop | null = null;
  let wanted: { link: string | null } | null = null;
  const show = (link: string | null): void => {
    if (desktop === null) wanted = { link };
    else desktop.show(link);
  };
  app.on('second-instance', (_event, others) => show(linkIn(others)));
  app.on('open-url', (event, url) => {
    event.preventDefault();
    show(url);
  });
  app.on('activate', () => show(null));
  // The agent lives on without a window.
  app.on('window-all-closed', () => undefined);
  endCleanly(() => desktop);
  await app.whenReady();
  if (app.isPackaged) app.setAsDefaultProtocolClient('angles');
  desktop = await openUntilItWorks(argv, dataFolder);
  if (desktop === null) app.exit(1);
  else if (wanted !== null) desktop.show((wanted as { link: string | null }).link);
}

/** The profile of the window lies in the data folder, so that one data folder means one running program. */
function profileFolder(dataFolder: string): string {
  const folder = join(dataFolder, 'window');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Null when the person gave up. */
async function openUntilItWorks(argv: readonly string[], dataFolder: string): Promise<Desktop | null> {
  for (;;) {
    try {
      return await startDesktop({
        ...readArguments(argv),
        dataFolder,
        version: programVersion(),
        packageFolder: packageRoot(),
        openAgent: async (host, mode) => (await import('../agent.ts')).openAgent(host, mode),
      });
    } catch (error) {
      if (!(await askAfterFailure(error))) return null;
    }
  }
}

/** However it is asked to end (menu, signal, log-out, `angles stop`), the agent is closed in order first. */
function endCleanly(running: () => Desktop | null): void {
  app.on('before-quit', () => running()?.sayGoodbye());
  let isOver = false;
  app.on('will-quit', (event) => {
    const desktop = running();
    if (isOver || desktop === null) return;
    event.preventDefault();
    isOver = true;
    desktop.stop().then(
      (line) => {
        process.stderr.write(`${line}\n`);
        app.exit(0);
      },
      (error: unknown) => {
        process.stderr.write(`Error: ${String((error as Error).stack ?? error)}\n`);
        app.exit(1);
      },
    );
  });
  let signals = 0;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      signals += 1;
      if (signals > 1) app.exit(130);
      else app.quit();
    });
  }
}

if (process.type === 'browser') void main(process.argv.slice(app.isPackaged ? 1 : 2));
