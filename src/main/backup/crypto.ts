/**
 * How bytes become objects of an encrypted repository, and back. Keys are 32 bytes; every use has a key of its own,
 * derived from the repository's random master key (RFC 5869). docs/BACKUP-FORMAT.md has the layout byte by byte.
 */
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hash,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import { AppError } from '../../shared/errors.ts';

/** What an object holds: bound to it, so that none can stand in for one of another kind. */
export const OBJECT_KINDS = {
  content: 1,
  chunk: 2,
  node: 3,
  rows: 4,
  tableIndex: 5,
  settings: 6,
  manifest: 7,
  canary: 8,
} as const;
export type ObjectKind = keyof typeof OBJECT_KINDS;
export type Encoding = 'raw' | 'zstd';

/** An object before it is encrypted: bytes that are compressed already, or are better left as they are. */
export type Plain = {
  readonly kind: ObjectKind;
  readonly encoding: Encoding;
  /** The number of a chunk within its file; 0 for everything else. */
  readonly index: number;
  readonly body: Buffer;
};

export type RepositoryKeys = {
  readonly mac: MacKey;
  readonly blob: MacKey;
  readonly name: MacKey;
};

/** A key of HMAC-SHA-256 (RFC 2104), padded once. */
export type MacKey = { readonly inner: Buffer; readonly outer: Buffer };

const MAGIC = 0x414e4742;
const VERSION = 1;
export const HEADER_BYTES = 12;
const SEED_BYTES = 32;
const TAG_BYTES = 16;
/** How much longer an object is than its body. */
export const SEAL_BYTES = HEADER_BYTES + SEED_BYTES + TAG_BYTES;

export function deriveKeys(master: Buffer, repositoryId: string): RepositoryKeys {
  const derive = (use: string): MacKey => macKey(hkdf(master, repositoryId, `angles backup ${use}`));
  return { mac: derive('mac'), blob: derive('blob'), name: derive('name') };
}

export function hkdf(key: Buffer, salt: string, info: string, bytes = 32): Buffer {
  return Buffer.from(hkdfSync('sha256', key, Buffer.from(salt, 'utf8'), Buffer.from(info, 'utf8'), bytes));
}

/** Of a key of at most 64 bytes. */
export function macKey(key: Buffer): MacKey {
  const pad = (byte: number): Buffer => Buffer.from(Buffer.alloc(64, byte).map((each, at) => each ^ (key[at] ?? 0)));
  return { inner: pad(0x36), outer: pad(0x5c) };
}

/** HMAC by two one-shot hashes: an Hmac object costs six times as much as the hashing of a small file (measured). */
export function mac(key: MacKey, ...parts: readonly Buffer[]): Buffer {
  const inner = hash('sha256', Buffer.concat([key.inner, ...parts]), 'buffer');
  return hash('sha256', Buffer.concat([key.outer, inner]), 'buffer');
}

/**
 * Encrypts deterministically: equal objects become equal bytes. The seed is a MAC over all that is encrypted, and key
 * and nonce come from the seed, so no two different objects ever share them.
 */
export function seal(keys: RepositoryKeys, plain: Plain): Buffer {
  const { body } = plain;
  const sealed = Buffer.allocUnsafe(SEAL_BYTES + body.length);
  writeHeader(sealed, plain);
  const header = sealed.subarray(0, HEADER_BYTES);
  const seed = mac(keys.mac, header, body);
  seed.copy(sealed, HEADER_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyOf(keys, seed), seed.subarray(0, 12));
  cipher.setAAD(header);
  cipher.update(body).copy(sealed, HEADER_BYTES + SEED_BYTES);
  cipher.final();
  cipher.getAuthTag().copy(sealed, sealed.length - TAG_BYTES);
  return sealed;
}

/** @throws `backup.damaged` when the bytes are not what {@link seal} gave for this kind and index. */
export function unseal(keys: RepositoryKeys, sealed: Buffer, kind: ObjectKind, index = 0): Plain {
  const header = readHeader(sealed);
  if (header.kind !== kind || header.index !== index) {
    throw damaged(`an object is of kind ${header.kind} number ${header.index}, expected was ${kind} number ${index}`);
  }
  const seed = sealed.subarray(HEADER_BYTES, HEADER_BYTES + SEED_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', keyOf(keys, seed), seed.subarray(0, 12), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(sealed.subarray(0, HEADER_BYTES));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const body = decipher.update(sealed.subarray(HEADER_BYTES + SEED_BYTES, sealed.length - TAG_BYTES));
  try {
    decipher.final();
  } catch (cause) {
    throw damaged('an object does not pass its check', cause);
  }
  return { kind, encoding: header.encoding, index, body };
}

/** Whether the seed is the one that {@link seal} would take; proves that an object was written by the rules. */
export function hasOwnSeed(keys: RepositoryKeys, sealed: Buffer, body: Buffer): boolean {
  const seed = mac(keys.mac, sealed.subarray(0, HEADER_BYTES), body);
  return timingSafeEqual(seed, sealed.subarray(HEADER_BYTES, HEADER_BYTES + SEED_BYTES));
}

/**
 * The name of an entry in a git tree: 26 characters of base32. Equal names give equal tokens wherever they are, so a
 * folder that is moved keeps its tree; the real name is in the folder's node.
 */
export function nameToken(keys: RepositoryKeys, name: string): string {
  return base32(mac(keys.name, Buffer.from(name, 'utf8')).subarray(0, 16));
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** RFC 4648 in lower case, without padding. */
export function base32(bytes: Buffer): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      text += BASE32[(value >>> (bits - 5)) & 31];
      bits -= 5;
    }
    value &= (1 << bits) - 1;
  }
  return bits > 0 ? text + BASE32[(value << (5 - bits)) & 31] : text;
}

export function damaged(what: string, cause?: unknown): AppError {
  return new AppError('backup.damaged', `The backup is damaged: ${what}.`, cause === undefined ? {} : { cause });
}

const KIND_NAMES = new Map<number, ObjectKind>(
  Object.entries(OBJECT_KINDS).map(([name, number]) => [number, name as ObjectKind]),
);

/** As a KeyObject: Node takes twice as long for a key that is a Buffer (measured). */
function keyOf(keys: RepositoryKeys, seed: Buffer): KeyObject {
  return createSecretKey(mac(keys.blob, seed));
}

function writeHeader(target: Buffer, plain: Plain): void {
  target.writeUInt32BE(MAGIC, 0);
  target[4] = VERSION;
  target[5] = OBJECT_KINDS[plain.kind];
  target[6] = plain.encoding === 'zstd' ? 1 : 0;
  target[7] = 0;
  target.writeUInt32BE(plain.index, 8);
}

function readHeader(sealed: Buffer): Omit<Plain, 'body'> {
  if (sealed.length < SEAL_BYTES) throw damaged('an object is too short');
  if (sealed.readUInt32BE(0) !== MAGIC) throw damaged('an object does not begin as one of a backup does');
  const version = sealed[4] ?? 0;
  if (version > VERSION) throw new AppError('backup.from_future', `An object has format ${version}.`);
  const kind = KIND_NAMES.get(sealed[5] ?? 0);
  const encoding = sealed[6] ?? 0;
  if (version !== VERSION || kind === undefined || encoding > 1 || sealed[7] !== 0) {
    throw damaged('an object has a header that no backup has');
  }
  return { kind, encoding: encoding === 1 ? 'zstd' : 'raw', index: sealed.readUInt32BE(8) };
}
