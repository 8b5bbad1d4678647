import { existsSync, readFileSync } from 'node:fs';
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

/** Names that a default may exclude, and some more: whatever does not match is spared the whole rule list. */
const MAYBE_EXCLUDED = new RegExp(
  DEFAULT_EXCLUDES.map((pattern) => {
    const plain = pattern.replace(/\/$/, '').replace(/\\(.)/g, '$1');
    return `^${plain.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`;
  }).join('|'),
  'is',
);

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
type Level = { readonly dir: string; readonly test: (path: string) => ReturnType<Ignore['test']> };

/**
 * The rules of one root, in the way of gitignore(5): the deepest file decides first, a later line beats an earlier
 * one, `!` brings back, nothing below an ignored folder comes back. Beside each other .anglesignore beats .gitignore.
 */
export function createIgnoreRules(options: IgnoreOptions): IgnoreRules {
  const base: readonly Level[] = options.exclude.length === 0 ? [] : [toLevel('', options.exclude.join('\n'))];
  const defaults = toLevel('', DEFAULT_EXCLUDES.join('\n'));
  const levels = new Map<string, readonly Level[]>();
  const fileNames = options.respectGitignore ? IGNORE_FILES : IGNORE_FILES.slice(0, 1);

  /** Levels that apply in a folder, deepest first. */
  const levelsOf = (dir: string): readonly Level[] => {
    const known = levels.get(dir);
    if (known !== undefined) return known;
    const above = dir === '' ? base : levelsOf(parentOf(dir));
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
      const verdict = level.test(isFolder ? `${relative}/` : relative);
      if (verdict.ignored) return true;
      if (verdict.unignored) return false;
    }
    // They name no folders: what was brought back is brought back with all that is in it.
    return MAYBE_EXCLUDED.test(name) && defaults.test(isFolder ? `${name}/` : name).ignored;
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

/** The library remembers each path that it was asked about; an agent is asked for months. */
const REMEMBERED_PATHS = 10_000;

function toLevel(dir: string, text: string): Level {
  const parse = (): Ignore => ignore({ ignorecase: process.platform !== 'linux', allowRelativePaths: true }).add(text);
  let rules = parse();
  let asked = 0;
  const test = (path: string): ReturnType<Ignore['test']> => {
    asked += 1;
    if (asked % REMEMBERED_PATHS === 0) rules = parse();
    return rules.test(path);
  };
  return { dir, test };
}

function readLevel(rootPath: string, dir: string, name: string): Level[] {
  const path = fsPath(join(rootPath, dir, name));
  // Most folders have none, and this is asked of each: an error costs ten times more than an answer.
  if (!existsSync(path)) return [];
  try {
    const text = readFileSync(path, 'utf8');
    return text.length > 1_000_000 ? [] : [toLevel(dir, text.replace(/^\ufeff/, ''))];
  } catch {
    // It is gone, or it cannot be read: then it says nothing.
    return [];
  }
}

function parentOf(dir: string): string {
  const slash = dir.lastIndexOf('/');
  return slash === -1 ? '' : dir.slice(0, slash);
}
