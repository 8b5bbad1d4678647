/**
 * File names are bytes; ours are strings. A name that is valid UTF-8 is itself; a byte that is not
 * (and, so that the mapping stays reversible, each byte of a character of the same private range) becomes
 * one character U+F780..U+F7FF. Two names are equal exactly when their bytes are.
 */

const FIRST = 0xf780;
const LAST = 0xf7ff;
const OFFSET = 0xf700;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function nameFromBytes(bytes: Uint8Array): string {
  try {
    const text = decoder.decode(bytes);
    if (!hasEscapedBytes(text)) return text;
  } catch {
    // Not valid UTF-8 as a whole: decoded piece by piece below.
  }
  let name = '';
  for (let index = 0; index < bytes.length; ) {
    const length = sequenceLength(bytes, index);
    const piece = length === 0 ? undefined : decode(bytes.subarray(index, index + length));
    if (piece === undefined || hasEscapedBytes(piece)) {
      const count = piece === undefined ? 1 : length;
      for (let each = 0; each < count; each += 1) name += String.fromCharCode(OFFSET + (bytes[index + each] ?? 0));
      index += count;
    } else {
      name += piece;
      index += length;
    }
  }
  return name;
}

export function nameToBytes(name: string): Buffer {
  if (!hasEscapedBytes(name)) return Buffer.from(name, 'utf8');
  const parts: Buffer[] = [];
  for (const character of name) {
    const code = character.charCodeAt(0);
    parts.push(code >= FIRST && code <= LAST ? Buffer.from([code - OFFSET]) : Buffer.from(character, 'utf8'));
  }
  return Buffer.concat(parts);
}

/** What the file system calls take for a path that was built from our names. */
export function fsPath(path: string): string | Buffer {
  return hasEscapedBytes(path) ? nameToBytes(path) : path;
}

/** Whether a decoded name may hide bytes that UTF-8 decoding replaced: then it must be read again as bytes. */
export function isDoubtful(name: string): boolean {
  return name.includes('\ufffd') || hasEscapedBytes(name);
}

export function joinPath(dir: string, name: string): string {
  return dir === '' ? name : `${dir}/${name}`;
}

export function splitPath(path: string): { readonly dir: string; readonly name: string } {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? { dir: '', name: path } : { dir: path.slice(0, slash), name: path.slice(slash + 1) };
}

/** Of some folders those that lie in no other of them. */
export function topmost(dirs: readonly string[]): string[] {
  if (dirs.includes('')) return [''];
  const kept: string[] = [];
  for (const dir of [...dirs].sort()) {
    const last = kept.at(-1);
    // Sorted, a folder comes before what is below it, though names like `a-b` may come between `a` and `a/c`.
    if (last === undefined || !kept.some((outer) => dir === outer || dir.startsWith(`${outer}/`))) kept.push(dir);
  }
  return kept;
}

function hasEscapedBytes(text: string): boolean {
  return /[\uf780-\uf7ff]/.test(text);
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function sequenceLength(bytes: Uint8Array, index: number): number {
  const lead = bytes[index] ?? 0;
  const length =
    lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  return lead >= 0x80 && lead < 0xc2 ? 0 : index + length <= bytes.length ? length : 0;
}
