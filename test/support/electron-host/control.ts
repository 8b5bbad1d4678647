/** How a test looks at the program's surroundings and acts on them: messages over the channel of its child process. */
import { app } from './app.ts';
import { browserUrl } from './browser.ts';
import { windows } from './browser-window.ts';
import { answerInvoke } from './ipc-main.ts';
import {
  answerDialog,
  keychainState,
  type MenuTemplate,
  nativeTheme,
  networkState,
  powerMonitor,
  pressMenu,
  record,
} from './recorded.ts';
import { allContents } from './web-contents.ts';

export type MenuShown = {
  readonly label: string;
  readonly enabled: boolean;
  readonly items: readonly MenuShown[] | null;
};
export type HostState = {
  readonly browserUrl: string | null;
  readonly trays: readonly {
    readonly image: string;
    readonly tooltip: string;
    readonly menu: readonly MenuShown[];
    readonly destroyed: boolean;
  }[];
  readonly applicationMenu: readonly MenuShown[];
  readonly notifications: readonly {
    readonly title: string;
    readonly body: string;
    readonly actions: readonly string[];
    readonly isClosed: boolean;
  }[];
  readonly opened: readonly string[];
  readonly dialogs: readonly Readonly<Record<string, unknown>>[];
  readonly windows: readonly {
    readonly bounds: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
    readonly visible: boolean;
    readonly focused: boolean;
    readonly url: string;
    /** How the browser calls its page. */
    readonly targetId: string;
    readonly preferences: Readonly<Record<string, unknown>>;
  }[];
  readonly pages: number;
  readonly loginItem: { readonly openAtLogin: boolean };
  readonly protocols: readonly string[];
  readonly schemes: readonly unknown[];
  readonly sandboxed: boolean;
};

/** Everything a test can do from outside, by name. */
const actions = {
  state: async (): Promise<HostState> => ({
    browserUrl: await browserUrl(),
    trays: record.trays.map(({ image, tooltip, menu, destroyed }) => ({
      image: image.path,
      tooltip,
      menu: shown(menu?.items),
      destroyed,
    })),
    applicationMenu: shown(record.applicationMenu?.items),
    notifications: record.notifications.map(({ options, isClosed }) => ({
      title: options.title ?? '',
      body: options.body ?? '',
      actions: (options.actions ?? []).map((one) => one.text),
      isClosed,
    })),
    opened: record.opened,
    dialogs: JSON.parse(JSON.stringify(record.messages)) as Record<string, unknown>[],
    windows: windows.map(({ bounds, visible, focused, webContents, options }) => {
      const { session: _, ...preferences } = options.webPreferences ?? {};
      return { bounds, visible, focused, url: webContents.getURL(), targetId: webContents.targetId, preferences };
    }),
    pages: allContents.length,
    loginItem: { openAtLogin: app.loginItem.openAtLogin },
    protocols: [...app.protocols],
    schemes: record.schemes,
    sandboxed: app.sandboxed,
  }),
  pressTray: (labels: readonly string[]) => pressMenu(record.trays.at(-1)?.menu ?? null, labels),
  pressMenu: (labels: readonly string[]) => pressMenu(record.applicationMenu, labels),
  clickTray: () => void record.trays.at(-1)?.emit('click', {}),
  clickNotification: (index: number) => void record.notifications[index]?.emit('click', {}),
  answerDialog: (answer: unknown) => answerDialog(answer),
  power: (event: string) => void powerMonitor.emit(event),
  setDark: (isDark: boolean) => {
    nativeTheme.shouldUseDarkColors = isDark;
    nativeTheme.emit('updated');
  },
  setOnline: (isOnline: boolean) => {
    networkState.isOnline = isOnline;
  },
  setKeychain: (state: Partial<typeof keychainState>) => void Object.assign(keychainState, state),
  crashPage: () => windows[0]?.webContents.forcefullyCrashRenderer(),
  closeWindow: () => void windows[0]?.close(),
  minimizeWindow: () => windows[0]?.minimize(),
  openUrl: (url: string) => void app.emit('open-url', { preventDefault: () => undefined }, url),
  quit: () => app.quit(),
  /** Sends raw arguments to a handler, as a page with another address or another frame would. */
  forgeInvoke: async ({ channel, args, from }: { channel: string; args: unknown[]; from: Forged }) => {
    const contents = windows[0]?.webContents;
    const frame = { url: from.url ?? contents?.mainFrame.url ?? '', parent: null };
    const sender = from.otherWindow === true ? { mainFrame: frame } : contents;
    const senderFrame =
      from.noFrame === true ? null : from.url === undefined && !from.subFrame ? contents?.mainFrame : frame;
    return answerInvoke(channel, { sender, senderFrame }, args);
  },
  /** What the permission handlers of the window's session say. */
  isGranted: async ({ permission, url }: { permission: string; url: string }) => {
    const contents = windows[0]?.webContents;
    return contents?.session.isGranted(contents, permission, url) ?? false;
  },
} as const;
type Forged = {
  readonly url?: string;
  readonly otherWindow?: boolean;
  readonly noFrame?: boolean;
  readonly subFrame?: boolean;
};

export type HostActions = {
  readonly [K in keyof typeof actions]: (typeof actions)[K] extends (input: infer I) => infer R
    ? (input: I) => Promise<Awaited<R>>
    : never;
};

function shown(items: readonly MenuTemplate[] | undefined): MenuShown[] {
  return (items ?? []).map((item) => ({
    label: item.type === 'separator' ? '-' : (item.label ?? item.role ?? ''),
    enabled: item.enabled !== false,
    items: item.submenu === undefined ? null : shown(item.submenu),
  }));
}

type Message = { readonly id: number; readonly name: keyof typeof actions; readonly input: never };
if (process.send !== undefined) {
  process.on('message', ({ id, name, input }: Message) => {
    Promise.resolve()
      .then(() => (actions[name] as (given: unknown) => unknown)(input))
      .then(
        (value) => ({ id, value: value ?? null }),
        (error: unknown) => ({ id, error: String(error) }),
      )
      .then((answer) => {
        if (process.connected) process.send?.(answer);
      });
  });
  process.channel?.unref();
}
