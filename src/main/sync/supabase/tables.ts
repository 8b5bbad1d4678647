/** What each table holds over there: its columns, the fields they carry, and what makes sense in them. */
import { z } from 'zod';
import { decisionFields, memoryFields, snapshotChange } from '../../../shared/model.ts';
import type { SyncTable } from '../connector.ts';

export type ColumnSpec = {
  readonly column: string;
  /** The name of the field in `shared/model.ts`. */
  readonly field: string;
  /** The type in Postgres, as format_type says it. */
  readonly type: 'text' | 'text[]' | 'date' | 'timestamp with time zone' | 'bigint' | 'integer' | 'boolean';
  /** What a value that was read must be; times are checked as milliseconds. */
  readonly schema: z.ZodType;
};

const nullableText = z.string().nullable();
const count = z.number().int().nonnegative();
const recordId = z.guid('is no id of a record').nullable();
const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'is no SHA-256')
  .nullable();
const time = z.number().int();

const spec = (column: string, field: string, type: ColumnSpec['type'], schema: z.ZodType): ColumnSpec => ({
  column,
  field,
  type,
  schema,
});
const TIME = 'timestamp with time zone';

const PROVENANCE = [
  spec('source_path', 'sourcePath', 'text', nullableText),
  spec('source_sha256', 'sourceSha256', 'text', sha256),
  spec('supersedes', 'supersedes', 'text', recordId),
  spec('deleted_at', 'deletedAtMs', TIME, time.nullable()),
  spec('origin', 'origin', 'text', z.string()),
  spec('created_at', 'createdAtMs', TIME, time),
  spec('updated_at', 'updatedAtMs', TIME, time),
  spec('device_id', 'deviceId', 'text', z.string()),
];

/** The columns that carry fields, per synced table. */
export const COLUMNS: Readonly<Record<SyncTable, readonly ColumnSpec[]>> = {
  decision_vault: [
    spec('title', 'title', 'text', decisionFields.shape.title),
    spec('decision', 'decision', 'text', decisionFields.shape.decision),
    spec('type', 'type', 'text', decisionFields.shape.type),
    spec('category', 'category', 'text', decisionFields.shape.category),
    spec('status', 'status', 'text', decisionFields.shape.status),
    spec('priority', 'priority', 'text', decisionFields.shape.priority),
    spec('tags', 'tags', 'text[]', decisionFields.shape.tags),
    spec('date', 'date', 'date', decisionFields.shape.date),
    ...PROVENANCE,
  ],
  memories: [
    spec('title', 'title', 'text', memoryFields.shape.title),
    spec('content', 'content', 'text', memoryFields.shape.content),
    spec('kind', 'kind', 'text', memoryFields.shape.kind),
    spec('category', 'category', 'text', memoryFields.shape.category),
    spec('status', 'status', 'text', memoryFields.shape.status),
    spec('tags', 'tags', 'text[]', memoryFields.shape.tags),
    ...PROVENANCE,
  ],
  activities: [
    spec('kind', 'kind', 'text', z.string()),
    spec('summary', 'summary', 'text', nullableText),
    spec('root', 'root', 'text', nullableText),
    spec('path', 'path', 'text', nullableText),
    spec('snapshot_id', 'snapshotId', 'text', nullableText),
    spec('record_table', 'recordTable', 'text', nullableText),
    spec('record_id', 'recordId', 'text', nullableText),
    spec('origin', 'origin', 'text', z.string()),
    spec('occurred_at', 'occurredAtMs', TIME, time),
    spec('device_id', 'deviceId', 'text', z.string()),
  ],
  file_snapshots: [
    spec('root', 'root', 'text', z.string()),
    spec('path', 'path', 'text', z.string()),
    spec('previous_path', 'previousPath', 'text', nullableText),
    spec('change', 'change', 'text', snapshotChange),
    spec('sha256', 'sha256', 'text', sha256),
    spec('size_bytes', 'sizeBytes', 'bigint', count),
    spec('mtime', 'mtimeMs', TIME, time.nullable()),
    spec('captured_at', 'capturedAtMs', TIME, time),
    spec('still_open', 'stillOpen', 'boolean', z.boolean()),
    spec('content', 'content', 'text', nullableText),
    spec('content_object', 'contentObject', 'text', nullableText),
    spec('content_omitted', 'contentOmitted', 'text', nullableText),
    spec('redactions', 'redactions', 'integer', count),
    spec('device_id', 'deviceId', 'text', z.string()),
  ],
};

/** Columns that the database fills itself, which every synced table has. */
const STAMPS = { id: 'uuid', owner_id: 'uuid', change_seq: 'bigint', change_xid: 'bigint', synced_at: TIME };

/** Every table with its columns and their types: what a connection test compares with. */
export const EXPECTED_TABLES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ...Object.fromEntries(
    Object.entries(COLUMNS).map(([table, columns]) => [
      table,
      { ...STAMPS, ...Object.fromEntries(columns.map(({ column, type }) => [column, type])) },
    ]),
  ),
  deletions: { ...STAMPS, table_name: 'text', deleted_at: TIME },
  system_logs: {
    device_id: 'text',
    time: TIME,
    seq: 'bigint',
    level: 'text',
    component: 'text',
    message: 'text',
    run_id: 'text',
    duration_ms: 'double precision',
    data: 'jsonb',
    owner_id: 'uuid',
  },
  run_artifacts: {
    id: 'text',
    device_id: 'text',
    kind: 'text',
    started_at: TIME,
    finished_at: TIME,
    outcome: 'text',
    data: 'jsonb',
    owner_id: 'uuid',
  },
  devices: {
    id: 'text',
    name: 'text',
    platform: 'text',
    version: 'text',
    unsent: 'jsonb',
    first_seen_at: TIME,
    last_seen_at: TIME,
    owner_id: 'uuid',
  },
  leases: { name: 'text', owner_id: 'uuid', device_id: 'text', fence: 'bigint', expires_at: TIME, taken_at: TIME },
};

export const TABLE_NAMES: readonly string[] = Object.keys(EXPECTED_TABLES);

/** Private buckets: large texts of file versions, and backups. */
export const BUCKET_NAMES = ['file_contents', 'memory_backups'] as const;
