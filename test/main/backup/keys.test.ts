import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deriveKeys, mac, macKey, nameToken, seal, unseal } from '../../../src/main/backup/crypto.ts';
import {
  createFormat,
  createKeyFile,
  fingerprintOf,
  formatKey,
  parseSecret,
  readKeyFile,
  recoveryKit,
  unlock,
} from '../../../src/main/backup/keys.ts';
import { openRepository } from '../../../src/main/backup/open-repository.ts';
import type { BackupSecret } from '../../../src/main/backup/repository-types.ts';
import { AppError } from '../../../src/shared/errors.ts';
import { createTestVault, TEST_SECRET } from '../../support/backup-vault.ts';

const key = Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff', 'hex');
const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'none';
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.code;
  }
};

describe('a key as people have it', () => {
  it.each([
    key.toString('hex'),
    key.toString('hex').toUpperCase().match(/.{4}/g)?.join(' ') ?? '',
    ` ${formatKey(key)}\n`,
    formatKey(key).slice(0, -1),
  ])('%s is the key', (text) => expect(parseSecret(text)).toEqual({ kind: 'key', key }));

  it('is a passphrase otherwise, of at least 12 characters; what lost a digit is refused', () => {
    expect(parseSecret('correct horse battery')).toEqual({ kind: 'passphrase', passphrase: 'correct horse battery' });
    expect(parseSecret('e\u0301'.repeat(12))).toEqual(parseSecret('\u00e9'.repeat(12)));
    for (const text of [
      'short',
      '',
      key.toString('hex').slice(1),
      `${key.toString('hex')}0`,
      `${formatKey(key).slice(0, 40)}=`,
    ]) {
      expect([text, codeOf(() => parseSecret(text))]).toEqual([text, 'backup.key_invalid']);
    }
  });

  it('is on the recovery kit in a form that can be typed back', () => {
    const kit = recoveryKit({ kind: 'key', key }, fingerprintOf(key), { gitFolder: '/data/backups/local.git' });
    const typed = kit
      .split('\n')
      .filter((line) => /^ {4}([0-9a-f]{4} ?){4}$/.test(line))
      .join('\n');
    expect(parseSecret(typed)).toEqual({ kind: 'key', key });
    expect(kit).toContain(fingerprintOf(key));
    expect(
      recoveryKit({ kind: 'passphrase', passphrase: 'correct horse battery' }, 'x', { gitFolder: '/' }),
    ).not.toContain('horse');
  });
});

describe('the key file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'angles-key-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is made once, for its owner only, and never replaced', () => {
    expect(readKeyFile(folder)).toBeNull();
    const made = createKeyFile(folder);
    expect(readKeyFile(folder)).toEqual(made);
    expect(statSync(join(folder, 'backup.key')).mode & 0o777).toBe(0o600);
    expect(codeOf(() => createKeyFile(folder))).toBe('data.unwritable');
    expect(readKeyFile(folder)).toEqual(made);
  });
});

describe('the keys of a repository', () => {
  it('are opened by their secret alone; others hear both fingerprints', () => {
    const secret: BackupSecret = { kind: 'key', key };
    const { unlocked, ...format } = createFormat('repository-1', secret);
    expect(unlock(format, secret)).toEqual(unlocked);
    const other: BackupSecret = { kind: 'key', key: Buffer.alloc(32, 9) };
    expect(() => unlock(format, other)).toThrow(
      new RegExp(`${fingerprintOf(key)}.*${fingerprintOf(Buffer.alloc(32, 9))}`),
    );
    expect(codeOf(() => unlock(format, null))).toBe('backup.key_missing');
    expect(codeOf(() => unlock({ ...format, format: 2 }, secret))).toBe('backup.from_future');
    expect(codeOf(() => unlock({ ...format, repository: 'repository-2' }, secret))).toBe('backup.damaged');
    expect(codeOf(() => unlock({ ...format, slots: [] }, secret))).toBe('backup.damaged');
  });

  it('come from a passphrase at a cost that nobody can raise without end', () => {
    const secret: BackupSecret = { kind: 'passphrase', passphrase: 'correct horse battery' };
    const { unlocked, ...format } = createFormat('repository-1', secret);
    expect(unlock(format, secret).master).toEqual(unlocked.master);
    expect(codeOf(() => unlock(format, { kind: 'passphrase', passphrase: 'incorrect horse' }))).toBe(
      'backup.key_wrong',
    );
    const [slot] = format.slots;
    if (slot?.kdf.name !== 'scrypt') throw new Error('no scrypt');
    const costly = { ...slot, kdf: { ...slot.kdf, n: 2 ** 30 } };
    expect(codeOf(() => unlock({ ...format, slots: [costly] }, secret))).toBe('backup.damaged');
  });

  it('seal equal objects equally, different ones differently, and bind kind and number', () => {
    const keys = deriveKeys(key, 'repository-1');
    const plain = { kind: 'content', encoding: 'raw', index: 0, body: Buffer.from('hello') } as const;
    expect(seal(keys, plain)).toEqual(seal(keys, plain));
    expect(seal(keys, { ...plain, body: Buffer.from('hellp') }).subarray(12, 44)).not.toEqual(
      seal(keys, plain).subarray(12, 44),
    );
    expect(unseal(keys, seal(keys, plain), 'content')).toEqual(plain);
    expect(codeOf(() => unseal(keys, seal(keys, plain), 'node'))).toBe('backup.damaged');
    expect(codeOf(() => unseal(keys, seal(keys, { ...plain, kind: 'chunk', index: 1 }), 'chunk', 2))).toBe(
      'backup.damaged',
    );
    expect(codeOf(() => unseal(deriveKeys(key, 'repository-2'), seal(keys, plain), 'content'))).toBe('backup.damaged');
    expect(nameToken(keys, 'a.md')).toMatch(/^[a-z2-7]{26}$/);
    expect(seal(keys, plain).toString('latin1')).not.toContain('hello');
  });

  it('use HMAC as OpenSSL knows it', () => {
    const theirs = execFileSync(
      'openssl',
      ['dgst', '-sha256', '-mac', 'HMAC', '-macopt', `hexkey:${key.toString('hex')}`, '-binary'],
      { input: 'abc' },
    );
    expect(mac(macKey(key), Buffer.from('a'), Buffer.from('bc'))).toEqual(theirs);
  });
});

describe('rotating a key', () => {
  it('opens all backups with the new one, the newest not with the old one, and survives a failure to keep it', async () => {
    const vault = createTestVault();
    try {
      vault.save('a.md', 'one');
      const writer = vault.openWriter();
      const { summary } = await writer.backup({ reason: 'manual' });
      const next: BackupSecret = { kind: 'key', key };
      const fail = (): void => {
        throw new Error('the disk is full');
      };
      await expect(writer.rotateKey(next, fail)).rejects.toThrow('the disk is full');
      for (const secret of [TEST_SECRET, next]) openRepository({ gitFolder: vault.gitFolder, secret }).close();
      let isKept = false;
      await writer.rotateKey(next, () => {
        isKept = true;
      });
      expect(isKept).toBe(true);
      expect(writer.fingerprint()).toBe(fingerprintOf(key));
      expect(codeOf(() => openRepository({ gitFolder: vault.gitFolder, secret: TEST_SECRET }))).toBe(
        'backup.key_wrong',
      );
      const reader = openRepository({ gitFolder: vault.gitFolder, secret: next });
      expect(reader.readFile(summary.commit, vault.rootId, 'a.md').toString()).toBe('one');
      await reader.verify(reader.find('latest').commit);
      reader.close();
      vault.save('b.md', 'two');
      expect((await writer.backup({ reason: 'manual' })).isNew).toBe(true);
    } finally {
      vault.close();
    }
  });
});
