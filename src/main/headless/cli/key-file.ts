import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Option } from 'commander';
import { AppError } from '../../../shared/errors.ts';
import type { Context } from './context.ts';
import { displayPath } from './format.ts';

/** A key never comes as an argument: every program of the machine can read those. */
export const keyFileOption = (): Option =>
  new Option('--key-file <path>', 'read the key from this file, or from standard input with -');

/** The text of the key, or undefined when none was given. Throws `usage.bad_argument`. */
export async function readKey(context: Context, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const text = path === '-' ? await context.io.readStdin() : readFile(resolve(context.io.cwd, path));
  const key = text.trim();
  if (key === '') throw new AppError('usage.bad_argument', 'There is no key in what was given with --key-file.');
  return keyOfKit(key) ?? key;
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new AppError('usage.bad_argument', `${displayPath(path)} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** The 64 digits of a saved recovery kit, so that the kit itself can be given; null for anything else. */
export function keyOfKit(text: string): string | null {
  if (!text.includes('ANGLES RECOVERY KIT')) return null;
  const groups = [...text.matchAll(/^\s*((?:[0-9a-f]{4}\s+){3}[0-9a-f]{4})\s*$/gim)].map(([, line = '']) => line);
  const digits = groups.join('').replace(/\s/g, '');
  return digits.length === 64 ? digits : null;
}
