import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import type { ParsedConfig } from './config-text.ts';
import type { EnvironmentValues } from './data-folder.ts';
import { type Dotenv, parseDotenv } from './dotenv.ts';
import { environmentWarnings, type FoundEnvironment, resolveEnvironment, type Warning } from './environment.ts';
import { readSmallFile } from './files.ts';

/** Everything that was read, and what was odd about the outside names. */
export type Loaded = {
  readonly config: ParsedConfig;
  readonly found: FoundEnvironment;
  readonly warnings: readonly Warning[];
};

/** What a missing `config.json` says. */
export const NO_SETTINGS = '{}';

/** Reads `.env` and decides about each name. Never throws for what is in the file: that becomes warnings. */
export function loadEnvironment(
  environment: EnvironmentValues,
  dotenvFile: string,
  kept: ReadonlyMap<string, string> = new Map(),
): { found: FoundEnvironment; warnings: Warning[] } {
  const { dotenv, warnings } = readDotenv(dotenvFile);
  return {
    found: resolveEnvironment(environment, dotenv.values, kept),
    warnings: [...warnings, ...environmentWarnings(environment, dotenv.values, kept)],
  };
}

function readDotenv(file: string): { dotenv: Dotenv; warnings: Warning[] } {
  try {
    const dotenv = parseDotenv(readSmallFile(file) ?? '');
    const warnings = dotenv.problems.map(({ line, reason }) => ({
      message: `Line ${line} of ${displayPath(file)}: ${reason}.`,
      fix: `Correct line ${line}, or remove it.`,
    }));
    return { dotenv, warnings };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const warning = { message: `None of .env is used. ${error.message}`, fix: error.hint };
    return { dotenv: { values: new Map(), problems: [] }, warnings: [warning] };
  }
}
