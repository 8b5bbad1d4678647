/** The key of a person: where it comes from, how it is printed, and how it wraps the random key of a repository. */
import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../shared/errors.ts';
import { syncFolder, writeAll } from '../durable.ts';
import { damaged, deriveKeys, hkdf, type RepositoryKeys, seal, unseal } from './crypto.ts';
import type { BackupSecret } from './repository-types.ts';

const KEY_BYTES = 32;
const SHORTEST_PASSPHRASE = 12;

/**
 * Reads a key as people have it: base64url of 32 bytes (what Fernet uses), 64 hexadecimal digits in any grouping, or
 * a passphrase. Throws `backup.key_invalid`, also for what looks like a key that lost some characters.
 */
export function parseSecret(text: string): BackupSecret {
  const trimmed = text.trim();
  const hex = trimmed.replace(/[\s:-]/g, '');
  if (/^[0-9a-f]{64}$/i.test(hex)) return { kind: 'key', key: Buffer.from(hex, 'hex') };
  if (/^[0-9a-f]{48,80}$/i.test(hex)) throw invalid(`it has ${hex.length} hexadecimal digits instead of 64`);
  if (/^[A-Za-z0-9_+/-]{43}=?$/.test(trimmed)) {
    const key = Buffer.from(trimmed, 'base64url');
    if (key.length === KEY_BYTES) return { kind: 'key', key };
  }
  if (/^[A-Za-z0-9_-]{38,48}=+$/.test(trimmed)) throw invalid('it is not the base64 text of 32 bytes');
  if ([...trimmed].length < SHORTEST_PASSPHRASE) {
    throw invalid(`a passphrase has at least ${SHORTEST_PASSPHRASE} characters`);
  }
  return { kind: 'passphrase', passphrase: trimmed.normalize('NFC') };
}

function invalid(why: string): AppError {
  return new AppError('backup.key_invalid', `The backup key cannot be used: ${why}.`);
}

/** The form in which `backup.key` and BACKUP_ENCRYPTION_KEY hold a key. */
export function formatKey(key: Buffer): string {
  return `${key.toString('base64url')}=`;
}

/** Names a key without telling anything of it: five groups of four characters. */
export function fingerprintOf(key: Buffer): string {
  return (hkdf(key, 'angles', 'angles backup fingerprint', 10).toString('hex').match(/.{4}/g) ?? []).join('-');
}

export const KEY_FILE = 'backup.key';

/** The key in the data folder; null when there is none. Throws `backup.key_invalid` when the file holds no key. */
export function readKeyFile(dataFolder: string): BackupSecret | null {
  try {
    return parseSecret(readFileSync(join(dataFolder, KEY_FILE), 'utf8'));
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
    throw cause;
  }
}

/** Makes a key and keeps it in the data folder, readable for its owner only. An existing one is never replaced. */
export function createKeyFile(dataFolder: string): BackupSecret & { readonly kind: 'key' } {
  const key = randomBytes(KEY_BYTES);
  const file = join(dataFolder, KEY_FILE);
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  const descriptor = openSync(temporary, 'wx', 0o600);
  try {
    writeAll(descriptor, Buffer.from(`${formatKey(key)}\n`));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  try {
    linkSync(temporary, file);
    syncFolder(dataFolder);
  } catch (cause) {
    throw new AppError('data.unwritable', `${file} cannot be written: ${(cause as Error).message}`, { cause });
  } finally {
    rmSync(temporary, { force: true });
  }
  return { kind: 'key', key };
}

/** What a person prints or keeps elsewhere. Holds the key itself unless that is a passphrase. */
export function recoveryKit(secret: BackupSecret, fingerprint: string, where: { readonly gitFolder: string }): string {
  const groups = secret.kind === 'key' ? (secret.key.toString('hex').match(/.{4}/g) ?? []) : [];
  const lines = [0, 4, 8, 12].map((from) => `    ${groups.slice(from, from + 4).join(' ')}`);
  return [
    'ANGLES RECOVERY KIT',
    '',
    'Whoever has this key can read your backups; without it nobody can, not even you.',
    'Keep it where this machine is not: print it, or put it into your password manager.',
    '',
    ...(secret.kind === 'key' ? ['Key (64 digits; spaces do not matter):', ...lines] : ['Key: your passphrase.']),
    '',
    `Fingerprint: ${fingerprint}`,
    '',
    'To restore with Angles:',
    '    angles restore --source local --key-file KEYFILE',
    '',
    'To restore without Angles (needs Node.js 22.15 or newer, and nothing else):',
    `    1. Clone your repository, or take the folder ${where.gitFolder}`,
    '    2. Save the file restore.mjs that lies in it:',
    '       git --git-dir REPOSITORY show BRANCH:restore.mjs > restore.mjs',
    '       (BRANCH is one of: git --git-dir REPOSITORY branch -a)',
    '    3. node restore.mjs REPOSITORY --list --key-file KEYFILE',
    '    4. node restore.mjs REPOSITORY --to EMPTY-FOLDER --key-file KEYFILE',
    '       KEYFILE is a text file with the key above.',
    '',
  ].join('\n');
}

const kdf = z.discriminatedUnion('name', [
  z.object({ name: z.literal('hkdf-sha256') }),
  z.object({
    name: z.literal('scrypt'),
    n: z.number().int(),
    r: z.number().int(),
    p: z.number().int(),
    salt: z.string().regex(/^[0-9a-f]{32,128}$/),
  }),
]);
type Kdf = z.infer<typeof kdf>;

const base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/);
const slot = z.object({ fingerprint: z.string().max(64), kdf, nonce: base64, wrapped: base64 });
type Slot = z.infer<typeof slot>;

export const FORMAT_VERSION = 1;
/** `angles/format.json`: the only part of an encrypted repository that can be read without a key. */
export const formatFile = z.object({
  format: z.number().int(),
  repository: z.string().min(8).max(64),
  slots: z.array(slot).max(16),
  /** A known text, sealed: proves that the unwrapped key opens objects. Null without encryption. */
  canary: base64.nullable(),
});
export type FormatFile = z.infer<typeof formatFile>;

/** What a secret opened. `keys` is null where nothing is encrypted. */
export type Unlocked = {
  readonly keys: RepositoryKeys | null;
  readonly master: Buffer | null;
  readonly fingerprint: string | null;
};

const SCRYPT = { n: 131_072, r: 8, p: 1 };
/** A hostile repository could ask for all memory and a day of work. */
const SCRYPT_MOST_BYTES = 512 * 1_048_576;
const CANARY = 'The canary of this repository is alive.';

/** A new repository: its own random key, wrapped by the secret; without a secret nothing is encrypted. */
export function createFormat(repositoryId: string, secret: BackupSecret | null): FormatFile & { unlocked: Unlocked } {
  const base = { format: FORMAT_VERSION, repository: repositoryId };
  if (secret === null) {
    return { ...base, slots: [], canary: null, unlocked: { keys: null, master: null, fingerprint: null } };
  }
  const master = randomBytes(KEY_BYTES);
  const keys = deriveKeys(master, repositoryId);
  const added = wrap(repositoryId, master, secret);
  return {
    ...base,
    slots: [added],
    canary: sealCanary(keys),
    unlocked: { keys, master, fingerprint: added.fingerprint },
  };
}

/**
 * Opens the repository's key with the secret and proves it with the canary. Throws `backup.key_missing`,
 * `backup.key_wrong` (naming both fingerprints), `backup.from_future`, `backup.damaged`.
 */
export function unlock(format: FormatFile, secret: BackupSecret | null): Unlocked {
  if (format.format > FORMAT_VERSION) {
    throw new AppError('backup.from_future', `The repository has format ${format.format}.`);
  }
  if (format.slots.length === 0) {
    if (format.canary !== null) throw damaged('the list of keys is empty');
    return { keys: null, master: null, fingerprint: null };
  }
  const wanted = format.slots.map((each) => each.fingerprint).join(' or ');
  if (secret === null) throw new AppError('backup.key_missing', `The backup needs the key ${wanted}.`);
  const given: string[] = [];
  for (const each of format.slots) {
    const key = slotKey(each.kdf, secret);
    if (key === null) continue;
    const fingerprint = fingerprintOf(key);
    given.push(fingerprint);
    if (fingerprint !== each.fingerprint) continue;
    const master = unwrap(format.repository, each, key);
    const keys = deriveKeys(master, format.repository);
    checkCanary(keys, format.canary);
    return { keys, master, fingerprint };
  }
  const what = given[0] ?? (secret.kind === 'key' ? fingerprintOf(secret.key) : 'a passphrase');
  throw new AppError('backup.key_wrong', `The backup was written with the key ${wanted}; the key given is ${what}.`);
}

/** Adds a key that opens the repository, too; nothing is encrypted anew. Safe to repeat. */
export function addKey(format: FormatFile, master: Buffer, secret: BackupSecret): FormatFile {
  const known = format.slots.some((each) => {
    const key = slotKey(each.kdf, secret);
    return key !== null && fingerprintOf(key) === each.fingerprint;
  });
  return known ? format : { ...format, slots: [...format.slots, wrap(format.repository, master, secret)] };
}

/** Keeps only the key with this fingerprint. */
export function keepKey(format: FormatFile, fingerprint: string): FormatFile {
  const slots = format.slots.filter((each) => each.fingerprint === fingerprint);
  if (slots.length === 0) throw new AppError('backup.key_wrong', `The repository has no key ${fingerprint}.`);
  return { ...format, slots };
}

function wrap(repositoryId: string, master: Buffer, secret: BackupSecret): Slot {
  const how: Kdf =
    secret.kind === 'key'
      ? { name: 'hkdf-sha256' }
      : { name: 'scrypt', ...SCRYPT, salt: randomBytes(16).toString('hex') };
  const key = slotKey(how, secret);
  if (key === null) throw new Error('a key of one kind was wrapped as one of another');
  const fingerprint = fingerprintOf(key);
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', wrappingKey(key, repositoryId), nonce);
  cipher.setAAD(wrapContext(repositoryId, fingerprint));
  const wrapped = Buffer.concat([cipher.update(master), cipher.final(), cipher.getAuthTag()]);
  return { fingerprint, kdf: how, nonce: nonce.toString('base64'), wrapped: wrapped.toString('base64') };
}

function unwrap(repositoryId: string, from: Slot, key: Buffer): Buffer {
  const wrapped = Buffer.from(from.wrapped, 'base64');
  const nonce = Buffer.from(from.nonce, 'base64');
  if (wrapped.length !== KEY_BYTES + 16 || nonce.length !== 12) throw damaged('the wrapped key has a wrong length');
  const decipher = createDecipheriv('aes-256-gcm', wrappingKey(key, repositoryId), nonce, { authTagLength: 16 });
  decipher.setAAD(wrapContext(repositoryId, from.fingerprint));
  decipher.setAuthTag(wrapped.subarray(KEY_BYTES));
  const master = decipher.update(wrapped.subarray(0, KEY_BYTES));
  try {
    decipher.final();
  } catch (cause) {
    throw damaged('the wrapped key does not pass its check', cause);
  }
  return master;
}

function wrappingKey(key: Buffer, repositoryId: string): Buffer {
  return hkdf(key, repositoryId, 'angles backup wrap');
}

function wrapContext(repositoryId: string, fingerprint: string): Buffer {
  return Buffer.from(`angles key slot ${FORMAT_VERSION} ${repositoryId} ${fingerprint}`);
}

/** The 32 bytes that this secret gives for such a slot; null when it is a secret of the other kind. */
function slotKey(how: Kdf, secret: BackupSecret): Buffer | null {
  if (how.name === 'hkdf-sha256') return secret.kind === 'key' ? secret.key : null;
  if (secret.kind === 'key') return null;
  const { n, r, p, salt } = how;
  const bytes = 128 * n * r;
  const isPower = n >= 2 && (n & (n - 1)) === 0;
  if (!isPower || r < 1 || r > 32 || p < 1 || p > 8 || bytes > SCRYPT_MOST_BYTES) {
    throw damaged('the cost of the passphrase is not one that any backup has');
  }
  return scryptSync(Buffer.from(secret.passphrase, 'utf8'), Buffer.from(salt, 'hex'), KEY_BYTES, {
    N: n,
    r,
    p,
    maxmem: bytes + 16 * 1_048_576,
  });
}

function sealCanary(keys: RepositoryKeys): string {
  return seal(keys, { kind: 'canary', encoding: 'raw', index: 0, body: Buffer.from(CANARY) }).toString('base64');
}

function checkCanary(keys: RepositoryKeys, canary: string | null): void {
  if (canary === null) throw damaged('the canary is missing');
  const { body } = unseal(keys, Buffer.from(canary, 'base64'), 'canary');
  if (body.toString() !== CANARY) throw damaged('the canary says something else');
}
