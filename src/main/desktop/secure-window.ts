import { BrowserWindow, type Session, type WebContents } from 'electron';
import { APP_PAGE, APP_SCHEME, isAppUrl } from './address.ts';

/** The only permission a page gets: putting plain text into the clipboard, for its copy buttons. */
const ALLOWED_PERMISSIONS: ReadonlySet<string> = new Set(['clipboard-sanitized-write']);

export type SecureWindowOptions = {
  readonly session: Session;
  /** Absolute path of the built preload script. */
  readonly preload: string;
  readonly bounds: {
    readonly width: number;
    readonly height: number;
    readonly x?: number;
    readonly y?: number;
  };
  readonly icon: string;
  readonly backgroundColor: string;
  /** Developer tools are for working on the program, not for its packages. */
  readonly devTools: boolean;
  /** A link to a page outside was clicked; the caller decides whether a browser may open it. */
  readonly onLink: (url: string) => void;
  /** Something was refused: for the log. */
  readonly onRefused: (what: string, url: string) => void;
};

/** Makes the one kind of window that this program has. Nothing else may construct a BrowserWindow (a test looks). */
export function createSecureWindow(options: SecureWindowOptions): BrowserWindow {
  const window = new BrowserWindow({
    ...options.bounds,
    minWidth: 360,
    minHeight: 420,
    show: false,
    title: 'Angles',
    icon: options.icon,
    backgroundColor: options.backgroundColor,
    autoHideMenuBar: true,
    webPreferences: {
      session: options.session,
      preload: options.preload,
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      disableDialogs: true,
      spellcheck: false,
      devTools: options.devTools,
    },
  });
  return window;
}

/** Locks whatever shows pages: no navigation away, no new window, no embedded page. For every WebContents that is made. */
export function secureContents(
  contents: WebContents,
  options: Pick<SecureWindowOptions, 'onLink' | 'onRefused'>,
): void {
  const refuse = (event: { preventDefault: () => void; url: string }, what: string): void => {
    if (event.url === APP_PAGE || event.url.startsWith(`${APP_PAGE}#`)) return;
    event.preventDefault();
    options.onRefused(what, event.url);
  };
  contents.on('will-navigate', (event) => refuse(event, 'navigation'));
  contents.on('will-frame-navigate', (event) => refuse(event, 'navigation of a frame'));
  contents.on('will-redirect', (event) => refuse(event, 'redirect'));
  contents.on('will-attach-webview', (event) => {
    event.preventDefault();
    options.onRefused('embedded page', '');
  });
  contents.setWindowOpenHandler(({ url }) => {
    options.onLink(url);
    return { action: 'deny' };
  });
}

/** Locks a session: every permission but one is denied, nothing is loaded but the program's own files, nothing downloads. */
export function secureSession(session: Session, onRefused: SecureWindowOptions['onRefused']): void {
  const isAllowed = (permission: string, url: string): boolean => ALLOWED_PERMISSIONS.has(permission) && isAppUrl(url);
  session.setPermissionRequestHandler((_contents, permission, answer, details) =>
    answer(isAllowed(permission, details.requestingUrl)),
  );
  session.setPermissionCheckHandler((_contents, permission, origin) => isAllowed(permission, origin));
  session.setDevicePermissionHandler(() => false);
  session.webRequest.onBeforeRequest((details, answer) => {
    const ours = isAppUrl(details.url) || /^(devtools|chrome-extension|data):/.test(details.url);
    if (!ours) onRefused('request', details.url);
    answer({ cancel: !ours });
  });
  session.on('will-download', (event) => {
    event.preventDefault();
    onRefused('download', '');
  });
}

/** To be called before the app is ready: makes the page's scheme a secure origin with paths like those of https. */
export const PRIVILEGED_SCHEMES = [
  { scheme: APP_SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
];
