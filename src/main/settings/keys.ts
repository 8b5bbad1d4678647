import { settingsSchema } from '../../shared/settings.ts';

export const DEFAULT_SETTINGS = settingsSchema.parse({});

/** Every key a person can set, as a dotted path: `roots`, `watch.quiet_ms`, ... in the order of the schema. */
export const SETTING_KEYS: readonly string[] = Object.entries(DEFAULT_SETTINGS).flatMap(([section, value]) =>
  Array.isArray(value) ? [section] : Object.keys(value).map((key) => `${section}.${key}`),
);

const SECTIONS: readonly string[] = Object.keys(DEFAULT_SETTINGS);
const ROOT_KEYS: readonly string[] = Object.keys(settingsSchema.parse({ roots: [{ path: '/' }] }).roots[0] ?? {});

/**
 * Keys whose change shows only after a restart of the agent: the port is taken once, at the start.
 * Every other key takes effect while the agent runs.
 */
export const RESTART_KEYS: ReadonlySet<string> = new Set(['dashboard.port']);

export function isSection(key: string): boolean {
  return SECTIONS.includes(key) && !SETTING_KEYS.includes(key);
}

/** The keys of one section, dotted. */
export function keysOf(section: string): readonly string[] {
  return SETTING_KEYS.filter((key) => key.startsWith(`${section}.`));
}

/**
 * The known key that a person most likely meant, dotted; null when none is close.
 * Keys at the same place win; a key of another section with the very same name is found too.
 */
export function nearestKey(path: readonly string[], name: string): string | null {
  const prefix = path.map((part) => `${part}.`).join('');
  const siblings = siblingNames(path).map((sibling) => `${prefix}${sibling}`);
  const here = nearestOf(name, siblings, lastPart);
  if (here !== null) return here;
  return nearestOf(name, SETTING_KEYS, lastPart) ?? nearestOf(`${prefix}${name}`, SETTING_KEYS, (key) => key);
}

function siblingNames(path: readonly string[]): readonly string[] {
  const [section, index] = path;
  if (section === undefined) return SECTIONS;
  if (section === 'roots') return index === undefined ? [] : ROOT_KEYS;
  return keysOf(section).map(lastPart);
}

function lastPart(key: string): string {
  return key.slice(key.lastIndexOf('.') + 1);
}

/** The candidate whose name differs in the fewest edits, when that is at most a third of the name; else null. */
export function nearestOf(
  name: string,
  candidates: readonly string[],
  nameOf: (candidate: string) => string = (candidate) => candidate,
): string | null {
  const wanted = plain(name);
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const known = plain(nameOf(candidate));
    const distance = editDistance(wanted, known);
    if (distance <= Math.max(1, Math.floor(known.length / 3)) && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `quietMs`, `quiet-ms` and `QUIET_MS` are the same word with other clothes. */
function plain(name: string): string {
  return name
    .slice(0, 80)
    .toLowerCase()
    .replace(/[_\-\s]/g, '');
}

/** Edits (insert, delete, replace, swap of neighbours) that turn one text into the other. */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      const edits = [(last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + (same ? 0 : 1)];
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) edits.push((beforeLast[column - 2] ?? 0) + 1);
      current.push(Math.min(...edits));
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}
