/** The key of this agent's backups: from the environment, else from the data folder, else made. */
import { randomBytes, scryptSync } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import { syncFolder, writeAll } from '../durable.ts';
import type { ArchiveKey } from './archive-format.ts';
import { hkdf } from './crypto.ts';
import { createKeyFile, fingerprintOf, formatKey, KEY_FILE, parseSecret, readKeyFile } from './keys.ts';
import type { BackupSecret } from './repository-types.ts';

export type OwnKey = { readonly source: 'environment' | 'generated'; readonly secret: BackupSecret };

export type KeySource = {
  /** The key as it is now; null when none was needed yet. Throws `backup.key_invalid`. */
  readonly current: () => OwnKey | null;
  /** The same; one is made and kept when there is none. */
  readonly ensure: () => OwnKey;
  /** The key in the data folder, whatever the environment says. */
  readonly inFile: () => BackupSecret | null;
};

/** @param environment the value of BACKUP_ENCRYPTION_KEY, now */
export function createKeySource(dataFolder: string, environment: () => string | undefined): KeySource {
  const current = (): OwnKey | null => {
    const given = environment();
    if (given !== undefined && given !== '') return { source: 'environment', secret: parseSecret(given) };
    const secret = readKeyFile(dataFolder);
    return secret === null ? null : { source: 'generated', secret };
  };
  return {
    current,
    ensure: () => current() ?? { source: 'generated', secret: createKeyFile(dataFolder) },
    inFile: () => readKeyFile(dataFolder),
  };
}

/** Puts another key in the place of the one in the data folder; durable when it returns, the old one or the new one at any moment. */
export function replaceKeyFile(dataFolder: string, key: Buffer): void {
  const file = join(dataFolder, KEY_FILE);
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    const descriptor = openSync(temporary, 'wx', 0o600);
    try {
      writeAll(descriptor, Buffer.from(`${formatKey(key)}\n`));
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file);
    syncFolder(dataFolder);
  } catch (cause) {
    throw new AppError('data.unwritable', `${file} cannot be written: ${(cause as Error).message}`, { cause });
  } finally {
    rmSync(temporary, { force: true });
  }
}

export function makeKey(): BackupSecret & { readonly kind: 'key' } {
  return { kind: 'key', key: randomBytes(32) };
}

/** The last characters of a key as its kit shows it: who can type them has it before them. */
export function endingFits(secret: BackupSecret, ending: string): boolean {
  const plain = (text: string): string => text.replace(/[\s:-]/g, '').toLowerCase();
  if (secret.kind === 'passphrase') return secret.passphrase.endsWith(ending.trim().normalize('NFC'));
  const typed = plain(ending);
  const base64 = formatKey(secret.key);
  return (
    (typed.length >= 4 && secret.key.toString('hex').endsWith(typed)) ||
    (ending.trim().length >= 4 && base64.endsWith(ending.trim()))
  );
}

const archiveKeys = new WeakMap<BackupSecret, ArchiveKey>();

/**
 * What opens archives: `gpg` asks for the 64 digits of the kit in lower case and without spaces, or for the passphrase.
 * Of a passphrase, the parts that are shown or stored come from scrypt, so that they do not help to guess it.
 */
export function archiveKeyOf(secret: BackupSecret): ArchiveKey {
  const known = archiveKeys.get(secret);
  if (known !== undefined) return known;
  const bytes =
    secret.kind === 'key'
      ? secret.key
      : scryptSync(Buffer.from(secret.passphrase, 'utf8'), 'angles archive', 32, {
          N: 131_072,
          r: 8,
          p: 1,
          maxmem: 160 * 1_048_576,
        });
  const key: ArchiveKey = {
    fingerprint: fingerprintOf(bytes),
    passphrase: secret.kind === 'key' ? secret.key.toString('hex') : secret.passphrase,
    macKey: hkdf(bytes, 'angles', 'angles archive seal'),
  };
  archiveKeys.set(secret, key);
  return key;
}

/** For the Fernet-encrypted backups of earlier programs, which used the key's own text. */
export function fernetTextOf(secret: BackupSecret): string {
  return secret.kind === 'key' ? formatKey(secret.key) : secret.passphrase;
}
