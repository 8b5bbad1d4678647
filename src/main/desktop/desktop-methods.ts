import { dialog } from 'electron';
import type { DesktopMethods } from '../../shared/desktop.ts';
import type { Keychain } from './keychain.ts';
import type { Links } from './links.ts';
import type { LoginItem } from './login-item.ts';
import type { MainWindow } from './main-window.ts';
import type { TrayIcon } from './tray.ts';

export type DesktopMethodsNeeds = {
  readonly window: Pick<MainWindow, 'ready'>;
  readonly tray: TrayIcon;
  readonly keychain: Keychain;
  readonly loginItem: LoginItem;
  readonly links: Links;
  readonly platform: NodeJS.Platform;
  readonly openDemo: () => Promise<void>;
};

/** What the window can ask of its shell. */
export function createDesktopMethods({
  window,
  tray,
  keychain,
  loginItem,
  links,
  platform,
  openDemo,
}: DesktopMethodsNeeds): DesktopMethods {
  return {
    'desktop.info': async () => ({
      platform,
      hasTray: tray.isThere(),
      keychain: await keychain.state(),
      startsAtLogin: loginItem.isOn(),
    }),
    'desktop.ready': async () => ({ waiting: window.ready() }),
    'desktop.pickFolder': async () => {
      const { canceled, filePaths } = await dialog.showOpenDialog({
        title: 'Choose a folder to watch',
        buttonLabel: 'Watch this folder',
        properties: ['openDirectory', 'createDirectory'],
      });
      return { path: canceled ? null : (filePaths[0] ?? null) };
    },
    'desktop.openDemo': async () => {
      await openDemo();
      return {};
    },
    'desktop.setPassphrase': async ({ passphrase }) => {
      await keychain.setPassphrase(passphrase);
      return {};
    },
    'desktop.unlock': async ({ passphrase }) => {
      await keychain.unlock(passphrase);
      return {};
    },
    'desktop.forgetPassphrase': async () => {
      keychain.forgetPassphrase();
      return {};
    },
    'desktop.openLink': async ({ url }) => {
      await links.open(url);
      return {};
    },
  };
}
