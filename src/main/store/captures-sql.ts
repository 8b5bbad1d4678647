import type { FileState, SkipReason } from '../../shared/model.ts';
import type { Store } from './database.ts';

/** A row of the file index. */
export type FileRow = {
  id: number;
  dir: string;
  name: string;
  state: FileState;
  reason: SkipReason | null;
  size_bytes: number;
  mtime_us: number;
  ctime_us: number;
  inode: number;
  mode: number;
  sha256: Buffer | null;
  change_seq: number;
};

/** The statements of a capture; they run hundreds of thousands of times in a first one. */
export function prepareCaptures({ db }: Store) {
  const columns = 'id, dir, name, state, reason, size_bytes, mtime_us, ctime_us, inode, mode, sha256, change_seq';
  return {
    find: db.prepare<[number, string, string], FileRow>(
      `SELECT ${columns} FROM files WHERE root_id = ? AND dir = ? AND name = ?`,
    ),
    presentIn: db.prepare<[number], FileRow>(`SELECT ${columns} FROM files WHERE root_id = ? AND state = 'present'`),
    // `/` is followed by `0` in ASCII: the range holds exactly the folders below. Two searches, and `+` before the state: an OR
    // or the index by state would read the whole root, and this runs for every file of a burst.
    presentBelow: db.prepare<[{ root: number; dir: string; from: string; to: string }], FileRow>(
      `SELECT ${columns} FROM files WHERE root_id = @root AND dir = @dir AND +state = 'present'
       UNION ALL SELECT ${columns} FROM files WHERE root_id = @root AND dir >= @from AND dir < @to AND +state = 'present'`,
    ),
    hasPresentBelow: db.prepare<[number, string, string], { one: 1 }>(
      `SELECT 1 AS one FROM files WHERE root_id = ? AND dir >= ? AND dir < ? AND +state = 'present' LIMIT 1`,
    ),
    hasPresentInFolders: db.prepare<[number], { one: 1 }>(
      `SELECT 1 AS one FROM files WHERE root_id = ? AND dir > '' AND +state = 'present' LIMIT 1`,
    ),
    countPresent: db.prepare<[number], { count: number }>(
      "SELECT count(*) AS count FROM files WHERE root_id = ? AND state = 'present'",
    ),
    addContent: db.prepare(
      `INSERT OR IGNORE INTO contents (sha256, size_bytes, stored_bytes, encoding, data, pack, pack_offset)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    setState: db.prepare('UPDATE files SET state = ?, reason = ?, change_seq = ? WHERE id = ?'),
    addSnapshot: db.prepare(
      `INSERT INTO file_snapshots (change_seq, id, device_id, root_id, path, previous_path, change, sha256, size_bytes,
         mtime_us, mode, captured_at_ms, clock, still_open) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    upsertFile: db.prepare(
      `INSERT INTO files (root_id, dir, name, state, reason, size_bytes, mtime_us, ctime_us, inode, mode, sha256, snapshot_id, change_seq)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (root_id, dir, name) DO UPDATE SET state = excluded.state, reason = excluded.reason,
         size_bytes = excluded.size_bytes, mtime_us = excluded.mtime_us, ctime_us = excluded.ctime_us, inode = excluded.inode,
         mode = excluded.mode, sha256 = excluded.sha256, snapshot_id = coalesce(excluded.snapshot_id, snapshot_id),
         change_seq = excluded.change_seq`,
    ),
  };
}
