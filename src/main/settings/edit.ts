import { resolve } from 'node:path';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { type ConfigPlace, describeUnknownKey, parseConfig } from './config-text.ts';
import { expandHome } from './data-folder.ts';
import { getDotted, type JsonObject, setDotted } from './dotted.ts';
import { readSmallFile, replaceFile } from './files.ts';
import { isSection, keysOf, RESTART_KEYS, SETTING_KEYS } from './keys.ts';
import type { SettingsState } from './state.ts';

export type SettingsEditor = {
  readonly set: (key: string, value: unknown) => { restartNeeded: boolean };
  readonly addRoot: (path: string) => void;
  readonly removeRoot: (path: string) => void;
};

/** Changes `config.json`, each time from what the file says now, so that an edit by hand is not lost. */
export function createEditor(state: SettingsState, place: ConfigPlace): SettingsEditor {
  const textNow = (): string => readSmallFile(place.file) ?? serialize(state.loaded().config.raw, '');

  const write = (key: string, value: unknown): void => {
    const text = textNow();
    const next = serialize(setDotted(parseConfig(text, place).raw, key, value ?? undefined), text);
    const config = parseConfig(next, place);
    replaceFile(place.file, next);
    state.adoptConfig(config);
  };

  /** The list of roots as the file has it: what a person wrote (`~`, keys left out) is kept. */
  const rawRoots = (absolute: string): { entries: readonly unknown[]; index: number } => {
    const { raw, settings } = parseConfig(textNow(), place);
    const entries = Array.isArray(raw.roots) ? raw.roots : [];
    return { entries, index: settings.roots.findIndex((root) => root.path === absolute) };
  };

  const absoluteOf = (path: string): string => resolve(expandHome(path, place.homedir));
  return {
    set: (key, value) => {
      assertSettable(key, value);
      const before = state.loaded().config.settings;
      write(key, value);
      return { restartNeeded: needsRestart(key, before, state.loaded().config.settings) };
    },
    addRoot: (path) => {
      const { entries, index } = rawRoots(absoluteOf(path));
      if (index >= 0) throw new AppError('root.duplicate', `${displayPath(path)} is watched already.`);
      write('roots', [...entries, { path: absoluteOf(path) }]);
    },
    removeRoot: (path) => {
      const { entries, index } = rawRoots(absoluteOf(path));
      if (index < 0) throw new AppError('not_found.root', `${displayPath(path)} is not watched.`);
      write('roots', entries.toSpliced(index, 1));
    },
  };
}

/** JSON text with the indentation that the old text had (two spaces otherwise). */
export function serialize(raw: JsonObject, oldText: string): string {
  const indent = /\n([ \t]+)"/.exec(oldText)?.[1]?.slice(0, 8) ?? '  ';
  return `${JSON.stringify(raw, null, indent)}\n`;
}

/** `key` may be a section that is reset: then its keys decide. */
function needsRestart(key: string, before: JsonObject, after: JsonObject): boolean {
  return [...RESTART_KEYS].some(
    (restart) =>
      (restart === key || restart.startsWith(`${key}.`)) && getDotted(before, restart) !== getDotted(after, restart),
  );
}

function assertSettable(key: string, value: unknown): void {
  if (SETTING_KEYS.includes(key) || (isSection(key) && value === null)) return;
  if (isSection(key)) {
    throw new AppError('config.unknown_key', `${key} is a section. Set one of its keys: ${keysOf(key).join(', ')}.`);
  }
  const parts = key.split('.');
  throw new AppError('config.unknown_key', `${describeUnknownKey(parts.slice(0, -1), parts.at(-1) ?? '')}.`);
}
