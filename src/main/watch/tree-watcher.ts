import { type FSWatcher, lstatSync, watch } from 'node:fs';
import { join } from 'node:path';
import { fsPath, isDoubtful, joinPath } from '../path-names.ts';
import { listFolder } from './list-folder.ts';

/**
 * Tells which names changed in a folder tree. It keeps nothing per file: the index in the vault holds that.
 * One `fs.watch` a folder on Linux, one recursive watch elsewhere (docs/decisions/0002 has the measurements).
 * Events may be lost (a full kernel queue says nothing): see burst.ts.
 */
export type TreeWatcher = {
  /**
   * Watches what is not watched yet: all at first; later the folders whose events were lost, and what the system
   * refused before. Each folder is watched before it is listed, and a scan must follow, so that nothing falls between.
   */
  readonly refresh: () => void;
  readonly folders: () => number;
  /** Whether the system refused to watch more; then only scans see everything. */
  readonly isLimited: () => boolean;
  readonly stop: () => void;
};

export type TreeWatcherOptions = {
  readonly rootPath: string;
  readonly platform: NodeJS.Platform;
  readonly ignoresFolder: (dir: string, name: string) => boolean;
  /** Something happened to this path (created, written, removed: look). */
  readonly onPath: (path: string) => void;
  /** What happened below this folder is not known by name: scan it. */
  readonly onFolder: (dir: string, deep: boolean) => void;
  /** Each event, before anything else: feeds the burst detector. */
  readonly onEvent: () => void;
  readonly onLimited: (code: string) => void;
};

export function createTreeWatcher(options: TreeWatcherOptions): TreeWatcher {
  return options.platform === 'linux' ? watchEachFolder(options) : watchRecursively(options);
}

function watchEachFolder(options: TreeWatcherOptions): TreeWatcher {
  const watchers = new Map<string, { readonly watcher: FSWatcher; readonly identity: string }>();
  let limited = false;

  /** Null when it cannot be watched. */
  const addFolder = (dir: string): 'added' | 'known' | null => {
    const path = fsPath(join(options.rootPath, dir));
    try {
      const identity = identityOf(path);
      const known = watchers.get(dir);
      if (known?.identity === identity) return 'known';
      known?.watcher.close();
      const watcher = watch(path, { persistent: false }, (event, name) => onEvent(dir, event, name));
      // A folder that was removed ends its watch; the folder above tells what happened.
      watcher.on('error', () => forget(dir));
      watchers.set(dir, { watcher, identity });
      return 'added';
    } catch (cause) {
      noteLimit(cause);
      return null;
    }
  };

  const noteLimit = (cause: unknown): void => {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    if (code !== 'ENOSPC' && code !== 'EMFILE' && code !== 'ENFILE') return;
    limited = true;
    options.onLimited(code);
  };

  const foldersIn = (dir: string): string[] => {
    try {
      return listFolder(join(options.rootPath, dir))
        .filter((entry) => entry.kind === 'folder' && !options.ignoresFolder(dir, entry.name))
        .map((entry) => joinPath(dir, entry.name));
    } catch (cause) {
      // Gone or not readable: the scan that follows says which.
      noteLimit(cause);
      return [];
    }
  };

  const addTree = (start: string): void => {
    const queue = [start];
    for (let dir = queue.pop(); dir !== undefined; dir = queue.pop()) {
      if (limited) return;
      if (addFolder(dir) === null) continue;
      for (const folder of foldersIn(dir)) queue.push(folder);
    }
  };

  const onEvent = (dir: string, event: string, name: string | null): void => {
    options.onEvent();
    if (name === null || isDoubtful(name)) {
      options.onFolder(dir, false);
      // A folder that has come here is one that is not watched.
      if (event === 'rename')
        for (const folder of foldersIn(dir)) if (addFolder(folder) === 'added') onNewFolder(folder);
      return;
    }
    const path = joinPath(dir, name);
    if (event === 'rename') onRename(dir, name, path);
    options.onPath(path);
  };

  const onRename = (dir: string, name: string, path: string): void => {
    if (isFolder(join(options.rootPath, path))) {
      if (!options.ignoresFolder(dir, name)) onNewFolder(path);
    } else if (watchers.has(path)) {
      forget(path);
    }
  };

  const onNewFolder = (dir: string): void => {
    addTree(dir);
    options.onFolder(dir, true);
  };

  const forget = (dir: string): void => {
    for (const [folder, { watcher }] of watchers) {
      if (folder !== dir && !folder.startsWith(`${dir}/`)) continue;
      watchers.delete(folder);
      watcher.close();
    }
  };

  return {
    refresh: () => {
      limited = false;
      addTree('');
    },
    folders: () => watchers.size,
    isLimited: () => limited,
    stop: () => {
      for (const { watcher } of watchers.values()) watcher.close();
      watchers.clear();
    },
  };
}

/** The inode alone does not tell: a new folder often takes that of the one just removed, whose watch is dead. */
function identityOf(path: string | Buffer): string {
  const { dev, ino, birthtimeNs } = lstatSync(path, { bigint: true });
  return `${dev}:${ino}:${birthtimeNs}`;
}

function watchRecursively(options: TreeWatcherOptions): TreeWatcher {
  let watcher: FSWatcher | null = null;
  let limited = false;
  const start = (): void => {
    if (watcher !== null) return;
    limited = false;
    try {
      watcher = watch(options.rootPath, { persistent: false, recursive: true }, (event, name) => {
        options.onEvent();
        if (name === null || isDoubtful(name)) options.onFolder('', true);
        else {
          const path = name.replaceAll('\\', '/');
          if (event === 'rename' && isFolder(join(options.rootPath, path))) options.onFolder(path, true);
          options.onPath(path);
        }
      });
      watcher.on('error', () => options.onFolder('', true));
    } catch (cause) {
      limited = true;
      options.onLimited((cause as NodeJS.ErrnoException).code ?? '');
    }
  };
  return {
    refresh: start,
    folders: () => (watcher === null ? 0 : 1),
    isLimited: () => limited,
    stop: () => {
      watcher?.close();
    },
  };
}

function isFolder(path: string): boolean {
  try {
    return lstatSync(fsPath(path)).isDirectory();
  } catch {
    // It is gone.
    return false;
  }
}
