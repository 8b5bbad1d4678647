import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { type Migration, migrate, readMigrations } from '../../../src/main/store/migrate.ts';
import { newFolder } from './test-vault.ts';

const ONE: Migration = { number: 1, name: '0001_one.sql', sql: 'CREATE TABLE one (id INTEGER PRIMARY KEY) STRICT' };
const TWO: Migration = { number: 2, name: '0002_two.sql', sql: 'INSERT INTO one VALUES (1); CREATE TABLE two (id) ' };
const BROKEN: Migration = {
  number: 3,
  name: '0003_broken.sql',
  sql: "CREATE TABLE three (id INTEGER PRIMARY KEY) STRICT; INSERT INTO one VALUES (2); INSERT INTO one VALUES ('x')",
};

function newDatabase(): Database.Database {
  const db = new Database(':memory:');
  onTestFinished(() => void db.close());
  return db;
}

function describe(db: Database.Database) {
  return {
    version: db.pragma('user_version', { simple: true }),
    tables: db.prepare('SELECT name FROM sqlite_schema ORDER BY name').pluck().all(),
    rows: db.prepare('SELECT id FROM one').pluck().all(),
  };
}

test('migrations run once each, in order, and running them again changes nothing', () => {
  const db = newDatabase();
  expect(migrate(db, [ONE])).toEqual({ from: 0, to: 1 });
  expect(migrate(db, [ONE, TWO])).toEqual({ from: 1, to: 2 });
  expect(migrate(db, [ONE, TWO])).toEqual({ from: 2, to: 2 });
  expect(describe(db)).toEqual({ version: 2, tables: ['one', 'two'], rows: [1] });
});

test('a migration that fails leaves the vault as it was before that migration, and says which one it was', () => {
  const db = newDatabase();
  const run = () => migrate(db, [ONE, TWO, BROKEN]);
  expect(run).toThrow(
    expect.objectContaining({ code: 'data.migration_failed', message: expect.stringContaining('0003_broken.sql') }),
  );
  expect(describe(db)).toEqual({ version: 2, tables: ['one', 'two'], rows: [1] });
});

test('a vault of a newer version is refused by both numbers', () => {
  const db = newDatabase();
  migrate(db, [ONE, TWO]);
  expect(() => migrate(db, [ONE])).toThrow(
    expect.objectContaining({ code: 'data.from_future', message: expect.stringMatching(/version 2.*up to 1/) }),
  );
  expect(describe(db).version).toBe(2);
});

test('migrations are read in order, other files are left alone, and a missing number is refused', () => {
  const folder = join(newFolder(), 'migrations');
  mkdirSync(folder);
  for (const name of ['0002_b.sql', '0001_a.sql', 'README.md', '3_c.sql'])
    writeFileSync(join(folder, name), `-- ${name}`);
  expect(readMigrations(folder)).toEqual([
    { number: 1, name: '0001_a.sql', sql: '-- 0001_a.sql' },
    { number: 2, name: '0002_b.sql', sql: '-- 0002_b.sql' },
  ]);
  writeFileSync(join(folder, '0004_d.sql'), '');
  expect(() => readMigrations(folder)).toThrow('0004_d.sql is out of order');
});
