import { splitPath } from '../path-names.ts';
import type { Db } from './database.ts';
import { adoptContents } from './recover-contents.ts';

/** Makes the salvaged rows fit each other again; every step is safe to repeat. */
export function mendRelations(db: Db, dataFolder: string, nowMs: number): void {
  mendNames(db);
  mendRoots(db, nowMs);
  adoptContents(db, dataFolder);
  dropStrayContents(db);
  mendFiles(db);
  mendOutbox(db);
}

/**
 * The id and the path of a snapshot stand in its row, in an index, and in its activity, which has the next number:
 * where two of them agree against the third, they are right.
 */
function mendNames(db: Db): void {
  const isItsActivity = 'a.change_seq = s.change_seq + 1 AND a.path = s.path AND a.root_id = s.root_id';
  const isIndexed = 'EXISTS (SELECT 1 FROM seen_ids AS i WHERE i.change_seq = s.change_seq AND i.id =';
  db.exec(`UPDATE OR IGNORE file_snapshots AS s SET id = a.snapshot_id FROM activities AS a
      WHERE ${isItsActivity} AND a.snapshot_id <> s.id AND ${isIndexed} a.snapshot_id);
    UPDATE activities AS a SET snapshot_id = s.id FROM file_snapshots AS s
      WHERE ${isItsActivity} AND a.snapshot_id <> s.id AND ${isIndexed} s.id);
    UPDATE file_snapshots AS s SET path = p.path, root_id = p.root_id FROM seen_paths AS p, activities AS a
      WHERE p.change_seq = s.change_seq AND a.snapshot_id = s.id AND a.path = p.path AND a.root_id = p.root_id
        AND (p.path <> s.path OR p.root_id <> s.root_id)`);
}

/** A root whose row is lost keeps its history; only when its path is lost too it gets a name that says so. */
function mendRoots(db: Db, nowMs: number): void {
  db.prepare(
    `INSERT INTO roots (id, path, added_at_ms, removed_at_ms)
     SELECT used.root_id, coalesce(p.path, '(unknown folder ' || used.root_id || ')'), ?, iif(p.path IS NULL, ?, NULL)
     FROM (SELECT root_id FROM file_snapshots UNION SELECT root_id FROM files) AS used
     LEFT JOIN seen_roots AS p ON p.root_id = used.root_id
     WHERE used.root_id NOT IN (SELECT id FROM roots) ON CONFLICT DO NOTHING`,
  ).run(nowMs, nowMs);
}

/** Bytes whose row named another content are kept only when some version has exactly these bytes. */
function dropStrayContents(db: Db): void {
  db.exec(`DELETE FROM contents WHERE sha256 NOT IN (SELECT sha256 FROM file_snapshots WHERE sha256 IS NOT NULL)
    AND sha256 IN (SELECT sha256 FROM stray_contents)`);
}

type NewestSnapshot = {
  id: string;
  change_seq: number;
  root_id: number;
  path: string;
  change: string;
  sha256: Buffer | null;
  size_bytes: number;
  mode: number | null;
};

/**
 * The index continues from the newest snapshots, so that the scan that follows writes no false history; times of
 * files are forgotten where that scan has to read a file again, because its content or its row is not there.
 */
function mendFiles(db: Db): void {
  db.exec(`CREATE TEMP TABLE known_files AS
    SELECT id, change_seq, root_id, iif(dir = '', name, dir || '/' || name) AS path FROM files;
    CREATE INDEX temp.known_by_path ON known_files (root_id, path)`);
  const stale = db
    .prepare<[], NewestSnapshot>(
      `SELECT s.id, s.change_seq, s.root_id, s.path, s.change, s.sha256, s.size_bytes, s.mode FROM file_snapshots AS s
       LEFT JOIN known_files AS f ON f.root_id = s.root_id AND f.path = s.path
       WHERE coalesce(f.change_seq, -1) < s.change_seq AND s.change_seq =
         (SELECT max(change_seq) FROM file_snapshots AS v WHERE v.root_id = s.root_id AND v.path = s.path)`,
    )
    .all();
  const renamedAway = db.prepare<[number, string, number], { found: number }>(
    'SELECT 1 AS found FROM file_snapshots WHERE root_id = ? AND previous_path = ? AND change_seq > ? LIMIT 1',
  );
  const save = db.prepare<unknown[]>(
    `INSERT INTO files (root_id, dir, name, state, size_bytes, mtime_us, ctime_us, inode, mode, sha256, snapshot_id, change_seq)
     VALUES (?, ?, ?, ?, ?, 0, 0, 0, ?, ?, ?, ?)
     ON CONFLICT (root_id, dir, name) DO UPDATE SET state = excluded.state, reason = NULL, mtime_us = 0, ctime_us = 0,
       inode = 0, size_bytes = excluded.size_bytes, mode = excluded.mode,
       sha256 = coalesce(excluded.sha256, sha256), snapshot_id = excluded.snapshot_id, change_seq = excluded.change_seq`,
  );
  for (const { id, change_seq, root_id, path, change, sha256, size_bytes, mode } of stale) {
    const { dir, name } = splitPath(path);
    const isGone = change === 'deleted' || renamedAway.get(root_id, path, change_seq) !== undefined;
    const state = isGone ? 'deleted' : 'present';
    save.run(root_id, dir, name, state, size_bytes, mode ?? 0, sha256, id, change_seq);
  }
  db.exec(`UPDATE files SET sha256 = NULL, mtime_us = 0, ctime_us = 0, inode = 0
    WHERE sha256 IS NOT NULL AND sha256 NOT IN (SELECT sha256 FROM contents);
    UPDATE files SET snapshot_id = NULL WHERE snapshot_id NOT IN (SELECT id FROM file_snapshots)`);
}

/**
 * What a remote has acknowledged waits no more; each remote is offered everything again that it has not, and is read
 * from its beginning: what came from it may be among the rows that are lost.
 */
function mendOutbox(db: Db): void {
  db.exec(`DELETE FROM outbox WHERE EXISTS (SELECT 1 FROM links AS l WHERE l.remote = outbox.remote
      AND l.table_name = outbox.table_name AND l.record_id = outbox.record_id AND l.acknowledged_seq >= outbox.change_seq);
    UPDATE remotes SET backlog_table = 'decision_vault', backlog_after = 0;
    UPDATE remote_state SET pull_cursor = NULL`);
}
