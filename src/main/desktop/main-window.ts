import { type BrowserWindow, nativeTheme, type Session, screen, type WebContents } from 'electron';
import type { DesktopEventName, DesktopEvents } from '../../shared/desktop.ts';
import type { AgentApi } from '../api-types.ts';
import { APP_PAGE } from './address.ts';
import { placeWindow } from './bounds.ts';
import { createCrashGuard } from './crash-guard.ts';
import { forwardEvents, sendEvent } from './ipc.ts';
import { createSecureWindow } from './secure-window.ts';
import type { StateFile } from './state-file.ts';

export type MainWindowNeeds = {
  readonly api: AgentApi;
  readonly session: Session;
  readonly preload: string;
  readonly icon: string;
  readonly devTools: boolean;
  readonly state: StateFile;
  readonly log: { readonly warn: Write; readonly error: Write };
  readonly onLink: (url: string) => void;
  readonly onRefused: (what: string, url: string) => void;
  /** The window was closed by the person; the agent goes on. */
  readonly onClosed: () => void;
  /** The page crashed again and again and stays closed. */
  readonly onGivenUp: () => void;
  readonly nowMs: () => number;
};
type Write = (message: string, data?: Record<string, unknown>) => void;

/** The one window. It exists only while it is open: a closed window has no page and costs nothing. */
export type MainWindow = {
  /** Opens it, or brings it to the front; with a hash it goes to that place. */
  readonly show: (hash?: string) => void;
  /** Its contents; null while it is closed. */
  readonly contents: () => WebContents | null;
  readonly tell: <E extends DesktopEventName>(event: E, payload: DesktopEvents[E]) => void;
  /** The page listens from now on; returns what waited for it. */
  readonly ready: () => { event: DesktopEventName; payload: unknown }[];
  readonly close: () => void;
  /** The program ends: the window closes without a word. */
  readonly forget: () => void;
};

const PAPER = { light: '#f5f4f0', dark: '#151513' };

export function createMainWindow(needs: MainWindowNeeds): MainWindow {
  let window: BrowserWindow | null = null;
  /** What the page is told when it listens. */
  let waiting: { event: DesktopEventName; payload: unknown }[] = [];
  let isListening = false;
  let isForgotten = false;
  const crashes = createCrashGuard(needs.nowMs);

  const contents = (): WebContents | null => (window === null || window.isDestroyed() ? null : window.webContents);
  const tell: MainWindow['tell'] = (event, payload) => {
    const page = contents();
    if (page !== null && isListening) sendEvent(page, event, payload);
    else waiting.push({ event, payload });
  };
  const load = (made: BrowserWindow, hash: string): void => {
    isListening = false;
    made.loadURL(`${APP_PAGE}${hash}`).catch((error: unknown) => {
      // A crash ends the loading, too; it has its own handling.
      if (window === made) needs.log.error('The window could not load its page.', { error });
    });
  };

  const open = (hash: string): void => {
    const made = createSecureWindow({
      session: needs.session,
      preload: needs.preload,
      icon: needs.icon,
      devTools: needs.devTools,
      bounds: placeWindow(
        needs.state.get().bounds,
        screen.getAllDisplays().map((display) => display.workArea),
      ),
      backgroundColor: nativeTheme.shouldUseDarkColors ? PAPER.dark : PAPER.light,
      onLink: needs.onLink,
      onRefused: needs.onRefused,
    });
    window = made;
    const stopEvents = forwardEvents(needs.api, made.webContents);
    made.once('ready-to-show', () => made.show());
    made.on('close', () => needs.state.change({ bounds: made.getNormalBounds() }));
    made.on('closed', () => {
      stopEvents();
      if (window === made) window = null;
      waiting = [];
      if (!isForgotten) needs.onClosed();
    });
    made.webContents.on('preload-error', (_event, path, error) =>
      needs.log.error('The window has no bridge to the agent.', { path, error }),
    );
    made.webContents.on('render-process-gone', (_event, { reason, exitCode }) => {
      if (reason === 'clean-exit') return;
      needs.log.error('The window crashed; the agent was not affected.', { reason, exitCode });
      if (!crashes.mayReopen()) {
        isForgotten = true;
        made.destroy();
        isForgotten = false;
        needs.onGivenUp();
        return;
      }
      tellAfterCrash();
      load(made, '');
    });
    made.on('unresponsive', () => needs.log.warn('The window does not react; the agent goes on.'));
    load(made, hash);
  };
  const tellAfterCrash = (): void => {
    isListening = false;
    tell('desktop.notice', {
      tone: 'error',
      text: 'The window crashed and was opened again. The agent went on: nothing is lost.',
    });
  };

  return {
    show: (hash) => {
      if (window === null || window.isDestroyed()) {
        open(hash ?? '');
        return;
      }
      if (window.isMinimized()) window.restore();
      window.show();
      window.focus();
      if (hash !== undefined) tell('desktop.go', { hash });
    },
    contents,
    tell,
    ready: () => {
      isListening = true;
      const told = waiting;
      waiting = [];
      return told;
    },
    close: () => {
      isForgotten = true;
      if (window !== null && !window.isDestroyed()) window.close();
    },
    forget: () => {
      isForgotten = true;
    },
  };
}
