import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { globToRegExp } from '../../shared/glob.ts';
import type { ExactPath } from './plan.ts';
import type { SourceEntry, SourceRoot } from './source.ts';

/**
 * The entries a request means. Throws `usage.bad_argument` naming a pattern that matches nothing, with the nearest paths.
 */
export function selectEntries(
  entries: Iterable<SourceEntry>,
  roots: readonly SourceRoot[],
  only: readonly string[],
  paths: readonly ExactPath[] = [],
): SourceEntry[] {
  if (only.length === 0 && paths.length === 0) return [...entries];
  const rootOf = new Map(roots.map((root) => [root.rootId, root.path]));
  const rules: Rule[] = [
    ...only.map((pattern) => globRule(pattern, rootOf)),
    ...paths.map((path) => exactRule(path, rootOf)),
  ];
  const selected: SourceEntry[] = [];
  const all: string[] = [];
  for (const entry of entries) {
    let isWanted = false;
    for (const rule of rules) {
      if (!rule.matches(entry)) continue;
      rule.hits += 1;
      isWanted = true;
    }
    if (isWanted) selected.push(entry);
    all.push(entry.path);
  }
  const missed = rules.find((rule) => rule.hits === 0);
  if (missed !== undefined) throw noSuchPath(missed.name, all);
  return selected;
}

type Rule = { readonly name: string; readonly matches: (entry: SourceEntry) => boolean; hits: number };

function globRule(pattern: string, rootOf: ReadonlyMap<number, string | null>): Rule {
  const matches = matcher(pattern);
  return {
    name: pattern,
    hits: 0,
    matches: ({ rootId, path }) => {
      const root = rootOf.get(rootId) ?? null;
      return matches(path) || (root !== null && matches(`${root}/${path}`));
    },
  };
}

function exactRule({ rootId, path }: ExactPath, rootOf: ReadonlyMap<number, string | null>): Rule {
  const name = path === '' ? (rootOf.get(rootId) ?? `root ${rootId}`) : path;
  return {
    name,
    // An empty root is a choice like any other.
    hits: path === '' && rootOf.has(rootId) ? 1 : 0,
    matches: (entry) =>
      entry.rootId === rootId && (path === '' || entry.path === path || entry.path.startsWith(`${path}/`)),
  };
}

function matcher(pattern: string): (path: string) => boolean {
  const clean = pattern.replace(/^\.\//, '').replace(/\/+$/, '');
  const isGlob = /[*?]/.test(clean);
  if (!isGlob) return (path) => path === clean || path.startsWith(`${clean}/`);
  const whole = globToRegExp(clean);
  const below = globToRegExp(`${clean}/**`);
  return (path) => path === clean || whole.test(path) || below.test(path);
}

function noSuchPath(pattern: string, paths: readonly string[]): AppError {
  const wanted = pattern.slice(pattern.lastIndexOf('/') + 1).toLowerCase();
  const near = paths
    .filter(
      (path) =>
        wanted !== '' && path.toLowerCase().includes(wanted.slice(0, Math.max(3, Math.ceil(wanted.length / 2)))),
    )
    .slice(0, 3)
    .map(displayPath);
  return new AppError('usage.bad_argument', `The backup has nothing at ${displayPath(pattern)}.`, {
    hint: near.length > 0 ? `Near it: ${near.join(', ')}.` : 'Look at what is in it with `angles backup show`.',
  });
}
