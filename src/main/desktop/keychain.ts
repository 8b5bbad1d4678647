import { join } from 'node:path';
import { safeStorage } from 'electron';
import { z } from 'zod';
import type { KeychainState } from '../../shared/desktop.ts';
import { AppError } from '../../shared/errors.ts';
import type { SecretStore } from '../host.ts';
import { readSmallFile, replaceFile } from '../settings/files.ts';

const FILE = 'secrets.json';
const stored = z.record(z.string(), z.base64());

export type Keychain = SecretStore & { readonly state: () => Promise<KeychainState> };

/**
 * Secrets of the person, each encrypted with a key that the system's own store guards (Keychain, DPAPI, libsecret,
 * KWallet); the encrypted forms lie in `secrets.json` (0600) in the data folder. Where the system has no such store it
 * refuses to keep anything: a password that is the same in every copy of Chromium ("basic_text") protects nothing.
 */
export function createKeychain(dataFolder: string, platform: NodeJS.Platform): Keychain {
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

  const state = async (): Promise<KeychainState> => {
    const backend = platform === 'linux' ? safeStorage.getSelectedStorageBackend() : (NAMES[platform] ?? platform);
    if (!(await safeStorage.isAsyncEncryptionAvailable())) return { state: 'unavailable', backend };
    return { state: backend === 'basic_text' ? 'weak' : 'strong', backend };
  };
  return {
    state,
    get: async (name) => {
      const value = read()[name];
      if (value === undefined) return null;
      try {
        const { result, shouldReEncrypt } = await safeStorage.decryptStringAsync(Buffer.from(value, 'base64'));
        if (shouldReEncrypt) {
          const renewed = await safeStorage.encryptStringAsync(result);
          write({ ...read(), [name]: renewed.toString('base64') });
        }
        return result;
      } catch (cause) {
        throw new AppError('keychain.locked', `The secret ${name} cannot be opened.`, { cause });
      }
    },
    set: async (name, value) => {
      const { state: now, backend } = await state();
      if (now !== 'strong') {
        throw new AppError('keychain.missing', `This desktop keeps no secrets safely (${backend}).`);
      }
      const encrypted = await safeStorage.encryptStringAsync(value);
      write({ ...read(), [name]: encrypted.toString('base64') });
    },
    remove: async (name) => {
      const { [name]: removed, ...others } = read();
      if (removed !== undefined) write(others);
    },
  };
}

const NAMES: Readonly<Partial<Record<NodeJS.Platform, string>>> = { darwin: 'Keychain', win32: 'DPAPI' };
