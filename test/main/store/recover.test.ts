import { hash } from 'node:crypto';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readContent } from '../../../src/main/store/contents.ts';
import type { Store } from '../../../src/main/store/database.ts';
import { integrityCheck, quickCheck } from '../../../src/main/store/quick-check.ts';
import { prepareRows } from '../../../src/main/store/record-rows.ts';
import { type Opened, openOrRecover, type RecoveryReport, recoverVault } from '../../../src/main/store/recover.ts';
import { AppError } from '../../../src/shared/errors.ts';
import type { EditableRecord } from '../../../src/shared/model.ts';
import {
  DAMAGES,
  damageCopy,
  hasAllRows,
  hasContent,
  hasRecord,
  hasRow,
  intactParts,
  readTemplate,
  type Template,
} from './recover-damage.ts';
import {
  createRandom,
  currentFiles,
  live,
  newestChange,
  newFolder,
  openWriter,
  removeFolder,
  START_MS,
  type Written,
} from './recover-fixture.ts';

const COUNT = Number(process.env.DAMAGES ?? 128);
const SEED = Number(process.env.SEED ?? 20_261_121);

type Case = { readonly template: Template; readonly written: Written };
let base = '';
const templates: Case[] = [];
let foreign: Template;

/** A vault as a stop leaves it, one as a kill leaves it (with commits in the log only), and a stranger's. */
beforeAll(() => {
  base = newFolder();
  const folder = join(base, 'live');
  const writer = openWriter(folder, 1);
  live(writer, 1, 24);
  writer.store.db.pragma('wal_checkpoint(TRUNCATE)');
  writer.store.db.pragma('wal_autocheckpoint = 0');
  keep(folder, 'stopped', writer.written());
  live(writer, 2, 10);
  keep(folder, 'killed', writer.written());
  writer.close();
  const other = openWriter(join(base, 'other'), 2);
  live(other, 1, 40);
  cpSync(join(base, 'other'), join(base, 'foreign'), { recursive: true });
  other.close();
  foreign = readTemplate(join(base, 'foreign'));
});

function keep(folder: string, name: string, written: Written): void {
  cpSync(folder, join(base, name), { recursive: true });
  templates.push({ template: readTemplate(join(base, name)), written });
}

afterAll(() => {
  removeFolder(base);
  console.log(
    `recovery: ${COUNT} damages, seed ${SEED} (replay: SEED=${SEED} DAMAGES=${COUNT} npx vitest run test/main/store/recover.test.ts)`,
  );
});

const nowMs = (): number => START_MS + 86_400_000;

/** What the agent does: opens, tests the file (at the start, and thoroughly each day), rebuilds when it finds damage. */
function start(dataFolder: string): Opened {
  const opened = openOrRecover({ dataFolder, nowMs });
  if (quickCheck(opened.store.db) === null && integrityCheck(opened.store.db) === null) return opened;
  opened.store.close();
  const recovery = recoverVault({ dataFolder, nowMs });
  return { ...openOrRecover({ dataFolder, nowMs }), recovery };
}

test(`of ${COUNT} damaged vaults each opens again, with nothing lost that is readable or unlisted`, () => {
  const random = createRandom(SEED);
  const seen = new Map<string, number>();
  for (let index = 0; index < COUNT; index += 1) {
    const damage = DAMAGES[index % DAMAGES.length];
    const { template, written } = templates[Math.floor(index / DAMAGES.length) % templates.length] ?? {};
    if (damage === undefined || template === undefined || written === undefined) throw new Error('no damage');
    const folder = join(base, `damaged-${index}`);
    damageCopy(template, folder, damage, random, foreign);
    const parts = intactParts(template, folder);
    const isWhole = hasAllRows(template, folder);
    // One bit can make a vault look as if a newer program wrote it: that is refused, and nothing is touched.
    if (isNewerVersion(folder)) {
      expect(() => start(folder)).toThrow(expect.objectContaining({ code: 'data.from_future' }));
      continue;
    }
    const { store, recovery, caughtUp } = start(folder);
    try {
      const label = `#${index} ${damage.name}`;
      seen.set(damage.name, (seen.get(damage.name) ?? 0) + (recovery === null ? 0 : 1));
      checkSound(store, written, recovery, label);
      checkSnapshots(store, folder, written, recovery, parts, label);
      if (recovery === null && caughtUp === null) expect(countSnapshots(store), label).toBe(written.snapshots.length);
      checkRecords(store, written, recovery, parts, label);
      if (isWhole) checkWhole(store, folder, written, recovery, label);
    } finally {
      store.close();
    }
    removeFolder(folder);
  }
  console.log(JSON.stringify(Object.fromEntries(seen)));
}, 120_000);

function isNewerVersion(folder: string): boolean {
  const file = join(folder, 'vault.db');
  const header = existsSync(file) ? readFileSync(file).subarray(0, 100) : Buffer.alloc(0);
  if (header.length < 100 || header.toString('latin1', 0, 15) !== 'SQLite format 3') return false;
  return header.readUInt32BE(60) > 1 && header.readUInt32BE(60) < 100;
}

function checkSound(store: Store, written: Written, recovery: RecoveryReport | null, label: string): void {
  expect(quickCheck(store.db), label).toBeNull();
  if (recovery === null) return;
  expect(store.db.pragma('integrity_check', { simple: true }), label).toBe('ok');
  expect(store.db.pragma('foreign_key_check'), label).toEqual([]);
  expect(newestChange(store), label).toBeGreaterThan(written.newestChange);
  expect(existsSync(join(recovery.movedTo, 'report.txt')), label).toBe(true);
  expect(existsSync(join(recovery.movedTo, 'report.json')), label).toBe(true);
}

/** No row was touched: then nothing may be missing, however the vault looked to SQLite. */
function checkWhole(
  store: Store,
  folder: string,
  written: Written,
  recovery: RecoveryReport | null,
  label: string,
): void {
  expect(recovery?.lostSnapshots ?? [], label).toEqual([]);
  const find = store.db.prepare<[string], Row>('SELECT path, captured_at_ms, sha256 FROM file_snapshots WHERE id = ?');
  for (const snapshot of written.snapshots) {
    expect(readOutcome(store, folder, find.get(snapshot.id)?.sha256 ?? null, snapshot.bytes), label).toBe('right');
  }
  const current = store.db
    .prepare<[], { path: string; snapshot_id: string }>(
      "SELECT iif(dir = '', name, dir || '/' || name) AS path, snapshot_id FROM files WHERE state = 'present'",
    )
    .all();
  expect(new Map(current.map((row) => [row.path, row.snapshot_id])), label).toEqual(currentFiles(written));
  const links = store.db
    .prepare<[], { record_id: string; remote_id: string }>('SELECT record_id, remote_id FROM links')
    .all();
  expect(new Map(links.map((row) => [row.record_id, row.remote_id])), label).toEqual(written.links);
}

function countSnapshots(store: Store): number {
  return store.db.prepare<[], { count: number }>('SELECT count(*) AS count FROM file_snapshots').get()?.count ?? 0;
}

type Row = { path: string; captured_at_ms: number; sha256: Buffer | null };

function checkSnapshots(
  store: Store,
  folder: string,
  written: Written,
  recovery: RecoveryReport | null,
  parts: readonly Buffer[],
  label: string,
): void {
  const find = store.db.prepare<[string], Row>('SELECT path, captured_at_ms, sha256 FROM file_snapshots WHERE id = ?');
  const isUnknown =
    recovery?.tables.some((table) => table.name === 'file_snapshots' && table.lost === 'unknown') === true;
  for (const snapshot of written.snapshots) {
    const row = find.get(snapshot.id);
    const isListed = recovery?.lostSnapshots.some((lost) => lost.path === snapshot.path) === true;
    const what = `${label}: ${snapshot.path} ${snapshot.id}`;
    if (hasRow(parts, snapshot, written.deviceId)) {
      const expected = { path: snapshot.path, capturedAtMs: snapshot.capturedAtMs };
      expect(row && { path: row.path, capturedAtMs: row.captured_at_ms }, what).toEqual(expected);
      const outcome = readOutcome(store, folder, row?.sha256 ?? null, snapshot.bytes);
      if (hasContent(parts, snapshot)) expect(outcome, what).toBe('right');
      if (recovery !== null && outcome !== 'right') expect(isListed, `${what} is not listed`).toBe(true);
    } else if (row === undefined && recovery !== null) {
      expect(isListed || isUnknown, `${what} is lost and not told`).toBe(true);
    }
  }
}

/** Wrong bytes are never given out: that would be the one thing that cannot be forgiven. */
function readOutcome(store: Store, folder: string, sha256: Buffer | null, bytes: Buffer | null): 'right' | 'refused' {
  if (bytes === null) return sha256 === null ? 'right' : 'refused';
  try {
    const read = readContent(store.db, folder, sha256 ?? Buffer.alloc(32));
    expect(hash('sha256', read)).toBe(hash('sha256', bytes));
    return 'right';
  } catch (cause) {
    if (cause instanceof AppError) return 'refused';
    throw cause;
  }
}

function checkRecords(
  store: Store,
  written: Written,
  recovery: RecoveryReport | null,
  parts: readonly Buffer[],
  label: string,
): void {
  const rows = { decision_vault: prepareRows(store.db, 'decision_vault'), memories: prepareRows(store.db, 'memories') };
  for (const record of written.records) {
    const found = rows[record.table].get(record.id);
    // Damage that no test can see may change a text; a rebuild brings back even that.
    if (recovery === null && !hasRecord(parts, record)) continue;
    expect(withoutSeq(found), `${label}: ${record.id}`).toEqual(withoutSeq(record));
  }
  if (recovery !== null) expect(recovery.lostRecords, label).toEqual([]);
}

/** A record that comes back from the journal gets a new change number. */
function withoutSeq(record: EditableRecord | undefined): unknown {
  return record === undefined ? undefined : { ...record, changeSeq: 0 };
}
