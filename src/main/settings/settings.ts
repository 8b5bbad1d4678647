import { homedir as systemHome } from 'node:os';
import { join } from 'node:path';
import type { MethodOutput } from '../../shared/contract.ts';
import type { Remote } from '../../shared/model.ts';
import type { EnvironmentKey, Settings } from '../../shared/settings.ts';
import type { SecretStore } from '../host.ts';
import type { EnvironmentValues } from './data-folder.ts';
import { createEditor } from './edit.ts';
import { createKeeper, type Keeper } from './keep.ts';
import { configuredRemotes } from './parts.ts';
import { describeSettings } from './show.ts';
import { createState, type SettingsState } from './state.ts';
import { createFileWatch } from './watch-files.ts';

export const CONFIG_FILE = 'config.json';
export const DOTENV_FILE = '.env';

/** The settings in force, and every way to change them. */
export type SettingsSource = {
  /** The whole, every default filled in, paths of roots absolute. A new object after each change. */
  readonly current: () => Settings;
  /** The value of an outside name (environment before `.env`, aliases accepted); undefined when it is not set. */
  readonly environment: (name: EnvironmentKey) => string | undefined;
  readonly configuredRemotes: () => Remote[];
  /** What `settings.show` answers: the value of a secret is never in it. */
  readonly show: () => MethodOutput<'settings.show'>;
  /**
   * Sets one key (dotted path) once the whole file is valid with it; null resets a key or a section. Durable when it
   * returns. The file's other keys and their order stay. Safe to repeat.
   * Throws `config.unknown_key`, `config.invalid`, `config.syntax` (the file is broken), `config.unreadable`,
   * `config.unwritable`, `data.full`; then nothing changed.
   */
  readonly set: (key: string, value: unknown) => { restartNeeded: boolean };
  /** Adds a folder to watch; nesting is not looked at. Throws `root.duplicate`, and what `set` throws. */
  readonly addRoot: (path: string) => void;
  /** Stops watching a folder. Throws `not_found.root`, and what `set` throws. */
  readonly removeRoot: (path: string) => void;
  /** Sets outside names where this shell keeps them; see {@link Keeper.set}. The change is in force when it returns. */
  readonly keep: Keeper['set'];
  /** Reads the secrets that the shell keeps; until then they count as not set. Never throws. */
  readonly loadKept: () => Promise<void>;
  /** The shell's store can be read or written by now: reads it, and moves there what lies in `.env`. */
  readonly openKept: () => Promise<void>;
  /** Secrets that the shell keeps and cannot open. */
  readonly locked: Keeper['problems'];
  /** Reads the files again, as after an edit. A file that cannot be used leaves in force what is, and makes a problem. */
  readonly reload: () => void;
  /** Calls back after settings or outside names changed; returns how to stop listening. */
  readonly onChange: (listener: (settings: Settings) => void) => () => void;
  /** Calls back once for each new problem: with an edited file, with a listener, with the watching. */
  readonly onProblem: (listener: (error: unknown) => void) => () => void;
  /** Watches both files. Resolves when an edit will be seen. */
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

export type SettingsOptions = {
  readonly dataFolder: string;
  readonly environment: EnvironmentValues;
  readonly nowMs: () => number;
  readonly platform?: NodeJS.Platform;
  readonly homedir?: string;
  readonly secrets?: SecretStore | undefined;
};

/**
 * Loads `config.json` and `.env` of a data folder (both may be missing, the folder too).
 * Throws `config.syntax`, `config.invalid`, `config.unknown_key` or `config.unreadable`; a bad `.env` is a warning.
 */
export function createSettings(options: SettingsOptions): SettingsSource {
  const { dataFolder, environment, nowMs, platform = process.platform } = options;
  const homedir = options.homedir ?? (environment.HOME || systemHome());
  const place = { file: join(dataFolder, CONFIG_FILE), homedir, platform };
  const dotenvFile = join(dataFolder, DOTENV_FILE);
  const keeper: Keeper = createKeeper({ dotenvFile, secrets: options.secrets, found: () => state.loaded().found });
  const state: SettingsState = createState({ place, dotenvFile, environment, nowMs, kept: keeper.kept });
  const settings = (): Settings => state.loaded().config.settings;
  return {
    current: settings,
    environment: (name) => state.loaded().found.get(name)?.value,
    configuredRemotes: () => configuredRemotes(state.loaded().found, settings()),
    show: () =>
      describeSettings({
        loaded: state.loaded(),
        locked: keeper.problems(),
        problem: state.problem(),
        configFile: place.file,
        dotenvFile,
        dataFolder,
        platform,
      }),
    ...createEditor(state, place),
    keep: async (wanted) => {
      const places = await keeper.set(wanted);
      state.reload();
      return places;
    },
    loadKept: async () => {
      await keeper.load();
      state.reload();
    },
    openKept: async () => {
      await keeper.load();
      await keeper.moveIn();
      state.reload();
    },
    locked: keeper.problems,
    reload: state.reload,
    onChange: state.onChange,
    onProblem: state.onProblem,
    ...createFileWatch(dataFolder, new Set([CONFIG_FILE, DOTENV_FILE]), state.reload, state.tell),
  };
}
