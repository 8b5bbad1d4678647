import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Who may talk to the server. All of it lives in memory: a restart signs every browser out. */
export type Keys = {
  /** The key of this start, 256 bits, for commands (`Authorization: Bearer`). */
  readonly token: string;
  /** True for the key of this start; when no such header was sent, for the cookie of a session. */
  readonly accepts: (authorization: string | undefined, cookie: string | undefined) => boolean;
  /** A code that {@link redeem} takes once, within ten minutes. */
  readonly makeCode: () => string;
  /** Exchanges a code for a new session: the value of its `Set-Cookie`. null for a used, old or unknown code. */
  readonly redeem: (code: string) => string | null;
};

export const CODE_LIFE_MS = 10 * 60_000;
const MOST_CODES = 64;
const MOST_SESSIONS = 64;

export function createKeys(cookieName: string, nowMs: () => number): Keys {
  const token = secret();
  const tokenDigest = digest(token);
  const codes = new Map<string, number>();
  const sessions = new Set<string>();
  return {
    token,
    accepts: (authorization, cookie) => {
      if (authorization !== undefined) {
        const given = /^Bearer ([\w-]{1,128})$/.exec(authorization)?.[1] ?? '';
        return timingSafeEqual(digest(given), tokenDigest);
      }
      // Sessions are looked up by digest, so the time of the look-up tells nothing about a session's id.
      return sessionIds(cookie, cookieName).some((id) => sessions.has(digest(id).toString('hex')));
    },
    makeCode: () => {
      const code = secret();
      codes.set(digest(code).toString('hex'), nowMs() + CODE_LIFE_MS);
      dropOldest(codes, MOST_CODES);
      return code;
    },
    redeem: (code) => {
      const key = digest(code).toString('hex');
      const untilMs = codes.get(key);
      codes.delete(key);
      if (untilMs === undefined || nowMs() >= untilMs) return null;
      const id = secret();
      sessions.add(digest(id).toString('hex'));
      dropOldest(sessions, MOST_SESSIONS);
      return `${cookieName}=${id}; Path=/; HttpOnly; SameSite=Strict`;
    },
  };
}

const secret = (): string => randomBytes(32).toString('base64url');
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

function sessionIds(cookie: string | undefined, name: string): string[] {
  return (cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
}

function dropOldest(
  kept: { size: number; keys: () => Iterator<string>; delete: (key: string) => unknown },
  most: number,
) {
  while (kept.size > most) {
    const oldest = kept.keys().next();
    if (oldest.done === true) return;
    kept.delete(oldest.value);
  }
}
