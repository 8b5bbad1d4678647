import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { fsPath, joinPath } from '../path-names.ts';

/** Never captured, whatever any file says: version control internals would be captured twice over. */
const ALWAYS = new Set(['.git', '.hg', '.svn', '.jj']);

/** Left out unless an .anglesignore brings them back with `!`. */
export const DEFAULT_EXCLUDES = [
  ...['node_modules/', '__pycache__/', '*.pyc', '.venv/', '.mypy_cache/', '.pytest_cache/', '.tox/'],
  // Editors while they save
  ...['*.swp', '*.swo', '*.swx', '*~', '.#*', '\\#*#', '4913', '*.tmp', '~$*', '.~lock.*#', '.goutputstream-*'],
  ...['*.kate-swp', '.*.un~', '*.crdownload', '*.part', '*___jb_tmp___', '*___jb_old___', '.fuse_hidden*', '.nfs0*'],
  // Litter of operating systems
  ...['.DS_Store', '._*', 'Thumbs.db', 'desktop.ini', '.Trash-*/', '$RECYCLE.BIN/', '.Spotlight-V100/', '.directory'],
];

export const IGNORE_FILES = ['.anglesignore', '.gitignore'] as const;

export type IgnoreRules = {
  /** Whether an entry of a folder that is itself not ignored is left out. */
  readonly ignores: (dir: string, name: string, isFolder: boolean) => boolean;
  /** The same for a path with all its folders above, as events give it. */
  readonly ignoresPath: (path: string, isFolder: boolean) => boolean;
  /** Forgets what was read at and below a folder, after one of its ignore files changed. */
  readonly forget: (dir: string) => void;
};

export type IgnoreOptions = {
  readonly rootPath: string;
  readonly exclude: readonly string[];
  readonly respectGitignore: boolean;
};

/** A rule list and the folder it counts from. */
type Level = { readonly dir: string; readonly rules: Ignore };

/**
 * The rules of one root, in the way of gitignore(5): the deepest file decides first, a later line beats an earlier
 * one, `!` brings back, nothing below an ignored folder comes back. Beside each other .anglesignore beats .gitignore.
 */
export function createIgnoreRules(options: IgnoreOptions): IgnoreRules {
  const base: Level = { dir: '', rules: parse([...DEFAULT_EXCLUDES, ...options.exclude].join('\n')) };
  const levels = new Map<string, readonly Level[]>();
  const fileNames = options.respectGitignore ? IGNORE_FILES : IGNORE_FILES.slice(0, 1);

  /** Levels that apply in a folder, deepest first. */
  const levelsOf = (dir: string): readonly Level[] => {
    const known = levels.get(dir);
    if (known !== undefined) return known;
    const above = dir === '' ? [base] : levelsOf(parentOf(dir));
    const own = fileNames.flatMap((name) => readLevel(options.rootPath, dir, name));
    const all = own.length === 0 ? above : [...own, ...above];
    levels.set(dir, all);
    return all;
  };

  const ignores = (dir: string, name: string, isFolder: boolean): boolean => {
    if (ALWAYS.has(name)) return true;
    const path = joinPath(dir, name);
    for (const level of levelsOf(dir)) {
      const relative = level.dir === '' ? path : path.slice(level.dir.length + 1);
      const verdict = level.rules.test(isFolder ? `${relative}/` : relative);
      if (verdict.ignored) return true;
      if (verdict.unignored) return false;
    }
    return false;
  };

  const ignoresPath = (path: string, isFolder: boolean): boolean => {
    const parts = path.split('/');
    let dir = '';
    for (const [index, name] of parts.entries()) {
      if (ignores(dir, name, index < parts.length - 1 || isFolder)) return true;
      dir = joinPath(dir, name);
    }
    return false;
  };

  const forget = (dir: string): void => {
    for (const known of levels.keys()) {
      if (dir === '' || known === dir || known.startsWith(`${dir}/`)) levels.delete(known);
    }
  };

  return { ignores, ignoresPath, forget };
}

function parse(text: string): Ignore {
  return ignore({ ignorecase: process.platform !== 'linux', allowRelativePaths: true }).add(text);
}

function readLevel(rootPath: string, dir: string, name: string): Level[] {
  try {
    const text = readFileSync(fsPath(join(rootPath, dir, name)), 'utf8');
    return text.length > 1_000_000 ? [] : [{ dir, rules: parse(text.replace(/^\ufeff/, '')) }];
  } catch {
    // There is none, or it cannot be read: then it says nothing.
    return [];
  }
}

function parentOf(dir: string): string {
  const slash = dir.lastIndexOf('/');
  return slash === -1 ? '' : dir.slice(0, slash);
}
