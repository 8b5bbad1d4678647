/**
 * Everything a face can ask of the agent and hear from it. One contract, three carriers:
 * in process, loopback HTTP + WebSocket, and Electron IPC. A method without a handler does not compile.
 *
 * Calls move work; events only say what changed: after a reconnect a face reads again.
 */
import { z } from 'zod';
import { backupEvents, backupMethods, backupSummary } from './contract-backup.ts';
import { opsMethods } from './contract-ops.ts';
import { migrateMethods, syncEvents, syncMethods, syncStatus } from './contract-sync.ts';
import {
  activityKind,
  activityRecord,
  check,
  decisionFields,
  editableRecord,
  fieldChange,
  fileEntry,
  fileState,
  logLevel,
  logRecord,
  memoryFields,
  outboxSummary,
  rootInfo,
  scanProgress,
  scanResult,
  searchHit,
  searchKind,
  snapshot,
} from './model.ts';

const limit = z.number().int().min(1).max(1_000);
/** Opaque position of a listing; null starts at the beginning, a null answer is its end. */
const cursor = z.string().nullable();
const timeMs = z.number().int();
const editableTable = z.enum(['decision_vault', 'memories']);
/** An absolute path, or one relative to a root; must name exactly one file. */
const anyPath = z.string().min(1);
/** A version of a file: the newest at a time, or a snapshot id (a unique part of 6 characters is enough). */
const version = z.union([z.object({ atMs: timeMs }), z.object({ snapshotId: z.string().min(6) })]);
const origin = z.enum(['cli', 'dashboard']);

const nothing = z.object({});

export const agentStatus = z.object({
  version: z.string(),
  /** `running` watches; `offline` is a command that works on the vault itself, with no agent. */
  mode: z.enum(['running', 'offline']),
  /** The answer to "am I safe?" */
  safety: z.object({
    verdict: z.enum(['safe', 'working', 'attention']),
    /** One sentence. */
    summary: z.string(),
    /** Since when without interruption; null while working or never. */
    sinceMs: timeMs.nullable(),
  }),
  /** What a person must decide or mend, worst first. */
  attention: z.array(
    z.object({ code: z.string(), message: z.string(), fix: z.string(), rootId: z.number().int().nullable() }),
  ),
  /** The next thing that happens by itself, in words and when. */
  next: z.array(z.object({ what: z.string(), atMs: timeMs.nullable() })),
  dataFolder: z.string(),
  /** The vault holds sample data, to look around in. */
  isSample: z.boolean(),
  deviceId: z.string(),
  pid: z.number().int(),
  startedAtMs: timeMs.nullable(),
  nowMs: timeMs,
  dashboardUrl: z.string().nullable(),
  roots: z.array(rootInfo),
  totals: z.object({
    files: z.number().int(),
    sizeBytes: z.number().int(),
    snapshots: z.number().int(),
    storedBytes: z.number().int(),
    decisions: z.number().int(),
    memories: z.number().int(),
    activities: z.number().int(),
  }),
  lastCaptureAtMs: timeMs.nullable(),
  waiting: z.object({
    /** Changed files that are not captured yet. */
    capture: z.number().int(),
    /** Captured files and records that search does not know yet. */
    index: z.number().int(),
  }),
  progress: z.array(scanProgress),
  outbox: z.array(outboxSummary),
  /** The remotes, their state and what waits for a person. */
  sync: syncStatus,
  /** Until when sending and backing up rest; null when they do not. Capturing never rests. */
  pausedUntilMs: timeMs.nullable(),
  /** How backups stand, in short; `backups.status` has the whole. */
  backup: backupSummary,
});
export type AgentStatus = z.infer<typeof agentStatus>;

const textContent = z.object({
  snapshot,
  /** `text` when the bytes are valid UTF-8 without NUL. */
  encoding: z.enum(['text', 'base64']),
  content: z.string(),
  /** The content was cut at this many bytes for display; null when whole. */
  truncatedAtBytes: z.number().int().nullable(),
});

const diffLine = z.object({
  kind: z.enum(['same', 'added', 'removed']),
  text: z.string(),
  /** 1-based line numbers on either side. */
  before: z.number().int().nullable(),
  after: z.number().int().nullable(),
});

const recordPage = z.object({ records: z.array(editableRecord), next: cursor });

export const agentMethods = {
  'agent.status': { in: nothing, out: agentStatus },
  /** Stops the agent cleanly after answering. */
  'agent.stop': { in: nothing, out: nothing },
  /** A link that signs a browser in once, within ten minutes. */
  'agent.link': { in: nothing, out: z.object({ url: z.string() }) },
  /** Sending and backing up rest until then, at most 14 days; capturing goes on. A later call replaces the time. */
  'agent.pause': { in: z.object({ untilMs: timeMs }), out: z.object({ pausedUntilMs: timeMs }) },
  'agent.resume': { in: nothing, out: nothing },

  'roots.list': { in: nothing, out: z.object({ roots: z.array(rootInfo) }) },
  'roots.add': { in: z.object({ path: z.string().min(1) }), out: z.object({ root: rootInfo }) },
  /** Stops watching; what was captured stays. */
  'roots.remove': { in: z.object({ path: z.string().min(1) }), out: nothing },
  /** Decides a hold: `accept` records the deletions, `check` looks whether the files are back. */
  'roots.decide': {
    in: z.object({ path: z.string().min(1), decision: z.enum(['accept', 'check']) }),
    out: z.object({ result: scanResult }),
  },

  /**
   * Reads the roots and captures what changed; answers when it is durable. `waiting` counts files that a program has not
   * finished writing by then: an agent that runs captures them when they are closed, a command alone does not.
   */
  'scan.run': {
    in: z.object({ path: z.string().optional() }),
    out: z.object({ results: z.array(scanResult), waiting: z.number().int() }),
  },

  'files.list': {
    in: z.object({
      rootId: z.number().int().optional(),
      /** Only below this folder (relative to its root). */
      under: z.string().optional(),
      /** Glob over the relative path: `*`, `**`, `?`. */
      glob: z.string().optional(),
      state: z.array(fileState).optional(),
      order: z.enum(['path', 'newest']).optional(),
      limit: limit.optional(),
      cursor: cursor.optional(),
    }),
    out: z.object({ files: z.array(fileEntry), next: cursor, total: z.number().int() }),
  },
  /** The direct children of a folder, for a tree. */
  'files.tree': {
    in: z.object({ rootId: z.number().int(), folder: z.string() }),
    out: z.object({
      folders: z.array(z.object({ path: z.string(), name: z.string(), files: z.number().int() })),
      files: z.array(fileEntry),
    }),
  },
  'files.history': {
    in: z.object({ path: anyPath, limit: limit.optional(), cursor: cursor.optional() }),
    out: z.object({ file: fileEntry, snapshots: z.array(snapshot), next: cursor }),
  },
  'files.show': {
    in: z.object({ path: anyPath, version: version.optional(), maxBytes: z.number().int().positive().optional() }),
    out: textContent,
  },
  'files.diff': {
    in: z.object({ path: anyPath, from: version, to: version.optional() }),
    out: z.object({
      from: snapshot,
      to: snapshot,
      /** False for binary content: then only sizes and hashes tell. */
      comparable: z.boolean(),
      /** Changed lines with three lines of context around them. */
      hunks: z.array(z.object({ lines: z.array(diffLine) })),
      added: z.number().int(),
      removed: z.number().int(),
    }),
  },
  /** Writes a version to a side path (default), or over the original after capturing what is there. */
  'files.restore': {
    in: z.object({ path: anyPath, version, to: z.string().optional(), inPlace: z.boolean().optional() }),
    out: z.object({ writtenTo: z.string(), sizeBytes: z.number().int(), safetySnapshotId: z.string().nullable() }),
  },

  'search.query': {
    in: z.object({
      /** Words (all must match), "phrases", prefix*, -without. */
      query: z.string().max(1_000),
      kinds: z.array(searchKind).optional(),
      rootId: z.number().int().optional(),
      glob: z.string().optional(),
      sinceMs: timeMs.optional(),
      untilMs: timeMs.optional(),
      limit: z.number().int().min(1).max(200).optional(),
    }),
    out: z.object({
      hits: z.array(searchHit),
      tookMs: z.number(),
      /** More matched than were ranked; the newest ones were. */
      capped: z.boolean(),
      /** Captured but not searchable yet. */
      waiting: z.number().int(),
    }),
  },

  'records.list': {
    in: z.object({
      table: editableTable,
      status: z.string().optional(),
      category: z.string().optional(),
      tag: z.string().optional(),
      includeRetired: z.boolean().optional(),
      limit: limit.optional(),
      cursor: cursor.optional(),
    }),
    out: recordPage,
  },
  'records.show': {
    in: z.object({ table: editableTable, id: z.string().min(6) }),
    out: z.object({ record: editableRecord, history: z.array(fieldChange), supersededBy: z.string().nullable() }),
  },
  'records.create': {
    in: z.discriminatedUnion('table', [
      z.object({
        table: z.literal('decision_vault'),
        fields: decisionFields.partial().required({ title: true }),
        origin,
      }),
      z.object({ table: z.literal('memories'), fields: memoryFields.partial().required({ title: true }), origin }),
    ]),
    out: z.object({ record: editableRecord }),
  },
  'records.edit': {
    in: z.discriminatedUnion('table', [
      z.object({
        table: z.literal('decision_vault'),
        id: z.string().min(6),
        fields: decisionFields.partial(),
        ifChangeSeq: z.number().int().optional(),
        origin,
      }),
      z.object({
        table: z.literal('memories'),
        id: z.string().min(6),
        fields: memoryFields.partial(),
        ifChangeSeq: z.number().int().optional(),
        origin,
      }),
    ]),
    out: z.object({ record: editableRecord }),
  },
  /** Retired records stay readable; `retired: false` brings one back. */
  'records.retire': {
    in: z.object({ table: editableTable, id: z.string().min(6), retired: z.boolean(), origin }),
    out: z.object({ record: editableRecord }),
  },
  /** Writes a new record in the place of an old one, which stays as `superseded`. */
  'records.supersede': {
    in: z.discriminatedUnion('table', [
      z.object({ table: z.literal('decision_vault'), id: z.string().min(6), fields: decisionFields.partial(), origin }),
      z.object({ table: z.literal('memories'), id: z.string().min(6), fields: memoryFields.partial(), origin }),
    ]),
    out: z.object({ record: editableRecord, superseded: editableRecord }),
  },

  'activities.list': {
    in: z.object({
      kinds: z.array(activityKind).optional(),
      rootId: z.number().int().optional(),
      /** Text in the path. */
      path: z.string().optional(),
      sinceMs: timeMs.optional(),
      limit: limit.optional(),
      cursor: cursor.optional(),
    }),
    out: z.object({ activities: z.array(activityRecord), next: cursor }),
  },

  ...syncMethods,
  ...migrateMethods,
  ...backupMethods,
  ...opsMethods,

  'outbox.summary': { in: nothing, out: z.object({ remotes: z.array(outboxSummary) }) },

  'logs.list': {
    in: z.object({
      component: z.string().optional(),
      /** This level and worse. */
      level: logLevel.optional(),
      sinceMs: timeMs.optional(),
      runId: z.string().optional(),
      text: z.string().optional(),
      /** Only records after this sequence number: for following. */
      afterSeq: z.number().int().optional(),
      limit: limit.optional(),
    }),
    out: z.object({ records: z.array(logRecord) }),
  },

  /** Every setting with its value, its source and its default; secrets only as set or not set. */
  'settings.show': {
    in: nothing,
    out: z.object({
      file: z.string(),
      values: z.array(
        z.object({ key: z.string(), value: z.unknown(), default: z.unknown(), source: z.enum(['default', 'file']) }),
      ),
      environment: z.array(
        z.object({
          name: z.string(),
          /** The name under which it was found (an alias, perhaps); null when it is not set. */
          foundAs: z.string().nullable(),
          source: z.enum(['environment', '.env', 'keychain']).nullable(),
          /** null for secrets, whatever they are. */
          value: z.string().nullable(),
          secret: z.boolean(),
          enables: z.string(),
        }),
      ),
      /** Parts that are off for want of a setting, each with what to set. */
      off: z.array(z.object({ part: z.string(), missing: z.array(z.string()), consequence: z.string() })),
      warnings: z.array(z.object({ message: z.string(), fix: z.string() })),
    }),
  },
  /** Sets one key (dotted path) after checking the whole; null resets it to its default. */
  'settings.set': {
    in: z.object({ key: z.string(), value: z.unknown() }),
    out: z.object({ restartNeeded: z.boolean() }),
  },

  'doctor.run': { in: nothing, out: z.object({ checks: z.array(check) }) },
} as const satisfies Record<string, { in: z.ZodType; out: z.ZodType }>;

export type MethodName = keyof typeof agentMethods;
/** What a caller may give. */
export type MethodInput<M extends MethodName> = z.input<(typeof agentMethods)[M]['in']>;
export type MethodOutput<M extends MethodName> = z.output<(typeof agentMethods)[M]['out']>;
/** One handler per method. Throws AppError for what is expected. */
export type AgentMethods = {
  readonly [M in MethodName]: (input: z.output<(typeof agentMethods)[M]['in']>) => Promise<MethodOutput<M>>;
};

export const agentEvents = {
  /** Something of the status changed: read it again. */
  status: nothing,
  /** New activities exist. */
  activity: z.object({ newest: activityRecord }),
  progress: scanProgress,
  /** Records of a table changed. */
  records: z.object({ table: editableTable }),
  log: logRecord,
  settings: nothing,
  ...syncEvents,
  ...backupEvents,
} as const satisfies Record<string, z.ZodType>;

export type EventName = keyof typeof agentEvents;
export type EventPayload<E extends EventName> = z.output<(typeof agentEvents)[E]>;
export type AgentEvent = {
  readonly [E in EventName]: { readonly event: E; readonly payload: EventPayload<E> };
}[EventName];

/** The calling side of the contract; a face does not know which carrier is behind it. */
export type AgentClient = {
  /** Rejects with an AppError. Safe to repeat unless the method creates something. */
  readonly call: <M extends MethodName>(method: M, input: MethodInput<M>) => Promise<MethodOutput<M>>;
  /** Listens until the returned function is called. Events may be lost while the carrier reconnects. */
  readonly on: <E extends EventName>(event: E, listener: (payload: EventPayload<E>) => void) => () => void;
  readonly close: () => void;
};
