/** The forms in which a secret may show, and the search for all of them at once. */
import type { Canary, Leak } from './canaries.ts';

type Needle = { readonly canary: string; readonly form: string; readonly bytes: Buffer };

const escapeAll = (text: string): string =>
  Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
const escapeUnicode = (text: string): string =>
  JSON.stringify(text)
    .slice(1, -1)
    .replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
const escapeJson = (text: string): string => JSON.stringify(text).slice(1, -1);
const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const lowerEscapes = (text: string): string => text.replace(/%[0-9A-F]{2}/g, (triplet) => triplet.toLowerCase());

/** What of the base64 of a longer text does not depend on what stands around the secret. */
function base64Cores(secret: Buffer): readonly string[] {
  return [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), secret]);
    const sureBits = whole.length * 8;
    return whole.toString('base64').slice(Math.ceil((before * 8) / 6), Math.floor(sureBits / 6));
  });
}

function formsOf(secret: string): readonly (readonly [form: string, bytes: Buffer])[] {
  const bytes = Buffer.from(secret);
  const web = [encodeURIComponent(secret), new URLSearchParams([['', secret]]).toString().slice(1), escapeAll(secret)];
  const half = Math.ceil(secret.length / 2);
  const texts: (readonly [string, string])[] = [
    ['plain', secret],
    ...base64Cores(bytes).flatMap((core) => [
      ['base64', core] as const,
      ['base64url', core.replaceAll('+', '-').replaceAll('/', '_')] as const,
    ]),
    ['hex', bytes.toString('hex')],
    ['hex', bytes.toString('hex').toUpperCase()],
    ...web.flatMap((one) => [['URL', one] as const, ['URL', lowerEscapes(one)] as const]),
    ['URL', escapeAll(secret).toUpperCase()],
    ['JSON', escapeJson(secret)],
    ['JSON', escapeUnicode(secret)],
    ['JSON in JSON', escapeJson(escapeJson(secret))],
    ['HTML', escapeHtml(secret)],
    // Cut in the middle: half a secret is a leak.
    ['half', secret.slice(0, half)],
    ['half', secret.slice(half)],
  ];
  return [
    ...texts.filter(([, text]) => text.length >= 9).map(([form, text]) => [form, Buffer.from(text)] as const),
    ['UTF-16', Buffer.from(secret, 'utf16le')],
  ];
}

/** Looks for every form of every canary in one pass, also across line breaks as mails and PEM have them. */
export function leakFinder(canaries: readonly Canary[]): (bytes: Buffer, where: string) => readonly Leak[] {
  const needles = new Map<number, Needle[]>();
  const starts = new Uint8Array(65_536);
  for (const { name, secret } of canaries) {
    const seen = new Set<string>();
    for (const [form, bytes] of formsOf(secret)) {
      const key = bytes.toString('latin1');
      if (seen.has(key)) continue;
      seen.add(key);
      const head = bytes.readUInt32BE(0);
      starts[head >>> 16] = 1;
      needles.set(head, [...(needles.get(head) ?? []), { canary: name, form, bytes }]);
    }
  }
  return (bytes, where) => {
    const found = search(bytes, where, needles, starts);
    const { flat, offsets } = withoutBreaks(bytes);
    if (flat.length === bytes.length) return found;
    const seen = new Set(found.map(({ canary, form, offset }) => `${canary} ${form} ${offset}`));
    const across = search(flat, where, needles, starts).map((leak) => ({ ...leak, offset: offsets[leak.offset] ?? 0 }));
    return [...found, ...across.filter(({ canary, form, offset }) => !seen.has(`${canary} ${form} ${offset}`))];
  };
}

function search(
  bytes: Buffer,
  where: string,
  needles: ReadonlyMap<number, readonly Needle[]>,
  starts: Uint8Array,
): readonly Leak[] {
  const leaks: Leak[] = [];
  for (let offset = 0; offset + 4 <= bytes.length; offset += 1) {
    const pair = ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
    if (starts[pair] === 0) continue;
    for (const { canary, form, bytes: needle } of needles.get(bytes.readUInt32BE(offset)) ?? []) {
      if (bytes.length - offset < needle.length) continue;
      if (bytes.compare(needle, 0, needle.length, offset, offset + needle.length) !== 0) continue;
      leaks.push({ canary, form, where, offset });
    }
  }
  return leaks;
}

/** The bytes without CR and LF, and where each of them was. */
function withoutBreaks(bytes: Buffer): { readonly flat: Buffer; readonly offsets: Uint32Array } {
  const flat = Buffer.alloc(bytes.length);
  const offsets = new Uint32Array(bytes.length);
  let length = 0;
  for (let offset = 0; offset < bytes.length; offset += 1) {
    const byte = bytes[offset] ?? 0;
    if (byte === 10 || byte === 13) continue;
    flat[length] = byte;
    offsets[length] = offset;
    length += 1;
  }
  return { flat: flat.subarray(0, length), offsets };
}
