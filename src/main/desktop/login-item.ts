import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { app } from 'electron';
import { desktopEntry } from './desktop-entry.ts';

export type LoginItemNeeds = {
  readonly platform: NodeJS.Platform;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly homedir: string;
  /** How this program is started: the executable and its arguments. */
  readonly command: readonly string[];
};

/** Starting at login, without a window. macOS and Windows keep a list; Linux has a folder of files (XDG autostart). */
export type LoginItem = {
  readonly isOn: () => boolean;
  /** Safe to repeat. Throws what the file system throws. */
  readonly set: (isOn: boolean) => void;
};

export function createLoginItem(needs: LoginItemNeeds): LoginItem {
  if (needs.platform !== 'linux') {
    return {
      isOn: () => app.getLoginItemSettings({ args: ['--hidden'] }).openAtLogin,
      set: (isOn) => app.setLoginItemSettings({ openAtLogin: isOn, args: ['--hidden'] }),
    };
  }
  const file = autostartFile(needs);
  return {
    isOn: () => existsSync(file),
    set: (isOn) => {
      if (!isOn) {
        rmSync(file, { force: true });
        return;
      }
      const text = desktopEntry(needs.command);
      if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
      mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
      writeFileSync(file, text, { mode: 0o644 });
    },
  };
}

function autostartFile({ environment, homedir }: LoginItemNeeds): string {
  const config = environment.XDG_CONFIG_HOME;
  return join(config?.startsWith('/') ? config : join(homedir, '.config'), 'autostart', 'angles.desktop');
}
