import { posix, win32 } from 'node:path';

export type EnvironmentValues = Readonly<Record<string, string | undefined>>;

/**
 * Where the vault lies when nobody says otherwise: ANGLES_HOME; else on Linux `$XDG_DATA_HOME/angles`
 * (a relative one is ignored, as the XDG specification says) or `~/.local/share/angles`, on macOS
 * `~/Library/Application Support/Angles`, on Windows `%APPDATA%\Angles`. A relative ANGLES_HOME counts from `cwd`.
 */
export function defaultDataFolder(
  environment: EnvironmentValues,
  platform: NodeJS.Platform,
  homedir: string,
  cwd: string = process.cwd(),
): string {
  const path = platform === 'win32' ? win32 : posix;
  const chosen = set(environment.ANGLES_HOME);
  if (chosen !== null) return path.resolve(cwd, expandHome(chosen, homedir));
  if (platform === 'win32')
    return path.join(set(environment.APPDATA) ?? path.join(homedir, 'AppData', 'Roaming'), 'Angles');
  if (platform === 'darwin') return path.join(homedir, 'Library', 'Application Support', 'Angles');
  const xdg = set(environment.XDG_DATA_HOME);
  return path.join(xdg !== null && path.isAbsolute(xdg) ? xdg : path.join(homedir, '.local', 'share'), 'angles');
}

/** `~` and `~/...` become the home folder; `~name` and a `~` elsewhere stay as they are. */
export function expandHome(path: string, homedir: string): string {
  return /^~(?=$|[/\\])/.test(path) ? `${homedir}${path.slice(1)}` : path;
}

function set(value: string | undefined): string | null {
  return value === undefined || value.trim() === '' ? null : value;
}
