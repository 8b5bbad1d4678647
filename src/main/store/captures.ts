import type { FileState, SkipReason, SnapshotChange } from '../../shared/model.ts';
import type { ActivityStore } from './activities.ts';
import { type FileRow, prepareCaptures } from './captures-sql.ts';
import { clockMs } from './clock.ts';
import type { StoredContent } from './contents.ts';
import type { Store, Transaction } from './database.ts';
import { uuidv7 } from './ids.ts';
import type { Outbox } from './outbox.ts';

/** What tells whether a file changed. Times in microseconds. */
export type FileStat = {
  readonly sizeBytes: number;
  readonly mtimeUs: number;
  readonly ctimeUs: number;
  readonly inode: number;
  readonly mode: number;
};

/** One thing that was seen on the disk; `path` = `dir/name` relative to the root. */
export type Seen =
  | {
      readonly kind: 'content';
      readonly dir: string;
      readonly name: string;
      readonly stat: FileStat;
      readonly content: StoredContent;
      /** The path it had before, when it is a rename. */
      readonly renamedFrom: { readonly dir: string; readonly name: string } | null;
      readonly stillOpen: boolean;
    }
  | {
      readonly kind: 'skipped';
      readonly dir: string;
      readonly name: string;
      readonly stat: FileStat;
      readonly reason: SkipReason;
    }
  | { readonly kind: 'gone'; readonly dir: string; readonly name: string };

export type CaptureCounts = {
  created: number;
  modified: number;
  renamed: number;
  deleted: number;
  unchanged: number;
  skipped: number;
  bytes: number;
};

/** The row of the file index that a scan compares with the disk. */
export type IndexedFile = FileStat & {
  readonly dir: string;
  readonly name: string;
  readonly state: FileState;
  readonly reason: SkipReason | null;
  /** Hex; null for a file that was never captured. */
  readonly sha256: string | null;
};

export type Captures = {
  /**
   * Records what was seen, in ONE durable transaction: contents, index, snapshots, activities, outbox.
   * Safe to repeat: equal content and stat change nothing. Throws `data.full`; then nothing of it happened.
   */
  readonly apply: (rootId: number, seen: readonly Seen[]) => CaptureCounts;
  /** Undefined when the vault never saw it. */
  readonly find: (rootId: number, dir: string, name: string) => IndexedFile | undefined;
  /** All files of the index that are present at or below a folder that is gone. */
  readonly presentBelow: (rootId: number, dir: string) => readonly IndexedFile[];
  /** Whether any file of the index is present in a folder below this one. */
  readonly hasPresentBelow: (rootId: number, dir: string) => boolean;
  readonly countPresent: (rootId: number) => number;
};

export function createCaptures(
  store: Store,
  parts: { readonly outbox: Outbox; readonly activities: ActivityStore },
): Captures {
  const sql = prepareCaptures(store);

  const record = (tx: Transaction, rootId: number, seen: Seen, counts: CaptureCounts): void => {
    const row = sql.find.get(rootId, seen.dir, seen.name);
    if (seen.kind === 'gone') {
      if (row === undefined || row.state === 'deleted') return;
      // A file that never was captured leaves nothing behind.
      if (row.sha256 !== null) snapshot(tx, rootId, seen, 'deleted', null, counts);
      sql.setState.run('deleted', null, tx.takeChange(), row.id);
      return;
    }
    if (seen.kind === 'skipped') {
      counts.skipped += 1;
      if (row?.state === 'skipped' && row.reason === seen.reason && isSameStat(row, seen.stat)) return;
      upsert(rootId, seen, 'skipped', seen.reason, row?.sha256 ?? null, tx.takeChange());
      return;
    }
    const { content } = seen;
    if (row !== undefined && row.state !== 'deleted' && row.sha256?.equals(content.sha256)) {
      counts.unchanged += 1;
      if (row.state === 'skipped') upsert(rootId, seen, 'present', null, content.sha256, tx.takeChange());
      // Only touched: the index learns the new stat, nothing else has to hear of it.
      else if (!isSameStat(row, seen.stat)) upsert(rootId, seen, 'present', null, content.sha256, row.change_seq);
      return;
    }
    addContent(content);
    counts.bytes += content.sizeBytes;
    const isNew = row === undefined || row.state === 'deleted' || row.sha256 === null;
    if (isNew && seen.renamedFrom !== null) {
      const from = sql.find.get(rootId, seen.renamedFrom.dir, seen.renamedFrom.name);
      if (from !== undefined) sql.setState.run('deleted', null, tx.takeChange(), from.id);
      snapshot(tx, rootId, seen, 'renamed', pathOf(seen.renamedFrom), counts);
    } else {
      snapshot(tx, rootId, seen, isNew ? 'created' : 'modified', null, counts);
    }
  };

  const addContent = ({ sha256, sizeBytes, storedBytes, encoding, data, place }: StoredContent): void => {
    if (place === 'known') return;
    sql.addContent.run(
      sha256,
      sizeBytes,
      storedBytes,
      encoding,
      data,
      place === undefined ? null : place.pack,
      place === undefined ? null : place.offset,
    );
  };

  const snapshot = (
    tx: Transaction,
    rootId: number,
    seen: Exclude<Seen, { kind: 'skipped' }>,
    change: SnapshotChange,
    previousPath: string | null,
    counts: CaptureCounts,
  ): void => {
    counts[change] += 1;
    const stamp = store.clock.tick();
    const id = uuidv7(clockMs(stamp));
    const changeSeq = tx.takeChange();
    const capturedAtMs = store.nowMs();
    const path = pathOf(seen);
    const content = seen.kind === 'content' ? seen : null;
    sql.addSnapshot.run(
      changeSeq,
      id,
      store.deviceId,
      rootId,
      path,
      previousPath,
      change,
      content?.content.sha256 ?? null,
      content?.content.sizeBytes ?? 0,
      content?.stat.mtimeUs ?? null,
      content?.stat.mode ?? null,
      capturedAtMs,
      stamp,
      content?.stillOpen === true ? 1 : 0,
    );
    parts.outbox.enqueue(tx, 'file_snapshots', id, changeSeq);
    parts.activities.append(tx, {
      kind: `file.${change}`,
      summary: null,
      rootId,
      path,
      snapshotId: id,
      recordTable: null,
      recordId: null,
      origin: 'watch',
    });
    if (content !== null) upsert(rootId, content, 'present', null, content.content.sha256, changeSeq, id);
  };

  const upsert = (
    rootId: number,
    seen: { dir: string; name: string; stat: FileStat },
    state: FileState,
    reason: SkipReason | null,
    sha256: Buffer | null,
    changeSeq: number,
    snapshotId: string | null = null,
  ): void => {
    const { stat } = seen;
    sql.upsertFile.run(
      rootId,
      seen.dir,
      seen.name,
      state,
      reason,
      stat.sizeBytes,
      stat.mtimeUs,
      stat.ctimeUs,
      stat.inode,
      stat.mode,
      sha256,
      snapshotId,
      changeSeq,
    );
  };

  return {
    apply: (rootId, seen) => {
      const counts: CaptureCounts = {
        created: 0,
        modified: 0,
        renamed: 0,
        deleted: 0,
        unchanged: 0,
        skipped: 0,
        bytes: 0,
      };
      if (seen.length > 0) {
        store.write((tx) => {
          for (const each of seen) record(tx, rootId, each, counts);
        });
      }
      return counts;
    },
    find: (rootId, dir, name) => toIndexed(sql.find.get(rootId, dir, name)),
    presentBelow: (rootId, dir) =>
      dir === ''
        ? sql.presentIn.all(rootId).map(toIndexedFile)
        : sql.presentBelow.all({ root: rootId, dir, from: `${dir}/`, to: `${dir}0` }).map(toIndexedFile),
    hasPresentBelow: (rootId, dir) =>
      (dir === '' ? sql.hasPresentInFolders.get(rootId) : sql.hasPresentBelow.get(rootId, `${dir}/`, `${dir}0`)) !==
      undefined,
    countPresent: (rootId) => sql.countPresent.get(rootId)?.count ?? 0,
  };
}

function isSameStat(row: FileRow, stat: FileStat): boolean {
  return (
    row.size_bytes === stat.sizeBytes &&
    row.mtime_us === stat.mtimeUs &&
    row.ctime_us === stat.ctimeUs &&
    row.inode === stat.inode &&
    row.mode === stat.mode
  );
}

function toIndexed(row: FileRow | undefined): IndexedFile | undefined {
  return row === undefined ? undefined : toIndexedFile(row);
}

function toIndexedFile(row: FileRow): IndexedFile {
  return {
    dir: row.dir,
    name: row.name,
    state: row.state,
    reason: row.reason,
    sizeBytes: row.size_bytes,
    mtimeUs: row.mtime_us,
    ctimeUs: row.ctime_us,
    inode: row.inode,
    mode: row.mode,
    sha256: row.sha256?.toString('hex') ?? null,
  };
}

function pathOf(file: { readonly dir: string; readonly name: string }): string {
  return file.dir === '' ? file.name : `${file.dir}/${file.name}`;
}
