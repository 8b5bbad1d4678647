/** The part of the contract about sync: what the remotes hold, what waits for them, and what two sides disagree on. */
import { z } from 'zod';
import { editableRecord, remote } from './model.ts';

const timeMs = z.number().int();
const count = z.number().int().nonnegative();
const limit = z.number().int().min(1).max(1_000);
/** Opaque position of a listing; null starts at the beginning, a null answer is its end. */
const cursor = z.string().nullable();
const nothing = z.object({});

export const syncTable = z.enum(['decision_vault', 'memories', 'activities', 'file_snapshots']);
const mergedTable = z.enum(['decision_vault', 'memories']);

// ---- State of the remotes ------------------------------------------------------------------------

/**
 * `ok`: nothing waits. `syncing`: something is sent or read now, or will be at `nextTryAtMs` without trouble.
 * `offline`: not reachable or asked to wait; it is tried again by itself. `needs_you`: a person must act.
 * `off`: not configured, switched off, or no agent runs.
 */
export const syncState = z.enum(['ok', 'syncing', 'offline', 'needs_you', 'off']);
export type SyncState = z.infer<typeof syncState>;

/**
 * What waits for a person: `replaced`, the remote is another database or an older state of it; `pull`, the remote
 * would delete or overwrite many records here; `push`, this vault would delete many records over there.
 */
export const syncHold = z.object({
  kind: z.enum(['replaced', 'pull', 'push']),
  sinceMs: timeMs,
  deletes: count,
  overwrites: count,
  /** Records of the tables concerned. */
  total: count,
  /** A few lines in plain words. */
  sample: z.array(z.string()),
});
export type SyncHold = z.infer<typeof syncHold>;

/** Who talks to a remote that only one device may talk to. */
export const syncLeader = z.object({
  /** `none`: nobody just now, the next one takes over within a minute. */
  kind: z.enum(['this_device', 'other_device', 'none']),
  deviceId: z.string().nullable(),
  untilMs: timeMs.nullable(),
});
export type SyncLeader = z.infer<typeof syncLeader>;

export const remoteStatus = z.object({
  remote,
  configured: z.boolean(),
  state: syncState,
  /** One or two sentences; null when all is well. */
  reason: z.string().nullable(),
  fix: z.string().nullable(),
  /** The code of the catalogue behind the reason. */
  code: z.string().nullable(),
  pending: count,
  leased: count,
  /** Set aside until a person decides or the record changes. */
  parked: count,
  oldestAtMs: timeMs.nullable(),
  /** Records sent per second, over the last seconds in which something was sent. */
  perSecond: z.number(),
  /** null until an honest estimate exists. */
  etaMs: z.number().nullable(),
  lastSuccessAtMs: timeMs.nullable(),
  /** When its changes were last read to the end. */
  lastPullAtMs: timeMs.nullable(),
  nextTryAtMs: timeMs.nullable(),
  /** Tables that pause, each with its reason; the others go on. */
  paused: z.array(z.object({ table: syncTable, code: z.string(), reason: z.string(), fix: z.string() })),
  hold: syncHold.nullable(),
  /** null where every device may talk to the remote. */
  leader: syncLeader.nullable(),
});
export type RemoteStatus = z.infer<typeof remoteStatus>;

export const syncStatus = z.object({
  remotes: z.array(remoteStatus),
  /** Conflicts that wait for a decision. */
  conflicts: count,
  /** Set while sending is paused because the agent ended unexpectedly several times. */
  safeMode: z.object({ sinceMs: timeMs, reason: z.string(), fix: z.string() }).nullable(),
});
export type SyncStatus = z.infer<typeof syncStatus>;

/** What a run would do, or did, to one table. */
export const syncTableCounts = z.object({
  table: syncTable,
  push: count,
  /** Of `push`: records that are new over there are not told apart; these are retired over there. */
  pushDeletes: count,
  pull: count,
  /** Of `pull`: new here, retired here. */
  pullCreates: count,
  pullDeletes: count,
  conflicts: count,
  /** Records whose remote row has values that make no sense. */
  invalid: count,
});
export type SyncTableCounts = z.infer<typeof syncTableCounts>;

export const syncProblem = z.object({ code: z.string(), message: z.string(), fix: z.string(), exitCode: z.number() });

export const syncPlan = z.object({
  remote,
  tables: z.array(syncTableCounts),
  /** A few lines in plain words: what is sent, what comes, what is held. */
  sample: z.array(z.string()),
  hold: syncHold.nullable(),
  /** Why nothing, or not all, could be looked at or done. */
  problem: syncProblem.nullable(),
});
export type SyncPlan = z.infer<typeof syncPlan>;

/** One step of a connection test; the first that fails ends it. */
export const checkStep = z.object({
  id: z.string(),
  title: z.string(),
  verdict: z.enum(['ok', 'failed', 'warning', 'skipped']),
  detail: z.string(),
  fix: z.string().nullable(),
  /** `sync.prepare` can mend it. */
  canPrepare: z.boolean(),
  code: z.string().nullable(),
});

// ---- Conflicts -----------------------------------------------------------------------------------

/**
 * `edit`: both sides changed a field, the newer value is in force. `delete`: one side retired what the other edited,
 * the edit is in force. `invalid`: the remote has a value that makes no sense; the field is left alone on both sides.
 */
export const conflictKind = z.enum(['edit', 'delete', 'invalid']);
export type ConflictKind = z.infer<typeof conflictKind>;
/** `both` joins texts and tags. `edited` takes the given value. `gone` is no choice: the disagreement ended by itself. */
export const conflictChoice = z.enum(['mine', 'theirs', 'both', 'edited']);
export type ConflictChoice = z.infer<typeof conflictChoice>;

export const conflict = z.object({
  id: z.string(),
  remote,
  table: mergedTable,
  recordId: z.string(),
  /** Title of the record as it is now; empty when it is not there any more. */
  recordTitle: z.string(),
  field: z.string(),
  kind: conflictKind,
  /** The value of this vault, and of the remote, when they met. For `invalid` the text found over there. */
  mine: z.unknown(),
  theirs: z.unknown(),
  /** What both had agreed on before; null when they never had. */
  base: z.unknown(),
  mineEditedAtMs: timeMs.nullable(),
  theirsEditedAtMs: timeMs.nullable(),
  /** Which of the two was put in force by itself: the choice that is marked. */
  winner: z.enum(['mine', 'theirs']),
  /** Why, for `invalid`. */
  reason: z.string().nullable(),
  /** The choices that make sense for this field. */
  choices: z.array(conflictChoice),
  /** The value in force now; null when the record is gone. */
  current: z.unknown(),
  detectedAtMs: timeMs,
  resolvedAtMs: timeMs.nullable(),
  resolution: z.enum(['mine', 'theirs', 'both', 'edited', 'gone']).nullable(),
  /** A resolved one can be undone while nobody changed the field since. */
  canUndo: z.boolean(),
});
export type Conflict = z.infer<typeof conflict>;

// ---- The queue -----------------------------------------------------------------------------------

export const queueKey = z.object({ remote, table: syncTable, recordId: z.string().min(1) });
export type QueueKey = z.infer<typeof queueKey>;

export const queueEntry = queueKey.extend({
  /** Title of a record, path of a file version, sentence of an activity. */
  title: z.string(),
  state: z.enum(['pending', 'leased', 'parked']),
  attempts: count,
  enqueuedAtMs: timeMs,
  /** When it is tried again; null when at once, or when parked. */
  nextTryAtMs: timeMs.nullable(),
  code: z.string().nullable(),
  reason: z.string().nullable(),
  fix: z.string().nullable(),
});
export type QueueEntry = z.infer<typeof queueEntry>;

/** Exactly what would leave this machine, secrets already taken out. */
export const outgoing = z.object({
  remote,
  table: syncTable,
  recordId: z.string(),
  /** The row or page over there; null when it carries our id or does not exist yet. */
  remoteId: z.string().nullable(),
  action: z.enum(['create', 'change', 'retire', 'append']),
  fields: z.record(z.string(), z.unknown()),
  /** What differs from what the remote is known to have. */
  changes: z.array(z.object({ field: z.string(), before: z.unknown(), after: z.unknown() })),
  content: z
    .discriminatedUnion('kind', [
      z.object({ kind: z.literal('text'), text: z.string(), sizeBytes: count, isCut: z.boolean() }),
      z.object({ kind: z.literal('none'), reason: z.enum(['binary', 'deleted', 'too_large', 'held']) }),
    ])
    .nullable(),
  /** How many secrets were replaced by `[REDACTED:<kind>]`, and of which kinds. */
  redactions: count,
  redactedKinds: z.array(z.string()),
  /** Nothing of it is sent, because of its secrets and `privacy.on_secret: hold`. */
  held: z.boolean(),
});
export type OutgoingView = z.infer<typeof outgoing>;

export const device = z.object({
  deviceId: z.string(),
  name: z.string(),
  version: z.string().nullable(),
  isThis: z.boolean(),
  lastSeenAtMs: timeMs.nullable(),
  /** Changes that it had not sent yet when it was last seen; null when it did not say. */
  unsent: count.nullable(),
  /** Talks to Notion for all devices. */
  isLeader: z.boolean(),
});
export type Device = z.infer<typeof device>;

// ---- Methods and events --------------------------------------------------------------------------

export const syncMethods = {
  /** Follows from what is stored and from what runs now; asks no remote. */
  'sync.status': { in: nothing, out: syncStatus },
  /**
   * Reads and sends everything once, now, and answers when that is done or cannot be. Leaves safe mode.
   * `dryRun` asks the remotes and changes nothing on any side; `exportOnly` sends and does not read.
   */
  'sync.run': {
    in: z.object({ remote: remote.optional(), dryRun: z.boolean().optional(), exportOnly: z.boolean().optional() }),
    out: z.object({ dryRun: z.boolean(), plans: z.array(syncPlan), status: syncStatus }),
  },
  /** Tests the connection step by step. Never throws for what a step can say. */
  'sync.test': {
    in: z.object({ remote: remote.optional() }),
    out: z.object({
      remotes: z.array(z.object({ remote, configured: z.boolean(), steps: z.array(checkStep) })),
    }),
  },
  /** What would have to be created over there; with `apply` it is. */
  'sync.prepare': {
    in: z.object({ remote, apply: z.boolean() }),
    out: z.object({ steps: z.array(z.string()), applied: z.boolean() }),
  },
  /**
   * Decides what a remote holds back. `accept`: the deletions and changes are done, the replaced remote is linked anew
   * and gets everything. `refuse`: this vault's state is sent instead; a replaced remote stays untouched.
   * Throws `not_found.entry` when nothing is held.
   */
  'sync.decide': {
    in: z.object({ remote, decision: z.enum(['accept', 'refuse']) }),
    out: z.object({ status: remoteStatus }),
  },

  /** Newest first. */
  'conflicts.list': {
    in: z.object({
      state: z.enum(['open', 'resolved', 'all']).optional(),
      remote: remote.optional(),
      table: mergedTable.optional(),
      recordId: z.string().optional(),
      limit: limit.optional(),
      cursor: cursor.optional(),
    }),
    out: z.object({ conflicts: z.array(conflict), next: cursor, open: count }),
  },
  /** `id`: the whole, or a unique part of 6 characters or more. Throws `not_found.conflict`, `ambiguous.id`. */
  'conflicts.show': {
    in: z.object({ id: z.string().min(6) }),
    /** `others`: the other open conflicts of the same record. */
    out: z.object({ conflict, record: editableRecord.nullable(), others: z.array(conflict) }),
  },
  /** Each for itself: one that cannot be resolved like this is told in `failed`, the others are. Safe to repeat. */
  'conflicts.resolve': {
    in: z.object({
      ids: z.array(z.string().min(6)).min(1).max(1_000),
      choice: conflictChoice,
      /** For `edited`. */
      value: z.unknown().optional(),
      origin: z.enum(['cli', 'dashboard']),
    }),
    out: z.object({
      resolved: z.array(conflict),
      failed: z.array(z.object({ id: z.string(), code: z.string(), message: z.string() })),
    }),
  },
  /** Puts the value back that was in force before, and opens the conflict again. */
  'conflicts.undo': {
    in: z.object({ ids: z.array(z.string().min(6)).min(1).max(1_000), origin: z.enum(['cli', 'dashboard']) }),
    out: z.object({
      undone: z.array(conflict),
      failed: z.array(z.object({ id: z.string(), code: z.string(), message: z.string() })),
    }),
  },

  /** Oldest change first. */
  'queue.list': {
    in: z.object({
      remote: remote.optional(),
      state: z.enum(['pending', 'leased', 'parked']).optional(),
      table: syncTable.optional(),
      limit: limit.optional(),
      cursor: cursor.optional(),
    }),
    out: z.object({ entries: z.array(queueEntry), next: cursor, total: count }),
  },
  /** `id`: a record's id, whole or a unique part. Throws `not_found.entry`, `ambiguous.id`. */
  'queue.show': {
    in: z.object({ id: z.string().min(6), remote: remote.optional() }),
    out: z.object({ entries: z.array(z.object({ entry: queueEntry, outgoing: outgoing.nullable() })) }),
  },
  /** Tries parked and waiting entries again, now; without `keys` all parked ones. */
  'queue.retry': {
    in: z.object({ keys: z.array(queueKey).max(1_000).optional(), remote: remote.optional() }),
    out: z.object({ retried: count }),
  },
  /**
   * Drops parked entries after writing them to a file, durably: an absolute path that must not exist yet, or one in
   * the data folder when it is left out. Throws `file.exists`, `file.unwritable`; then nothing was dropped.
   */
  'queue.discard': {
    in: z.object({ keys: z.array(queueKey).min(1).max(1_000), exportTo: z.string().min(1).optional() }),
    out: z.object({ discarded: count, exportedTo: z.string() }),
  },

  /** The devices that share the Supabase project; only this one without it. */
  'devices.list': {
    in: nothing,
    out: z.object({ devices: z.array(device), problem: syncProblem.nullable() }),
  },
} as const satisfies Record<string, { in: z.ZodType; out: z.ZodType }>;

export const migrateMethods = {
  /**
   * What would bring the tables of the Supabase project to this version, over SUPABASE_DB_URL; with `apply` it is done,
   * all of it or nothing. Safe to repeat. Throws `migration.failed`.
   */
  'migrate.run': {
    in: z.object({ apply: z.boolean() }),
    /** `current`: the newest migration that had run before; 0 for an empty project. */
    out: z.object({ current: count, newest: count, steps: z.array(z.string()), applied: z.boolean() }),
  },
  /** The same as SQL, to be pasted into the SQL editor of the project. Asks no remote. */
  'migrate.sql': { in: nothing, out: z.object({ sql: z.string() }) },
} as const satisfies Record<string, { in: z.ZodType; out: z.ZodType }>;

export const syncEvents = {
  /** The state of a remote changed: read it again. At most four times a second. */
  sync: z.object({ remote: remote.nullable() }),
  /** Conflicts came, were resolved or undone. */
  conflicts: z.object({ open: count }),
} as const satisfies Record<string, z.ZodType>;
