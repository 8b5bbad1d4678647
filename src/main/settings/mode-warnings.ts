import { statSync } from 'node:fs';
import { displayPath } from '../../shared/display.ts';
import type { Warning } from './environment.ts';

/** A file or folder of ours and the widest mode it may have. */
export type Guarded = { readonly path: string; readonly kind: 'file' | 'folder' };

/** Warns of what other users of the machine can reach, with the command that mends it. Missing files are fine. */
export function modeWarnings(guarded: readonly Guarded[], platform: NodeJS.Platform): Warning[] {
  if (platform === 'win32') return [];
  return guarded.flatMap(({ path, kind }) => {
    const mode = modeOf(path);
    return mode === null ? [] : modeWarning({ path, kind }, mode);
  });
}

/** The warning for one mode; nothing when only the owner has rights. */
export function modeWarning({ path, kind }: Guarded, mode: number): Warning[] {
  if ((mode & 0o077) === 0) return [];
  const wanted = kind === 'file' ? '600' : '700';
  const has = (mode & 0o777).toString(8).padStart(3, '0');
  return [
    {
      message: `Other users of this machine can reach ${displayPath(path)} (mode ${has}; it should be ${wanted}).`,
      fix: `chmod ${wanted} ${shellQuote(path)}`,
    },
  ];
}

/** null when it does not exist, or lies where we may not look: then nobody learns anything from it through us. */
function modeOf(path: string): number | null {
  try {
    return statSync(path).mode;
  } catch {
    return null;
  }
}

/** The text as one word of a POSIX shell; control characters as `$'...'`, so that the command stays on one line. */
export function shellQuote(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  if (!/\p{Cc}/u.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  const escaped = text
    .replace(/[\\']/g, '\\$&')
    .replace(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `$'${escaped}'`;
}
