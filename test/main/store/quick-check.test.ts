import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import {
  integrityCheck,
  quickCheck,
  startIntegrityCheck,
  startQuickCheck,
} from '../../../src/main/store/quick-check.ts';
import { newFolder, newVault } from './test-vault.ts';

/** A closed vault; `damage` changes one page of a table or index. */
function vaultWith(damage: { readonly of: string; readonly change: (page: Buffer) => void } | null): string {
  const vault = newVault();
  vault.store.write((tx) => {
    for (let index = 0; index < 200; index += 1) vault.activities.append(tx, ACTIVITY);
  });
  vault.store.db.pragma('wal_checkpoint(TRUNCATE)');
  const find = vault.store.db.prepare<[string], { pageno: number }>(
    "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf'",
  );
  const page = damage === null ? undefined : find.get(damage.of)?.pageno;
  vault.store.close();
  const file = join(vault.folder, 'vault.db');
  const bytes = readFileSync(file);
  if (page !== undefined) damage?.change(bytes.subarray((page - 1) * 8_192, page * 8_192));
  writeFileSync(file, bytes);
  return vault.folder;
}

const ACTIVITY = {
  kind: 'agent.started',
  summary: 'The agent was started for a test.',
  rootId: null,
  path: null,
  snapshotId: null,
  recordTable: null,
  recordId: null,
  origin: 'test',
} as const;

function openReadOnly(folder: string): Database.Database {
  const db = new Database(join(folder, 'vault.db'), { readonly: true });
  onTestFinished(() => void db.close());
  return db;
}

test('a sound vault passes both tests, here and in a thread', async () => {
  const folder = vaultWith(null);
  const db = openReadOnly(folder);
  const here = [quickCheck(db), integrityCheck(db)];
  expect([...here, await startQuickCheck(folder), await startIntegrityCheck(folder)]).toEqual([null, null, null, null]);
});

test('a page of zeros is found by the quick test, here and in a thread', async () => {
  const folder = vaultWith({ of: 'activities', change: (page) => page.fill(0) });
  expect(quickCheck(openReadOnly(folder))).toMatch(/./);
  expect(await startQuickCheck(folder)).toMatch(/./);
});

test('an entry of an index that fits no row is found by the thorough test', async () => {
  const folder = vaultWith({
    of: 'sqlite_autoindex_activities_1',
    change: (page) => {
      // Within the id of the first entry, wherever in the page that lies.
      const at = page.readUInt16BE(8) + 20;
      page.writeUInt8(page.readUInt8(at) ^ 1, at);
    },
  });
  expect(integrityCheck(openReadOnly(folder))).toMatch(/sqlite_autoindex_activities_1/);
  expect(await startIntegrityCheck(folder)).toMatch(/sqlite_autoindex_activities_1/);
});

test('a file that is no database is damage, one that is not there is a failure of the test', async () => {
  const folder = newFolder();
  await expect(startQuickCheck(folder)).rejects.toThrow();
  writeFileSync(join(folder, 'vault.db'), 'Dear diary, '.repeat(1_000));
  expect(await startQuickCheck(folder)).toMatch(/not a database/);
});
