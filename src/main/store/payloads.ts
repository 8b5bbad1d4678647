import type { EditableRecord, SnapshotChange } from '../../shared/model.ts';
import { activitySummary } from './activity-summary.ts';
import type { Store } from './database.ts';
import type { OutboxTable } from './links.ts';
import type { FieldValues } from './record-remote.ts';
import { prepareRows } from './record-rows.ts';

/** What a remote is to hold of one record, as the vault has it now. */
export type Payload = {
  readonly table: OutboxTable;
  readonly id: string;
  /** The change that this is the state of. */
  readonly changeSeq: number;
  /** By the names of `shared/model.ts`. */
  readonly fields: FieldValues;
  /** The content of a file version; null for anything else, and for a deletion. */
  readonly content: { readonly sha256: Buffer; readonly sizeBytes: number } | null;
};

export type Payloads = {
  /** Undefined for a record that is not in the vault. */
  readonly read: (table: OutboxTable, id: string) => Payload | undefined;
  /** What a face calls it: a title, a path, a sentence. Empty when it is not in the vault. */
  readonly title: (table: OutboxTable, id: string) => string;
};

type SnapshotRow = {
  change_seq: number;
  device_id: string;
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
type ActivityRow = {
  change_seq: number;
  kind: Parameters<typeof activitySummary>[0];
  summary: string | null;
  root: string | null;
  path: string | null;
  previous_path: string | null;
  snapshot_id: string | null;
  record_table: string | null;
  record_id: string | null;
  origin: string;
  occurred_at_ms: number;
  device_id: string;
};

export function createPayloads(store: Store): Payloads {
  const rows = { decision_vault: prepareRows(store.db, 'decision_vault'), memories: prepareRows(store.db, 'memories') };
  const snapshot = store.db.prepare<[string], SnapshotRow>(
    `SELECT s.change_seq, s.device_id, r.path AS root, s.path, s.previous_path, s.change, s.sha256, s.size_bytes,
       s.mtime_us, s.captured_at_ms, s.still_open
     FROM file_snapshots AS s JOIN roots AS r ON r.id = s.root_id WHERE s.id = ?`,
  );
  const activity = store.db.prepare<[string], ActivityRow>(
    `SELECT a.change_seq, a.kind, a.summary, r.path AS root, a.path, s.previous_path, a.snapshot_id, a.record_table,
       a.record_id, a.origin, a.occurred_at_ms, a.device_id
     FROM activities AS a LEFT JOIN roots AS r ON r.id = a.root_id
     LEFT JOIN file_snapshots AS s ON a.kind = 'file.renamed' AND s.id = a.snapshot_id WHERE a.id = ?`,
  );
  const read = (table: OutboxTable, id: string): Payload | undefined => {
    switch (table) {
      case 'decision_vault':
      case 'memories': {
        const record = rows[table].get(id);
        return record === undefined ? undefined : ofRecord(record);
      }
      case 'file_snapshots': {
        const row = snapshot.get(id);
        return row === undefined ? undefined : ofSnapshot(id, row);
      }
      case 'activities': {
        const row = activity.get(id);
        return row === undefined ? undefined : ofActivity(id, row);
      }
    }
  };
  return {
    read,
    title: (table, id) => {
      const { fields = {} } = read(table, id) ?? {};
      return String(fields.title ?? (table === 'activities' ? fields.summary : fields.path) ?? '');
    },
  };
}

function ofRecord(record: EditableRecord): Payload {
  const { table, id, changeSeq, ...fields } = record;
  return { table, id, changeSeq, fields, content: null };
}

function ofSnapshot(id: string, row: SnapshotRow): Payload {
  return {
    table: 'file_snapshots',
    id,
    changeSeq: row.change_seq,
    fields: {
      root: row.root,
      path: row.path,
      previousPath: row.previous_path,
      change: row.change,
      sha256: row.sha256?.toString('hex') ?? null,
      sizeBytes: row.size_bytes,
      mtimeMs: row.mtime_us === null ? null : Math.floor(row.mtime_us / 1_000),
      capturedAtMs: row.captured_at_ms,
      stillOpen: row.still_open === 1,
      deviceId: row.device_id,
    },
    content: row.sha256 === null ? null : { sha256: row.sha256, sizeBytes: row.size_bytes },
  };
}

function ofActivity(id: string, row: ActivityRow): Payload {
  return {
    table: 'activities',
    id,
    changeSeq: row.change_seq,
    fields: {
      kind: row.kind,
      summary: row.summary ?? activitySummary(row.kind, row.path, row.previous_path),
      root: row.root,
      path: row.path,
      snapshotId: row.snapshot_id,
      recordTable: row.record_table,
      recordId: row.record_id,
      origin: row.origin,
      occurredAtMs: row.occurred_at_ms,
      deviceId: row.device_id,
    },
    content: null,
  };
}
