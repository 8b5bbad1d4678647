import type { Store } from './database.ts';

/** What is newer than the last backup, as the vault tells it. Activities alone are no reason for a backup. */
export type BackupFacts = {
  /** The newest change number of everything. */
  readonly newestChange: () => number;
  /** Versions and records after a change number, and when the first and the last of them came; null when none did. */
  readonly unsavedSince: (change: number) => {
    readonly count: number;
    readonly firstAtMs: number | null;
    readonly lastAtMs: number | null;
  };
  /** Files as the vault believes them to be on the disk. */
  readonly presentFiles: () => Iterable<{
    readonly rootId: number;
    readonly path: string;
    readonly sha256: string;
    readonly sizeBytes: number;
    readonly mtimeUs: number;
  }>;
};

type Times = { count: number; firstAtMs: number | null; lastAtMs: number | null };
type FileRow = { rootId: number; dir: string; name: string; sha256: Buffer; sizeBytes: number; mtimeUs: number };

export function createBackupFacts(store: Store): BackupFacts {
  const newest = store.db.prepare<[], { value: number }>("SELECT value FROM counters WHERE name = 'change'");
  const sources = [
    ['file_snapshots', 'captured_at_ms'],
    ['decision_vault', 'updated_at_ms'],
    ['memories', 'updated_at_ms'],
  ].map(([table, column]) =>
    store.db.prepare<[number], Times>(
      `SELECT count(*) AS count, min(${column}) AS firstAtMs, max(${column}) AS lastAtMs FROM ${table} WHERE change_seq > ?`,
    ),
  );
  const files = store.db.prepare<[], FileRow>(
    `SELECT f.root_id AS rootId, f.dir, f.name, f.sha256, f.size_bytes AS sizeBytes, f.mtime_us AS mtimeUs
     FROM files f JOIN roots r ON r.id = f.root_id AND r.removed_at_ms IS NULL
     WHERE f.state = 'present' AND f.sha256 IS NOT NULL`,
  );
  return {
    newestChange: () => newest.get()?.value ?? 0,
    unsavedSince: (change) => {
      const all = sources.map((source) => source.get(change) ?? { count: 0, firstAtMs: null, lastAtMs: null });
      const times = (pick: 'firstAtMs' | 'lastAtMs'): number[] => all.flatMap((each) => each[pick] ?? []);
      return {
        count: all.reduce((sum, each) => sum + each.count, 0),
        firstAtMs: smallest(times('firstAtMs')),
        lastAtMs: times('lastAtMs').length === 0 ? null : Math.max(...times('lastAtMs')),
      };
    },
    presentFiles: () =>
      files.all().map(({ dir, name, sha256, ...row }) => ({
        ...row,
        path: dir === '' ? name : `${dir}/${name}`,
        sha256: sha256.toString('hex'),
      })),
  };
}

function smallest(times: readonly number[]): number | null {
  return times.length === 0 ? null : Math.min(...times);
}
