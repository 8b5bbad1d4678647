/** Compares a data folder with the ledger of those who wrote. Reads the vault with its own SQL; changes nothing of it. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { readContent } from '../../src/main/store/contents.ts';
import { readJournal } from '../../src/main/store/journal-lines.ts';
import { type FileState, type Ledger, sha256Of } from './crash-ledger.ts';

export type Problem = {
  readonly kind: 'lost' | 'duplicated' | 'half-written' | 'inconsistent';
  readonly what: string;
};

type Found = (kind: Problem['kind'], what: string) => void;
type Db = Database.Database;

/**
 * Everything acknowledged is there, byte for byte and once; nothing is there that nobody wrote. Give it a copy of a
 * folder that no process has open: closing the vault tidies its log up.
 */
export function checkVault(dataFolder: string, ledger: Ledger, remotes: readonly string[]): Problem[] {
  const problems: Problem[] = [];
  const found: Found = (kind, what) => problems.push({ kind, what });
  const db = new Database(join(dataFolder, 'vault.db'));
  try {
    for (const row of db.pragma('integrity_check') as { integrity_check: string }[])
      if (row.integrity_check !== 'ok') found('half-written', `integrity_check: ${row.integrity_check}`);
    checkContents(db, dataFolder, found);
    checkVersions(db, ledger, found);
    checkIndex(db, found);
    checkRecords(db, dataFolder, ledger, found);
    checkOutbox(db, remotes, found);
  } finally {
    db.close();
  }
  checkObjects(dataFolder, found);
  return problems;
}

/** The newest version of every file is what the disk holds; what the disk does not hold is recorded as gone. */
export function checkDisk(dataFolder: string, root: string): Problem[] {
  const db = new Database(join(dataFolder, 'vault.db'));
  const problems: Problem[] = [];
  try {
    const versions = versionsByPath(db);
    const onDisk = filesBelow(root);
    for (const path of new Set([...onDisk.keys(), ...versions.keys()])) {
      const newest = versions.get(path)?.at(-1) ?? null;
      const actual = onDisk.get(path) ?? null;
      if (newest !== actual)
        problems.push({ kind: 'lost', what: `${path}: the newest version is ${newest}, the disk has ${actual}` });
    }
  } finally {
    db.close();
  }
  return problems;
}

function filesBelow(root: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' }))
    if (statSync(join(root, path)).isFile()) files.set(path, sha256Of(readFileSync(join(root, path))));
  return files;
}

/** A rename is the end of the file at its earlier path. */
function versionsByPath(db: Db): Map<string, FileState[]> {
  const versions = new Map<string, FileState[]>();
  const add = (path: string, state: FileState): void => {
    versions.set(path, [...(versions.get(path) ?? []), state]);
  };
  const rows = db
    .prepare<[], { path: string; previous_path: string | null; sha256: Buffer | null }>(
      'SELECT path, previous_path, sha256 FROM file_snapshots ORDER BY change_seq',
    )
    .all();
  for (const { path, previous_path: previous, sha256 } of rows) {
    if (previous !== null) add(previous, null);
    add(path, sha256?.toString('hex') ?? null);
  }
  return versions;
}

function checkContents(db: Db, dataFolder: string, found: Found): void {
  const stored = db
    .prepare<[], { sha256: Buffer }>(
      'SELECT sha256 FROM file_snapshots WHERE sha256 IS NOT NULL UNION SELECT sha256 FROM contents',
    )
    .all();
  for (const { sha256 } of stored) {
    try {
      readContent(db, dataFolder, sha256);
    } catch (cause) {
      found('half-written', `content ${sha256.toString('hex')}: ${String(cause)}`);
    }
  }
}

/** Also objects that no row refers to: the next capture of that content would trust them. */
function checkObjects(dataFolder: string, found: Found): void {
  const folder = join(dataFolder, 'objects');
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name);
    // Packs may end in what a crash left; what the vault refers to in them was read already.
    if (/^(tmp|packs)/.test(name) || !statSync(path).isFile()) continue;
    if (unpackedHash(path) !== name.slice(3)) found('half-written', `object ${name} is not what its name says`);
  }
}

function unpackedHash(path: string): string | null {
  try {
    return sha256Of(zstdDecompressSync(readFileSync(path)));
  } catch {
    // Cut or overwritten: it has no content at all.
    return null;
  }
}

function checkVersions(db: Db, ledger: Ledger, found: Found): void {
  const versions = versionsByPath(db);
  for (const [path, states] of versions) {
    for (const [index, state] of states.entries())
      if (index > 0 && state === states[index - 1]) found('duplicated', `${path}: ${state} twice in a row`);
    if (!isInOrder(states, ledger.writes.get(path) ?? []))
      found('half-written', `${path}: versions ${states.join(' ')} were never written in this order`);
  }
  for (const { path, sha256 } of ledger.captured)
    if (sha256 !== null && versions.get(path)?.includes(sha256) !== true)
      found('lost', `${path}: the acknowledged version ${sha256} is not there`);
    else if (sha256 === null && versions.has(path) && versions.get(path)?.includes(null) !== true)
      found('lost', `${path}: the acknowledged deletion is not there`);
}

/** Whether `states` came one after the other out of `written`, some perhaps never seen. */
function isInOrder(states: readonly FileState[], written: readonly FileState[]): boolean {
  let from = 0;
  for (const state of states.filter((each, index) => each !== states[index - 1])) {
    const at = written.indexOf(state, from);
    if (at < 0) return false;
    from = at + 1;
  }
  return true;
}

function checkIndex(db: Db, found: Found): void {
  const versions = versionsByPath(db);
  const rows = db
    .prepare<[], { dir: string; name: string; state: string; sha256: Buffer | null }>(
      "SELECT dir, name, state, sha256 FROM files WHERE state <> 'skipped'",
    )
    .all();
  for (const { dir, name, state, sha256 } of rows) {
    const path = dir === '' ? name : `${dir}/${name}`;
    const expected = state === 'present' ? (sha256?.toString('hex') ?? null) : null;
    const newest = versions.get(path)?.at(-1) ?? null;
    if (newest !== expected) found('inconsistent', `${path}: the index says ${expected}, the newest version ${newest}`);
  }
  const lonely = count(
    db,
    'SELECT count(*) AS count FROM file_snapshots WHERE id NOT IN (SELECT snapshot_id FROM activities WHERE snapshot_id IS NOT NULL)',
  );
  if (lonely > 0) found('lost', `${lonely} versions have no activity`);
  const repeated = count(
    db,
    'SELECT count(*) AS count FROM (SELECT 1 FROM activities WHERE snapshot_id IS NOT NULL GROUP BY snapshot_id HAVING count(*) > 1)',
  );
  if (repeated > 0) found('duplicated', `${repeated} versions have more than one activity`);
}

type HistoryRow = { table_name: string; record_id: string; change_seq: number; field: string; after_json: string };

function checkRecords(db: Db, dataFolder: string, ledger: Ledger, found: Found): void {
  const history = db.prepare<[], HistoryRow>('SELECT * FROM record_history ORDER BY change_seq').all();
  const journal = readJournal(dataFolder);
  if (journal.damaged > 0) found('half-written', `${journal.damaged} lines of the journal are damaged`);
  for (const { table, id, fields, step } of ledger.records) {
    for (const [field, value] of Object.entries(fields)) {
      const text = JSON.stringify(value);
      const inVault = history.some((row) => row.record_id === id && row.field === field && row.after_json === text);
      if (!inVault) found('lost', `${table} ${id}, ${step}: the value of ${field} is not in the history`);
      const isInJournal = journal.entries.some(
        (entry) =>
          entry.id === id &&
          entry.changes.some((change) => change.field === field && JSON.stringify(change.after) === text),
      );
      if (!isInJournal) found('lost', `${table} ${id}, ${step}: the value of ${field} is not in the journal`);
    }
  }
  const newest = new Map(history.map((row) => [`${row.table_name} ${row.record_id} ${row.field}`, row]));
  for (const { table_name: table, record_id: id, field, after_json } of newest.values()) {
    const row = db.prepare<[string], Record<string, unknown>>(`SELECT * FROM ${table} WHERE id = ?`).get(id);
    const after: unknown = JSON.parse(after_json);
    const stored = Array.isArray(after) ? JSON.stringify(after) : after;
    if (row === undefined) found('lost', `${table} ${id} has a history and no row`);
    else if (field in row && row[field] !== stored)
      found('inconsistent', `${table} ${id}: ${field} is not its newest value`);
  }
}

/** One entry per remote for everything that a remote is to hear of, none for anything else. */
function checkOutbox(db: Db, remotes: readonly string[], found: Found): void {
  for (const table of ['file_snapshots', 'activities', 'decision_vault', 'memories']) {
    for (const remote of remotes) {
      const missing = count(
        db,
        `SELECT count(*) AS count FROM ${table} WHERE id NOT IN (SELECT record_id FROM outbox WHERE remote = '${remote}' AND table_name = '${table}')`,
      );
      if (missing > 0) found('lost', `${missing} of ${table} are not in the outbox of ${remote}`);
    }
    const strays = count(
      db,
      `SELECT count(*) AS count FROM outbox WHERE table_name = '${table}' AND record_id NOT IN (SELECT id FROM ${table})`,
    );
    if (strays > 0) found('duplicated', `${strays} outbox entries for nothing in ${table}`);
  }
  const all = count(db, 'SELECT count(*) AS count FROM outbox');
  const distinct = count(
    db,
    'SELECT count(*) AS count FROM (SELECT DISTINCT remote, table_name, record_id FROM outbox)',
  );
  if (all !== distinct) found('duplicated', `${all - distinct} outbox entries twice`);
}

function count(db: Db, sql: string): number {
  return db.prepare<[], { count: number }>(sql).get()?.count ?? 0;
}
