import { nearestOf } from '../../shared/near.ts';
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
