export type UpdateNeeds = {
  /** Only an installed package can update itself. */
  readonly isPackaged: boolean;
  readonly isWanted: () => boolean;
  /** Whether the package knows a place to ask (`app-update.yml` in its resources). */
  readonly hasFeed: () => boolean;
  readonly loadUpdater: () => Promise<Updater>;
  readonly log: { readonly warn: Write };
  /** A newer version is downloaded; it takes its place when the program quits. */
  readonly onReady: (version: string) => void;
};
type Write = (message: string, data?: Record<string, unknown>) => void;

/** The part of electron-updater that is used. */
export type Updater = {
  autoDownload: boolean;
  autoInstallOnAppQuit: boolean;
  allowDowngrade: boolean;
  logger: unknown;
  readonly on: (event: 'update-downloaded', listener: (info: { version: string }) => void) => unknown;
  readonly checkForUpdates: () => Promise<unknown>;
};

export type UpdateOutcome = 'off' | 'not packaged' | 'no feed' | 'checked' | 'failed';

/** Looks for a newer version once. Never throws: without a network, a feed or the wish for it nothing happens. */
export async function checkForUpdates(needs: UpdateNeeds): Promise<UpdateOutcome> {
  if (!needs.isWanted()) return 'off';
  if (!needs.isPackaged) return 'not packaged';
  if (!needs.hasFeed()) return 'no feed';
  try {
    const updater = await needs.loadUpdater();
    updater.autoDownload = true;
    updater.autoInstallOnAppQuit = true;
    // An older vault could not open what a newer version wrote.
    updater.allowDowngrade = false;
    updater.logger = null;
    updater.on('update-downloaded', ({ version }) => needs.onReady(version));
    await updater.checkForUpdates();
    return 'checked';
  } catch (error) {
    needs.log.warn('Looking for a newer version failed; it is tried again tomorrow.', { error });
    return 'failed';
  }
}

const FIRST_AFTER_MS = 60_000;
const EVERY_MS = 86_400_000;

/** Looks a minute after the start and then daily; returns how to stop. */
export function scheduleUpdates(needs: UpdateNeeds): () => void {
  const check = (): void => void checkForUpdates(needs);
  const first = setTimeout(check, FIRST_AFTER_MS).unref();
  const daily = setInterval(check, EVERY_MS).unref();
  return () => {
    clearTimeout(first);
    clearInterval(daily);
  };
}
