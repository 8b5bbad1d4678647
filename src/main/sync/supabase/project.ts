/** What an address and a key say about themselves, before anything is sent. Pure. */
import { AppError } from '../../../shared/errors.ts';

export type KeyKind = 'publishable' | 'secret' | 'unknown';

/** `sb_...` keys say what they are; old ones are JWTs with a role. */
export function kindOfKey(key: string): KeyKind {
  if (key.startsWith('sb_publishable_')) return 'publishable';
  if (key.startsWith('sb_secret_')) return 'secret';
  const role = claimsOf(key)?.role;
  return role === 'service_role' ? 'secret' : role === 'anon' ? 'publishable' : 'unknown';
}

/** The claims of a JWT, unverified; null for anything else. */
export function claimsOf(token: string): Readonly<Record<string, unknown>> | null {
  const payload = /^eyJ[\w-]+\.([\w-]+)\.[\w-]*$/.exec(token)?.[1];
  if (payload === undefined) return null;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/**
 * The address of the project as it is used: its origin. Throws `remote.unreachable` for what is no such address, with a
 * hint for the usual mix-ups.
 */
export function projectUrl(text: string): URL {
  const url = URL.parse(text.trim());
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw badAddress(
      `SUPABASE_URL is no address: ${shown(text)}`,
      'It looks like https://abcdefghijklmnopqrst.supabase.co.',
    );
  }
  const dashboard = /^\/dashboard\/project\/([a-z0-9]+)/.exec(url.pathname)?.[1];
  if (/(^|\.)supabase\.com$/.test(url.hostname) && dashboard !== undefined) {
    throw badAddress('SUPABASE_URL is the address of the dashboard.', `Use https://${dashboard}.supabase.co instead.`);
  }
  if (url.protocol === 'http:' && !isHere(url.hostname)) {
    throw badAddress(
      'SUPABASE_URL is not encrypted: it starts with http://.',
      'Use the address that starts with https://.',
    );
  }
  return new URL(url.origin);
}

const badAddress = (message: string, hint: string): AppError => new AppError('remote.unreachable', message, { hint });
const isHere = (host: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(host);
/** A key pasted into the wrong setting must not be shown. */
const shown = (text: string): string => (/^(sb_|eyJ)/.test(text) ? '(a key)' : JSON.stringify(text.slice(0, 60)));

/** The failure when address and key name different projects; null when they agree or do not say. */
export function projectMismatch(url: URL, key: string): AppError | null {
  const host = /^([a-z0-9]{20})\.supabase\.(co|in|red)$/.exec(url.hostname)?.[1];
  const ref = claimsOf(key)?.ref;
  if (host === undefined || typeof ref !== 'string' || ref === host) return null;
  return new AppError('remote.wrong_project', `The address is of project ${host}, the key of project ${ref}.`);
}
