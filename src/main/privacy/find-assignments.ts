import type { Finding } from './finding.ts';
import { isStandIn, looksLikeKey, looksLikePassword, turnsTaken } from './looks-secret.ts';

type NameKind = 'password' | 'secret';

const WORD =
  /pass(?:word|wd|phrase|code|wort)|pwd|secret(?:_key_base)?|token|key|credentials?|_auth|identified by|contrase\u00f1a|mot de passe/gi;
const PASSWORD_NAME = /(?:pass(?:word|wd|phrase|code|wort)|pwd|identified by|contrase\u00f1a|mot de passe)$/i;
const SECRET_NAME =
  /(?:secret|secret_key_base|token|credentials?|^_auth|(?:api|app|secret|private|access|service|role|encryption|encrypt|signing|sign|anon|account|master|admin|auth|supabase|session|jwt|hmac|license|webhook|storage|deploy|consumer|client|security|shared)[-_. ]?key)$/i;
const ENVIRONMENT_NAME = /^(?:[A-Z][A-Z0-9]*_)*[A-Z][A-Z0-9]*$/;

/** What may stand between a name and its value, and says that this is one. */
const SEPARATOR =
  /\\?["'`\])]{0,2}\s{0,3}(?:(?::=|=>|==?|:)(?!=)\s{0,3}|,?\s{0,20}\\?["']?value\\?["']?\s{0,2}[:=]\s{0,3})|\(\s?(?=["'])|\s(?=["'])/y;
const IS = /(?: is| ist| es| est| lautet|:)?:? {1,2}/y;
const QUOTED = /(?:b|r|f|u|@|\$)?\\?(["'`])/y;
const LONGEST_VALUE = 512;
/** So many names are looked at within the value of another: a text of nothing but names must not cost the square. */
const MOST_NAMES = 4;

/**
 * Values that are given under the name of a secret: `password=...`, `"api_key": "..."`, `--token ...`,
 * `<password>...</password>`, `Authorization: Bearer ...`. Linear.
 */
export function findAssignments(text: string): readonly Finding[] {
  return [...findNamed(text), ...findHeaders(text)];
}

function findNamed(text: string): Finding[] {
  const findings: Finding[] = [];
  let read = { end: 0, times: 0 };
  for (const { index, 0: word } of text.matchAll(WORD)) {
    const end = index + word.length;
    if (index < read.end && read.times >= MOST_NAMES) continue;
    if (/^[A-Za-z0-9]/.test(text.slice(end, end + 1)) && !/^\d[^A-Za-z0-9]/.test(text.slice(end, end + 2))) continue;
    const name = nameBefore(text, index, end);
    const start = end - name.length;
    // The user of an address, as in `https://x-access-token:...@github.com`: its password is found as one.
    const kind = text.startsWith('://', start - 3) ? null : kindOf(name);
    const value = kind === null ? null : valueAfter(text, name, end, start);
    if (kind === null || value === null) continue;
    const valueEnd = value.start + value.text.length;
    read = { end: Math.max(read.end, valueEnd), times: index < read.end ? read.times + 1 : 1 };
    if (!isSecret(kind, value)) continue;
    findings.push({ kind: labelOf(kind, name), start: value.start, end: valueEnd });
  }
  return findings;
}

const NAME_CHARACTER = /[\w-]/;

/** The whole name that ends with the word: `SUPABASE_DB_PASSWORD`, `--api-key`, `clientSecret`. */
function nameBefore(text: string, start: number, end: number): string {
  let from = start;
  while (from > 0 && start - from < 40 && NAME_CHARACTER.test(text.charAt(from - 1))) from -= 1;
  return text.slice(from, end);
}

function kindOf(name: string): NameKind | null {
  if (PASSWORD_NAME.test(name)) return 'password';
  if (SECRET_NAME.test(name) || /^[A-Z0-9_]+_KEY$/.test(name)) {
    return /(?:public|publishable|primary|foreign|partition|sort|cache|site|idempotency)[-_]?key$/i.test(name)
      ? null
      : 'secret';
  }
  return null;
}

function labelOf(kind: NameKind, name: string): string {
  if (kind === 'password') return 'password';
  if (/aws|secret[-_]?access[-_]?key/i.test(name)) return 'aws-secret-key';
  return /key$/i.test(name) ? 'api-key' : 'secret';
}

type Value = {
  readonly text: string;
  readonly start: number;
  readonly isQuoted: boolean;
  /** `NAME=value` without spaces, as environment files have it: it is a value whatever it looks like. */
  readonly isEnvironment: boolean;
  /** Only a word stands between name and value: `the password is ...`, `--password ...`. */
  readonly isLoose: boolean;
};

function valueAfter(text: string, name: string, nameEnd: number, nameStart: number): Value | null {
  const digits = /^\d/.test(text.slice(nameEnd, nameEnd + 1)) ? 1 : 0;
  const after = nameEnd + digits;
  if (text[after] === '>' && /[</:]/.test(text[nameStart - 1] ?? '')) return bare(text, after + 1, false, false);
  SEPARATOR.lastIndex = after;
  const separator = SEPARATOR.exec(text)?.[0];
  if (separator !== undefined) {
    const start = after + separator.length;
    return quoted(text, start) ?? bare(text, start, separator === '=' && ENVIRONMENT_NAME.test(name), false);
  }
  IS.lastIndex = after;
  const is = IS.exec(text)?.[0];
  if (is === undefined) return null;
  const start = after + is.length;
  return quoted(text, start) ?? bare(text, start, false, !name.startsWith('--'));
}

function quoted(text: string, at: number): Value | null {
  QUOTED.lastIndex = at;
  const match = QUOTED.exec(text);
  if (match === null) return null;
  const start = at + match[0].length;
  const within = text.slice(start, start + LONGEST_VALUE);
  const close = within.indexOf(match[1] ?? '"');
  const line = /[\r\n]/.exec(within)?.index ?? within.length;
  const value = within.slice(0, close >= 0 && close < line ? close : line).replace(/\\$/, '');
  return { text: value, start, isQuoted: true, isEnvironment: false, isLoose: false };
}

const BARE = /[^\s"'`,;&<>(){}[\]\\|]{0,512}/y;
const BARE_LINE = /[^\s"'`]{0,512}/y;

function bare(text: string, start: number, isEnvironment: boolean, isLoose: boolean): Value | null {
  const pattern = isEnvironment ? BARE_LINE : BARE;
  pattern.lastIndex = start;
  const run = pattern.exec(text)?.[0] ?? '';
  // A call or an element of a list: code, not a value.
  if (!isEnvironment && /^[([]/.test(text.slice(start + run.length, start + run.length + 1))) return null;
  return {
    text: run.replace(isEnvironment ? /[,;]+$/ : /[.,;:)]+$/, ''),
    start,
    isQuoted: false,
    isEnvironment,
    isLoose,
  };
}

function isSecret(kind: NameKind, value: Value): boolean {
  const { text, isEnvironment, isLoose, isQuoted } = value;
  if (isLoose) return isStrong(text);
  if (isEnvironment && !isStandIn(text) && !/^[./~]|:\/\//.test(text)) {
    if (kind === 'password') return text.length >= 6;
    if (text.length >= 12 && /[a-z]/i.test(text) && /\d/.test(text)) return turnsTaken(text) >= 0.1;
  }
  return kind === 'password' ? looksLikePassword(text, !isQuoted) : looksLikeKey(text);
}

/** No word of a sentence: letters in both cases or a symbol, and digits. */
function isStrong(text: string): boolean {
  if (!looksLikePassword(text, true) || text.length < 8 || !/\d/.test(text)) return false;
  return /[!@#$%^&*?]/.test(text)
    ? turnsTaken(text) > 0
    : looksLikeKey(text) || (/[a-z]/.test(text) && /[A-Z]/.test(text) && turnsTaken(text) >= 0.3);
}

const BEARER = /\bbearer\s{1,3}([\w.~+/=-]{16,})/gi;
const AUTHORIZATION = /\bauthorization\\?["']?\s{0,3}[:=]\s{0,3}\\?["']?(?:[a-z]{3,12}\s{1,2})?([\w.~+/=:-]{12,})/gi;
const BASIC = /\bbasic\s{1,2}([A-Za-z0-9+/]{8,}={0,2})/gi;
const COOKIE = /\bcookie\\?["']?\s?:\s?[^\r\n]{1,4096}/gi;
const CURL_USER = /(?:\s-u|--user)[ =]\s?["']?[\w.@-]{1,64}:([^\s"']{4,128})/g;

function findHeaders(text: string): Finding[] {
  return [
    ...group(text, BEARER, 'bearer-token', looksLikeKey),
    ...group(text, AUTHORIZATION, 'authorization', looksLikeKey),
    ...group(text, BASIC, 'basic-auth', isBasic),
    ...group(text, CURL_USER, 'password', (value) => looksLikePassword(value, false)),
    ...Array.from(text.matchAll(COOKIE)).flatMap(({ index, 0: line }) =>
      group(line, /=([^\s;"',]{16,512})/g, 'cookie', looksLikeKey).map(({ kind, start, end }) => ({
        kind,
        start: index + start,
        end: index + end,
      })),
    ),
  ];
}

/** What the one group at the end of the pattern matched. */
function group(text: string, pattern: RegExp, kind: string, accepts: (value: string) => boolean): Finding[] {
  return Array.from(text.matchAll(pattern)).flatMap(({ index, 0: whole, 1: value = '' }) => {
    const end = index + whole.length;
    return accepts(value) ? [{ kind, start: end - value.length, end }] : [];
  });
}

/** `user:password` in base64. */
function isBasic(value: string): boolean {
  return /^[\x21-\x39\x3b-\x7e]{1,64}:[\x21-\x7e]{4,128}$/.test(Buffer.from(value, 'base64').toString('latin1'));
}
