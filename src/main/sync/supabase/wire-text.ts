/**
 * Postgres keeps no NUL and no half of a surrogate pair in a text. Such a character travels as `\u{0}` or `\u{d83d}`,
 * readable in the table editor; a backslash of a text that reads like one of these travels as `\u{5c}`.
 * Every other text is itself. `decodeText(encodeText(text)) === text` for every string.
 */

const CODE = '0|5c|d[89a-f][0-9a-f]{2}';
const LOOKS_ESCAPED = new RegExp(`\\\\(?=u\\{(?:${CODE})\\})`, 'g');
const ESCAPED = new RegExp(`\\\\u\\{(${CODE})\\}`, 'g');
// With the flag u, a pair is one character and not matched: only halves are.
const UNSTORABLE = /[\0\ud800-\udfff]/gu;

export function encodeText(text: string): string {
  const isPlain = text.isWellFormed() && !text.includes('\0');
  if (isPlain && !text.includes('\\u{')) return text;
  return text
    .replace(LOOKS_ESCAPED, '\\u{5c}')
    .replace(UNSTORABLE, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`);
}

export function decodeText(text: string): string {
  if (!text.includes('\\u{')) return text;
  return text.replace(ESCAPED, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

/** The same for every string within a JSON value, keys too. */
export function encodeJson(value: unknown): unknown {
  if (typeof value === 'string') return encodeText(value);
  if (Array.isArray(value)) return value.map(encodeJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [encodeText(key), encodeJson(each)]));
}
