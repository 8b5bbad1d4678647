/** From the folders in the settings to the roots that are watched. */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { AppError, ERROR_CATALOGUE } from '../shared/errors.ts';
import type { RootSetting } from '../shared/settings.ts';
import type { RootStore } from './store/roots.ts';
import { checkRootPath } from './watch/root-path.ts';
import type { WatchedRoot } from './watch/watch-service.ts';

export type RootPlan = {
  readonly watched: readonly WatchedRoot[];
  /** Folders of the settings that are not watched, each with the reason. */
  readonly refused: readonly { readonly path: string; readonly error: AppError }[];
};

/**
 * Decides which folders of the settings are watched. A folder that is not there (an unplugged disk) keeps its place
 * and is waited for; one that overlaps another or the data folder is refused. Makes new roots known to the vault and
 * ends those that are not listed any more.
 */
export function planRoots(settings: readonly RootSetting[], roots: RootStore, dataFolder: string): RootPlan {
  const watched: WatchedRoot[] = [];
  const refused: { path: string; error: AppError }[] = [];
  for (const setting of settings) {
    try {
      const path = realOrExpected(setting.path, watched, roots, dataFolder);
      const { rootId } = roots.ensure(path);
      watched.push({ rootId, path, exclude: setting.exclude, respectGitignore: setting.respect_gitignore });
    } catch (cause) {
      if (!(cause instanceof AppError)) throw cause;
      refused.push({ path: setting.path, error: cause });
    }
  }
  for (const root of roots.list()) if (!watched.some((each) => each.rootId === root.rootId)) roots.remove(root.rootId);
  return { watched, refused };
}

function realOrExpected(path: string, watched: readonly WatchedRoot[], roots: RootStore, dataFolder: string): string {
  const others = watched.map((each) => each.path);
  try {
    return checkRootPath(path, others, dataFolder);
  } catch (cause) {
    // Not there or not readable now: its watch says so and waits for it.
    if (cause instanceof AppError && (cause.code === 'root.missing' || cause.code === 'root.unreadable'))
      return resolve(path);
    if (
      cause instanceof AppError &&
      cause.code === 'root.not_a_directory' &&
      roots.list().some((root) => root.path === path)
    )
      return path;
    throw cause;
  }
}

/** The folder of a first start with nothing configured: `Angles` in the user's documents. Made when it is not there. */
export function createFirstRoot(environment: Readonly<Record<string, string | undefined>>): string {
  const home = environment.HOME ?? environment.USERPROFILE ?? homedir();
  const folder = join(environment.XDG_DOCUMENTS_DIR ?? join(home, 'Documents'), 'Angles');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    return folder;
  } catch (cause) {
    throw new AppError('root.missing', `The first folder ${folder} cannot be made.`, {
      cause,
      hint: 'Name a folder to watch: `angles start --root PATH`.',
    });
  }
}

export function refusalText(refused: RootPlan['refused'][number]): {
  code: string;
  message: string;
  fix: string;
  rootId: null;
} {
  return {
    code: refused.error.code,
    message: `${refused.path} is not watched: ${refused.error.message}`,
    fix: ERROR_CATALOGUE[refused.error.code].fix,
    rootId: null,
  };
}
