import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const store = { isAvailable: true, backend: 'gnome_libsecret', isLocked: false, shouldReEncrypt: false, turn: 0 };
vi.mock('electron', () => ({
  safeStorage: {
    isAsyncEncryptionAvailable: async () => store.isAvailable,
    getSelectedStorageBackend: () => store.backend,
    encryptStringAsync: async (text: string) => {
      store.turn += 1;
      return Buffer.from(JSON.stringify({ turn: store.turn, text: Buffer.from(text).toString('hex') }));
    },
    decryptStringAsync: async (sealed: Buffer) => {
      if (store.isLocked) throw new Error('locked');
      const { text } = JSON.parse(sealed.toString()) as { text: string };
      return { result: Buffer.from(text, 'hex').toString(), shouldReEncrypt: store.shouldReEncrypt };
    },
  },
}));
const { createKeychain } = await import('../../../src/main/desktop/keychain.ts');

let folder: string;
const file = (): string => join(folder, 'secrets.json');
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'angles-keychain-'));
  Object.assign(store, { isAvailable: true, backend: 'gnome_libsecret', isLocked: false, shouldReEncrypt: false });
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a secret is kept encrypted in a file of its owner, comes back, and can be removed', async () => {
  const keychain = createKeychain(folder, 'linux');
  expect(await keychain.get('key')).toBeNull();
  await keychain.set('key', 'the value');
  await keychain.set('other', 'x');
  expect([await createKeychain(folder, 'linux').get('key'), statSync(file()).mode & 0o777]).toEqual([
    'the value',
    0o600,
  ]);
  expect(readFileSync(file(), 'utf8')).not.toContain('the value');
  await keychain.remove('key');
  await keychain.remove('key');
  expect([await keychain.get('key'), await keychain.get('other')]).toEqual([null, 'x']);
});

test.each([
  ['linux', true, 'gnome_libsecret', 'strong'],
  ['linux', true, 'kwallet6', 'strong'],
  ['linux', true, 'basic_text', 'weak'],
  ['linux', false, 'unknown', 'unavailable'],
  ['darwin', true, 'basic_text', 'strong'],
  ['win32', true, 'basic_text', 'strong'],
] as const)(
  'on %s with encryption %s and %s it is %s, and keeps secrets only when strong',
  async (platform, isAvailable, backend, expected) => {
    Object.assign(store, { isAvailable, backend });
    const keychain = createKeychain(folder, platform);
    expect((await keychain.state()).state).toBe(expected);
    const kept = keychain.set('key', 'value').then(
      () => 'kept',
      (error: { code: string }) => error.code,
    );
    expect(await kept).toBe(expected === 'strong' ? 'kept' : 'keychain.missing');
    expect(statSync(file(), { throwIfNoEntry: false }) !== undefined).toBe(expected === 'strong');
  },
);

test('a locked store is an error of its name, and the secret stays', async () => {
  const keychain = createKeychain(folder, 'linux');
  await keychain.set('key', 'value');
  store.isLocked = true;
  await expect(keychain.get('key')).rejects.toMatchObject({ code: 'keychain.locked' });
  store.isLocked = false;
  expect(await keychain.get('key')).toBe('value');
});

test('a rotated key encrypts again', async () => {
  const keychain = createKeychain(folder, 'linux');
  await keychain.set('key', 'value');
  const before = readFileSync(file(), 'utf8');
  store.shouldReEncrypt = true;
  expect(await keychain.get('key')).toBe('value');
  expect(readFileSync(file(), 'utf8')).not.toBe(before);
});

test('a damaged file of secrets is an error, and is not written over', async () => {
  writeFileSync(file(), '{ "key": ');
  const keychain = createKeychain(folder, 'linux');
  await expect(keychain.get('key')).rejects.toMatchObject({ code: 'keychain.locked' });
  await expect(keychain.set('key', 'value')).rejects.toMatchObject({ code: 'keychain.locked' });
  expect(readFileSync(file(), 'utf8')).toBe('{ "key": ');
});

test('without a real store a passphrase keeps secrets; when it opens, whoever waits for that is told', async () => {
  store.backend = 'basic_text';
  const keychain = createKeychain(folder, 'linux');
  let opened = 0;
  const stop = keychain.onOpened?.(() => {
    opened += 1;
  });
  await expect(keychain.set('key', 'value')).rejects.toMatchObject({ code: 'keychain.missing' });
  await keychain.setPassphrase('four words to remember');
  await keychain.set('key', 'value');
  expect(await keychain.state()).toEqual({ state: 'weak', backend: 'basic_text', passphrase: 'open' });

  const later = createKeychain(folder, 'linux');
  expect((await later.state()).passphrase).toBe('locked');
  expect(await later.get('never kept')).toBeNull();
  await expect(later.get('key')).rejects.toMatchObject({ code: 'keychain.locked' });
  await expect(later.set('key', 'other')).rejects.toMatchObject({ code: 'keychain.locked' });
  await later.unlock('four words to remember');
  expect(await later.get('key')).toBe('value');

  store.backend = 'gnome_libsecret';
  await later.set('key', 'in the store');
  expect(await later.get('key')).toBe('in the store');
  await later.remove('key');
  expect(await later.get('key')).toBeNull();
  later.forgetPassphrase();
  expect((await later.state()).passphrase).toBe('none');
  stop?.();
  await keychain.setPassphrase('told to nobody any more');
  expect(opened).toBe(1);
});
