/** Hides secrets in text: by what they look like, by the name they are given under, and by being known. Pure. */
import { formsOfSecret } from '../../shared/secret-forms.ts';
import { sourceOfToken, TOKEN_SHAPES } from '../../shared/secret-patterns.ts';

export const REDACTED = '[redacted]';

/** Hides exact values, in whatever coat they come: plain, base64 (also inside a longer value), URL- and JSON-encoded, hex. */
export type Redactor = {
  readonly text: (text: string) => string;
  /** Registers a value to hide. Values below 6 characters are not: they would hide ordinary words. */
  readonly addSecret: (value: string) => void;
};

/** Names within text, as in `password=...`, `"api_key": "..."`, `?token=...`, `Authorization: ...`. */
const SECRET_WORD =
  '(?:pass(?:word|wd|phrase)|secret|token|(?:api|secret|private|access|service|encryption|signing|supabase|anon)[-_]?key|credentials?|dsn|jwt|pwd)';

type Rule = { readonly pattern: RegExp; readonly replacement: string };

// Each pattern is linear in the length of the text: no nested repetition, and every repetition is bounded by its class.
const RULES: readonly Rule[] = [
  // PEM and PGP blocks, also with line breaks written as \n, also when the end was cut off.
  { pattern: /-----BEGIN [A-Z0-9 ]{1,60}-----[\s\S]*?(?:-----END [A-Z0-9 ]{1,60}-----|$)/g, replacement: REDACTED },
  // user:password@ of an address; a lone user name only when it is as long as a token.
  { pattern: /\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#:@]*:[^\s/?#]*@/gi, replacement: `$1${REDACTED}@` },
  { pattern: /\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#:@]{16,}@/gi, replacement: `$1${REDACTED}@` },
  { pattern: /https:\/\/hooks\.slack\.com\/[^\s"'<>]+/gi, replacement: REDACTED },
  { pattern: /\b(Bearer|Basic|token)\s+(?=[^\s"']*\d)[\w.~+/=-]{8,}/gi, replacement: `$1 ${REDACTED}` },
  { pattern: /\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?/g, replacement: REDACTED },
  { pattern: new RegExp(`\\b(?:${TOKEN_SHAPES.map(sourceOfToken).join('|')})`, 'g'), replacement: REDACTED },
  { pattern: /\bgAAAAA[\w-]{20,}={0,2}/g, replacement: REDACTED },
  { pattern: /\bsk[-_](?:live_|test_)?[\w-]{16,}/g, replacement: REDACTED },
  { pattern: /\bxox[a-z]-[\w-]{8,}/g, replacement: REDACTED },
  // 32 bytes in base64: a Fernet key, and most other generated keys.
  { pattern: /(?<![\w+/-])[\w+/-]{43}=(?![\w=])/g, replacement: REDACTED },
  // "name": "value" and name=value, up to the end of the quoted text or the word.
  {
    pattern: new RegExp(`(\\b[\\w-]{0,40}${SECRET_WORD}\\b\\\\?["']?\\s{0,3}[:=]\\s{0,3})\\\\?"[^"]{1,4096}"`, 'gi'),
    replacement: `$1"${REDACTED}"`,
  },
  {
    pattern: new RegExp(`(\\b[\\w-]{0,40}${SECRET_WORD}\\b\\\\?["']?\\s{0,3}[:=]\\s{0,3})'[^']{1,4096}'`, 'gi'),
    replacement: `$1'${REDACTED}'`,
  },
  {
    pattern: /(\b(?:(?:set-)?cookie|authorization)["']?\s{0,3}[:=]\s{0,3}["']?)[^\r\n"']{1,4096}/gi,
    replacement: `$1${REDACTED}`,
  },
  // Names of environment variables, and the parameter of an address.
  {
    pattern: /(\b[A-Z0-9_]{0,40}_KEY["']?\s{0,3}[:=]\s{0,3}["']?)[^\s"'&;,)}\]]{1,4096}/g,
    replacement: `$1${REDACTED}`,
  },
  { pattern: /([?&]key=)[^\s"'&#]{1,4096}/gi, replacement: `$1${REDACTED}` },
  {
    pattern: new RegExp(
      `(\\b[\\w-]{0,40}${SECRET_WORD}\\b["']?\\s{0,3}[:=]\\s{0,3})(?!\\[redacted\\])[^\\s"'&;,)}\\]]{1,4096}`,
      'gi',
    ),
    replacement: `$1${REDACTED}`,
  },
];

/** The text with everything hidden that looks like a secret. */
export function redactText(text: string): string {
  return RULES.reduce((hidden, { pattern, replacement }) => hidden.replace(pattern, replacement), text);
}

const SECRET_PART =
  /pass(?:word|wd|phrase)|secret|token(?!s?(?:count|limit|used)$)|authorization|cookie|credential|apikey|privatekey|accesskey|webhookurl|connectionstring/;
const SECRET_WHOLE = new Set(['key', 'auth', 'pwd', 'dsn', 'jwt', 'bearer', 'pem', 'otp', 'pin']);

/** Whether a field of this name holds a secret whatever it looks like: `apiKey`, `SUPABASE_KEY`, `set-cookie`, ... */
export function isSecretName(name: string): boolean {
  const words = name
    .slice(0, 200)
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  return SECRET_PART.test(words.join('')) || words.some((word) => SECRET_WHOLE.has(word));
}

export function createRedactor(): Redactor {
  const known = new Set<string>();
  let forms: readonly string[] = [];
  const addSecret = (value: string): void => {
    for (const form of formsOfSecret(value)) known.add(form);
    // Longest first, so that no part of a secret is left beside a shorter one.
    forms = [...known].sort((one, other) => other.length - one.length);
  };
  const text = (original: string): string => {
    let hidden = original;
    for (const form of forms) {
      if (hidden.includes(form)) hidden = hidden.replaceAll(form, REDACTED);
    }
    return redactText(hidden);
  };
  return { text, addSecret };
}
