import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openStore, type Store, translateSqliteError } from '../../../src/main/store/database.ts';
import { createMeta } from '../../../src/main/store/meta.ts';
import { readMigrations } from '../../../src/main/store/migrate.ts';
import { newFolder, newVault, START_MS } from './test-vault.ts';

const nowMs = (): number => START_MS;

function open(folder: string): Store {
  const store = openStore({ dataFolder: folder, nowMs });
  onTestFinished(() => store.close());
  return store;
}

/** A vault that is closed, changed by hand, and its file. */
function changedVault(change: (db: Database.Database) => void): { folder: string; bytes: Buffer } {
  const folder = newFolder();
  openStore({ dataFolder: folder, nowMs }).close();
  const db = new Database(join(folder, 'vault.db'));
  change(db);
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  return { folder, bytes: readFileSync(join(folder, 'vault.db')) };
}

const NEWEST = readMigrations(join(import.meta.dirname, '../../../migrations/local')).length;

describe('what is opened', () => {
  test('a new vault is durable by its settings and keeps its device', () => {
    const folder = newFolder();
    const first = openStore({ dataFolder: folder, nowMs });
    const settings = ['journal_mode', 'synchronous', 'foreign_keys', 'page_size', 'application_id', 'user_version'].map(
      (name) => first.db.pragma(name, { simple: true }),
    );
    expect(settings).toEqual(['wal', 2, 1, 8_192, 0x414e474c, NEWEST]);
    first.close();
    expect(open(folder).deviceId).toBe(first.deviceId);
  });

  test('a file of no bytes is a new vault, as a start leaves it that was cut off at once', () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'vault.db'), '');
    expect(open(folder).db.pragma('user_version', { simple: true })).toBe(NEWEST);
  });

  test('a vault of a newer version is refused and not touched', () => {
    const { folder, bytes } = changedVault((db) => db.pragma('user_version = 9'));
    expect(() => openStore({ dataFolder: folder, nowMs })).toThrow(
      expect.objectContaining({ code: 'data.from_future' }),
    );
    expect(readFileSync(join(folder, 'vault.db')).equals(bytes)).toBe(true);
  });

  test('a database of another program is refused and not touched', () => {
    const folder = newFolder();
    const db = new Database(join(folder, 'vault.db'));
    db.exec("CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES ('https://example.org')");
    db.close();
    const bytes = readFileSync(join(folder, 'vault.db'));
    expect(() => openStore({ dataFolder: folder, nowMs })).toThrow(expect.objectContaining({ code: 'data.foreign' }));
    expect(readFileSync(join(folder, 'vault.db')).equals(bytes)).toBe(true);
  });

  test('text, a file cut short and a vault without its counters are named as damaged', () => {
    const text = newFolder();
    writeFileSync(join(text, 'vault.db'), 'Dear diary, '.repeat(1_000));
    const short = changedVault(() => undefined).folder;
    truncateSync(join(short, 'vault.db'), 20_000);
    const counters = changedVault((db) => db.exec('DELETE FROM counters')).folder;
    for (const folder of [text, short, counters]) {
      expect(() => openStore({ dataFolder: folder, nowMs })).toThrow(expect.objectContaining({ code: 'data.corrupt' }));
    }
  });

  test('a failed migration leaves the file as it was', () => {
    const { folder } = changedVault(() => undefined);
    const broken = [...Array(NEWEST + 1).keys()]
      .map((index) => index + 1)
      .map((number) => ({
        number,
        name: `000${number}_x.sql`,
        sql: 'CREATE TABLE more (id); nonsense',
      }));
    expect(() => openStore({ dataFolder: folder, nowMs, migrations: broken })).toThrow(
      expect.objectContaining({ code: 'data.migration_failed' }),
    );
    const { db } = open(folder);
    expect(db.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'more'").pluck().get()).toBe(0);
  });
});

describe('a transaction', () => {
  test('gives numbers that grow over tables, transactions and restarts, each once', () => {
    const vault = newVault();
    const numbers = vault.store.write((tx) => [tx.takeChange(), tx.takeChanges(3), tx.takeChange()]);
    const nested = vault.store.write((tx) => [tx.takeChange(), vault.store.write((inner) => inner.takeChange())]);
    const again = openStore({ dataFolder: vault.folder, nowMs });
    onTestFinished(() => again.close());
    expect([...numbers, ...nested, again.write((tx) => tx.takeChange())]).toEqual([1, 2, 5, 6, 7, 8]);
  });

  test('that fails takes back its rows and its numbers', () => {
    const { store } = newVault();
    const meta = createMeta(store);
    const fail = () =>
      store.write((tx) => {
        tx.takeChanges(10);
        meta.set('key', 'value');
        throw new Error('stop');
      });
    expect(fail).toThrow('stop');
    expect({ value: meta.get('key'), next: store.write((tx) => tx.takeChange()) }).toEqual({ value: null, next: 1 });
  });

  test('keeps the clock going over a restart, though the wall clock jumped back', () => {
    const vault = newVault();
    const before = vault.store.write(() => vault.store.clock.tick());
    const again = openStore({ dataFolder: vault.folder, nowMs: () => START_MS - 7_200_000 });
    onTestFinished(() => again.close());
    expect(again.clock.tick()).toBeGreaterThan(before);
  });
});

test.each([
  ['SQLITE_FULL', 'data.full'],
  ['SQLITE_CORRUPT_INDEX', 'data.corrupt'],
  ['SQLITE_NOTADB', 'data.corrupt'],
  ['SQLITE_IOERR_SHORT_READ', 'data.corrupt'],
  ['SQLITE_CANTOPEN', 'data.unwritable'],
  ['SQLITE_READONLY_DIRECTORY', 'data.unwritable'],
  ['SQLITE_IOERR_FSYNC', 'data.io_error'],
])('%s of SQLite is %s in the catalogue', (sqlite, code) => {
  expect(translateSqliteError(new Database.SqliteError('it failed', sqlite), 'vault.db')).toMatchObject({ code });
});

test('what is not an error of SQLite, or one that nobody expects, passes unchanged', () => {
  for (const cause of [new TypeError('a bug'), new Database.SqliteError('a bug', 'SQLITE_MISUSE')]) {
    expect(translateSqliteError(cause, 'vault.db')).toBe(cause);
  }
});
