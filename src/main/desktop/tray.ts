import { join } from 'node:path';
import { Menu, type MenuItemConstructorOptions, nativeImage, nativeTheme, Tray } from 'electron';
import type { TrayAction, TrayItem, TrayView } from '../../shared/tray-state.ts';

export type TrayNeeds = {
  readonly assetsFolder: string;
  readonly platform: NodeJS.Platform;
  readonly onAction: (action: TrayAction) => void;
  readonly log: { readonly warn: (message: string, data?: Record<string, unknown>) => void };
};

/** The icon in the tray, and the same menu as the menu of the application. */
export type TrayIcon = {
  readonly show: (view: TrayView) => void;
  /** False when the system refused an icon; everything is in the window's menu then. */
  readonly isThere: () => boolean;
  readonly stop: () => void;
};

export function createTrayIcon(needs: TrayNeeds): TrayIcon {
  let view: TrayView | null = null;
  let drawn = '';
  let tray: Tray | null = null;

  const draw = (): void => {
    if (view === null) return;
    const text = `${nativeTheme.shouldUseDarkColors} ${JSON.stringify(view)}`;
    if (text === drawn) return;
    drawn = text;
    const { state, tooltip, menu } = view;
    const image = nativeImage.createFromPath(iconPath(needs, state));
    if (needs.platform === 'darwin') image.setTemplateImage(true);
    tray ??= makeTray(image);
    const items = menu.map((item) => templateOf(item, needs.onAction));
    Menu.setApplicationMenu(Menu.buildFromTemplate(applicationMenu(items, needs.platform)));
    if (tray === null) return;
    tray.setImage(image);
    tray.setToolTip(tooltip);
    // On Linux a tray shows what was set, not what is changed later: the menu is set again each time.
    tray.setContextMenu(Menu.buildFromTemplate(items));
  };
  let refused = false;
  const makeTray = (image: Electron.NativeImage): Tray | null => {
    if (refused) return null;
    try {
      const made = new Tray(image);
      made.on('click', () => needs.onAction('open'));
      return made;
    } catch (error) {
      refused = true;
      needs.log.warn('This desktop has no tray; the window and its menu have everything.', { error });
      return null;
    }
  };
  nativeTheme.on('updated', draw);
  return {
    show: (next) => {
      view = next;
      draw();
    },
    isThere: () => tray !== null,
    stop: () => {
      nativeTheme.off('updated', draw);
      tray?.destroy();
      tray = null;
    },
  };
}

/** A template image on macOS (the system colours it), elsewhere one for a light or a dark bar. */
function iconPath({ assetsFolder, platform }: TrayNeeds, state: TrayView['state']): string {
  if (platform === 'darwin') return join(assetsFolder, 'tray', `${state}-Template.png`);
  const bar = nativeTheme.shouldUseDarkColors ? 'dark' : 'light';
  return join(assetsFolder, 'tray', `${state}-${bar}.${platform === 'win32' ? 'ico' : 'png'}`);
}

function templateOf(item: TrayItem, onAction: TrayNeeds['onAction']): MenuItemConstructorOptions {
  switch (item.kind) {
    case 'line':
      return { type: 'separator' };
    case 'text':
      return { label: plain(item.label), enabled: false };
    case 'action':
      return { label: plain(item.label), enabled: item.enabled, click: () => onAction(item.action) };
    case 'menu':
      return {
        label: plain(item.label),
        enabled: item.enabled,
        submenu: item.items.map((inner) => templateOf(inner, onAction)),
      };
  }
}

/** An ampersand would underline the letter after it. */
const plain = (label: string): string => label.replaceAll('&', '&&');

/** The menu of the window (macOS: of the bar at the top): the tray's, and the usual editing of texts. */
function applicationMenu(items: MenuItemConstructorOptions[], platform: NodeJS.Platform): MenuItemConstructorOptions[] {
  return [
    { label: 'Angles', submenu: items },
    { label: 'Edit', role: 'editMenu' },
    {
      label: 'View',
      submenu: [
        { role: 'reload' },
        { type: 'separator' },
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { role: 'togglefullscreen' },
      ],
    },
    ...(platform === 'darwin'
      ? [{ role: 'windowMenu' as const }]
      : [{ label: 'Window', submenu: [{ role: 'close' as const }] }]),
  ];
}
