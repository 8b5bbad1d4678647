/** The contents of a window: a page of Chromium, driven over the protocol as Electron drives its own. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Browser, openBrowser } from './browser.ts';
import type { CdpSession } from './cdp.ts';
import { createCodec } from './codec.ts';
import { KnownEmitter, preventable } from './emitter.ts';
import { answerInvoke, ipcMain } from './ipc-main.ts';
import { fromCarried, type Session, toCarried } from './session.ts';
import { notEmulated, strict } from './strict.ts';
import { VERSIONS_TEXT } from './versions.ts';
import { BINDING, ISOLATED_WORLD, RECEIVER, worldSources } from './worlds.ts';

const codec = createCodec();
const EVENTS = [
  'will-navigate',
  'will-frame-navigate',
  'will-redirect',
  'will-attach-webview',
  'did-finish-load',
  'did-fail-load',
  'dom-ready',
  'did-navigate',
  'render-process-gone',
  'preload-error',
  'console-message',
  'destroyed',
];

export type Frame = { readonly url: string; readonly frameId: string; readonly parent: Frame | null };
type OpenHandler = (details: { url: string; frameName: string; disposition: string }) => { action: 'allow' | 'deny' };
type Preferences = { readonly preload?: string; readonly session?: Session };
type Paused = {
  readonly requestId: string;
  readonly frameId: string;
  readonly resourceType: string;
  readonly request: { readonly url: string; readonly method: string; readonly headers: Record<string, string> };
};

let lastId = 0;
export const allContents: WebContents[] = [];
export const VERSIONS = { ...VERSIONS_TEXT, node: process.versions.node } as const;

export class WebContents extends KnownEmitter {
  readonly id: number;
  readonly session: Session;
  readonly mainFrame: Frame;
  readonly preferences: Preferences;
  readonly page: Promise<{ readonly browser: Browser; readonly cdp: CdpSession; readonly targetId: string }>;
  openHandler: OpenHandler | null = null;
  /** What the program holds: this object behind its guard. */
  facade: WebContents = this;
  destroyed = false;
  crashed = false;
  frameUrls = new Map<string, string>();
  parents = new Map<string, string | null>();
  mainFrameId = '';
  targetId = '';
  worldId: number | null = null;
  /** Navigations that the program asked for, by address: those are not announced. */
  expected = new Set<string>();
  loading: { readonly resolve: () => void; readonly reject: (error: Error) => void } | null = null;
  work: Promise<unknown> = Promise.resolve();

  constructor(preferences: Preferences, session: Session, size: { width: number; height: number; scale: number }) {
    super('webContents', EVENTS);
    lastId += 1;
    this.id = lastId;
    this.preferences = preferences;
    this.session = session;
    const self = this;
    this.mainFrame = strict('WebFrameMain', {
      get url() {
        return fromCarried(self.frameUrls.get(self.mainFrameId) ?? '');
      },
      get frameId() {
        return self.mainFrameId;
      },
      parent: null,
    });
    allContents.push(this);
    this.page = this.open(size);
    this.page.catch((error: unknown) => {
      process.stderr.write(`electron-host: ${String(error)}\n`);
    });
  }

  send(channel: string, ...args: unknown[]): void {
    if (this.destroyed) throw new TypeError('Object has been destroyed');
    this.toPreload('event', 0, channel, codec.encode(args));
  }

  setWindowOpenHandler(handler: OpenHandler): void {
    this.openHandler = handler;
  }

  getURL(): string {
    return this.mainFrame.url;
  }

  isDestroyed(): boolean {
    return this.destroyed;
  }

  isCrashed(): boolean {
    return this.crashed;
  }

  reload(): void {
    void this.loadURL(this.getURL()).catch(() => undefined);
  }

  /** Kills the page's process, as a fault in it would. */
  forcefullyCrashRenderer(): void {
    void this.page.then(({ cdp }) => cdp.send('Page.crash').catch(() => undefined));
  }

  async loadURL(url: string): Promise<void> {
    const { cdp } = await this.page;
    this.loading?.reject(new Error(`ERR_ABORTED (-3) loading '${this.getURL()}'`));
    await this.session.applyPermissions(this.facade, url);
    const carried = toCarried(url);
    this.expected.add(carried.replace(/#.*$/, ''));
    this.crashed = false;
    const done = new Promise<void>((resolve, reject) => {
      this.loading = { resolve, reject };
    });
    done.catch(() => undefined);
    const { errorText } = await cdp.send<{ errorText?: string }>('Page.navigate', { url: carried });
    if (errorText !== undefined) {
      this.emit('did-fail-load', {}, -1, errorText, url, true);
      this.loading?.reject(new Error(`${errorText} loading '${url}'`));
    }
    return done;
  }

  /** Ends the page; nothing of it is left in the browser. */
  async destroy(): Promise<void> {
    if (this.destroyed) return;
    this.destroyed = true;
    this.loading?.reject(new Error(`ERR_FAILED (-2) loading '${this.getURL()}'`));
    allContents.splice(allContents.indexOf(this), 1);
    this.emit('destroyed');
    const { browser, targetId } = await this.page;
    await browser.cdp.send('Target.closeTarget', { targetId }).catch(() => undefined);
  }

  async open(size: {
    width: number;
    height: number;
    scale: number;
  }): Promise<{ browser: Browser; cdp: CdpSession; targetId: string }> {
    const browser = await openBrowser();
    const { targetId } = await browser.cdp.send<{ targetId: string }>('Target.createTarget', {
      url: 'about:blank',
      browserContextId: await this.session.contextId(),
    });
    this.targetId = targetId;
    const { sessionId } = await browser.cdp.send<{ sessionId: string }>('Target.attachToTarget', {
      targetId,
      flatten: true,
    });
    const cdp = browser.cdp.session(sessionId);
    this.listen(cdp);
    browser.cdp.on(
      'Target.targetCreated',
      ({ targetInfo }: { targetInfo: { targetId: string; openerId?: string } }) => {
        if (targetInfo.openerId === targetId)
          browser.cdp.send('Target.closeTarget', { targetId: targetInfo.targetId }).catch(() => undefined);
      },
    );
    await browser.cdp.send('Target.setDiscoverTargets', { discover: true });
    await Promise.all([cdp.send('Page.enable'), cdp.send('Runtime.enable'), cdp.send('Inspector.enable')]);
    const { frameTree } = await cdp.send<{ frameTree: { frame: { id: string; url: string } } }>('Page.getFrameTree');
    this.mainFrameId = frameTree.frame.id;
    this.frameUrls.set(this.mainFrameId, frameTree.frame.url);
    await cdp.send('Runtime.addBinding', { name: BINDING, executionContextName: ISOLATED_WORLD });
    const { main, isolated } = worldSources(randomUUID(), this.readPreload(), {
      platform: process.platform,
      versions: VERSIONS,
    });
    await cdp.send('Page.addScriptToEvaluateOnNewDocument', { source: main });
    await cdp.send('Page.addScriptToEvaluateOnNewDocument', { source: isolated, worldName: ISOLATED_WORLD });
    const { userAgent } = await browser.cdp.send<{ userAgent: string }>('Browser.getVersion');
    await cdp.send('Emulation.setUserAgentOverride', {
      userAgent: `${userAgent.replace('Headless', '')} Electron/${VERSIONS.electron}`,
    });
    await cdp.send('Emulation.setDeviceMetricsOverride', {
      width: size.width,
      height: size.height,
      deviceScaleFactor: size.scale,
      mobile: false,
    });
    await cdp.send('Fetch.enable', { patterns: [{ urlPattern: '*' }] });
    return { browser, cdp, targetId };
  }

  /** A preload script that cannot be read is told, and the page loads without it: as in Electron. */
  readPreload(): string | null {
    const { preload } = this.preferences;
    if (preload === undefined) return null;
    try {
      return readFileSync(preload, 'utf8');
    } catch (error) {
      setImmediate(() => this.emit('preload-error', {}, preload, error));
      return null;
    }
  }

  listen(cdp: CdpSession): void {
    cdp.on(
      'Page.frameNavigated',
      ({ frame }: { frame: { id: string; url: string; urlFragment?: string; parentId?: string } }) => {
        this.frameUrls.set(frame.id, `${frame.url}${frame.urlFragment ?? ''}`);
        this.parents.set(frame.id, frame.parentId ?? null);
        if (frame.id === this.mainFrameId) this.emit('did-navigate', {}, this.getURL());
      },
    );
    cdp.on('Page.navigatedWithinDocument', ({ frameId, url }: { frameId: string; url: string }) => {
      this.frameUrls.set(frameId, url);
    });
    cdp.on('Page.domContentEventFired', () => this.emit('dom-ready', {}));
    cdp.on('Page.loadEventFired', () => {
      if (this.getURL() === 'about:blank') return;
      this.loading?.resolve();
      this.loading = null;
      this.emit('did-finish-load', {});
    });
    cdp.on('Page.windowOpen', ({ url, windowName }: { url: string; windowName: string }) =>
      this.askToOpen(url, windowName),
    );
    cdp.on('Inspector.targetCrashed', () => {
      this.crashed = true;
      this.worldId = null;
      this.emit('render-process-gone', {}, { reason: 'crashed', exitCode: 5 });
    });
    cdp.on(
      'Runtime.executionContextCreated',
      ({ context }: { context: { id: number; name: string; auxData?: { frameId?: string } } }) => {
        if (context.name === ISOLATED_WORLD && context.auxData?.frameId === this.mainFrameId) this.worldId = context.id;
      },
    );
    cdp.on('Runtime.executionContextDestroyed', ({ executionContextId }: { executionContextId: number }) => {
      if (this.worldId === executionContextId) this.worldId = null;
    });
    cdp.on(
      'Runtime.consoleAPICalled',
      ({ type, args }: { type: string; args: { value?: unknown; description?: string }[] }) => {
        const message = args.map((one) => String(one.value ?? one.description ?? '')).join(' ');
        this.emit('console-message', { level: type, message });
      },
    );
    cdp.on(
      'Runtime.exceptionThrown',
      ({ exceptionDetails }: { exceptionDetails: { exception?: { description?: string }; text: string } }) => {
        this.emit('console-message', {
          level: 'error',
          message: exceptionDetails.exception?.description ?? exceptionDetails.text,
        });
      },
    );
    cdp.on('Runtime.bindingCalled', ({ name, payload }: { name: string; payload: string }) => {
      if (name === BINDING) this.fromPreload(JSON.parse(payload) as [string, number, string, string]);
    });
    cdp.on('Fetch.requestPaused', (paused: Paused) => {
      this.answerRequest(cdp, paused).catch(() => undefined);
    });
  }

  fromPreload([kind, id, channel, text]: [string, number, string, string]): void {
    if (kind === 'preload-error') {
      const error = Object.assign(new Error(channel), { stack: text });
      this.emit('preload-error', {}, this.preferences.preload, error);
      return;
    }
    if (kind === 'open') {
      this.askToOpen(channel, text);
      return;
    }
    const args = codec.decode(text) as unknown[];
    const event = { sender: this.facade, senderFrame: this.mainFrame, frameId: 1, processId: 1, type: 'frame' };
    if (kind === 'send') {
      ipcMain.emit(channel, event, ...args);
      return;
    }
    answerInvoke(channel, event, args).then(
      (value) => this.toPreload('value', id, channel, value),
      (error: unknown) => this.toPreload('error', id, channel, String(error)),
    );
  }

  /** Only denying is emulated: what a page opened all the same is closed at once (see `open`). */
  askToOpen(url: string, frameName: string): void {
    const answer = this.openHandler?.({ url: fromCarried(url), frameName, disposition: 'foreground-tab' });
    if (answer?.action === 'deny') return;
    process.stderr.write(`${notEmulated('a window opened by a page').message}\n`);
    process.exit(70);
  }

  /** What was meant for a page that is gone is dropped, as in Electron. */
  toPreload(kind: string, id: number, name: string, text: string): void {
    const world = this.worldId;
    if (world === null || this.destroyed) return;
    const args = [kind, id, name, text].map((one) => JSON.stringify(one)).join(',');
    this.page
      .then(({ cdp }) =>
        cdp.send('Runtime.evaluate', {
          contextId: world,
          expression: `globalThis.${RECEIVER}?.(${args})`,
          silent: true,
        }),
      )
      .catch(() => undefined);
  }

  async answerRequest(cdp: CdpSession, paused: Paused): Promise<void> {
    const { requestId, request, resourceType, frameId } = paused;
    const url = fromCarried(request.url);
    const block = (errorReason: string): Promise<unknown> => cdp.send('Fetch.failRequest', { requestId, errorReason });
    if (resourceType === 'Document' && !this.mayNavigate(frameId, request.url, url))
      return void (await block('Aborted'));
    if (await this.isCancelled({ url, method: request.method, resourceType }))
      return void (await block('BlockedByClient'));
    const handler = this.session.protocols.get(new URL(url).protocol.slice(0, -1));
    if (url === request.url || handler === undefined) {
      if (url !== request.url) return void (await block('AddressUnreachable'));
      return void (await cdp.send('Fetch.continueRequest', { requestId }));
    }
    const response = await handler(new Request(url, { method: request.method, headers: request.headers }));
    const body = Buffer.from(await response.arrayBuffer());
    await cdp.send('Fetch.fulfillRequest', {
      requestId,
      responseCode: response.status,
      responseHeaders: [...response.headers].map(([name, value]) => ({ name, value })),
      body: body.toString('base64'),
    });
  }

  /** Tells the program of a navigation that the page began, and asks whether it may go on. */
  mayNavigate(frameId: string, carried: string, url: string): boolean {
    const isMainFrame = frameId === this.mainFrameId;
    if (isMainFrame && this.expected.delete(carried)) return true;
    const event = preventable({ url, isMainFrame, isSameDocument: false, frame: isMainFrame ? this.mainFrame : null });
    this.emit('will-frame-navigate', event);
    if (isMainFrame && !event.defaultPrevented) this.emit('will-navigate', event);
    return !event.defaultPrevented;
  }

  async isCancelled(details: { url: string; method: string; resourceType: string }): Promise<boolean> {
    const listener = this.session.beforeRequest;
    if (listener === null) return false;
    return new Promise((resolve) => listener(details, ({ cancel }) => resolve(cancel === true)));
  }
}
