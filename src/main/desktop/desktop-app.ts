/** Composes the desktop: the agent, the tray, the window, the notices; starts and stops them in order. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { app, dialog, session } from 'electron';
import { AppError } from '../../shared/errors.ts';
import { queued } from '../../shared/tray-state.ts';
import type { OpenAgent, ShellAgent } from '../api-types.ts';
import { stoppedLine } from '../headless/cli/agent-commands.ts';
import { hashOfLink } from './address.ts';
import { serveAppFiles } from './app-files.ts';
import type { StartOptions } from './arguments.ts';
import { createDesktopMethods } from './desktop-methods.ts';
import { serveCalls } from './ipc.ts';
import { createKeychain, type Keychain } from './keychain.ts';
import { createLinks, type Links } from './links.ts';
import { openLocalServer } from './local-server.ts';
import { createLoginItem, type LoginItem } from './login-item.ts';
import { createMainWindow, type MainWindow } from './main-window.ts';
import { createNotices, type Notices } from './notices.ts';
import { openDemo } from './open-demo.ts';
import { onPower } from './power.ts';
import { secureContents, secureSession } from './secure-window.ts';
import { openStateFile, type StateFile } from './state-file.ts';
import { createSurroundings } from './surroundings.ts';
import { createTrayIcon, type TrayIcon } from './tray.ts';
import { createTrayActions } from './tray-actions.ts';
import { scheduleUpdates } from './updates.ts';

export type DesktopOptions = StartOptions & {
  readonly dataFolder: string;
  readonly version: string;
  /** Holds `out/renderer`, `out/preload` and `assets`. */
  readonly packageFolder: string;
  /** Where names of outside services are read from. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly openAgent: OpenAgent;
};

export type Desktop = {
  /** Shows the window; with a deep link at its place. */
  readonly show: (link: string | null) => void;
  /** The person, the system or a command asked to quit: says what stays queued. */
  readonly sayGoodbye: () => void;
  /** Closes everything in order; resolves with what is kept for the next start, in one line. Safe to repeat. */
  readonly stop: () => Promise<string>;
};

type Logger = ReturnType<ShellAgent['log']['component']>;
type Face = {
  readonly window: MainWindow;
  readonly tray: TrayIcon;
  readonly notices: Notices;
  readonly links: Links;
  readonly loginItem: LoginItem;
};

/** Opens the agent and shows it. Throws what {@link OpenAgent} throws; then nothing is left open. */
export async function startDesktop(options: DesktopOptions): Promise<Desktop> {
  const { dataFolder, version } = options;
  const keychain = createKeychain(dataFolder, process.platform);
  const agent = await openWith(options, keychain);
  const { api } = agent;
  const log = agent.log.component('desktop');
  const face = createFace(options, agent, log);
  const surroundings = createSurroundings({ api, tray: face.tray, notices: face.notices, nowMs: Date.now, log });
  const stops: (() => void)[] = [
    serveCalls({
      api,
      desktop: createDesktopMethods({
        ...face,
        keychain,
        platform: process.platform,
        openDemo: () => openDemo((error) => log.warn('The sample data could not be opened.', { error })),
      }),
      windowContents: face.window.contents,
      log,
    }),
    // A look at sample data changes nothing of the person's desktop.
    ...(options.isDemo ? [] : [followLoginSetting(agent, face.loginItem, log)]),
    scheduleUpdates(updateNeeds(agent, face.window, log)),
    surroundings.stop,
    face.notices.stop,
    face.window.close,
  ];
  agent.onStopRequested(() => app.quit());
  let server: { readonly close: () => Promise<void> } | null = null;
  let isStopping = false;

  const stop = async (): Promise<string> => {
    isStopping = true;
    for (const each of stops) each();
    const status = await api.methods['agent.status']({}).catch(() => null);
    await server?.close();
    await agent.stop();
    face.tray.stop();
    return status === null ? 'The agent has stopped.' : stoppedLine(queued(status), status);
  };
  let stopping: Promise<string> | null = null;
  const desktop: Desktop = {
    show: (link) => face.window.show(link === null ? undefined : hashOfLink(link)),
    sayGoodbye: () => {
      const left = surroundings.left();
      if (left > 0 && !isStopping) face.notices.tellOnce('Angles is stopping', queuedText(left));
      isStopping = true;
      face.window.forget();
    },
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
  try {
    server = await openLocalServer({
      agent,
      dataFolder,
      port: options.port ?? agent.settings().dashboard.port,
      rendererFolder: join(options.packageFolder, 'out', 'renderer'),
      version,
      nowMs: Date.now,
    });
    await addRoots(agent, options.roots);
    await surroundings.refresh();
  } catch (error) {
    await desktop.stop();
    throw error;
  }
  if (!options.isHidden || options.link !== null) desktop.show(options.link);
  agent.start().then(surroundings.refreshSoon, (error: unknown) => {
    if (!isStopping) sayNotStarted(error, face.window, log);
  });
  return desktop;
}

function openWith(options: DesktopOptions, secrets: Keychain): Promise<ShellAgent> {
  return options.openAgent(
    {
      dataFolder: options.dataFolder,
      environment: options.environment,
      version: options.version,
      shell: 'desktop',
      isSample: options.isDemo,
      nowMs: Date.now,
      // Everything a person must act on is in the status, from which the notices here are made.
      notify: () => undefined,
      onPower,
      secrets,
    },
    'running',
  );
}

/** Everything that a person sees. */
function createFace(options: DesktopOptions, agent: ShellAgent, log: Logger): Face {
  const { dataFolder, packageFolder } = options;
  const assets = join(packageFolder, 'assets');
  const icon = join(assets, 'icon.png');
  const state = openStateFile(dataFolder, (error) => log.warn('desktop.json cannot be used.', { error }));
  const onRefused = (what: string, url: string): void => log.warn(`Refused: ${what}.`, { url: url.slice(0, 200) });
  const links = createLinks(onRefused);
  const onLink = (url: string): void => void links.open(url).catch(() => undefined);
  const pages = session.fromPartition('persist:angles');
  secureSession(pages, onRefused);
  serveAppFiles(pages, join(packageFolder, 'out', 'renderer'));
  app.on('web-contents-created', (_event, contents) => secureContents(contents, { onLink, onRefused }));

  const notices = createNotices({
    settings: agent.settings,
    state,
    icon,
    nowMs: Date.now,
    onAction: (hash) => window.show(hash),
  });
  const window: MainWindow = createMainWindow({
    api: agent.api,
    session: pages,
    preload: join(packageFolder, 'out', 'preload', 'preload.cjs'),
    icon,
    devTools: !app.isPackaged,
    state,
    log,
    onLink,
    onRefused,
    onClosed: () => sayItStays(state, notices, tray.isThere()),
    onGivenUp: () => void notices.tellOnce(CRASHING.title, CRASHING.body),
    nowMs: Date.now,
  });
  const act = createTrayActions({ api: agent.api, window, nowMs: Date.now, log });
  const tray: TrayIcon = createTrayIcon({ assetsFolder: assets, platform: process.platform, onAction: act, log });
  const loginItem = createLoginItem({
    platform: process.platform,
    environment: process.env,
    homedir: homedir(),
    command: app.isPackaged ? [process.env.APPIMAGE ?? process.execPath] : [process.execPath, packageFolder],
  });
  return { window, tray, notices, links, loginItem };
}

const CRASHING = {
  title: 'The window of Angles keeps crashing',
  body: 'The agent goes on and nothing is lost. Open the window again from the tray, or run `angles open`.',
};

/** Once in the life of a data folder: closing the window does not stop the agent. */
function sayItStays(state: StateFile, notices: Notices, hasTray: boolean): void {
  if (state.get().toldAboutClosing) return;
  const title = 'Angles keeps running';
  const body = hasTray
    ? 'Every save is still captured. Open the window again from the tray.'
    : 'Every save is still captured. Start Angles once more to open the window again.';
  if (!notices.tellOnce(title, body))
    void dialog.showMessageBox({ type: 'info', title, message: title, detail: body, buttons: ['OK'] });
  state.change({ toldAboutClosing: true });
}

const queuedText = (left: number): string =>
  `${left} ${left === 1 ? 'change stays' : 'changes stay'} queued safely, until the next start.`;

function sayNotStarted(error: unknown, window: MainWindow, log: Logger): void {
  log.error('The agent could not start.', { error });
  window.show();
  const text = error instanceof AppError ? `${error.message} ${error.hint}` : String(error);
  window.tell('desktop.notice', { tone: 'error', text: `The agent could not start: ${text}` });
}

/** Registers the start at login as the setting says, now and after each change of it. */
function followLoginSetting(agent: ShellAgent, loginItem: LoginItem, log: Logger): () => void {
  const apply = (): void => {
    try {
      const { start_at_login: wanted } = agent.settings().desktop;
      if (wanted !== loginItem.isOn()) loginItem.set(wanted);
    } catch (error) {
      log.warn('Starting at login could not be changed.', { error });
    }
  };
  apply();
  return agent.api.subscribe((event) => {
    if (event.event === 'settings') apply();
  });
}

function updateNeeds(agent: ShellAgent, window: MainWindow, log: Logger): Parameters<typeof scheduleUpdates>[0] {
  return {
    isPackaged: app.isPackaged,
    isWanted: () => agent.settings().desktop.check_for_updates,
    hasFeed: () => existsSync(join(process.resourcesPath, 'app-update.yml')),
    loadUpdater: async () => (await import('electron-updater')).autoUpdater,
    log,
    onReady: (version) =>
      window.tell('desktop.notice', { tone: 'ok', text: `Angles ${version} is ready: quitting installs it.` }),
  };
}

async function addRoots(agent: ShellAgent, roots: readonly string[]): Promise<void> {
  for (const path of roots) {
    try {
      await agent.api.methods['roots.add']({ path: resolve(path) });
    } catch (error) {
      // A folder that is watched already is what was asked for.
      if (!(error instanceof AppError) || error.code !== 'root.duplicate') throw error;
    }
  }
}
