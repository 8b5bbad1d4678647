import { type RootHold, rootHold } from '../../shared/model.ts';
import type { Store } from './database.ts';

/** What the vault remembers of a root; whether it is watched right now the watch knows. */
export type StoredRoot = {
  readonly rootId: number;
  readonly path: string;
  /** Device and inode of the folder at the last good scan. */
  readonly identity: string | null;
  readonly hold: RootHold | null;
  readonly lastScanAtMs: number | null;
};

export type RootCounts = { readonly files: number; readonly sizeBytes: number; readonly skipped: number };

export type RootStore = {
  /** Roots that are not removed. */
  readonly list: () => readonly StoredRoot[];
  readonly get: (rootId: number) => StoredRoot | undefined;
  /** Makes the root known, or known again with all its history. Safe to repeat. */
  readonly ensure: (path: string) => StoredRoot;
  /** Ends watching; files and history stay. */
  readonly remove: (rootId: number) => void;
  readonly saveScan: (rootId: number, scan: { readonly identity: string; readonly hold: RootHold | null }) => void;
  readonly saveHold: (rootId: number, hold: RootHold | null) => void;
  readonly counts: (rootId: number) => RootCounts;
};

type Row = {
  id: number;
  path: string;
  identity: string | null;
  hold_json: string | null;
  last_scan_at_ms: number | null;
};

export function createRootStore(store: Store): RootStore {
  const { db } = store;
  const columns = 'id, path, identity, hold_json, last_scan_at_ms';
  const list = db.prepare<[], Row>(`SELECT ${columns} FROM roots WHERE removed_at_ms IS NULL ORDER BY path`);
  const get = db.prepare<[number], Row>(`SELECT ${columns} FROM roots WHERE id = ?`);
  const byPath = db.prepare<[string], Row>(`SELECT ${columns} FROM roots WHERE path = ?`);
  const add = db.prepare<[string, number]>(
    `INSERT INTO roots (path, added_at_ms) VALUES (?, ?) ON CONFLICT (path) DO UPDATE SET removed_at_ms = NULL`,
  );
  const remove = db.prepare<[number, number]>('UPDATE roots SET removed_at_ms = ? WHERE id = ?');
  const saveScan = db.prepare<[string, string | null, number, number]>(
    'UPDATE roots SET identity = ?, hold_json = ?, last_scan_at_ms = ? WHERE id = ?',
  );
  const saveHold = db.prepare<[string | null, number]>('UPDATE roots SET hold_json = ? WHERE id = ?');
  const counts = db.prepare<[number], { state: string; files: number; bytes: number }>(
    'SELECT state, count(*) AS files, coalesce(sum(size_bytes), 0) AS bytes FROM files WHERE root_id = ? GROUP BY state',
  );
  return {
    list: () => list.all().map(toRoot),
    get: (rootId) => optional(get.get(rootId)),
    ensure: (path) =>
      store.write(() => {
        add.run(path, store.nowMs());
        const row = byPath.get(path);
        if (row === undefined) throw new Error('a root that was just added is not there');
        return toRoot(row);
      }),
    remove: (rootId) => store.write(() => void remove.run(store.nowMs(), rootId)),
    saveScan: (rootId, scan) =>
      store.write(() => void saveScan.run(scan.identity, toJson(scan.hold), store.nowMs(), rootId)),
    saveHold: (rootId, hold) => store.write(() => void saveHold.run(toJson(hold), rootId)),
    counts: (rootId) => {
      const rows = counts.all(rootId);
      const of = (state: string) => rows.find((row) => row.state === state);
      return {
        files: of('present')?.files ?? 0,
        sizeBytes: of('present')?.bytes ?? 0,
        skipped: of('skipped')?.files ?? 0,
      };
    },
  };
}

function toRoot(row: Row): StoredRoot {
  const hold = row.hold_json === null ? null : rootHold.parse(JSON.parse(row.hold_json));
  return { rootId: row.id, path: row.path, identity: row.identity, hold, lastScanAtMs: row.last_scan_at_ms };
}

function optional(row: Row | undefined): StoredRoot | undefined {
  return row === undefined ? undefined : toRoot(row);
}

function toJson(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}
