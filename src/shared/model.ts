/** The words of the vault as values: what every face shows and every carrier moves. Times are `*Ms` (UTC milliseconds), sizes `*Bytes`. */
import { z } from 'zod';

const timeMs = z.number().int();
const count = z.number().int().nonnegative();
const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/);

/**
 * A path relative to its root, with `/` between the parts. Names that are not valid UTF-8 are carried
 * reversibly (see `src/main/path-names.ts`); show a path to a person through `displayPath`.
 */
const relativePath = z.string().min(1);

// ---- Roots -------------------------------------------------------------------------------------

/** `stopped`: no agent runs, so nothing watches. */
export const rootState = z.enum([
  'stopped',
  'starting',
  'scanning',
  'watching',
  'limited',
  'held',
  'missing',
  'unreadable',
]);
export type RootState = z.infer<typeof rootState>;

export const rootHold = z.object({
  /** Files that are gone and were present at the last scan. */
  deletes: count,
  /** Files present in the root before. */
  total: count,
  sinceMs: timeMs,
  sample: z.array(relativePath),
});
export type RootHold = z.infer<typeof rootHold>;

export const rootInfo = z.object({
  rootId: z.number().int(),
  /** Absolute path. */
  path: z.string(),
  state: rootState,
  /** Why it is in this state, and what to do; null when all is well. */
  reason: z.string().nullable(),
  fix: z.string().nullable(),
  files: count,
  sizeBytes: count,
  /** Files listed but not captured (too large, unreadable, special). */
  skipped: count,
  lastScanAtMs: timeMs.nullable(),
  hold: rootHold.nullable(),
});
export type RootInfo = z.infer<typeof rootInfo>;

// ---- Files and snapshots -----------------------------------------------------------------------

export const fileState = z.enum(['present', 'deleted', 'skipped']);
export type FileState = z.infer<typeof fileState>;

export const skipReason = z.enum([
  'file.too_large',
  'file.unreadable',
  'file.io_error',
  'file.special',
  'file.symlink',
  /** An ignore rule or setting leaves it out since; earlier versions stay. */
  'file.excluded',
]);
export type SkipReason = z.infer<typeof skipReason>;

export const fileEntry = z.object({
  fileId: z.number().int(),
  rootId: z.number().int(),
  root: z.string(),
  path: relativePath,
  state: fileState,
  /** Set when state is `skipped`, or when the newest content could not be read. */
  reason: skipReason.nullable(),
  sizeBytes: count,
  mtimeMs: timeMs,
  sha256: sha256Hex.nullable(),
  snapshotId: z.string().nullable(),
  /** Captured versions of this path. */
  versions: count,
  capturedAtMs: timeMs.nullable(),
});
export type FileEntry = z.infer<typeof fileEntry>;

export const snapshotChange = z.enum(['created', 'modified', 'renamed', 'deleted']);
export type SnapshotChange = z.infer<typeof snapshotChange>;

export const snapshot = z.object({
  snapshotId: z.string(),
  seq: count,
  rootId: z.number().int(),
  root: z.string(),
  path: relativePath,
  previousPath: relativePath.nullable(),
  change: snapshotChange,
  /** null for a deletion. */
  sha256: sha256Hex.nullable(),
  sizeBytes: count,
  mtimeMs: timeMs.nullable(),
  capturedAtMs: timeMs,
  deviceId: z.string(),
  /** A program still had the file open for writing when it was captured (a log, say). */
  stillOpen: z.boolean(),
});
export type Snapshot = z.infer<typeof snapshot>;

// ---- Records -----------------------------------------------------------------------------------

export const recordTable = z.enum(['decision_vault', 'memories', 'activities']);
export type RecordTable = z.infer<typeof recordTable>;

export const decisionStatus = z.enum(['proposed', 'accepted', 'rejected', 'deprecated', 'superseded', 'open']);
export type DecisionStatus = z.infer<typeof decisionStatus>;
export const priority = z.enum(['low', 'medium', 'high', 'critical']);
export type Priority = z.infer<typeof priority>;
export const memoryKind = z.enum(['fact', 'preference', 'instruction', 'context', 'note']);
export type MemoryKind = z.infer<typeof memoryKind>;
export const memoryStatus = z.enum(['active', 'superseded']);
export type MemoryStatus = z.infer<typeof memoryStatus>;

const title = z.string().trim().min(1).max(500);
const longText = z.string().max(1_000_000);
const shortText = z.string().trim().max(200);
const tags = z.array(z.string().trim().min(1).max(100)).max(100);
/** A calendar day, as the person wrote it: no time zone applies. */
const isoDay = z.iso.date();

/** What a person can write of a decision. */
export const decisionFields = z.object({
  title,
  decision: longText,
  type: shortText,
  category: shortText,
  status: decisionStatus,
  priority,
  tags,
  date: isoDay.nullable(),
});
export type DecisionFields = z.infer<typeof decisionFields>;

export const memoryFields = z.object({
  title,
  content: longText,
  kind: memoryKind,
  category: shortText,
  status: memoryStatus,
  tags,
});
export type MemoryFields = z.infer<typeof memoryFields>;

const recordCommon = z.object({
  id: z.string(),
  /** Where it was extracted from, if it was. */
  sourcePath: z.string().nullable(),
  sourceSha256: sha256Hex.nullable(),
  /** The id of the record that this one replaces. */
  supersedes: z.string().nullable(),
  /** Who wrote it: `cli`, `dashboard`, `extract`, `supabase`, `notion`. */
  origin: z.string(),
  createdAtMs: timeMs,
  updatedAtMs: timeMs,
  /** Set when the record was retired; it stays readable. */
  deletedAtMs: timeMs.nullable(),
  deviceId: z.string(),
  ownerId: z.string().nullable(),
  changeSeq: count,
});

export const decisionRecord = recordCommon.extend(decisionFields.shape).extend({ table: z.literal('decision_vault') });
export type DecisionRecord = z.infer<typeof decisionRecord>;
export const memoryRecord = recordCommon.extend(memoryFields.shape).extend({ table: z.literal('memories') });
export type MemoryRecord = z.infer<typeof memoryRecord>;
/** A record a person writes and edits. */
export const editableRecord = z.discriminatedUnion('table', [decisionRecord, memoryRecord]);
export type EditableRecord = z.infer<typeof editableRecord>;

export const activityKind = z.enum([
  'file.created',
  'file.modified',
  'file.renamed',
  'file.deleted',
  'record.created',
  'record.edited',
  'record.retired',
  'record.restored',
  'record.superseded',
  'agent.started',
  'agent.stopped',
  'agent.recovered',
  'root.added',
  'root.removed',
  'root.held',
  'root.released',
  'sync.conflict',
  'sync.resolved',
  'sync.held',
  'sync.decided',
  'backup.made',
  'backup.failed',
  'restore.done',
  'restore.undone',
]);
export type ActivityKind = z.infer<typeof activityKind>;

export const activityRecord = z.object({
  id: z.string(),
  kind: activityKind,
  /** One plain sentence. */
  summary: z.string(),
  rootId: z.number().int().nullable(),
  path: z.string().nullable(),
  snapshotId: z.string().nullable(),
  recordTable: recordTable.nullable(),
  recordId: z.string().nullable(),
  origin: z.string(),
  occurredAtMs: timeMs,
  deviceId: z.string(),
  changeSeq: count,
});
export type ActivityRecord = z.infer<typeof activityRecord>;

/** One value that a field of a record held. */
export const fieldChange = z.object({
  seq: count,
  field: z.string(),
  /** JSON values; `before` is null for the first value. */
  before: z.unknown(),
  after: z.unknown(),
  changedAtMs: timeMs,
  origin: z.string(),
  deviceId: z.string(),
});
export type FieldChange = z.infer<typeof fieldChange>;

// ---- Search ------------------------------------------------------------------------------------

export const searchKind = z.enum(['file', 'decision', 'memory']);
export type SearchKind = z.infer<typeof searchKind>;

export const searchHit = z.object({
  kind: searchKind,
  /** File: `path` in `root`. Record: its id. */
  rootId: z.number().int().nullable(),
  root: z.string().nullable(),
  path: z.string().nullable(),
  recordId: z.string().nullable(),
  title: z.string(),
  /** Pieces of text around the matches; `hit` marks what matched. */
  snippet: z.array(z.object({ text: z.string(), hit: z.boolean() })),
  /** 1-based line of the first match in a file. */
  line: z.number().int().nullable(),
  changedAtMs: timeMs,
  /** Lower is better (BM25). */
  rank: z.number(),
});
export type SearchHit = z.infer<typeof searchHit>;

// ---- Logs, checks, outbox ----------------------------------------------------------------------

export const logLevel = z.enum(['debug', 'info', 'warn', 'error']);
export type LogLevel = z.infer<typeof logLevel>;

export const logRecord = z.object({
  seq: count,
  timeMs: timeMs,
  level: logLevel,
  component: z.string(),
  message: z.string(),
  runId: z.string().nullable(),
  durationMs: z.number().nullable(),
  /** Further fields, redacted. */
  data: z.record(z.string(), z.unknown()),
});
export type LogRecord = z.infer<typeof logRecord>;

export const checkVerdict = z.enum(['ok', 'warn', 'error', 'off']);
/** A health probe with a verdict, a reason and a fix. */
export const check = z.object({
  id: z.string(),
  title: z.string(),
  verdict: checkVerdict,
  reason: z.string(),
  fix: z.string().nullable(),
});
export type Check = z.infer<typeof check>;

export const remote = z.enum(['supabase', 'notion']);
export type Remote = z.infer<typeof remote>;

export const outboxSummary = z.object({
  remote,
  configured: z.boolean(),
  pending: count,
  leased: count,
  parked: count,
  oldestAtMs: timeMs.nullable(),
});
export type OutboxSummary = z.infer<typeof outboxSummary>;

// ---- Progress ----------------------------------------------------------------------------------

export const scanProgress = z.object({
  rootId: z.number().int(),
  root: z.string(),
  phase: z.enum(['listing', 'capturing', 'done']),
  doneFiles: count,
  totalFiles: count,
  doneBytes: count,
  totalBytes: count,
  filesPerSecond: z.number(),
  bytesPerSecond: z.number(),
  /** null until an honest estimate exists (5 s and 5 % done). */
  etaMs: z.number().nullable(),
});
export type ScanProgress = z.infer<typeof scanProgress>;

export const scanResult = z.object({
  rootId: z.number().int(),
  root: z.string(),
  files: count,
  created: count,
  modified: count,
  renamed: count,
  deleted: count,
  unchanged: count,
  skipped: count,
  capturedBytes: count,
  /** Deletions that are held until a person decides. */
  heldDeletes: count,
  durationMs: z.number(),
});
export type ScanResult = z.infer<typeof scanResult>;
