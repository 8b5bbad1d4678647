/** The coats in which a known secret shows up in a text. Pure, without Node: it runs anywhere. */

/** Values below are not looked for: they would hide ordinary words. */
export const SHORTEST_SECRET = 6;

/**
 * Every text to look for when `value` must not be seen: itself, what is secret by itself within it (the password of an
 * address, the lines of a key), each plain, JSON- and URL-encoded, in hex, and in base64 (also inside a longer value).
 * Nothing for a value that is too short.
 */
export function formsOfSecret(value: string): readonly string[] {
  const secret = value.trim();
  if (secret.length < SHORTEST_SECRET) return [];
  return [...new Set([secret, ...partsOf(secret)].flatMap(formsOf))];
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
  const bytes = new TextEncoder().encode(secret);
  const wellFormed = secret.toWellFormed();
  const encoded = encodeURIComponent(wellFormed);
  const strict = encoded.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  const form = new URLSearchParams([['', secret]]).toString().slice(1);
  const web = [encoded, strict, form, encodeURI(wellFormed)];
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
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
function base64Within(bytes: Uint8Array, offset: number): string[] {
  const binary = '\0'.repeat(offset) + Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  const first = Math.ceil((offset * 8) / 6);
  const last = Math.floor(((offset + bytes.length) * 8) / 6);
  const sure = btoa(binary).slice(first, last);
  return [sure, sure.replaceAll('+', '-').replaceAll('/', '_')];
}
