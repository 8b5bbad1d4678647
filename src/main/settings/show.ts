import type { MethodOutput } from '../../shared/contract.ts';
import type { AppError } from '../../shared/errors.ts';
import { ENVIRONMENT } from '../../shared/settings.ts';
import { redactText } from '../log/redact.ts';
import { getDotted } from './dotted.ts';
import { DEFAULT_SETTINGS, SETTING_KEYS } from './keys.ts';
import type { Loaded } from './load.ts';
import { modeWarnings } from './mode-warnings.ts';
import { offParts } from './parts.ts';

export type Shown = {
  readonly loaded: Loaded;
  /** Why the file on disk is not in force, since when; null when it is. */
  readonly problem: { readonly error: AppError; readonly sinceMs: number } | null;
  /** Secrets that the shell keeps and cannot open. */
  readonly locked: readonly { readonly name: string; readonly error: AppError }[];
  readonly configFile: string;
  readonly dotenvFile: string;
  readonly dataFolder: string;
  readonly platform: NodeJS.Platform;
};

/** The answer of `settings.show`. Modes are looked at now, so that a warning goes as soon as it was heeded. */
export function describeSettings(shown: Shown): MethodOutput<'settings.show'> {
  const { loaded, configFile } = shown;
  const { settings, raw } = loaded.config;
  return {
    file: configFile,
    values: SETTING_KEYS.map((key) => ({
      key,
      value: getDotted(settings, key),
      default: getDotted(DEFAULT_SETTINGS, key),
      source: getDotted(raw, key) === undefined ? 'default' : 'file',
    })),
    environment: ENVIRONMENT.map(({ name, secret, enables }) => {
      const found = loaded.found.get(name);
      return {
        name,
        foundAs: found?.foundAs ?? null,
        source: found?.source ?? null,
        // A value that is no secret by its name may hold one all the same: a password in an address, a key in the wrong place.
        value: secret || found === undefined ? null : redactText(found.value),
        secret,
        enables,
      };
    }),
    off: offParts(loaded.found, settings),
    warnings: [...problemWarning(shown), ...lockedWarnings(shown), ...loaded.warnings, ...guardedWarnings(shown)],
  };
}

function problemWarning({ problem }: Shown): { message: string; fix: string }[] {
  if (problem === null) return [];
  const since = new Date(problem.sinceMs).toISOString();
  return [
    {
      message: `The settings before the last edit are in force since ${since}. ${problem.error.message}`,
      fix: problem.error.hint,
    },
  ];
}

/** Secrets that cannot be opened, as warnings. */
export function lockedWarnings({ locked }: Pick<Shown, 'locked'>): { message: string; fix: string }[] {
  return locked.map(({ name, error }) => ({ message: `${name}: ${error.message}`, fix: error.hint }));
}

function guardedWarnings({ configFile, dotenvFile, dataFolder, platform }: Shown): { message: string; fix: string }[] {
  return modeWarnings(
    [
      { path: dataFolder, kind: 'folder' },
      { path: configFile, kind: 'file' },
      { path: dotenvFile, kind: 'file' },
    ],
    platform,
  );
}
