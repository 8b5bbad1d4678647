import type { RootContext } from './root-context.ts';
import { folderIdentity } from './root-path.ts';
import { createTreeWatcher, type TreeWatcher } from './tree-watcher.ts';

/** The folder of a root as it is watched: which one it is, and whether it is still that one. */
export type RootFolder = {
  /**
   * Before a scan: watches everything, also folders whose creation was never told, as an overflow loses any event.
   * Where nothing is to be watched, it only remembers which folder it is.
   */
  readonly watchAll: (isToBeWatched: boolean) => void;
  readonly stop: () => void;
  /** Whether the folder that was watched or scanned is there; a mount over it makes it another one. */
  readonly look: () => 'same' | 'another' | 'missing';
  readonly isWatched: () => boolean;
  readonly isLimited: () => boolean;
  readonly folders: () => number;
};

export type RootFolderOptions = {
  /** Each event, before anything else. */
  readonly onEvent: () => void;
  readonly onPath: (path: string) => void;
  readonly onFolder: (dir: string, deep: boolean) => void;
  readonly onLimited: (code: string) => void;
};

export function createRootFolder(context: RootContext, options: RootFolderOptions): RootFolder {
  const { parts, rootPath } = context;
  let watcher: TreeWatcher | null = null;
  /** The folder that is watched now, or was scanned where nothing is watched. */
  let watched: string | null = null;

  const stop = (): void => {
    watcher?.stop();
    watcher = null;
    watched = null;
  };

  /** Ready to be told; {@link RootFolder.watchAll} watches the folders. */
  const start = (): TreeWatcher => {
    watched = folderIdentity(rootPath);
    return createTreeWatcher({
      rootPath,
      platform: parts.platform,
      ignoresFolder: (dir, name) => context.ignore.ignores(dir, name, true),
      ...options,
    });
  };

  return {
    watchAll: (isToBeWatched) => {
      const now = folderIdentity(rootPath);
      if (!isToBeWatched) {
        watched = now;
        return;
      }
      if (watcher !== null && now !== watched) stop();
      watcher ??= start();
      watcher.refresh();
    },
    stop,
    look: () => {
      const now = folderIdentity(rootPath);
      if (now === null) return 'missing';
      return now === watched ? 'same' : 'another';
    },
    isWatched: () => watcher !== null,
    isLimited: () => watcher?.isLimited() === true,
    folders: () => watcher?.folders() ?? 0,
  };
}
