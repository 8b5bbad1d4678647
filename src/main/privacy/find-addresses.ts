import type { Finding } from './finding.ts';
import { isStandIn, looksLikeKey } from './looks-secret.ts';

const AUTHORITY = /[^\s"'`<>\\|]{1,1024}/y;
const DATABASE =
  /^(?:postgres(?:ql)?|mysqlx?|mariadb|mongodb(?:\+srv)?|rediss?|amqps?|sqlserver|mssql|clickhouse|couchdb|db2|oracle)$/i;

/** Passwords within addresses, and addresses that are secret as a whole. Linear. */
export function findAddresses(text: string): readonly Finding[] {
  const findings: Finding[] = [];
  for (let mark = text.indexOf('://'); mark >= 0; mark = text.indexOf('://', mark + 3)) {
    const scheme = /[a-z][a-z0-9+.-]*$/i.exec(text.slice(Math.max(0, mark - 24), mark))?.[0];
    if (scheme === undefined) continue;
    const from = mark + 3;
    AUTHORITY.lastIndex = from;
    const run = AUTHORITY.exec(text)?.[0] ?? '';
    const found = webhook(scheme, run) ?? credential(scheme, run);
    if (found !== null) findings.push({ kind: found.kind, start: from + found.start, end: from + found.end });
  }
  return findings;
}

// The part of the path that is the secret; host and service stay readable.
const WEBHOOKS: readonly { readonly kind: string; readonly pattern: RegExp }[] = [
  { kind: 'slack-webhook', pattern: /^hooks\.slack(?:-gov)?\.com\/(?:services|workflows|triggers)\/([\w/-]{16,})/i },
  { kind: 'discord-webhook', pattern: /^(?:\w+\.)?discord(?:app)?\.com\/api\/(?:v\d+\/)?webhooks\/([\w/-]{20,})/i },
  { kind: 'teams-webhook', pattern: /^[\w-]+\.webhook\.office\.com\/webhookb2\/([\w@/-]{36,})/i },
  { kind: 'telegram-token', pattern: /^api\.telegram\.org\/bot(\d{6,}:[\w-]{30,})/i },
];

function webhook(scheme: string, run: string): Finding | null {
  if (!/^https?$/i.test(scheme)) return null;
  for (const { kind, pattern } of WEBHOOKS) {
    const match = pattern.exec(run);
    if (match?.[1] === undefined) continue;
    const end = match[0].length;
    const start = end - match[1].length;
    return /\d/.test(match[1]) && !isStandIn(match[1]) ? { kind, start, end } : null;
  }
  return null;
}

/** The password of `user:password@host`, or a token that stands there alone. */
function credential(scheme: string, run: string): Finding | null {
  const at = endOfUserInfo(scheme, run);
  if (at <= 0) return null;
  const user = run.slice(0, at);
  const colon = user.indexOf(':');
  if (colon < 0) {
    return user.length >= 20 && looksLikeKey(user) ? { kind: 'url-password', start: 0, end: at } : null;
  }
  const password = user.slice(colon + 1);
  if (password.length < 4 || isStandIn(password) || password === user.slice(0, colon)) return null;
  return { kind: DATABASE.test(scheme) ? 'database-password' : 'url-password', start: colon + 1, end: at };
}

/** Where the `@` stands. People leave `/`, `#` and `?` in passwords of databases as they are. */
function endOfUserInfo(scheme: string, run: string): number {
  const authority = /^[^/?#]*/.exec(run)?.[0] ?? '';
  const at = authority.lastIndexOf('@');
  if (at >= 0 || !DATABASE.test(scheme)) return at;
  const sloppy = /^[^:@/]*:(?!\d{2,5}[/?#,])[^@\s]{1,256}@(?=[\w.[-])/.exec(run)?.[0];
  return sloppy === undefined ? -1 : sloppy.length - 1;
}
