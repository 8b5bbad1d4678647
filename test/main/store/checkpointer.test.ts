import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test, vi } from 'vitest';
import { readFrames, startCheckpointer } from '../../../src/main/store/checkpointer.ts';
import { VAULT_FILE } from '../../../src/main/store/database.ts';
import { newFolder, newVault, type TestVault, touchMemory } from './test-vault.ts';

const EVERY = 160;

function start(vault: TestVault, lingerMs = 10_000) {
  vault.store.db.pragma('synchronous = OFF');
  const problems: string[] = [];
  const checkpointer = startCheckpointer(vault.store, {
    everyFrames: EVERY,
    lingerMs,
    onProblem: (problem) => problems.push(problem),
  });
  onTestFinished(() => checkpointer.stop());
  return { checkpointer, problems };
}
let written = 0;
/** As a running agent writes: what a thread has to say comes to its turn. */
async function write(vault: TestVault, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    written += 1;
    touchMemory(vault, `memory ${written}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
const rest = ({ store }: TestVault): number => {
  const { log, checkpointed } = readFrames(store.db);
  return log - checkpointed;
};
const countOf = (db: Database.Database): unknown => db.prepare('SELECT count(*) FROM memories').pluck().get();
/** What the file alone holds, without its log. */
function countInFile({ folder }: TestVault): unknown {
  const alone = join(newFolder(), 'alone.db');
  copyFileSync(join(folder, VAULT_FILE), alone);
  const db = new Database(alone);
  try {
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    return countOf(db);
  } finally {
    db.close();
  }
}

test('the log is copied by a thread while somebody writes, begins anew, and everything is in the file', async () => {
  const vault = newVault();
  const { problems } = start(vault);
  // Only the thread can copy anything now.
  vault.store.db.pragma('wal_autocheckpoint = 0');
  let anew = 0;
  let turns = 0;
  for (let before = 0; anew < 3 && turns < 20_000; turns += 1) {
    await write(vault, 1);
    const { log } = readFrames(vault.store.db);
    if (log < before) anew += 1;
    before = log;
  }
  expect(anew).toBe(3);
  await vi.waitFor(() => expect(rest(vault)).toBeLessThan(EVERY));
  expect(countInFile(vault)).toBeGreaterThan(turns - EVERY);
  expect(countOf(vault.store.db)).toBe(turns);
  expect(problems).toEqual([]);
});

test('a reader of an older state keeps the log from beginning anew, and nobody from writing', async () => {
  const vault = newVault();
  const { problems } = start(vault);
  const reader = new Database(join(vault.folder, VAULT_FILE), { readonly: true });
  onTestFinished(() => void reader.close());
  reader.exec('BEGIN');
  expect(countOf(reader)).toBe(0);
  await write(vault, 200);
  expect([countOf(reader), countOf(vault.store.db)]).toEqual([0, 200]);
  expect(readFrames(vault.store.db).log).toBeGreaterThan(2 * EVERY);
  reader.exec('COMMIT');
  await write(vault, 200);
  await vi.waitFor(async () => {
    await write(vault, 1);
    expect(readFrames(vault.store.db).log).toBeLessThan(2 * EVERY);
  });
  expect(problems).toEqual([]);
});

test('the thread ends without work, and comes back', async () => {
  const vault = newVault();
  start(vault, 1);
  for (let turn = 0; turn < 3; turn += 1) {
    await write(vault, 60);
    await vi.waitFor(() => expect(rest(vault)).toBeLessThan(EVERY));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(countOf(vault.store.db)).toBe(180);
});

test('without the thread the writer copies by itself: after a stop, and when the thread cannot start', async () => {
  const vault = newVault();
  const { checkpointer } = start(vault);
  await checkpointer.stop();
  expect(vault.store.db.pragma('wal_autocheckpoint', { simple: true })).toBe(4_000);
  await write(vault, 50);
  expect(rest(vault)).toBeGreaterThan(EVERY);

  const other = newVault();
  const problems: string[] = [];
  const broken = startCheckpointer(
    { ...other.store, dataFolder: '/nonexistent' },
    {
      everyFrames: EVERY,
      onProblem: (problem) => problems.push(problem),
    },
  );
  onTestFinished(() => broken.stop());
  await write(other, 60);
  await vi.waitFor(() => expect(problems).toHaveLength(1));
  expect(other.store.db.pragma('wal_autocheckpoint', { simple: true })).toBe(4_000);
  await write(other, 20);
  expect(countOf(other.store.db)).toBe(80);
});
