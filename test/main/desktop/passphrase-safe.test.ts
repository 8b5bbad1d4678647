import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPassphraseSafe, type PassphraseSafe } from '../../../src/main/desktop/passphrase-safe.ts';

const PASSPHRASE = 'four words and a café';
const CHEAP = { n: 16, r: 8, p: 1 };
let folder: string;
const file = (): string => join(folder, 'passphrase.json');
const open = (): PassphraseSafe => createPassphraseSafe(folder, CHEAP);
const codeOf = (work: () => unknown): Promise<string> =>
  Promise.resolve()
    .then(work)
    .then(
      () => 'none',
      (error: { code: string }) => error.code,
    );
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'angles-passphrase-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('secrets are encrypted for their owner alone, locked after a start, and open with the passphrase', async () => {
  const safe = open();
  expect(safe.state()).toBe('none');
  await safe.create(PASSPHRASE);
  safe.set('TOKEN', 'the value of it');
  safe.set('OTHER', 'x');
  safe.remove('OTHER');
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  const text = readFileSync(file(), 'utf8');
  expect(text).not.toContain('the value');
  expect(text).not.toContain(Buffer.from('the value').toString('base64').slice(0, 10));

  const later = open();
  expect([later.state(), later.has('TOKEN'), later.has('OTHER')]).toEqual(['locked', true, false]);
  expect(await codeOf(() => later.get('TOKEN'))).toBe('keychain.locked');
  expect(await codeOf(() => later.set('TOKEN', 'y'))).toBe('keychain.locked');
  expect(await codeOf(() => later.create('another passphrase'))).toBe('keychain.locked');
  expect(await codeOf(() => later.unlock('four words and a cafe'))).toBe('keychain.wrong_passphrase');
  expect(later.state()).toBe('locked');
  // The same letters, typed in the other way.
  await later.unlock(PASSPHRASE.normalize('NFD'));
  expect([later.state(), later.get('TOKEN'), later.get('OTHER')]).toEqual(['open', 'the value of it', null]);
});

test('another passphrase replaces the first, and what was in it stays', async () => {
  const safe = open();
  await safe.create(PASSPHRASE);
  safe.set('TOKEN', 'value');
  await safe.create('a new one, long enough');
  const later = open();
  expect(await codeOf(() => later.unlock(PASSPHRASE))).toBe('keychain.wrong_passphrase');
  await later.unlock('a new one, long enough');
  expect(later.get('TOKEN')).toBe('value');
});

test('a short passphrase makes nothing; a forgotten one is given up with what it held', async () => {
  const safe = open();
  expect(await codeOf(() => safe.create('too short'))).toBe('usage.bad_argument');
  expect(await codeOf(() => safe.unlock(PASSPHRASE))).toBe('keychain.missing');
  expect(safe.state()).toBe('none');
  await safe.create(PASSPHRASE);
  safe.set('TOKEN', 'value');
  const later = open();
  later.reset();
  expect([later.state(), later.has('TOKEN')]).toEqual(['none', false]);
});

test('every changed byte of the file is noticed, and a cost beyond reason is not paid', async () => {
  const safe = open();
  await safe.create(PASSPHRASE);
  safe.set('TOKEN', 'value');
  const good = JSON.parse(readFileSync(file(), 'utf8')) as Record<string, unknown>;
  const codes: Record<string, string> = {};
  for (const [name, value] of Object.entries({
    names: ['TOKEN', 'MORE'],
    iv: Buffer.alloc(12).toString('base64'),
    tag: Buffer.alloc(16).toString('base64'),
    data: Buffer.alloc(9).toString('base64'),
    salt: Buffer.alloc(16).toString('base64'),
    p: 2,
    n: 2 ** 30,
    version: 2,
  })) {
    writeFileSync(file(), JSON.stringify({ ...good, [name]: value }));
    codes[name] = await codeOf(() => open().unlock(PASSPHRASE));
  }
  expect(codes).toEqual({
    names: 'keychain.wrong_passphrase',
    iv: 'keychain.wrong_passphrase',
    tag: 'keychain.wrong_passphrase',
    data: 'keychain.wrong_passphrase',
    salt: 'keychain.wrong_passphrase',
    p: 'keychain.wrong_passphrase',
    n: 'keychain.locked',
    version: 'keychain.locked',
  });
  writeFileSync(file(), '{');
  expect([open().state(), await codeOf(() => open().has('TOKEN'))]).toEqual(['locked', 'keychain.locked']);
});
