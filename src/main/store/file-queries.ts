import { globToRegExp } from '../../shared/glob.ts';
import type { FileEntry, FileState, SkipReason, Snapshot, SnapshotChange } from '../../shared/model.ts';
import type { Store } from './database.ts';

export type FileFilter = {
  readonly rootId?: number | undefined;
  readonly under?: string | undefined;
  readonly glob?: string | undefined;
  readonly state?: readonly FileState[] | undefined;
};

export type FilePage = { readonly files: FileEntry[]; readonly next: string | null; readonly total: number };

/** Reads what is captured. All paths are relative to their root. */
export type FileQueries = {
  /** Files of roots that are watched. Cursors belong to one order and filter. */
  readonly list: (filter: FileFilter, order: 'path' | 'newest', limit: number, cursor: string | null) => FilePage;
  /** Direct children of a folder; folders with the number of files below them. */
  readonly tree: (
    rootId: number,
    folder: string,
  ) => { folders: { path: string; name: string; files: number }[]; files: FileEntry[] };
  readonly find: (rootId: number, path: string) => FileEntry | undefined;
  /** Newest first, across renames: what the file was called before is part of its history. */
  readonly history: (rootId: number, path: string, limit: number, beforeSeq: number | null) => Snapshot[];
  /** The snapshot that was current at a time; undefined when there was none. */
  readonly snapshotAt: (rootId: number, path: string, atMs: number) => Snapshot | undefined;
  /** Snapshots whose id starts or ends with the text. At most three: enough to tell unique from not. */
  readonly snapshotsByIdPart: (part: string) => Snapshot[];
  readonly totals: () => { snapshots: number; storedBytes: number; lastCaptureAtMs: number | null };
};

type FileRow = {
  id: number;
  root_id: number;
  root: string;
  dir: string;
  name: string;
  state: FileState;
  reason: SkipReason | null;
  size_bytes: number;
  mtime_us: number;
  sha256: Buffer | null;
  snapshot_id: string | null;
  change_seq: number;
  versions: number;
  captured_at_ms: number | null;
};

type SnapshotRow = {
  change_seq: number;
  id: string;
  device_id: string;
  root_id: number;
  root: string;
  path: string;
  previous_path: string | null;
  change: SnapshotChange;
  sha256: Buffer | null;
  size_bytes: number;
  mtime_us: number | null;
  captured_at_ms: number;
  still_open: number;
};

const FILE = `SELECT f.id, f.root_id, r.path AS root, f.dir, f.name, f.state, f.reason, f.size_bytes, f.mtime_us, f.sha256,
    f.snapshot_id, f.change_seq, s.captured_at_ms,
    (SELECT count(*) FROM file_snapshots v WHERE v.root_id = f.root_id
      AND v.path = iif(f.dir = '', f.name, f.dir || '/' || f.name)) AS versions
  FROM files f JOIN roots r ON r.id = f.root_id LEFT JOIN file_snapshots s ON s.id = f.snapshot_id`;
const SNAPSHOT = 'SELECT s.*, r.path AS root FROM file_snapshots s JOIN roots r ON r.id = s.root_id';

export function createFileQueries({ db }: Store): FileQueries {
  let glob: { readonly pattern: string; readonly expression: RegExp } | null = null;
  db.function('matches_glob', { deterministic: true }, (pattern: unknown, dir: unknown, name: unknown) => {
    if (glob === null || glob.pattern !== pattern) {
      glob = { pattern: String(pattern), expression: globToRegExp(String(pattern)) };
    }
    return glob.expression.test(dir === '' ? String(name) : `${String(dir)}/${String(name)}`) ? 1 : 0;
  });

  const where = (filter: FileFilter): { sql: string; values: (string | number)[] } => {
    const parts = ['r.removed_at_ms IS NULL'];
    const values: (string | number)[] = [];
    const add = (sql: string, ...more: (string | number)[]): void => {
      parts.push(sql);
      values.push(...more);
    };
    if (filter.rootId !== undefined) add('f.root_id = ?', filter.rootId);
    if (filter.under !== undefined && filter.under !== '') {
      // `/` is followed by `0` in ASCII: the range holds exactly the folders below.
      add('(f.dir = ? OR (f.dir >= ? AND f.dir < ?))', filter.under, `${filter.under}/`, `${filter.under}0`);
    }
    const states = filter.state ?? ['present'];
    add(`f.state IN (${states.map(() => '?').join(', ')})`, ...states);
    if (filter.glob !== undefined && filter.glob !== '') add('matches_glob(?, f.dir, f.name)', filter.glob);
    return { sql: parts.join(' AND '), values };
  };

  const find = db.prepare<[number, string, string], FileRow>(
    `${FILE} WHERE f.root_id = ? AND f.dir = ? AND f.name = ?`,
  );
  const children = db.prepare<[number, string], FileRow>(
    `${FILE} WHERE f.root_id = ? AND f.dir = ? AND f.state <> 'deleted' ORDER BY f.name`,
  );
  const folders = db.prepare<
    [{ root: number; from: string; to: string; skip: number }],
    { name: string; files: number }
  >(
    `SELECT iif(instr(rest, '/') = 0, rest, substr(rest, 1, instr(rest, '/') - 1)) AS name, count(*) AS files
     FROM (SELECT substr(dir, @skip) AS rest FROM files
           WHERE root_id = @root AND dir >= @from AND dir < @to AND dir <> '' AND state <> 'deleted')
     GROUP BY 1 ORDER BY 1`,
  );
  const history = db.prepare<[number, string, number, number], SnapshotRow>(
    `${SNAPSHOT} WHERE s.root_id = ? AND s.path = ? AND s.change_seq < ? ORDER BY s.change_seq DESC LIMIT ?`,
  );
  const byIdPart = db.prepare<[string, string], SnapshotRow>(`${SNAPSHOT} WHERE s.id GLOB ? OR s.id GLOB ? LIMIT 3`);
  const totals = db.prepare<[], { snapshots: number; stored: number; last: number | null }>(
    `SELECT (SELECT count(*) FROM file_snapshots) AS snapshots, (SELECT coalesce(sum(stored_bytes), 0) FROM contents) AS stored,
       (SELECT captured_at_ms FROM file_snapshots ORDER BY change_seq DESC LIMIT 1) AS last`,
  );

  const historyOf = (rootId: number, path: string, limit: number, beforeSeq: number | null): Snapshot[] => {
    const all: Snapshot[] = [];
    let from = beforeSeq ?? Number.MAX_SAFE_INTEGER;
    for (let name: string | null = path; name !== null && all.length < limit; ) {
      const rows: SnapshotRow[] = history.all(rootId, name, from, limit - all.length);
      // A rename begins a file's life under this name; before that it had the other one.
      const renamed = rows.findIndex((row) => row.change === 'renamed');
      const own = renamed === -1 ? rows : rows.slice(0, renamed + 1);
      all.push(...own.map(toSnapshot));
      name = renamed === -1 ? null : (own.at(-1)?.previous_path ?? null);
      from = own.at(-1)?.change_seq ?? 0;
    }
    return all;
  };

  return {
    list: (filter, order, limit, cursor) => {
      const { sql, values } = where(filter);
      const total =
        db
          .prepare<unknown[], { total: number }>(
            `SELECT count(*) AS total FROM files f JOIN roots r ON r.id = f.root_id WHERE ${sql}`,
          )
          .get(...values)?.total ?? 0;
      const position = cursor === null ? null : (JSON.parse(cursor) as (string | number)[]);
      const after =
        position === null
          ? ''
          : order === 'path'
            ? ' AND (f.root_id, f.dir, f.name) > (?, ?, ?)'
            : ' AND f.change_seq < ?';
      const by = order === 'path' ? 'f.root_id, f.dir, f.name' : 'f.change_seq DESC';
      const rows = db
        .prepare<unknown[], FileRow>(`${FILE} WHERE ${sql}${after} ORDER BY ${by} LIMIT ?`)
        .all(...values, ...(position ?? []), limit);
      const last = rows.at(-1);
      const next =
        last === undefined || rows.length < limit
          ? null
          : JSON.stringify(order === 'path' ? [last.root_id, last.dir, last.name] : [last.change_seq]);
      return { files: rows.map(toEntry), next, total };
    },
    tree: (rootId, folder) => {
      const range =
        folder === ''
          ? { from: '', to: '\u{10ffff}', skip: 1 }
          : { from: `${folder}/`, to: `${folder}0`, skip: folder.length + 2 };
      return {
        folders: folders
          .all({ root: rootId, ...range })
          .map(({ name, files }) => ({ name, files, path: folder === '' ? name : `${folder}/${name}` })),
        files: children.all(rootId, folder).map(toEntry),
      };
    },
    find: (rootId, path) => {
      const slash = path.lastIndexOf('/');
      const row = find.get(rootId, slash === -1 ? '' : path.slice(0, slash), path.slice(slash + 1));
      return row === undefined ? undefined : toEntry(row);
    },
    history: historyOf,
    snapshotAt: (rootId, path, atMs) =>
      historyOf(rootId, path, 100_000, null).find((snapshot) => snapshot.capturedAtMs <= atMs),
    snapshotsByIdPart: (part) =>
      /^[0-9a-f-]+$/.test(part) ? byIdPart.all(`${part}*`, `*${part}`).map(toSnapshot) : [],
    totals: () => {
      const row = totals.get();
      return { snapshots: row?.snapshots ?? 0, storedBytes: row?.stored ?? 0, lastCaptureAtMs: row?.last ?? null };
    },
  };
}

function toEntry(row: FileRow): FileEntry {
  return {
    fileId: row.id,
    rootId: row.root_id,
    root: row.root,
    path: row.dir === '' ? row.name : `${row.dir}/${row.name}`,
    state: row.state,
    reason: row.reason,
    sizeBytes: row.size_bytes,
    mtimeMs: Math.floor(row.mtime_us / 1_000),
    sha256: row.sha256?.toString('hex') ?? null,
    snapshotId: row.snapshot_id,
    versions: row.versions,
    capturedAtMs: row.captured_at_ms,
  };
}

function toSnapshot(row: SnapshotRow): Snapshot {
  return {
    snapshotId: row.id,
    seq: row.change_seq,
    rootId: row.root_id,
    root: row.root,
    path: row.path,
    previousPath: row.previous_path,
    change: row.change,
    sha256: row.sha256?.toString('hex') ?? null,
    sizeBytes: row.size_bytes,
    mtimeMs: row.mtime_us === null ? null : Math.floor(row.mtime_us / 1_000),
    capturedAtMs: row.captured_at_ms,
    deviceId: row.device_id,
    stillOpen: row.still_open === 1,
  };
}
