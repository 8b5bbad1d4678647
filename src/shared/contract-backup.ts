/** The part of the contract about backups: what is kept where, what a restore would do, and what was proven. */
import { z } from 'zod';

const timeMs = z.number().int();
const count = z.number().int().nonnegative();
const limit = z.number().int().min(1).max(1_000);
/** Opaque position of a listing; null starts at the beginning, a null answer is its end. */
const cursor = z.string().nullable();
const nothing = z.object({});
const relativePath = z.string();

/** An error of the catalogue as the reason of a state. */
export const backupProblem = z.object({ code: z.string(), message: z.string(), fix: z.string(), exitCode: z.number() });

// ---- Where backups are ---------------------------------------------------------------------------

/** `repository`: the git repository in the data folder. `folder`: archives beside it. */
export const destinationKind = z.enum(['repository', 'folder', 'github', 'supabase']);
export type DestinationKind = z.infer<typeof destinationKind>;

export const destination = z.object({
  kind: destinationKind,
  /** Where it is, without any secret: a path, or owner/name. */
  place: z.string().nullable(),
  /** `behind`: it lacks backups and gets them by itself. `off`: not configured, which is no trouble. */
  state: z.enum(['ok', 'behind', 'needs_you', 'off']),
  problem: backupProblem.nullable(),
  /** Backups that it lacks. */
  behind: count,
  lastSuccessAtMs: timeMs.nullable(),
  nextTryAtMs: timeMs.nullable(),
  /** What it takes over there, where that is known. */
  sizeBytes: count.nullable(),
});
export type Destination = z.infer<typeof destination>;

/** Proof that a backup can be restored. */
export const drillReceipt = z.object({
  runId: z.string(),
  backupId: z.string(),
  startedAtMs: timeMs,
  durationMs: z.number(),
  files: count,
  bytes: count,
  rows: count,
  /** Files or rows that were not what they should be; empty means proven. */
  differences: z.array(z.string()),
  passed: z.boolean(),
});
export type DrillReceipt = z.infer<typeof drillReceipt>;

export const backupKey = z.object({
  /** Where the key comes from. */
  source: z.enum(['generated', 'environment', 'none']),
  kind: z.enum(['key', 'passphrase', 'none']),
  /** Short, safe to show; names the key in every backup. */
  fingerprint: z.string().nullable(),
  /** A person said that the recovery kit is saved. Until then nothing is sent elsewhere. */
  kitConfirmedAtMs: timeMs.nullable(),
});
export type BackupKey = z.infer<typeof backupKey>;

export const backupProgress = z.object({
  operation: z.enum(['backup', 'push', 'archive', 'verify', 'restore', 'drill', 'undo']),
  phase: z.string(),
  doneItems: count,
  totalItems: count,
  doneBytes: count,
  totalBytes: count,
  /** null until an honest estimate exists. */
  etaMs: z.number().nullable(),
});
export type BackupProgressView = z.infer<typeof backupProgress>;

export const backupStatus = z.object({
  /**
   * `ok`: everything captured is in a verified backup. `waiting`: changes wait for a moment of quiet. `working`.
   * `needs_you`: a person must act. `off`: backups are switched off, or no agent runs.
   */
  state: z.enum(['ok', 'waiting', 'working', 'needs_you', 'off']),
  /** One sentence. */
  summary: z.string(),
  problem: backupProblem.nullable(),
  lastBackupAtMs: timeMs.nullable(),
  lastVerifiedAtMs: timeMs.nullable(),
  /** Changes that are in no backup yet. */
  unsavedChanges: count,
  nextAtMs: timeMs.nullable(),
  /** The newest drill, and the newest one that passed. */
  lastDrill: drillReceipt.nullable(),
  lastProvenAtMs: timeMs.nullable(),
  /** The last proof is older than a fortnight, or there is none though there are backups. */
  proofIsStale: z.boolean(),
  key: backupKey,
  destinations: z.array(destination),
  progress: backupProgress.nullable(),
  /** A restore that was cut off: it can be resumed or undone. */
  interruptedRestore: z.object({ restoreId: z.string(), startedAtMs: timeMs, target: z.string() }).nullable(),
  warnings: z.array(z.string()),
});
export type BackupStatus = z.infer<typeof backupStatus>;

/** What `agent.status` says of backups. */
export const backupSummary = backupStatus.pick({
  state: true,
  summary: true,
  lastBackupAtMs: true,
  nextAtMs: true,
  lastProvenAtMs: true,
  proofIsStale: true,
  progress: true,
});
export type BackupSummaryView = z.infer<typeof backupSummary>;

// ---- Backups and what is in them -----------------------------------------------------------------

export const backupItem = z.object({
  /** Commit of the repository, or name of the archive. */
  id: z.string(),
  kind: z.enum(['repository', 'archive']),
  createdAtMs: timeMs,
  reason: z.string(),
  tag: z.string().nullable(),
  deviceId: z.string().nullable(),
  files: count,
  sizeBytes: count,
  /** Rows by table. */
  tables: z.record(z.string(), count),
  isEncrypted: z.boolean(),
  /** Files whose newest content could not be read for it. */
  incomplete: count,
  /** Files of which it has redacted copies only. */
  redacted: count,
  verifiedAtMs: timeMs.nullable(),
  where: z.array(destinationKind),
});
export type BackupItem = z.infer<typeof backupItem>;

export const backupEntryView = z.object({
  rootId: z.number().int(),
  root: z.string(),
  path: relativePath,
  name: z.string(),
  kind: z.enum(['file', 'folder', 'symlink']),
  sizeBytes: count,
  mtimeMs: timeMs.nullable(),
  sha256: z.string().nullable(),
  redactions: count,
  /** Against the file on the disk now; null when that was not looked at. */
  now: z.enum(['same', 'differs', 'missing']).nullable(),
});
export type BackupEntryView = z.infer<typeof backupEntryView>;

// ---- Restore -------------------------------------------------------------------------------------

const restoreSource = z.object({
  source: z.enum(['local', 'github', 'supabase']).optional(),
  /** Id, tag, archive name, or `latest`. */
  backup: z.string().min(1).optional(),
  /** An archive on the disk (absolute), or a name in the bucket. */
  file: z.string().min(1).optional(),
  /** The newest backup made at or before. */
  atMs: timeMs.optional(),
  /** The key of this backup when it is not the one of this agent, as people write it. It is never kept or logged. */
  key: z.string().min(1).max(500).optional(),
});

export const restoreItem = z.object({
  /** What would happen: to a file, or to a row. */
  action: z.enum(['new', 'overwrite', 'unchanged', 'extra', 'insert', 'update', 'same', 'refused']),
  /** Exactly where it is written; for rows `table/id`. */
  target: z.string(),
  root: z.string().nullable(),
  path: relativePath.nullable(),
  sizeBytes: count,
  /** Why it is refused, or what to know. */
  note: z.string().nullable(),
});
export type RestoreItem = z.infer<typeof restoreItem>;

export const restorePlan = z.object({
  planId: z.string(),
  backup: backupItem,
  /** Exactly where files are written: a folder, or null for their original places. */
  target: z.string().nullable(),
  inPlace: z.boolean(),
  counts: z.object({
    created: count,
    overwritten: count,
    unchanged: count,
    /** Files that are there now and not in the backup: they stay. */
    keptExtra: count,
    refused: count,
    rowsInserted: count,
    rowsUpdated: count,
    rowsSame: count,
  }),
  bytesToWrite: count,
  bytesFree: count.nullable(),
  /** What must be said before anything is written. */
  warnings: z.array(z.string()),
  /** What keeps the plan from being applied; null when nothing does. */
  problem: backupProblem.nullable(),
  /** The word that confirms it: the tag or the day of the backup. */
  confirmWith: z.string(),
  sample: z.array(restoreItem),
});
export type RestorePlanView = z.infer<typeof restorePlan>;

export const restoreResult = z.object({
  restoreId: z.string(),
  startedAtMs: timeMs,
  durationMs: z.number(),
  target: z.string().nullable(),
  written: count,
  overwritten: count,
  rowsInserted: count,
  rowsUpdated: count,
  bytes: count,
  /** What could not be written, each with its reason; nothing else was affected. */
  failed: z.array(z.object({ target: z.string(), reason: z.string() })),
  /** Until when `restore.undo` can give the former bytes back; null when there is nothing to undo. */
  undoUntilMs: timeMs.nullable(),
});
export type RestoreResultView = z.infer<typeof restoreResult>;

export const restoreRun = restoreResult.extend({
  backupId: z.string(),
  state: z.enum(['done', 'undone', 'interrupted', 'failed']),
});
export type RestoreRun = z.infer<typeof restoreRun>;

// ---- Drift ---------------------------------------------------------------------------------------

export const driftItem = z.object({
  /** Between which two: the vault and something else. */
  against: z.enum(['files', 'backup', 'supabase', 'notion']),
  /** Path of a file, or `table/id` of a row. */
  name: z.string(),
  kind: z.enum(['missing', 'extra', 'changed_here', 'changed_there', 'changed_both']),
  detail: z.string().nullable(),
});
export type DriftItem = z.infer<typeof driftItem>;

export const driftReport = z.object({
  takenAtMs: timeMs,
  sides: z.array(
    z.object({
      against: driftItem.shape.against,
      compared: count,
      different: count,
      /** Why this side was not compared. */
      problem: backupProblem.nullable(),
    }),
  ),
  items: z.array(driftItem),
  /** Items beyond those listed. */
  more: count,
  alert: z.boolean(),
});
export type DriftReport = z.infer<typeof driftReport>;

// ---- Methods and events --------------------------------------------------------------------------

export const backupMethods = {
  /** Follows from what is stored and what runs now. */
  'backups.status': { in: nothing, out: backupStatus },
  /** Makes a backup now and answers when it is verified; destinations that fail are told and tried again. */
  'backups.run': {
    in: z.object({
      tag: z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'letters, digits, dot, dash and underscore')
        .optional(),
      github: z.boolean().optional(),
      supabase: z.boolean().optional(),
      /** Of the archive; the repository keeps its own. */
      encryption: z.boolean().optional(),
      sanityCheck: z.boolean().optional(),
      /** Write an archive to this file (absolute, must not exist). */
      exportTo: z.string().min(1).optional(),
      /** Also write an archive and send everything at once. */
      emergency: z.boolean().optional(),
    }),
    out: z.object({
      backup: backupItem,
      /** False when nothing had changed since the newest backup. */
      isNew: z.boolean(),
      archive: backupItem.nullable(),
      exportedTo: z.string().nullable(),
      destinations: z.array(destination),
      /** Texts in which secrets were replaced, for a destination without encryption. */
      redactedFiles: z.array(z.string()),
    }),
  },
  /** Newest first, repository and archives together. */
  'backups.list': {
    in: z.object({ limit: limit.optional(), cursor: cursor.optional() }),
    out: z.object({ backups: z.array(backupItem), next: cursor, total: count }),
  },
  'backups.show': {
    in: z.object({ id: z.string().min(1) }),
    out: z.object({
      backup: backupItem,
      roots: z.array(z.object({ rootId: z.number().int(), path: z.string(), files: count, sizeBytes: count })),
    }),
  },
  /** What lies directly in a folder of a backup; without `rootId` the roots. */
  'backups.browse': {
    in: z.object({ id: z.string().min(1), rootId: z.number().int().optional(), path: z.string().optional() }),
    out: z.object({ entries: z.array(backupEntryView) }),
  },
  /** Entries whose path has this text. */
  'backups.search': {
    in: z.object({ id: z.string().min(1), text: z.string().min(1).max(200), limit: limit.optional() }),
    out: z.object({ entries: z.array(backupEntryView), hasMore: z.boolean() }),
  },
  /** A file of a backup against the file on the disk now. */
  'backups.diff': {
    in: z.object({ id: z.string().min(1), rootId: z.number().int(), path: z.string().min(1) }),
    out: z.object({
      comparable: z.boolean(),
      before: z.object({ sizeBytes: count, sha256: z.string().nullable() }),
      /** null when there is no such file now. */
      after: z.object({ sizeBytes: count, sha256: z.string().nullable() }).nullable(),
      hunks: z.array(
        z.object({
          lines: z.array(
            z.object({
              kind: z.enum(['same', 'added', 'removed']),
              text: z.string(),
              before: z.number().int().nullable(),
              after: z.number().int().nullable(),
            }),
          ),
        }),
      ),
      added: count,
      removed: count,
    }),
  },
  /** Proves every byte of a backup (the newest when none is named), at a destination. */
  'backups.verify': {
    in: z.object({ id: z.string().min(1).optional(), at: destinationKind.optional() }),
    out: z.object({ backup: backupItem, objects: count, bytes: count, durationMs: z.number() }),
  },
  /** Removes what the retention no longer keeps; `dryRun` only says so. */
  'backups.prune': {
    in: z.object({ dryRun: z.boolean().optional() }),
    out: z.object({
      removed: z.array(z.object({ at: destinationKind, id: z.string(), reason: z.string() })),
      kept: count,
      /** Places where nothing was removed, and why. */
      skipped: z.array(z.object({ at: destinationKind, reason: z.string() })),
    }),
  },
  /** Restores a backup into a scratch folder and compares it byte by byte. */
  'backups.drill': { in: z.object({ id: z.string().min(1).optional() }), out: z.object({ receipt: drillReceipt }) },
  /** Starts another branch, or another repository, beside the present one; nothing is removed. */
  'backups.fresh': { in: z.object({ what: z.enum(['branch', 'repository']) }), out: nothing },

  /** What a restore would do: a value, with no effect. It can be applied for an hour. */
  'restore.plan': {
    in: restoreSource.extend({
      /** Globs over paths of any root; without it, and without `paths`, everything. */
      only: z.array(z.string().min(1)).optional(),
      /** Files and folders exactly as they are called, each with what is below it; `''` is the whole root. */
      paths: z
        .array(z.object({ rootId: z.number().int(), path: relativePath }))
        .min(1)
        .optional(),
      /** False: only rows. Left out: files, unless tables are all that is asked for. */
      files: z.boolean().optional(),
      /** Tables to bring back; none unless named. */
      tables: z.array(z.string().min(1)).optional(),
      /** Target folder (absolute); without it and without `inPlace` a new folder beside. */
      to: z.string().min(1).optional(),
      inPlace: z.boolean().optional(),
      allowRedacted: z.boolean().optional(),
      autoMigrate: z.boolean().optional(),
    }),
    out: restorePlan,
  },
  'restore.items': {
    in: z.object({
      planId: z.string(),
      action: restoreItem.shape.action.optional(),
      limit: limit.optional(),
      cursor: cursor.optional(),
    }),
    out: z.object({ items: z.array(restoreItem), next: cursor }),
  },
  /** Takes a safety backup, writes, verifies. Throws `restore.plan_changed` when files changed since the plan. */
  'restore.apply': {
    in: z.object({ planId: z.string(), confirm: z.string() }),
    out: restoreResult,
  },
  /** Gives back the bytes from before a restore: the newest, or the one named. */
  'restore.undo': { in: z.object({ restoreId: z.string().optional() }), out: restoreResult },
  /** Goes on with a restore that was cut off, or takes it back: `restore.list` says which. */
  'restore.resume': { in: nothing, out: restoreResult },
  'restore.list': { in: z.object({ limit: limit.optional() }), out: z.object({ restores: z.array(restoreRun) }) },

  /** Compares files, vault, remotes and the newest backup, and names which side moved. */
  'drift.run': {
    in: z.object({ against: z.array(driftItem.shape.against).optional(), limit: limit.optional() }),
    out: driftReport,
  },

  'key.show': { in: nothing, out: backupKey },
  /** The recovery kit as text: the one answer that carries the key. It is never logged. */
  'key.kit': { in: nothing, out: z.object({ text: z.string(), fingerprint: z.string(), fileName: z.string() }) },
  /** Confirms that the kit is saved, by the last characters of the key. */
  'key.confirm': { in: z.object({ ending: z.string().min(4).max(64) }), out: backupKey },
  /**
   * Makes the key of another machine, or of a kit, the one of this machine: for a vault without backups of its own.
   * Throws `usage.bad_argument` where another key has backups here already.
   */
  'key.import': { in: z.object({ key: z.string().min(1).max(500) }), out: backupKey },
  /** Wraps the repository's key with a new one (made here unless given); older backups stay readable with it. */
  'key.rotate': { in: z.object({ key: z.string().min(1).max(500).optional() }), out: backupKey },
} as const satisfies Record<string, { in: z.ZodType; out: z.ZodType }>;

export const backupEvents = {
  /** Something about backups changed: read it again. */
  backups: nothing,
  'backup-progress': backupProgress,
} as const satisfies Record<string, z.ZodType>;
