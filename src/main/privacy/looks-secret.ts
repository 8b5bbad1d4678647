/** Whether a value that stands where a secret could is one. Pure; looks at no more than the value. */

/** What people write where a secret belongs. */
const STAND_IN =
  /your|example|placeholder|change[-_]?(?:me|this|it)|replace[-_]?(?:me|with|this)|insert[-_]|dummy|sample|redacted|\.{3}|…|\*{3}|x{4}|process\.env|import\.meta|os\.(?:environ|getenv)|getenv|secrets\.|^(?:env|vars?|config|settings|this|self|props|options)\./i;
const TEMPLATE =
  /^<[^>]*>?$|^\$(?:[A-Z_][A-Z0-9_]*|[a-z][a-z0-9_]*|[a-z]+(?:[A-Z][a-z]+)+)$|^%\w+%$|^%[sdv]$|^\{.*\}$|^\[.*\]$|\$\{|\$\(|\{\{|%\(/;
/** Passwords that everybody knows: hiding them hides ordinary words and protects nothing. */
const COMMON_WORDS = new Set(
  (
    'password passwd passphrase pass pwd secret token user username name admin administrator root guest postgres mysql ' +
    'supabase redis mongo test tests testing tester demo default none null undefined true false string number boolean ' +
    'required optional optionally hidden empty unset value values mypassword mysecret mytoken test123 testtest login ' +
    'localhost secret-key api-key foobar foobaz qwerty 123456 12345678 123456789 abc123 password1 password123 pass123 ' +
    'user123 admin123 changeme foo bar baz basic bearer'
  ).split(' '),
);
/** Words with digits in them that are names of things. */
const TECHNICAL =
  /(?:u?int|float|big|complex|vec)\d+|sha-?\d+|base-?\d+|utf-?\d+|md5|ed25519|x509|p256|aes-?\d+|[hrpe]s(?:256|384|512)|oauth2|argon2id?|pbkdf2|bcrypt\d*|pkcs\d+|iso-?\d+|h264|mp[34]|i18n|l10n|s3|ec2|k8s|(?<![a-z])v\d+|http2?|web3|es\d+|win32|x64/gi;
const TIME = /^\d{4}-\d\d-\d\d(?:[T ]|$)/;

/** Whether a value is a password known to everybody, or a word that stands for one. */
export function isCommonWord(value: string): boolean {
  return COMMON_WORDS.has(value.toLowerCase());
}

/** Whether a value only says where a secret belongs: `<password>`, `${TOKEN}`, `your-key-here`, `changeme`. */
export function isStandIn(value: string): boolean {
  return TEMPLATE.test(value) || STAND_IN.test(value) || isCommonWord(value) || new Set(value).size < 4;
}

/**
 * How often letters in lower and upper case and digits take turns, from 0 to 1, over neighbours that are one of these.
 * Words, names and paths stay below 0.25; generated keys are near 0.6, in hex near 0.45.
 */
export function turnsTaken(value: string): number {
  let pairs = 0;
  let turns = 0;
  let before = 0;
  for (let at = 0; at < value.length; at += 1) {
    const now = classOf(value.charCodeAt(at));
    if (before !== 0 && now !== 0) {
      pairs += 1;
      if (before !== now) turns += 1;
    }
    before = now;
  }
  return pairs === 0 ? 0 : turns / pairs;
}

function classOf(code: number): number {
  if (code >= 97 && code <= 122) return 1;
  if (code >= 65 && code <= 90) return 2;
  return code >= 48 && code <= 57 ? 3 : 0;
}

const hasDigit = (value: string): boolean => /\d/.test(value);
const hasLetter = (value: string): boolean => /[a-z]/i.test(value);

/** Whether the body of a token only says where one belongs: `xxxxxxxx`, `your-token-here`. */
export function isTokenStandIn(body: string): boolean {
  return isRepeated(body) || /x{6}|\.{3}|example[-_]|your[-_]/i.test(body);
}

/** Whether the body of a token with a known prefix was generated, not written: `sk-folding-cube-4` is a class of CSS. */
export function isGenerated(body: string, leastTurns: number): boolean {
  if (isTokenStandIn(body)) return false;
  return hasDigit(body) ? hasLetter(body) && turnsTaken(body) >= leastTurns : isMixedWithoutDigits(body);
}

/** Some generated keys have no digit; names in camel case have no two capitals side by side. */
function isMixedWithoutDigits(value: string): boolean {
  return value.length >= 16 && /[a-z]/.test(value) && /[A-Z]{2}/.test(value) && turnsTaken(value) >= 0.38;
}

const isRepeated = (value: string): boolean => new Set(value).size < Math.min(6, value.length / 2);

/** Whether a value given as a key, token or secret is one. */
export function looksLikeKey(value: string): boolean {
  if (value.length < 12 || /\s/.test(value) || TIME.test(value) || isStandIn(value) || isAddress(value)) return false;
  const rest = value.replace(TECHNICAL, '');
  if (rest.length < 10 || new Set(rest).size < 7) return false;
  if (!hasDigit(rest)) return isMixedWithoutDigits(rest);
  return hasLetter(rest) && turnsTaken(rest) >= 0.22;
}

/**
 * Whether a value given as a password is one. `isBare`: without quotes, where it could as well be a type, a call or a
 * word of a sentence.
 */
export function looksLikePassword(value: string, isBare: boolean): boolean {
  if (value.length < (isBare ? 7 : 6) || value.length > 256 || /\s/.test(value)) return false;
  if (TIME.test(value) || isStandIn(value) || isAddress(value)) return false;
  const rest = value.replace(TECHNICAL, '');
  if (rest.length < 4) return false;
  const symbols = rest.match(/[!@#$%^&*?+=~](?=.)/g)?.length ?? 0;
  if (isBare && /^[a-z_$][\w$]*(?:\.[a-z_$][\w$]*)+$/i.test(value)) return turnsTaken(rest) >= 0.3;
  return hasLetter(rest) && (hasDigit(rest) || symbols >= (isBare ? 2 : 1));
}

/** `/path`, `./file`, `https://...`: what lies there may be secret, the address is not. Base64 may start with a `/`. */
const isAddress = (value: string): boolean =>
  /^(?:\.{1,2}\/|~\/|[a-z][\w+.-]*:\/\/|[A-Z]:\\)/i.test(value) || (value.startsWith('/') && turnsTaken(value) < 0.35);
