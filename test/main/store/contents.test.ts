import { hash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { objectPath, readContent } from '../../../src/main/store/contents.ts';
import { openStore } from '../../../src/main/store/database.ts';
import { newVault, START_MS, type TestVault } from './test-vault.ts';

const BYTES = Buffer.from('A decision is worth what its reason is worth. '.repeat(40));
const SHA256 = hash('sha256', BYTES, 'buffer');
const PACKED = zstdCompressSync(BYTES);

function put(vault: TestVault, data: Buffer | null, encoding: 'raw' | 'zstd', sizeBytes = BYTES.length): void {
  vault.store.db
    .prepare('INSERT INTO contents (sha256, size_bytes, stored_bytes, encoding, data) VALUES (?, ?, ?, ?, ?)')
    .run(SHA256, sizeBytes, data?.length ?? 0, encoding, data);
}

function putObject(vault: TestVault, data: Buffer, encoding: 'raw' | 'zstd'): void {
  put(vault, null, encoding);
  const path = objectPath(vault.folder, SHA256.toString('hex'));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, data);
}

const read = ({ store, folder }: TestVault): Buffer => readContent(store.db, folder, SHA256);

test.each([
  ['raw in the vault', (vault: TestVault) => put(vault, BYTES, 'raw')],
  ['packed in the vault', (vault: TestVault) => put(vault, PACKED, 'zstd')],
  ['raw in a file', (vault: TestVault) => putObject(vault, BYTES, 'raw')],
  ['packed in a file', (vault: TestVault) => putObject(vault, PACKED, 'zstd')],
])('a content that lies %s is given back byte for byte', (_, store) => {
  const vault = newVault();
  store(vault);
  expect(read(vault).equals(BYTES)).toBe(true);
});

const FLIPPED = Buffer.from(BYTES);
FLIPPED.writeUInt8((FLIPPED[7] ?? 0) ^ 1, 7);

test.each([
  ['unknown to the vault', 'content.missing', () => undefined],
  ['without its file', 'content.missing', (vault: TestVault) => put(vault, null, 'raw')],
  ['with one bit changed', 'content.damaged', (vault: TestVault) => put(vault, FLIPPED, 'raw')],
  ['with one bit changed in its file', 'content.damaged', (vault: TestVault) => putObject(vault, FLIPPED, 'raw')],
  ['packed and cut short', 'content.damaged', (vault: TestVault) => put(vault, PACKED.subarray(0, 30), 'zstd')],
  ['that unpacks to more than it should', 'content.damaged', (vault: TestVault) => put(vault, PACKED, 'zstd', 100)],
])('a content %s is refused as %s, never given out', (_, code, store) => {
  const vault = newVault();
  store(vault);
  expect(() => read(vault)).toThrow(expect.objectContaining({ code }));
});

test('a content in a page that cannot be read is refused by name', () => {
  const vault = newVault();
  put(vault, BYTES, 'raw');
  const pages = vault.store.db
    .prepare<[], { pageno: number }>("SELECT pageno FROM dbstat WHERE name = 'contents'")
    .all();
  vault.store.db.pragma('wal_checkpoint(TRUNCATE)');
  vault.store.close();
  const file = join(vault.folder, 'vault.db');
  const bytes = readFileSync(file);
  for (const { pageno } of pages) bytes.fill(0, (pageno - 1) * 8_192, pageno * 8_192);
  writeFileSync(file, bytes);
  const store = openStore({ dataFolder: vault.folder, nowMs: () => START_MS });
  try {
    expect(() => readContent(store.db, vault.folder, SHA256)).toThrow(
      expect.objectContaining({ code: 'content.damaged' }),
    );
  } finally {
    store.close();
  }
});
