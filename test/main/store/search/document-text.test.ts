import { hash, randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { objectPath } from '../../../../src/main/store/contents.ts';
import { decodeText, MAX_TEXT_BYTES, readStart } from '../../../../src/main/store/search/document-text.ts';
import { openSearchVault, type SearchVault } from './search-vault.ts';

const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text}`, 'utf16le');

describe('what is text', () => {
  test.each<[string, Buffer, string | null]>([
    ['UTF-8', Buffer.from('Grüße 😀'), 'Grüße 😀'],
    ['UTF-8 with a byte order mark', Buffer.from('\ufeffhello'), 'hello'],
    ['UTF-8 cut within a character', Buffer.from('Grüße ü').subarray(0, -1), 'Grüße '],
    ['UTF-8 with one damaged byte', Buffer.concat([Buffer.from('Grüße '), Buffer.from([0xff])]), 'Grüße \ufffd'],
    ['UTF-16, little end first', utf16('Grüße'), 'Grüße'],
    ['UTF-16, big end first', utf16('Grüße').swap16(), 'Grüße'],
    ['Windows-1252', Buffer.from('Gr\xfc\xdfe, caf\xe9', 'latin1'), 'Grüße, café'],
    ['a log with colours', Buffer.from('\u001b[31mred\u001b[0m'), '\u001b[31mred\u001b[0m'],
    ['nothing', Buffer.alloc(0), ''],
    ['a zero byte at the start', Buffer.from('ab\0cd'), null],
    ['an ELF program', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 3, 62]), null],
    ['compressed bytes', zstdCompressSync(randomBytes(20_000)), null],
  ])('%s', (_, bytes, text) => {
    expect(decodeText(bytes)).toBe(text);
  });

  test('any bytes are text or not, never an error', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void decodeText(Buffer.from(bytes))));
  });
});

describe('the start of a content', () => {
  let vault: SearchVault;
  beforeEach(() => {
    vault = openSearchVault();
  });
  afterEach(() => vault.close());

  const store = (bytes: Buffer, encoding: 'raw' | 'zstd'): Buffer => {
    const sha256 = hash('sha256', bytes, 'buffer');
    const file = objectPath(vault.folder, sha256.toString('hex'));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, encoding === 'raw' ? bytes : zstdCompressSync(bytes));
    vault.store.db
      .prepare('INSERT INTO contents (sha256, size_bytes, stored_bytes, encoding) VALUES (?, ?, 1, ?)')
      .run(sha256, bytes.length, encoding);
    return sha256;
  };
  const start = (sha256: Buffer, bytes: number): Buffer => readStart(vault.store.db, vault.folder, sha256, bytes);

  test.each<[string, Buffer, 'raw' | 'zstd']>([
    ['stored as it is', randomBytes(6_000_000), 'raw'],
    ['compressed well', Buffer.from('some words and more '.repeat(300_000)), 'zstd'],
    ['that does not shrink', randomBytes(6_000_000), 'zstd'],
    ['compressed a little', Buffer.from(randomBytes(6_000_000).toString('base64')), 'zstd'],
  ])('of a large file %s is read without the rest', (_, bytes, encoding) => {
    const sha256 = store(bytes, encoding);
    expect(start(sha256, MAX_TEXT_BYTES).equals(bytes.subarray(0, MAX_TEXT_BYTES))).toBe(true);
    expect(start(sha256, 70_000).equals(bytes.subarray(0, 70_000))).toBe(true);
    expect(start(sha256, bytes.length).equals(bytes)).toBe(true);
  });

  test('of a file that is gone, damaged or a bomb is an expected error', () => {
    const gone = store(Buffer.from('a'.repeat(5_000_000)), 'zstd');
    rmSync(objectPath(vault.folder, gone.toString('hex')));
    expect(() => start(gone, 1_000)).toThrow(expect.objectContaining({ code: 'content.missing' }));
    const damaged = store(Buffer.from('b'.repeat(5_000_000)), 'zstd');
    writeFileSync(objectPath(vault.folder, damaged.toString('hex')), 'not zstd at all');
    expect(() => start(damaged, 1_000)).toThrow(expect.objectContaining({ code: 'content.damaged' }));
    const bomb = store(Buffer.alloc(200_000_000), 'zstd');
    expect(() => start(bomb, MAX_TEXT_BYTES)).toThrow(expect.objectContaining({ code: 'content.damaged' }));
  });
});
