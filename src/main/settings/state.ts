import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import type { Settings } from '../../shared/settings.ts';
import { type ConfigPlace, type ParsedConfig, parseConfig } from './config-text.ts';
import type { EnvironmentValues } from './data-folder.ts';
import { readSmallFile } from './files.ts';
import { type Loaded, loadEnvironment, NO_SETTINGS } from './load.ts';

/** Why the file on disk is not in force, and since when. */
export type FileProblem = { readonly error: AppError; readonly sinceMs: number };

/** What is in force, and who wants to know when that changes. */
export type SettingsState = {
  readonly loaded: () => Loaded;
  readonly problem: () => FileProblem | null;
  /** Takes over what was just written to the file. */
  readonly adoptConfig: (config: ParsedConfig) => void;
  readonly reload: () => void;
  readonly tell: (error: unknown) => void;
  readonly onChange: (listener: (settings: Settings) => void) => () => void;
  readonly onProblem: (listener: (error: unknown) => void) => () => void;
};

export type StateOptions = {
  readonly place: ConfigPlace;
  readonly dotenvFile: string;
  readonly environment: EnvironmentValues;
  readonly nowMs: () => number;
  /** Secrets that the shell keeps, by name. */
  readonly kept: () => ReadonlyMap<string, string>;
};

/** Loads both files. Throws for a `config.json` that cannot be used; later such a file only makes a problem. */
export function createState({ place, dotenvFile, environment, nowMs, kept }: StateOptions): SettingsState {
  const changeListeners = new Set<(settings: Settings) => void>();
  const problemListeners = new Set<(error: unknown) => void>();
  let problem: FileProblem | null = null;
  let loaded: Loaded = {
    config: parseConfig(readSmallFile(place.file) ?? NO_SETTINGS, place),
    ...loadEnvironment(environment, dotenvFile, kept()),
  };

  const tell = (error: unknown): void => {
    for (const listener of problemListeners) listener(error);
  };

  const adopt = (next: Loaded): void => {
    const changed = fingerprint(next) !== fingerprint(loaded);
    loaded = changed ? next : { ...loaded, warnings: next.warnings };
    if (!changed) return;
    for (const listener of changeListeners) {
      try {
        listener(loaded.config.settings);
      } catch (error) {
        tell(error);
      }
    }
  };

  const readAgain = (): ParsedConfig => {
    const text = readSmallFile(place.file);
    // A file that vanished is an accident until the next start: it must not stop the watching of every root.
    if (text === null && Object.keys(loaded.config.raw).length > 0) {
      throw new AppError('config.unreadable', `${displayPath(place.file)} is gone.`, {
        hint: 'Write it again (any change in the settings page does), or restart the agent to go on with the defaults.',
      });
    }
    return parseConfig(text ?? NO_SETTINGS, place);
  };

  const reload = (): void => {
    let { config } = loaded;
    try {
      config = readAgain();
      problem = null;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (problem?.error.message !== error.message) {
        problem = { error, sinceMs: nowMs() };
        tell(error);
      }
    }
    adopt({ config, ...loadEnvironment(environment, dotenvFile, kept()) });
  };

  return {
    loaded: () => loaded,
    problem: () => problem,
    adoptConfig: (config) => {
      problem = null;
      adopt({ ...loaded, config });
    },
    reload,
    tell,
    onChange: (listener) => listen(changeListeners, listener),
    onProblem: (listener) => listen(problemListeners, listener),
  };
}

function listen<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

function fingerprint({ config, found }: Loaded): string {
  return JSON.stringify([config.settings, config.raw, [...found]]);
}
