import { KnownEmitter, preventable } from './emitter.ts';
import { hostOptions } from './options.ts';
import { type Session, sessionOf } from './session.ts';
import { checkOptions, notEmulated, strict } from './strict.ts';
import { WebContents } from './web-contents.ts';

type WindowOptions = {
  readonly width?: number;
  readonly height?: number;
  readonly x?: number;
  readonly y?: number;
  readonly show?: boolean;
  readonly title?: string;
  readonly backgroundColor?: string;
  readonly webPreferences?: Readonly<Record<string, unknown>>;
};

const OPTIONS = [
  'width',
  'height',
  'x',
  'y',
  'minWidth',
  'minHeight',
  'show',
  'title',
  'icon',
  'backgroundColor',
  'autoHideMenuBar',
  'webPreferences',
]; // prettier-ignore
/** What a window must have here: other values are not emulated, so a program that asks for them fails. */
const REQUIRED: Readonly<Record<string, unknown>> = {
  contextIsolation: true,
  sandbox: true,
  nodeIntegration: false,
  nodeIntegrationInWorker: false,
  nodeIntegrationInSubFrames: false,
  webSecurity: true,
  allowRunningInsecureContent: false,
  experimentalFeatures: false,
  webviewTag: false,
};
const PREFERENCES = [
  ...Object.keys(REQUIRED),
  'session',
  'preload',
  'navigateOnDragDrop',
  'disableDialogs',
  'spellcheck',
  'devTools',
]; // prettier-ignore

/** Hears of each new WebContents, before its window is returned. */
export const onContents: ((contents: WebContents) => void)[] = [];
/** Hears when the last window is gone. */
export const onAllClosed: (() => void)[] = [];
export const windows: BrowserWindow[] = [];
let lastId = 0;

export class BrowserWindow extends KnownEmitter {
  static getAllWindows(): BrowserWindow[] {
    return [...windows];
  }

  readonly id: number;
  readonly webContents: WebContents;
  readonly options: WindowOptions;
  bounds: { x: number; y: number; width: number; height: number };
  visible: boolean;
  focused = false;
  minimized = false;
  destroyed = false;

  constructor(options: WindowOptions = {}) {
    super('BrowserWindow', [
      'close',
      'closed',
      'ready-to-show',
      'show',
      'hide',
      'focus',
      'blur',
      'unresponsive',
      'responsive',
    ]);
    checkOptions('BrowserWindow', options, OPTIONS);
    const preferences = options.webPreferences ?? {};
    checkOptions('webPreferences', preferences, PREFERENCES);
    for (const [name, value] of Object.entries(REQUIRED))
      if (preferences[name] !== undefined && preferences[name] !== value)
        throw notEmulated(`webPreferences.${name}: ${String(preferences[name])}`);
    lastId += 1;
    this.id = lastId;
    this.options = options;
    this.bounds = { x: options.x ?? 0, y: options.y ?? 0, width: options.width ?? 800, height: options.height ?? 600 };
    this.visible = options.show !== false;
    this.webContents = strict(
      'webContents',
      new WebContents(preferences, (preferences.session as Session | undefined) ?? sessionOf(''), {
        width: this.bounds.width,
        height: this.bounds.height,
        scale: hostOptions.scaleFactor,
      }),
    );
    this.webContents.facade = this.webContents;
    this.webContents.on('did-finish-load', () => this.emit('ready-to-show'));
    windows.push(this);
    for (const listener of onContents) listener(this.webContents);
  }

  async loadURL(url: string): Promise<void> {
    return this.webContents.loadURL(url);
  }

  show(): void {
    this.visible = true;
    this.minimized = false;
    this.emit('show');
    this.focus();
  }

  hide(): void {
    this.visible = false;
    this.emit('hide');
  }

  focus(): void {
    this.focused = true;
    this.emit('focus');
  }

  minimize(): void {
    this.minimized = true;
    this.focused = false;
  }

  restore(): void {
    this.minimized = false;
  }

  isMinimized(): boolean {
    return this.minimized;
  }

  isVisible(): boolean {
    return this.visible;
  }

  isDestroyed(): boolean {
    return this.destroyed;
  }

  getNormalBounds(): { x: number; y: number; width: number; height: number } {
    return { ...this.bounds };
  }

  /** Asks the program first; false when it said no. */
  close(): boolean {
    if (this.destroyed) return true;
    const event = preventable({});
    this.emit('close', event);
    if (event.defaultPrevented) return false;
    this.destroy();
    return true;
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    windows.splice(
      windows.findIndex((one) => one.id === this.id),
      1,
    );
    void this.webContents.destroy();
    this.emit('closed');
    if (windows.length === 0) for (const listener of onAllClosed) listener();
  }
}
