/** How a test wants the machine of the program to be. Travels in one environment variable. */
export type HostOptions = {
  /** False: the system refuses tray icons. */
  readonly tray: boolean;
  readonly notifications: boolean;
  readonly keychain: { readonly isAvailable: boolean; readonly backend: string };
  readonly isPackaged: boolean;
  readonly isOnline: boolean;
  readonly isDark: boolean;
  /** The work area of each display. */
  readonly displays: readonly {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  }[];
  readonly scaleFactor: number;
};

export const HOST_OPTIONS_NAME = 'ANGLES_ELECTRON_HOST';

export const DEFAULT_OPTIONS: HostOptions = {
  tray: true,
  notifications: true,
  keychain: { isAvailable: true, backend: 'gnome_libsecret' },
  isPackaged: false,
  isOnline: true,
  isDark: false,
  displays: [{ x: 0, y: 0, width: 1_600, height: 900 }],
  scaleFactor: 1,
};

export const hostOptions: HostOptions = {
  ...DEFAULT_OPTIONS,
  ...(JSON.parse(process.env[HOST_OPTIONS_NAME] ?? '{}') as Partial<HostOptions>),
};
