/** The part of the contract about the agent's own work: how it is doing, what runs when, and services that are set up. */
import { z } from 'zod';
import { checkStep } from './contract-sync.ts';
import { SERVICE_ENVIRONMENT, type ServiceName } from './settings.ts';

const timeMs = z.number().int();
const count = z.number().int().nonnegative();
const nothing = z.object({});

// ---- How it is doing -----------------------------------------------------------------------------

/** Several minutes of the agent as one point of a chart. */
export const healthPoint = z.object({
  /** The beginning of its bucket. */
  atMs: timeMs,
  /** CPU time by wall time: 1 is one core all the time. */
  cpuShare: z.number(),
  memoryBytes: count,
  /** Changes that waited to be captured or sent, at most. */
  queued: count,
  /** Records that services acknowledged. */
  sent: count,
  /** From the change to the acknowledgement, on average and at most; null when nothing was sent. */
  latencyMs: z.number().nullable(),
  latencyMaxMs: z.number().nullable(),
});
export type HealthPointView = z.infer<typeof healthPoint>;

export const backupPoint = z.object({
  atMs: timeMs,
  durationMs: z.number(),
  /** What it added to the repository, and what that takes since. */
  writtenBytes: count,
  repositoryBytes: count,
  files: count,
});
export type BackupPointView = z.infer<typeof backupPoint>;

// ---- What runs when ------------------------------------------------------------------------------

export const SCHEDULE_IDS = [
  'backup_changes',
  'backup_daily',
  'drill',
  'retention',
  'scan',
  'sync_supabase',
  'sync_notion',
  'tidy',
] as const;

export const scheduleEntry = z.object({
  id: z.enum(SCHEDULE_IDS),
  /**
   * `on`: it runs by itself. `waiting`: on, and nothing is to be done until something changes. `off`: switched off or
   * not set up. `failing`: its last attempt failed and it is tried again.
   */
  state: z.enum(['on', 'waiting', 'off', 'failing']),
  /** How often in numbers; which of them are set depends on the entry. */
  everyMs: z.number().nullable(),
  dailyAt: z.string().nullable(),
  timeZone: z.string().nullable(),
  /** The end of the newest run that is known; null when none is. */
  lastAtMs: timeMs.nullable(),
  lastOutcome: z.enum(['ok', 'failed']).nullable(),
  /** The next runs, at most three; a time that is past means at once. Empty when it waits for something. */
  nextAtMs: z.array(timeMs),
  /** Why it is off or fails, in words of the agent. */
  reason: z.string().nullable(),
});
export type ScheduleEntry = z.infer<typeof scheduleEntry>;

// ---- Services ------------------------------------------------------------------------------------

const NAMES = SERVICE_ENVIRONMENT.map(({ name }) => name) as [ServiceName, ...ServiceName[]];
export const environmentName = z.enum(NAMES);
/** Longer than any key of a service; a value is one line. */
const environmentValue = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(4_000)
  .regex(/^[^\p{Cc}]*$/u, 'must be one line');

export const opsMethods = {
  /** What was noted in a span that ends now, in at most `points` points, and the backups of the last 90 days. */
  'health.series': {
    in: z.object({
      spanMs: z
        .number()
        .int()
        .min(60_000)
        .max(31 * 86_400_000),
      points: z.number().int().min(2).max(1_000).optional(),
    }),
    out: z.object({
      bucketMs: count,
      sinceMs: timeMs,
      untilMs: timeMs,
      /** Older minutes are not kept. */
      keptMs: count,
      points: z.array(healthPoint),
      backups: z.array(backupPoint),
    }),
  },
  /** What the agent does by itself, with its last and its next run: from what is stored. Asks no remote. */
  'schedule.list': { in: nothing, out: z.object({ nowMs: timeMs, entries: z.array(scheduleEntry) }) },
  /**
   * Sets names of outside services, all of them or none; null removes one. Secrets go to the keychain of the desktop
   * where it has one, else to `.env` in the data folder (0600), like everything else. They are never shown again.
   * Throws `config.overridden` when the environment of the process sets one of the names, `config.unwritable`.
   */
  'environment.set': {
    in: z.object({ values: z.partialRecord(environmentName, environmentValue.nullable()) }),
    out: z.object({ kept: z.array(z.object({ name: environmentName, in: z.enum(['keychain', '.env']) })) }),
  },
  /** Tests the git server that backups are pushed to, step by step. Never throws for what a step can say. */
  'backups.test': { in: nothing, out: z.object({ configured: z.boolean(), steps: z.array(checkStep) }) },
  /** Makes the private repository that backups are pushed to; with `apply` it is made. */
  'backups.prepare': {
    in: z.object({ apply: z.boolean() }),
    out: z.object({ steps: z.array(z.string()), applied: z.boolean() }),
  },
} as const satisfies Record<string, { in: z.ZodType; out: z.ZodType }>;
