import { AppError } from '../../shared/errors.ts';
import { linkIn } from './address.ts';

export type StartOptions = {
  /** Started by the system at login: no window. */
  readonly isHidden: boolean;
  /** Folders to watch besides those in the settings. */
  readonly roots: readonly string[];
  /** The first port of the local server; null for the setting's. */
  readonly port: number | null;
  readonly link: string | null;
  /** A look around with sample data, beside whatever runs. */
  readonly isDemo: boolean;
};

/**
 * Reads the arguments of a start: `[start] [--hidden] [--demo] [--root PATH]... [--port N] [angles://...]`. Others belong to
 * Chromium and are left to it. Throws `usage.bad_argument`.
 */
export function readArguments(argv: readonly string[]): StartOptions {
  const roots: string[] = [];
  let port: number | null = null;
  for (const [index, argument] of argv.entries()) {
    const [name, inline] = splitOnce(argument);
    if (name !== '--root' && name !== '--port') continue;
    const value = inline ?? argv[index + 1];
    if (value === undefined || value === '' || (inline === undefined && value.startsWith('--')))
      throw new AppError('usage.bad_argument', `${name} needs a value.`);
    if (name === '--root') roots.push(value);
    else port = readPort(value);
  }
  return { isHidden: argv.includes('--hidden'), roots, port, link: linkIn(argv), isDemo: argv.includes('--demo') };
}

function splitOnce(argument: string): [string, string | undefined] {
  const at = argument.indexOf('=');
  return at < 0 ? [argument, undefined] : [argument.slice(0, at), argument.slice(at + 1)];
}

function readPort(value: string): number {
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535)
    throw new AppError('usage.bad_argument', `"${value}" is not a port.`);
  return Number(value);
}
