/** What belongs to the system around the program: recorded, and driven by the test. */
import { existsSync, readFileSync } from 'node:fs';
import { KnownEmitter } from './emitter.ts';
import { hostOptions } from './options.ts';
import { checkOptions, notEmulated, strict, strictClass } from './strict.ts';

export type MenuTemplate = {
  readonly label?: string;
  readonly type?: string;
  readonly role?: string;
  readonly enabled?: boolean;
  readonly click?: () => void;
  readonly submenu?: readonly MenuTemplate[];
};

class MenuObject {
  readonly items: readonly MenuTemplate[];
  constructor(items: readonly MenuTemplate[]) {
    for (const item of items) checkOptions('MenuItem', item, ['label', 'type', 'role', 'enabled', 'click', 'submenu']);
    this.items = items;
  }
}
export const record = {
  trays: [] as TrayObject[],
  notifications: [] as NotificationObject[],
  opened: [] as string[],
  messages: [] as object[],
  /** Answers to the next dialogs, first in, first out. */
  answers: [] as unknown[],
  applicationMenu: null as MenuObject | null,
  schemes: [] as unknown[],
};

export const Menu = strict('Menu', {
  buildFromTemplate: (template: readonly MenuTemplate[]) => new MenuObject(template),
  setApplicationMenu: (menu: MenuObject | null) => {
    record.applicationMenu = menu;
  },
});

class Image {
  readonly path: string;
  isTemplate = false;
  constructor(path: string) {
    this.path = path;
  }
  isEmpty(): boolean {
    return !existsSync(this.path) || readFileSync(this.path).length === 0;
  }
  setTemplateImage(isTemplate: boolean): void {
    this.isTemplate = isTemplate;
  }
}
export const nativeImage = strict('nativeImage', {
  createFromPath: (path: string) => strict('NativeImage', new Image(path)),
});

class TrayObject extends KnownEmitter {
  image: Image;
  tooltip = '';
  menu: MenuObject | null = null;
  destroyed = false;
  constructor(image: Image) {
    super('Tray', ['click', 'right-click', 'double-click']);
    if (!hostOptions.tray) throw new Error('Failed to create a tray icon: no host is available');
    if (image.isEmpty()) throw new Error(`Failed to load image from path '${image.path}'`);
    this.image = image;
    record.trays.push(this);
  }
  setImage(image: Image): void {
    if (image.isEmpty()) throw new Error(`Failed to load image from path '${image.path}'`);
    this.image = image;
  }
  setToolTip(text: string): void {
    this.tooltip = text;
  }
  setContextMenu(menu: MenuObject | null): void {
    this.menu = menu;
  }
  isDestroyed(): boolean {
    return this.destroyed;
  }
  destroy(): void {
    this.destroyed = true;
  }
}
export const Tray = strictClass('Tray', TrayObject);

type NotificationOptions = { title?: string; body?: string; icon?: string; actions?: { text: string; type: string }[] };
class NotificationObject extends KnownEmitter {
  static isSupported(): boolean {
    return hostOptions.notifications;
  }
  readonly options: NotificationOptions;
  isShown = false;
  isClosed = false;
  constructor(options: NotificationOptions) {
    super('Notification', ['click', 'action', 'show', 'close', 'failed']);
    checkOptions('Notification', options, ['title', 'body', 'icon', 'actions', 'silent']);
    this.options = options;
  }
  show(): void {
    this.isShown = true;
    record.notifications.push(this);
    this.emit('show', {});
  }
  close(): void {
    this.isClosed = true;
    this.emit('close', {});
  }
}
export const Notification = strictClass('Notification', NotificationObject);

export const dialog = strict('dialog', {
  showOpenDialog: async (options: object) => {
    record.messages.push({ kind: 'open', ...options });
    return (record.answers.shift() ?? { canceled: true, filePaths: [] }) as { canceled: boolean; filePaths: string[] };
  },
  showMessageBox: async (options: object) => {
    record.messages.push({ kind: 'message', ...options });
    const answer = record.answers.shift();
    // A person who is not there answers nothing; the dialog stays open.
    if (answer === undefined) return new Promise<{ response: number }>((resolve) => waiting.push(resolve));
    return answer as { response: number };
  },
});
const waiting: ((answer: { response: number }) => void)[] = [];
/** Answers a dialog that is open, or the next one. */
export function answerDialog(answer: unknown): void {
  const open = waiting.shift();
  if (open === undefined) record.answers.push(answer);
  else open(answer as { response: number });
}

export const shell = strict('shell', {
  openExternal: async (url: string) => {
    record.opened.push(url);
  },
});

export const powerMonitor = strict(
  'powerMonitor',
  new KnownEmitter('powerMonitor', [
    'suspend',
    'resume',
    'on-ac',
    'on-battery',
    'shutdown',
    'lock-screen',
    'unlock-screen',
  ]),
);

class NativeTheme extends KnownEmitter {
  shouldUseDarkColors = hostOptions.isDark;
  constructor() {
    super('nativeTheme', ['updated']);
  }
}
export const nativeTheme = strict('nativeTheme', new NativeTheme());

export const net = strict('net', { online: hostOptions.isOnline, isOnline: () => networkState.isOnline });
export const networkState = { isOnline: hostOptions.isOnline };

export const screen = strict('screen', {
  getAllDisplays: () =>
    hostOptions.displays.map((workArea, id) => ({
      id,
      workArea,
      bounds: workArea,
      scaleFactor: hostOptions.scaleFactor,
    })),
});

export const keychainState = { ...hostOptions.keychain, isLocked: false };
const SEAL = 'electron-host:';
export const safeStorage = strict('safeStorage', {
  isAsyncEncryptionAvailable: async () => keychainState.isAvailable,
  getSelectedStorageBackend: () => keychainState.backend,
  encryptStringAsync: async (text: string) => {
    if (!keychainState.isAvailable) throw new Error('Encryption is not available.');
    return Buffer.from(SEAL + Buffer.from(text).reverse().toString('base64'));
  },
  decryptStringAsync: async (sealed: Buffer) => {
    const text = sealed.toString();
    if (keychainState.isLocked || !keychainState.isAvailable || !text.startsWith(SEAL))
      throw new Error('Error while decrypting the ciphertext provided to safeStorage.decryptStringAsync.');
    return { shouldReEncrypt: false, result: Buffer.from(text.slice(SEAL.length), 'base64').reverse().toString() };
  },
});

let isTooLate = false;
setTimeout(() => {
  isTooLate = true;
}, 20);
export const protocol = strict('protocol', {
  registerSchemesAsPrivileged: (schemes: readonly unknown[]) => {
    if (isTooLate) throw new Error('protocol.registerSchemesAsPrivileged should be called before app is ready');
    record.schemes.push(...schemes);
  },
});

/** Finds an item by its labels, from the top down, and presses it. */
export function pressMenu(menu: { readonly items: readonly MenuTemplate[] } | null, labels: readonly string[]): void {
  let items = menu?.items ?? [];
  for (const [depth, label] of labels.entries()) {
    const item = items.find((one) => one.label?.startsWith(label) === true);
    if (item === undefined)
      throw new Error(`no menu item '${label}' among: ${items.map((one) => one.label).join(', ')}`);
    if (item.enabled === false) throw new Error(`the menu item '${label}' cannot be pressed`);
    if (depth === labels.length - 1) {
      if (item.click === undefined) throw notEmulated(`pressing '${label}'`);
      item.click();
    }
    items = item.submenu ?? [];
  }
}
