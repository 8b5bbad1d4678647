/**
 * The entry of the desktop app: `out/main/desktop.js`, started by Electron. What must happen before Electron is ready
 * happens while this module is evaluated; `main` does the rest.
 */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { app, protocol } from 'electron';
import type { OpenAgent } from '../api-types.ts';
import { programVersion } from '../headless/version.ts';
import { packageRoot } from '../package-root.ts';
import { openSamplePlace, type SamplePlace } from '../sample-place.ts';
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
  const sample = argv.includes('--demo') ? openSamplePlace(process.env) : null;
  if (sample !== null) process.once('exit', sample.remove);
  const dataFolder = sample?.dataFolder ?? defaultDataFolder(process.env, process.platform, homedir());
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
  const launch: Launch = { desktop: null, opening: null };
  let wanted: { readonly link: string | null } | null = null;
  const show = (link: string | null): void => {
    if (launch.desktop === null) wanted = { link };
    else launch.desktop.show(link);
  };
  app.on('second-instance', (_event, others) => show(linkIn(others)));
  app.on('open-url', (event, url) => {
    event.preventDefault();
    show(url);
  });
  app.on('activate', () => show(null));
  // The agent lives on without a window.
  app.on('window-all-closed', () => undefined);
  endCleanly(launch);
  await app.whenReady();
  if (app.isPackaged && sample === null) app.setAsDefaultProtocolClient('angles');
  launch.desktop = await openUntilItWorks(launch, argv, dataFolder, sample);
  if (launch.desktop === null) app.exit(1);
  else if (wanted !== null) launch.desktop.show((wanted as { link: string | null }).link);
}

/** How far the start is: nothing, an attempt under way, or the running desktop. */
type Launch = { desktop: Desktop | null; opening: Promise<Desktop> | null };

/** The profile of the window lies in the data folder, so that one data folder means one running program. */
function profileFolder(dataFolder: string): string {
  const folder = join(dataFolder, 'window');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Null when the person gave up. */
async function openUntilItWorks(
  launch: Launch,
  argv: readonly string[],
  dataFolder: string,
  sample: SamplePlace | null,
): Promise<Desktop | null> {
  const openAgent: OpenAgent = async (host, mode) => (await import('../agent.ts')).openAgent(host, mode);
  const version = programVersion();
  let isFilled = sample === null;
  for (;;) {
    try {
      if (sample !== null && !isFilled) {
        const { fillSample } = await import('../sample.ts');
        await fillSample({ place: sample, openAgent, version, nowMs: Date.now() });
        isFilled = true;
      }
      launch.opening = startDesktop({
        ...readArguments(argv),
        dataFolder,
        version,
        packageFolder: packageRoot(),
        environment: sample?.environment ?? process.env,
        openAgent,
      });
      return await launch.opening;
    } catch (error) {
      // While a person reads why, quitting has nothing to wait for.
      launch.opening = null;
      if (!(await askAfterFailure(error))) return null;
    }
  }
}

/** However it is asked to end (menu, signal, log-out, `angles stop`), also while it starts, the agent is closed first. */
function endCleanly(launch: Launch): void {
  app.on('before-quit', () => launch.desktop?.sayGoodbye());
  let isOver = false;
  app.on('will-quit', (event) => {
    if (isOver || launch.opening === null) return;
    event.preventDefault();
    isOver = true;
    launch.opening
      .then((desktop) => desktop.stop())
      .then(
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
