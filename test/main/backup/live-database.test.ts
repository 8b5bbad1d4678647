import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createRepository } from '../../../src/main/backup/open-repository.ts';
import { openRepositorySource } from '../../../src/main/backup/repository-source.ts';
import { createRepositoryWriter } from '../../../src/main/backup/repository-writer.ts';
import type { BackupSource } from '../../../src/main/backup/source.ts';
import { describeTree, listFiles } from '../../support/archive-vault.ts';
import { TEST_SECRET } from '../../support/backup-vault.ts';
import { inPlace, newRestoreWorld, type RestoreWorld, toFolder } from '../../support/restore-world.ts';

const ROWS = 2_000;
const SECRET = ['hunter', '2'].join('');

function world(): RestoreWorld {
  const made = newRestoreWorld();
  onTestFinished(made.remove);
  return made;
}

/** Two columns that are each other's opposite after every whole transaction. */
function openLive(path: string, mode: 'WAL' | 'DELETE'): Database.Database {
  const live = new Database(path);
  onTestFinished(() => void live.close());
  live.pragma(`journal_mode = ${mode}`);
  live.exec('CREATE TABLE t (a INTEGER, b INTEGER)');
  const insert = live.prepare('INSERT INTO t VALUES (?, ?)');
  live.transaction(() => {
    for (let index = 0; index < ROWS; index += 1) insert.run(index, -index);
  })();
  return live;
}

function sumsIn(path: string): unknown {
  // A second opinion on the file that came back.
  expect(execFileSync('sqlite3', [path, 'PRAGMA integrity_check'], { encoding: 'utf8' })).toBe('ok\n');
  const copy = new Database(path);
  try {
    return copy.prepare('SELECT count(*) AS n, sum(a + b) AS s FROM t').get();
  } finally {
    copy.close();
  }
}

function openRepository(w: RestoreWorld) {
  const gitFolder = join(w.dataFolder, 'backups', 'local.git');
  mkdirSync(join(w.dataFolder, 'backups'), { recursive: true });
  const writer = createRepositoryWriter(createRepository({ gitFolder, secret: TEST_SECRET, deviceId: 'd' }), {
    dataFolder: w.dataFolder,
    agentVersion: '0.0.0',
    settings: () => ({}),
    nowMs: () => w.clock.nowMs,
  });
  onTestFinished(() => writer.close());
  return writer;
}

const backUp: Readonly<Record<'archive' | 'repository', (w: RestoreWorld) => Promise<BackupSource>>> = {
  archive: async (w) => w.open((await w.archive()).file),
  repository: async (w) => {
    const writer = openRepository(w);
    await writer.backup({ reason: 'manual' });
    return openRepositorySource(writer.reader, writer.reader.find('latest'));
  },
};

describe.each(['archive', 'repository'] as const)('A database that a program writes to, in the %s,', (where) => {
  test('is as it was after a whole transaction, without the log that would be played over it', async () => {
    const w = world();
    w.put('plain.md', 'a file beside it');
    const live = openLive(join(w.root, 'notes.store'), 'WAL');
    await w.capture();
    live.exec('UPDATE t SET b = b - 1');
    const source = await backUp[where](w);
    const to = join(w.base, 'restored');
    await w.restorer.apply(source, await w.restorer.prepare(source, toFolder(to)));
    await source.close();
    expect(listFiles(to)).toEqual(['notes.store', 'plain.md']);
    expect(sumsIn(join(to, 'notes.store'))).toEqual({ n: ROWS, s: -ROWS });
  });

  test('is taken in the middle of a transaction as it was before that', async () => {
    const w = world();
    const live = openLive(join(w.root, 'long_term.db'), 'DELETE');
    live.exec('BEGIN; UPDATE t SET b = b - 1');
    expect(existsSync(join(w.root, 'long_term.db-journal'))).toBe(true);
    await w.capture();
    const source = await backUp[where](w).catch((cause: unknown) => cause as Error);
    live.exec('ROLLBACK');
    if (source instanceof Error) throw source;
    const to = join(w.base, 'restored');
    await w.restorer.apply(source, await w.restorer.prepare(source, toFolder(to)));
    await source.close();
    expect(sumsIn(join(to, 'long_term.db'))).toEqual({ n: ROWS, s: 0 });
  });

  test('is not restored under a log that would be played back over it', async () => {
    const w = world();
    const live = openLive(join(w.root, 'notes.db'), 'WAL');
    await w.capture();
    const source = await backUp[where](w);
    live.exec('UPDATE t SET b = b - 1');
    const prepared = await w.restorer.prepare(source, inPlace());
    await expect(w.restorer.apply(source, prepared)).rejects.toMatchObject({
      code: 'restore.target',
      message: expect.stringContaining('notes.db is a database with a log'),
    });
    // Whoever used it closes it, and with that the log is gone.
    live.close();
    await w.restorer.apply(source, await w.restorer.prepare(source, inPlace()));
    await source.close();
    expect(sumsIn(join(w.root, 'notes.db'))).toEqual({ n: ROWS, s: 0 });
  });
});

test('A live database that did not change is not copied again, and one that did is', async () => {
  const w = world();
  const live = openLive(join(w.root, 'notes.db'), 'WAL');
  await w.capture();
  const writer = openRepository(w);
  const first = await writer.backup({ reason: 'manual' });
  w.put('other.md', 'a change beside it');
  await w.capture();
  const second = await writer.backup({ reason: 'manual' });
  const hashIn = (commit: string) => writer.reader.stat(commit, w.rootId, 'notes.db')?.sha256;
  expect(hashIn(second.summary.commit)).toBe(hashIn(first.summary.commit));
  live.exec('UPDATE t SET b = b - 1');
  await w.capture();
  const third = await writer.backup({ reason: 'manual' });
  expect(hashIn(third.summary.commit)).not.toBe(hashIn(first.summary.commit));
  expect(third.warnings).toEqual([]);
  // The copies are gone.
  expect([...describeTree(join(w.dataFolder, 'backup', 'tmp'))]).toEqual([]);
  rmSync(join(w.root, 'other.md'));
});

test('A database that is locked is taken as it was at the last copy, and the backup says so', async () => {
  const w = world();
  const live = openLive(join(w.root, 'notes.db'), 'WAL');
  await w.capture();
  const writer = openRepository(w);
  const first = await writer.backup({ reason: 'manual' });
  live.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE; UPDATE t SET b = b - 1');
  await w.capture();
  const second = await writer.backup({ reason: 'manual' });
  live.exec('ROLLBACK');
  const inBackup = (commit: string) => writer.reader.stat(commit, w.rootId, 'notes.db');
  expect(inBackup(second.summary.commit)?.sha256).toBe(inBackup(first.summary.commit)?.sha256);
  expect(inBackup(second.summary.commit)?.isStale).toBe(true);
  expect(second.summary.incomplete).toBe(1);
  expect(second.warnings).toEqual([expect.stringContaining('notes.db is in use')]);
});

test('A live database with a secret in it does not leave in a readable archive', async () => {
  const w = world();
  const live = openLive(join(w.root, 'notes.db'), 'WAL');
  await w.capture();
  live.exec(`CREATE TABLE words (text TEXT); INSERT INTO words VALUES ('the word is ${SECRET}')`);
  const redact = (text: string) => {
    const redactions = text.split(SECRET).length - 1;
    return { text: text.replaceAll(SECRET, '[redacted]'), redactions, kinds: redactions > 0 ? ['password'] : [] };
  };
  await expect(w.archive({ redact })).rejects.toMatchObject({
    code: 'backup.refused',
    message: expect.stringContaining('notes.db'),
  });
});
