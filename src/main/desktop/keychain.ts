import { join } from 'node:path';
import { safeStorage } from 'electron';
import { z } from 'zod';
import type { KeychainState } from '../../shared/desktop.ts';
import { AppError } from '../../shared/errors.ts';
import type { SecretStore } from '../host.ts';
import { readSmallFile, replaceFile } from '../settings/files.ts';
import { createPassphraseSafe, type PassphraseSafe } from './passphrase-safe.ts';

const FILE = 'secrets.json';
const stored = z.record(z.string(), z.base64());

export type Keychain = SecretStore & {
  readonly state: () => Promise<KeychainState>;
  /** See {@link PassphraseSafe}. */
  readonly setPassphrase: PassphraseSafe['create'];
  readonly unlock: PassphraseSafe['unlock'];
  readonly forgetPassphrase: PassphraseSafe['reset'];
};

/**
 * Secrets of the person, each encrypted with a key that the system's own store guards (Keychain, DPAPI, libsecret,
 * KWallet); the encrypted forms lie in `secrets.json` (0600) in the data folder. Where the system has no such store they
 * go under a passphrase, if the person set one; else it refuses to keep anything: a password that is the same in every
 * copy of Chromium ("basic_text") protects nothing.
 */
export function createKeychain(
  dataFolder: string,
  platform: NodeJS.Platform,
  safe: PassphraseSafe = createPassphraseSafe(dataFolder),
): Keychain {
  const system = createSystemStore(dataFolder);
  const listeners = new Set<() => void>();
  const tellOpened = (): void => {
    for (const listener of listeners) listener();
  };
  const systemState = async (): Promise<Omit<KeychainState, 'passphrase'>> => {
    const backend = platform === 'linux' ? safeStorage.getSelectedStorageBackend() : (NAMES[platform] ?? platform);
    if (!(await safeStorage.isAsyncEncryptionAvailable())) return { state: 'unavailable', backend };
    return { state: backend === 'basic_text' ? 'weak' : 'strong', backend };
  };
  return {
    state: async () => ({ ...(await systemState()), passphrase: safe.state() }),
    setPassphrase: async (passphrase) => {
      await safe.create(passphrase);
      tellOpened();
    },
    unlock: async (passphrase) => {
      await safe.unlock(passphrase);
      tellOpened();
    },
    forgetPassphrase: () => {
      safe.reset();
      tellOpened();
    },
    onOpened: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get: async (name) => (await system.get(name)) ?? (safe.has(name) ? safe.get(name) : null),
    set: async (name, value) => {
      const { state, backend } = await systemState();
      if (state === 'strong') {
        await system.set(name, value);
        if (safe.state() === 'open' && safe.has(name)) safe.remove(name);
        return;
      }
      if (safe.state() === 'none')
        throw new AppError('keychain.missing', `This desktop keeps no secrets safely (${backend}).`);
      safe.set(name, value);
    },
    remove: async (name) => {
      system.remove(name);
      if (safe.has(name)) safe.remove(name);
    },
  };
}

const NAMES: Readonly<Partial<Record<NodeJS.Platform, string>>> = { darwin: 'Keychain', win32: 'DPAPI' };

/** What the key store of the system encrypts. */
function createSystemStore(dataFolder: string): {
  readonly get: (name: string) => Promise<string | null>;
  readonly set: (name: string, value: string) => Promise<void>;
  readonly remove: (name: string) => void;
} {
  const file = join(dataFolder, FILE);
  const read = (): Record<string, string> => {
    const text = readSmallFile(file);
    if (text === null) return {};
    try {
      return stored.parse(JSON.parse(text));
    } catch (cause) {
      throw new AppError('keychain.locked', `${FILE} in the data folder is damaged.`, {
        cause,
        hint: 'Move the file away and enter the secrets again.',
      });
    }
  };
  const write = (values: Record<string, string>): void => replaceFile(file, `${JSON.stringify(values, null, 2)}\n`);
  const seal = async (name: string, value: string): Promise<void> => {
    const encrypted = await safeStorage.encryptStringAsync(value);
    write({ ...read(), [name]: encrypted.toString('base64') });
  };
  return {
    get: async (name) => {
      const value = read()[name];
      if (value === undefined) return null;
      try {
        const { result, shouldReEncrypt } = await safeStorage.decryptStringAsync(Buffer.from(value, 'base64'));
        if (shouldReEncrypt) await seal(name, result);
        return result;
      } catch (cause) {
        throw new AppError('keychain.locked', `The secret ${name} cannot be opened.`, { cause });
      }
    },
    set: seal,
    remove: (name) => {
      const { [name]: removed, ...others } = read();
      if (removed !== undefined) write(others);
    },
  };
}
