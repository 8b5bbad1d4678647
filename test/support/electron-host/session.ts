/** Sessions: a browser context each, with its protocols, its permissions and its requests. */
import { openBrowser } from './browser.ts';
import { KnownEmitter } from './emitter.ts';
import { notEmulated, strict } from './strict.ts';

type ProtocolHandler = (request: Request) => Response | Promise<Response>;
type Details = { readonly url: string; readonly method: string; readonly resourceType: string };
type BeforeRequest = (details: Details, answer: (result: { cancel?: boolean }) => void) => void;
type PermissionRequest = (
  contents: unknown,
  permission: string,
  answer: (isGranted: boolean) => void,
  details: { requestingUrl: string; isMainFrame: boolean },
) => void;
type PermissionCheck = (contents: unknown, permission: string, origin: string, details: object) => boolean;

/** Electron's names of permissions and those of the protocol. Without handlers Electron grants them all. */
export const PERMISSIONS: Readonly<Record<string, string>> = {
  'clipboard-read': 'clipboard-read',
  'clipboard-sanitized-write': 'clipboard-write',
  geolocation: 'geolocation',
  notifications: 'notifications',
  media: 'camera',
  midi: 'midi',
  'display-capture': 'display-capture',
  'idle-detection': 'idle-detection',
  'persistent-storage': 'persistent-storage',
};

const REAL = /^([a-z][\w+.-]*):\/\/([^/?#]*)(.*)$/s;
const CARRIED = /^https:\/\/([^/?#]*)\.([a-z][a-z0-9-]*)\.electron-host\.test(.*)$/s;

/**
 * Chromium refuses to load a scheme that it does not know before anybody can answer for it, so `app://angles/x` is
 * carried as `https://angles.app.electron-host.test/x`: a secure origin of its own, as a privileged scheme is.
 */
export function toCarried(url: string): string {
  const match = REAL.exec(url);
  if (match === null || ['http', 'https', 'data', 'file', 'about', 'devtools'].includes(match[1] ?? '')) return url;
  return `https://${match[2]}.${match[1]}.electron-host.test${match[3] === '' ? '/' : match[3]}`;
}

/** The address as the program knows it. */
export function fromCarried(url: string): string {
  const match = CARRIED.exec(url);
  return match === null ? url : `${match[2]}://${match[1]}${match[3]}`;
}

export class Session extends KnownEmitter {
  readonly partition: string;
  readonly protocols = new Map<string, ProtocolHandler>();
  beforeRequest: BeforeRequest | null = null;
  permissionRequest: PermissionRequest | null = null;
  permissionCheck: PermissionCheck | null = null;
  devicePermission: ((details: unknown) => boolean) | null = null;
  context: Promise<string> | null = null;

  constructor(partition: string) {
    super('session', ['will-download']);
    this.partition = partition;
  }

  readonly protocol = strict('session.protocol', {
    handle: (scheme: string, handler: ProtocolHandler) => {
      if (this.protocols.has(scheme)) throw new Error(`The scheme has been registered: ${scheme}`);
      this.protocols.set(scheme, handler);
    },
    unhandle: (scheme: string) => void this.protocols.delete(scheme),
    isProtocolHandled: (scheme: string) => this.protocols.has(scheme),
  });
  readonly webRequest = strict('session.webRequest', {
    onBeforeRequest: (filter: BeforeRequest | object, listener?: BeforeRequest | null) => {
      if (typeof filter !== 'function') throw notEmulated('webRequest.onBeforeRequest with a filter');
      void listener;
      this.beforeRequest = filter as BeforeRequest;
    },
  });

  setPermissionRequestHandler(handler: PermissionRequest | null): void {
    this.permissionRequest = handler;
  }

  setPermissionCheckHandler(handler: PermissionCheck | null): void {
    this.permissionCheck = handler;
  }

  setDevicePermissionHandler(handler: ((details: unknown) => boolean) | null): void {
    this.devicePermission = handler;
  }

  /** The browser context that stands for this session. */
  async contextId(): Promise<string> {
    this.context ??= openBrowser().then(async ({ cdp }) => {
      const { browserContextId } = await cdp.send<{ browserContextId: string }>('Target.createBrowserContext', {
        // However the program ends, what it opened ends with it.
        disposeOnDetach: true,
      });
      return browserContextId;
    });
    return this.context;
  }

  /** Asks the handlers for each permission and sets what they say for an origin. */
  async applyPermissions(contents: unknown, url: string): Promise<void> {
    const { cdp } = await openBrowser();
    const browserContextId = await this.contextId();
    const origin = new URL(toCarried(url)).origin;
    for (const [permission, name] of Object.entries(PERMISSIONS)) {
      const isGranted = await this.isGranted(contents, permission, url);
      await cdp
        .send('Browser.setPermission', {
          browserContextId,
          origin,
          permission: { name },
          setting: isGranted ? 'granted' : 'denied',
        })
        // A Chromium that does not know one cannot grant it either.
        .catch(() => undefined);
    }
  }

  /** What the page would get: both handlers must agree; no handler means yes, as in Electron. */
  async isGranted(contents: unknown, permission: string, url: string): Promise<boolean> {
    const request = this.permissionRequest;
    const asked =
      request === null ||
      (await new Promise<boolean>((resolve) =>
        request(contents, permission, resolve, { requestingUrl: url, isMainFrame: true }),
      ));
    const { protocol, host } = new URL(url);
    const checked =
      this.permissionCheck === null || this.permissionCheck(contents, permission, `${protocol}//${host}/`, {});
    return asked && checked;
  }
}

const sessions = new Map<string, Session>();
export function sessionOf(partition: string): Session {
  const known = sessions.get(partition) ?? strict('session', new Session(partition));
  sessions.set(partition, known);
  return known;
}

export const session = strict('session (module)', {
  fromPartition: (partition: string, options?: object) => {
    if (options !== undefined) throw notEmulated('session.fromPartition options');
    return sessionOf(partition);
  },
  get defaultSession() {
    return sessionOf('');
  },
});
