import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createActivityStore } from '../../../src/main/store/activities.ts';
import { createCaptures } from '../../../src/main/store/captures.ts';
import { createOutbox } from '../../../src/main/store/outbox.ts';
import { findDamage, markDamaged, openOrRecover, recoverVault } from '../../../src/main/store/recover.ts';
import { createRowWriter } from '../../../src/main/store/recover-rows.ts';
import { createRootStore } from '../../../src/main/store/roots.ts';
import type { SalvagedValue } from '../../../src/main/store/salvage-page.ts';
import { readShapes } from '../../../src/main/store/salvage-shapes.ts';
import { checkComplete, checkRecords, checkSound, countSnapshots, type Outcome } from './recover-checks.ts';
import {
  createRandom,
  currentFiles,
  live,
  newFolder,
  openWriter,
  ROOT,
  removeFolder,
  START_MS,
  toContent,
  toSeen,
  type Written,
} from './recover-fixture.ts';

let base = '';
let written: Written;
const nowMs = (): number => START_MS + 86_400_000;

beforeAll(() => {
  base = newFolder();
  const writer = openWriter(join(base, 'vault'), 3);
  live(writer, 1, 14, 6);
  written = writer.written();
  writer.store.db.pragma('wal_checkpoint(TRUNCATE)');
  writer.close();
});
afterAll(() => removeFolder(base));

function copyVault(): string {
  const folder = newFolder();
  onTestFinished(() => removeFolder(folder));
  cpSync(join(base, 'vault'), folder, { recursive: true });
  return folder;
}

/** Rebuilds whatever is wrong, and opens the new vault. */
function rebuild(folder: string): Outcome {
  const recovery = recoverVault({ dataFolder: folder, nowMs, reason: 'the test broke it' });
  const { store } = openOrRecover({ dataFolder: folder, nowMs });
  onTestFinished(() => store.close());
  return { store, folder, recovery, written, parts: [] };
}

/** Overwrites every page of these tables and indexes with zeros. */
function zeroPagesOf(folder: string, ...names: string[]): void {
  const file = join(folder, 'vault.db');
  const db = new Database(file, { readonly: true });
  const find = db.prepare<[string], { pageno: number }>('SELECT pageno FROM dbstat WHERE name = ?');
  const pages = names.flatMap((name) => find.all(name));
  db.close();
  const bytes = readFileSync(file);
  for (const { pageno } of pages) bytes.fill(0, (pageno - 1) * 8_192, pageno * 8_192);
  writeFileSync(file, bytes);
}

/** What the first scan after a recovery does: shows every file that is on the disk to the vault. */
function scan({ store, folder }: Outcome) {
  const outbox = createOutbox(store);
  const captures = createCaptures(store, { outbox, activities: createActivityStore(store, outbox) });
  const root = createRootStore(store).ensure(ROOT);
  const current = currentFiles(written);
  const present = written.snapshots.filter(({ id, path }) => current.get(path) === id);
  return captures.apply(
    root.rootId,
    present.flatMap(({ path, bytes }) =>
      bytes === null ? [] : [toSeen(path, toContent(folder, bytes), START_MS, null)],
    ),
  );
}

const NOTHING = { created: 0, modified: 0, renamed: 0, deleted: 0, unchanged: 0, skipped: 0, bytes: 0 };

describe('when all pages are gone of', () => {
  test('the index of files: it continues from the versions, and a scan writes no false history', () => {
    const folder = copyVault();
    zeroPagesOf(folder, 'files', 'sqlite_autoindex_files_1', 'files_by_change', 'files_by_state');
    const outcome = rebuild(folder);
    expect([...checkSound(outcome), ...checkComplete(outcome)]).toEqual([]);
    expect(scan(outcome)).toEqual({ ...NOTHING, unchanged: currentFiles(written).size });
  });

  test('the versions: each of them is listed by path and time', () => {
    const folder = copyVault();
    zeroPagesOf(folder, 'file_snapshots');
    const { recovery } = rebuild(folder);
    const lost = recovery?.lostSnapshots.map(({ path, capturedAtMs }) => `${path} ${capturedAtMs}`);
    expect(lost?.sort()).toEqual(written.snapshots.map(({ path, capturedAtMs }) => `${path} ${capturedAtMs}`).sort());
    expect(recovery?.text).toContain(`cannot be read any more: ${written.snapshots.length}`);
  });

  test('the versions and their activities: the paths are listed from the index', () => {
    const folder = copyVault();
    zeroPagesOf(folder, 'file_snapshots', 'activities');
    const { recovery } = rebuild(folder);
    expect(recovery?.lostSnapshots.map(({ path }) => path).sort()).toEqual(
      written.snapshots.map(({ path }) => path).sort(),
    );
  });

  test('the contents: every version that had one is listed, and the next scan brings the present ones back', () => {
    const folder = copyVault();
    zeroPagesOf(folder, 'contents');
    const outcome = rebuild(folder);
    // What lies in objects/, large files and packs, proves itself.
    const gone = written.snapshots.filter(({ stored }) => stored !== null);
    expect(outcome.recovery?.lostSnapshots).toHaveLength(gone.length);
    const current = new Set(currentFiles(written).values());
    const kept = written.snapshots.filter(({ id, stored }) => current.has(id) && stored === null).length;
    const { created, unchanged } = scan(outcome);
    expect({ created, unchanged }).toEqual({ created: currentFiles(written).size - kept, unchanged: kept });
    expect(scan(outcome)).toEqual({ ...NOTHING, unchanged: currentFiles(written).size });
  });

  test('decisions, memories and their history: the journal brings all of them back', () => {
    const folder = copyVault();
    const before = countHistory(folder);
    zeroPagesOf(folder, 'decision_vault', 'memories', 'record_history');
    const outcome = rebuild(folder);
    expect(checkRecords(outcome)).toEqual([]);
    const after = outcome.store.db.prepare('SELECT count(*) AS count FROM record_history').get();
    expect({ before, after }).toEqual({ before, after: before });
  });

  test('the roots: the path comes back from the index, with all its history', () => {
    const folder = copyVault();
    zeroPagesOf(folder, 'roots');
    const outcome = rebuild(folder);
    expect(createRootStore(outcome.store).list()).toMatchObject([{ path: ROOT }]);
    expect([...checkSound(outcome), ...checkComplete(outcome)]).toEqual([]);
  });

  test('the roots and their index: the history stays readable under a name that says so', () => {
    const folder = copyVault();
    zeroPagesOf(folder, 'roots', 'sqlite_autoindex_roots_1');
    const outcome = rebuild(folder);
    expect(outcome.store.db.prepare('SELECT path FROM roots').all()).toEqual([{ path: '(unknown folder 1)' }]);
    expect([...checkSound(outcome), ...checkComplete(outcome)]).toEqual([]);
  });

  test('counters and facts: numbers go on far above all that were used, under the same device', () => {
    const folder = copyVault();
    zeroPagesOf(folder, 'counters', 'meta');
    const outcome = rebuild(folder);
    expect([...checkSound(outcome), ...checkComplete(outcome)]).toEqual([]);
  });

  test('the outbox: each remote is offered again what it has not acknowledged', () => {
    const folder = copyVault();
    zeroPagesOf(folder, 'outbox', 'outbox_by_due');
    const { store } = rebuild(folder);
    const outbox = createOutbox(store);
    while (outbox.fillBacklog(1_000));
    const expected = written.snapshots.length + written.records.length - written.links.size;
    const waiting = store.db.prepare("SELECT count(*) AS count FROM outbox WHERE table_name <> 'activities'").get();
    expect(waiting).toEqual({ count: expected });
  });
});

function countHistory(folder: string): unknown {
  const db = new Database(join(folder, 'vault.db'), { readonly: true });
  const count = db.prepare('SELECT count(*) AS count FROM record_history').get();
  db.close();
  return count;
}

describe('a recovery', () => {
  test('keeps the damaged files as they were, and is not repeated', () => {
    const folder = copyVault();
    const before = readFileSync(join(folder, 'vault.db'));
    const { recovery } = rebuild(folder);
    expect(readFileSync(join(recovery?.movedTo ?? '', 'vault.db')).equals(before)).toBe(true);
    expect(readdirSync(recovery?.movedTo ?? '').sort()).toEqual(['report.json', 'report.txt', 'vault.db']);
    expect(findDamage(folder)).toBeNull();
  });

  test('follows a mark that a test of the file left behind, and names its reason', () => {
    const folder = copyVault();
    markDamaged(folder, 'row 7 missing from index files_by_change');
    const { store, recovery } = openOrRecover({ dataFolder: folder, nowMs });
    store.close();
    expect(recovery?.reason).toBe('row 7 missing from index files_by_change');
    expect(findDamage(folder)).toBeNull();
  });

  test('that does not fit on the disk says how much is missing and leaves everything as it was', () => {
    const folder = copyVault();
    const before = listAll(folder);
    const attempt = () => recoverVault({ dataFolder: folder, nowMs, reason: 'test', freeBytes: () => 1_000_000 });
    expect(attempt).toThrow(
      expect.objectContaining({ code: 'data.full', message: expect.stringMatching(/ are missing/) }),
    );
    expect(listAll(folder)).toEqual(before);
  });

  test('that fails half way puts the files back, and the next start tries again', () => {
    const folder = copyVault();
    const before = readFileSync(join(folder, 'vault.db'));
    const obstacle = join(folder, 'damaged', 'x', 'report.json.new');
    mkdirSync(obstacle, { recursive: true });
    writeFileSync(join(folder, 'vault.damaged'), 'moved to: damaged/x\ntest\n');
    expect(() => recoverVault({ dataFolder: folder, nowMs })).toThrow(/EISDIR/);
    expect(readFileSync(join(folder, 'vault.db')).equals(before)).toBe(true);
    rmSync(obstacle, { recursive: true });
    expect(checkComplete(rebuild(folder))).toEqual([]);
  });

  test('that was stopped just before it removed the mark is finished, not repeated', () => {
    const folder = copyVault();
    const first = recoverVault({ dataFolder: folder, nowMs, reason: 'test' });
    writeFileSync(join(folder, 'vault.damaged'), `moved to: ${relative(folder, first.movedTo)}\ntest\n`);
    const { store, recovery } = openOrRecover({ dataFolder: folder, nowMs });
    store.close();
    expect(recovery).toEqual(first);
    expect(readdirSync(join(folder, 'damaged'))).toHaveLength(1);
    expect(existsSync(join(folder, 'vault.damaged'))).toBe(false);
  });

  test('killed at any moment, any number of times, ends well at the next start', async () => {
    const random = createRandom(11);
    const folder = copyVault();
    for (let kill = 0; kill < 10; kill += 1) {
      markDamagedIfWhole(folder);
      await runAndKill(folder, random() * 40);
    }
    const { store } = openOrRecover({ dataFolder: folder, nowMs });
    onTestFinished(() => store.close());
    const outcome: Outcome = { store, folder, recovery: null, written, parts: [] };
    expect([
      ...checkSound(outcome),
      ...checkComplete(outcome),
      ...checkRecords({ ...outcome, recovery: null }),
    ]).toEqual([]);
    expect(countSnapshots(store)).toBe(written.snapshots.length);
  }, 60_000);
});

function markDamagedIfWhole(folder: string): void {
  if (!existsSync(join(folder, 'vault.damaged'))) markDamaged(folder, 'test');
}

/** Starts a recovery in another process; the time counts from the moment it begins. */
function runAndKill(folder: string, afterMs: number): Promise<void> {
  const module = pathToFileURL(join(import.meta.dirname, '../../../src/main/store/recover.ts')).href;
  const code = `const { recoverVault } = await import('${module}'); console.log('begins');
    recoverVault({ dataFolder: ${JSON.stringify(folder)}, nowMs: () => ${nowMs()} });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), afterMs));
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

function listAll(folder: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[]).sort();
}

describe('a vault that only was killed', () => {
  test('is opened as it is, at every moment of its life', () => {
    const folder = join(newFolder(), 'live');
    onTestFinished(() => removeFolder(join(folder, '..')));
    const writer = openWriter(folder, 5);
    writer.store.db.pragma('wal_autocheckpoint = 40');
    for (let moment = 0; moment < 40; moment += 1) {
      writer.capture(`note ${moment % 7}.md`, Buffer.from(`version ${moment} ${'x'.repeat(moment * 50)}`));
      if (moment % 5 === 0) writer.writeDecision(`Decision ${moment}`, 'because');
      const copy = newFolder();
      onTestFinished(() => removeFolder(copy));
      cpSync(folder, copy, { recursive: true });
      rmSync(join(copy, 'vault.db-shm'));
      expect(findDamage(copy), `moment ${moment}`).toBeNull();
      const { store, recovery, caughtUp } = openOrRecover({ dataFolder: copy, nowMs });
      expect({ count: countSnapshots(store), recovery, caughtUp }).toEqual({
        count: moment + 1,
        recovery: null,
        caughtUp: null,
      });
      store.close();
    }
    writer.close();
  });

  test('with nothing in it yet is a new vault', () => {
    const folder = newFolder();
    onTestFinished(() => removeFolder(folder));
    expect(findDamage(folder)).toBeNull();
    writeFileSync(join(folder, 'vault.db'), '');
    expect(findDamage(folder)).toBeNull();
  });
});

test('of two versions of a row the one with the newer change stays, in whatever order they are found', () => {
  const db = new Database(':memory:');
  onTestFinished(() => void db.close());
  db.exec(LINKS);
  const [shape] = readShapes([{ number: 1, name: 'test', sql: LINKS }]);
  if (shape === undefined) throw new Error('no table');
  const writer = createRowWriter(db);
  const rows: SalvagedValue[][] = [
    ['a', 1, 'old'],
    ['a', 3, 'new'],
    ['a', 2, 'between'],
    ['b', 1, 'only'],
  ];
  expect(rows.map((values) => writer.write({ shape, values }))).toEqual([true, true, true, true]);
  expect(writer.write({ shape, values: ['c', 'no number', 'x'] })).toBe(false);
  expect(db.prepare('SELECT remote_id FROM links ORDER BY id').pluck().all()).toEqual(['new', 'only']);
});

const LINKS =
  'CREATE TABLE links (id TEXT PRIMARY KEY, acknowledged_seq INTEGER NOT NULL, remote_id TEXT) STRICT, WITHOUT ROWID';
