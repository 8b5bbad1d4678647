/** Hides secrets in text: by what they look like, by the name they are given under, and by being known. Pure. */

export const REDACTED = '[redacted]';

/** Hides exact values, in whatever coat they come: plain, base64 (also inside a longer value), URL- and JSON-encoded, hex. */
export type Redactor = {
  readonly text: (text: string) => string;
  /** Registers a value to hide. Values below 6 characters are not: they would hide ordinary words. */
  readonly addSecret: (value: string) => void;
};

const SHORTEST_SECRET = 6;
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
  { pattern: /\bgAAAAA[\w-]{20,}={0,2}/g, replacement: REDACTED },
  { pattern: /\bsb_secret_[\w-]{6,}/g, replacement: REDACTED },
  { pattern: /\bsbp_\w{16,}/g, replacement: REDACTED },
  { pattern: /\b(?:ntn|secret)_[A-Za-z0-9]{16,}/g, replacement: REDACTED },
  { pattern: /\bsk[-_](?:live_|test_)?[\w-]{16,}/g, replacement: REDACTED },
  { pattern: /\bgh[opurs]_[A-Za-z0-9]{16,}/g, replacement: REDACTED },
  { pattern: /\bgithub_pat_\w{16,}/g, replacement: REDACTED },
  { pattern: /\bglpat-[\w-]{16,}/g, replacement: REDACTED },
  { pattern: /\bnpm_[A-Za-z0-9]{30,}/g, replacement: REDACTED },
  { pattern: /\bAIza[\w-]{30,}/g, replacement: REDACTED },
  { pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, replacement: REDACTED },
  { pattern: /\bxox[a-z]-[\w-]{8,}/g, replacement: REDACTED },
  { pattern: /\bxapp-[\w-]{8,}/g, replacement: REDACTED },
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
    const secret = value.trim();
    if (secret.length < SHORTEST_SECRET) return;
    for (const form of [secret, ...partsOf(secret)].flatMap(formsOf)) known.add(form);
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

/** What is secret by itself within a secret: the password of an address, the lines of a key. */
function partsOf(secret: string): string[] {
  const password = URL.parse(secret)?.password ?? '';
  const lines = secret.split(/\r?\n/).map((line) => line.trim());
  const parts = [password, decodeLoosely(password), ...(lines.length > 1 ? lines : [])];
  return parts.filter((part) => part.length >= SHORTEST_SECRET && !part.startsWith('-----'));
}

function decodeLoosely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8');
  const wellFormed = secret.toWellFormed();
  const encoded = encodeURIComponent(wellFormed);
  const strict = encoded.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  const form = new URLSearchParams([['', secret]]).toString().slice(1);
  const web = [encoded, strict, form, encodeURI(wellFormed)];
  const hex = bytes.toString('hex');
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    ...web,
    ...web.map((one) => one.replace(/%[0-9A-F]{2}/g, (triplet) => triplet.toLowerCase())),
    hex,
    hex.toUpperCase(),
    ...[0, 1, 2].flatMap((offset) => base64Within(bytes, offset)),
  ].filter((one) => one.length >= SHORTEST_SECRET);
}

/**
 * How the bytes look inside the base64 of something longer, when `offset` (modulo 3) bytes come before them:
 * the characters that they alone decide.
 */
function base64Within(bytes: Buffer, offset: number): string[] {
  const whole = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
  const first = Math.ceil((offset * 8) / 6);
  const last = Math.floor(((offset + bytes.length) * 8) / 6);
  const sure = whole.slice(first, last);
  return [sure, sure.replaceAll('+', '-').replaceAll('/', '_')];
}
