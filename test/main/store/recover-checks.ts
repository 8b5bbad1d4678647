/** What must hold of a vault that was damaged, whatever the damage; each check tells what is wrong in words. */
import { hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { readContent } from '../../../src/main/store/contents.ts';
import type { Store } from '../../../src/main/store/database.ts';
import { quickCheck } from '../../../src/main/store/quick-check.ts';
import { prepareRows } from '../../../src/main/store/record-rows.ts';
import type { RecoveryReport } from '../../../src/main/store/recover.ts';
import { AppError } from '../../../src/shared/errors.ts';
import type { EditableRecord } from '../../../src/shared/model.ts';
import { hasContent, hasRecord, hasRow } from './recover-damage.ts';
import { currentFiles, newestChange, type Written, type WrittenSnapshot } from './recover-fixture.ts';

export type Outcome = {
  readonly store: Store;
  readonly folder: string;
  readonly recovery: RecoveryReport | null;
  readonly written: Written;
  /** Pages with rows that are byte for byte as they were. */
  readonly parts: readonly Buffer[];
};

type Row = { id: string; path: string; captured_at_ms: number; sha256: Buffer | null };

/** The new vault is sound, gives no number twice, and its report lies beside the damaged files. */
export function checkSound({ store, recovery, written }: Outcome): string[] {
  const problems: string[] = [];
  if (quickCheck(store.db) !== null) problems.push('the vault is still damaged');
  if (recovery === null) return problems;
  if (store.db.pragma('integrity_check', { simple: true }) !== 'ok') problems.push('indexes do not match');
  if ((store.db.pragma('foreign_key_check') as unknown[]).length > 0) problems.push('rows refer to nothing');
  if (newestChange(store) <= written.newestChange) problems.push('change numbers would be given out twice');
  if (store.deviceId !== written.deviceId && countSnapshots(store) > 0) problems.push('the device is another one');
  for (const name of ['report.txt', 'report.json']) {
    if (!existsSync(join(recovery.movedTo, name))) problems.push(`${name} is not there`);
  }
  return problems;
}

/** What lies in an intact page is there again; what is lost is listed, or told to be unknown when its page is gone. */
export function checkSnapshots(outcome: Outcome): string[] {
  const { recovery, written, parts } = outcome;
  const rows = readRows(outcome.store);
  const isUnknown = recovery?.tables.some(({ name, lost }) => name === 'file_snapshots' && lost === 'unknown') === true;
  return written.snapshots.flatMap((snapshot) => {
    const row = rows.get(snapshot.id);
    const isListed = recovery?.lostSnapshots.some((lost) => isSame(lost, snapshot)) === true;
    const what = `${snapshot.path} ${snapshot.id}`;
    if (!hasRow(parts, snapshot, written.deviceId)) {
      return row === undefined && recovery !== null && !isListed && !isUnknown ? [`${what} is lost and not told`] : [];
    }
    if (row === undefined) return [`${what} can be read and is not there`];
    if (row.path !== snapshot.path || row.captured_at_ms !== snapshot.capturedAtMs) return [`${what} is not the same`];
    const content = readBack(outcome, row, snapshot);
    if (content === 'wrong') return [`${what} has wrong bytes`];
    if (content === 'right') return [];
    if (hasContent(parts, snapshot)) return [`the content of ${what} can be read and is not there`];
    return recovery !== null && !isListed ? [`the content of ${what} is lost and not listed`] : [];
  });
}

function isSame(lost: RecoveryReport['lostSnapshots'][number], snapshot: WrittenSnapshot): boolean {
  return lost.path === snapshot.path && (lost.capturedAtMs === null || lost.capturedAtMs === snapshot.capturedAtMs);
}

/** Every decision and memory is there again, unless nothing was noticed and its own page was hit. */
export function checkRecords({ store, recovery, written, parts }: Outcome): string[] {
  const rows = { decision_vault: prepareRows(store.db, 'decision_vault'), memories: prepareRows(store.db, 'memories') };
  const problems = written.records.flatMap((record) => {
    if (recovery === null && !hasRecord(parts, record)) return [];
    const found = rows[record.table].get(record.id);
    return isDeepStrictEqual(withoutSeq(found), withoutSeq(record))
      ? []
      : [`${record.table} ${record.id} is not the same`];
  });
  return problems.concat((recovery?.lostRecords ?? []).map((id) => `${id} is listed as lost`));
}

/** A record that comes back from the journal gets a new change number. */
function withoutSeq(record: EditableRecord | undefined): unknown {
  return record === undefined ? undefined : { ...record, changeSeq: 0 };
}

/** For damage that touched no row: nothing may be missing, however the vault looked to SQLite. */
export function checkComplete(outcome: Outcome): string[] {
  const { store, recovery, written } = outcome;
  const rows = readRows(store);
  const problems = (recovery?.lostSnapshots ?? []).map((lost) => `${lost.path} is listed as lost`);
  for (const snapshot of written.snapshots) {
    const row = rows.get(snapshot.id);
    if (row === undefined || readBack(outcome, row, snapshot) !== 'right') problems.push(`${snapshot.path} is missing`);
  }
  const files = store.db
    .prepare<[], { path: string; id: string }>(
      "SELECT iif(dir = '', name, dir || '/' || name) AS path, snapshot_id AS id FROM files WHERE state = 'present'",
    )
    .all();
  const current = new Map(files.map((row) => [row.path, row.id]));
  if (!isDeepStrictEqual(current, currentFiles(written))) problems.push('the index of files is not the same');
  const links = store.db.prepare<[], { id: string; remote: string }>(
    'SELECT record_id AS id, remote_id AS remote FROM links',
  );
  const linked = new Map(links.all().map((row) => [row.id, row.remote]));
  if (!isDeepStrictEqual(linked, written.links)) problems.push('the links are not the same');
  return problems;
}

/** Nothing of another vault, and nothing that never was. */
export function checkNothingForeign({ store, written }: Outcome): string[] {
  const ids = new Set(written.snapshots.map((snapshot) => snapshot.id));
  return [...readRows(store).keys()].filter((id) => !ids.has(id)).map((id) => `${id} was never written`);
}

export function countSnapshots(store: Store): number {
  return store.db.prepare<[], { count: number }>('SELECT count(*) AS count FROM file_snapshots').get()?.count ?? 0;
}

function readRows(store: Store): Map<string, Row> {
  const rows = store.db.prepare<[], Row>('SELECT id, path, captured_at_ms, sha256 FROM file_snapshots').all();
  return new Map(rows.map((row) => [row.id, row]));
}

function readBack(
  { store, folder }: Outcome,
  { sha256 }: Row,
  { bytes }: WrittenSnapshot,
): 'right' | 'wrong' | 'refused' {
  if (bytes === null || sha256 === null) return bytes === null && sha256 === null ? 'right' : 'refused';
  try {
    return hash('sha256', readContent(store.db, folder, sha256)) === hash('sha256', bytes) ? 'right' : 'wrong';
  } catch (cause) {
    if (cause instanceof AppError) return 'refused';
    throw cause;
  }
}
