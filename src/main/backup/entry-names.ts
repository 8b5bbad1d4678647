/**
 * Names of entries in an archive. What we write opens with any zip tool on any system; what we read may come from
 * anybody, and is refused unless it can only mean a place below its target.
 */
import { hash } from 'node:crypto';
import { nameToBytes } from '../path-names.ts';

/** Windows keeps these for devices, with any extension. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i;
// Controls, what Windows forbids, what has no width or turns the reading direction, private use, surrogates alone.
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are exactly the characters to escape
  /[\u0000-\u001f\u007f-\u009f"*:<>?\\|%\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ue000-\uf8ff\ufeff\ufff0-\uffff\ufdd0-\ufdef]/u;
const LONGEST_PART_BYTES = 200;

/**
 * Gives each path a name in the archive that every system can hold: unsafe characters as `%XX` of their bytes,
 * long parts cut, twins by case or by normalisation told apart. The metadata holds the true path.
 */
export function createEntryNamer(): (folder: string, path: string) => string {
  const taken = new Set<string>();
  return (folder, path) => {
    const plain = `${folder}/${path.split('/').map(safePart).join('/')}`;
    let name = plain;
    for (let number = 2; taken.has(foldName(name)); number += 1) name = `${plain}~${number}`;
    taken.add(foldName(name));
    return name;
  };
}

/** Two names that a system without case or with one normalisation takes for the same are equal after this. */
export function foldName(name: string): string {
  return name.normalize('NFC').toLowerCase().normalize('NFC');
}

function safePart(part: string): string {
  let safe = '';
  for (const character of part) safe += UNSAFE.test(character) ? percent(character) : character;
  if (DEVICE.test(safe)) safe = `%${safe.charCodeAt(0).toString(16)}${safe.slice(1)}`;
  safe = safe.replace(/[. ]$/, (last) => percent(last)).replace(/^[. ]+$/, (all) => [...all].map(percent).join(''));
  if (Buffer.byteLength(safe) <= LONGEST_PART_BYTES) return safe;
  let cut = safe;
  while (Buffer.byteLength(cut) > LONGEST_PART_BYTES - 20) cut = [...cut].slice(0, -8).join('');
  return `${cut}~${hash('sha256', nameToBytes(part), 'hex').slice(0, 16)}`;
}

function percent(character: string): string {
  return [...nameToBytes(character)].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('');
}

/**
 * Why an entry of a foreign archive may not be used under this name; null when it may. The rules of all systems at
 * once, whichever this is: no archive of ours and none of the old ones needs more.
 */
export function entryNameTrouble(name: string): string | null {
  if (name === '') return 'has no name';
  if (name.length > 4_096) return 'has a name that is too long';
  if (name.includes('\0')) return 'has a NUL in its name';
  if (name.includes('\\')) return 'has a backslash in its name';
  if (name.startsWith('/')) return 'has an absolute name';
  if (/^[a-z]:/i.test(name)) return 'has a drive in its name';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a name with these is not one of ours
  if (/[\u0000-\u001f\u007f]/.test(name)) return 'has a control character in its name';
  for (const part of name.split('/')) {
    if (part === '') return 'has an empty part in its name';
    if (part === '.' || part === '..') return 'has a part that leaves its folder';
    if (part.includes(':')) return 'has a colon in its name';
    if (/[. ]$/.test(part)) return 'has a part that ends with a dot or a space';
    if (DEVICE.test(part)) return 'has the name of a device';
  }
  return null;
}

/** Why a path of the metadata may not be used on any system; null when it may. It may hold anything that a file may be called. */
export function filePathTrouble(path: string): string | null {
  if (path === '') return 'is empty';
  if (path.startsWith('/')) return 'is absolute';
  if (path.includes('\0')) return 'has a NUL';
  if (path.length > 16_384) return 'is too long';
  for (const part of path.split('/')) {
    if (part === '') return 'has an empty part';
    if (part === '.' || part === '..') return 'leaves its folder';
    if (nameToBytes(part).includes(0x2f) || nameToBytes(part).includes(0)) return 'hides a separator';
  }
  return null;
}

/** Why this system cannot hold a file of this name; null when it can. */
export function targetNameTrouble(path: string, platform: NodeJS.Platform): string | null {
  // No letter takes more than four bytes.
  if (platform === 'linux' && path.length <= 63) return null;
  for (const part of path.split('/')) {
    if (nameToBytes(part).length > 255) return 'has a part of more than 255 bytes';
    if (platform === 'win32') {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: Windows forbids exactly these
      if (/[\u0000-\u001f"*:<>?\\|]/.test(part)) return 'has characters that Windows does not allow';
      if (/[. ]$/.test(part)) return 'ends with a dot or a space, which Windows removes';
      if (DEVICE.test(part)) return 'is the name of a device of Windows';
    }
    if (platform !== 'linux' && /[\uf780-\uf7ff]/.test(part)) return 'has bytes that are no text';
  }
  return null;
}
