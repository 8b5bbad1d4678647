/**
 * The settings: one `config.json` in the data folder, every key with its default.
 * Keys are snake_case because people type them. Secrets are never kept here: they come from the environment.
 */
import { z } from 'zod';

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time like 03:00');
const optionalTime = z.union([z.literal(''), clockTime], 'must be a time like 22:00, or empty').default('');
const positive = z.number().int().positive();
const timeZone = z.string().refine(isTimeZone, 'must be a time zone like UTC or Europe/Berlin');

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const rootSetting = z.strictObject({
  path: z.string().min(1),
  /** Patterns in the syntax of .gitignore, besides those in the folder itself. */
  exclude: z.array(z.string()).default([]),
  respect_gitignore: z.boolean().default(true),
});
export type RootSetting = z.infer<typeof rootSetting>;

const watch = z.strictObject({
  /** A file is captured when it was quiet for this long ... */
  quiet_ms: z.number().int().min(20).max(60_000).default(300),
  /** ... and at the latest this long after its first change. */
  max_wait_ms: z.number().int().min(100).max(600_000).default(3_000),
  /** How long a file that a program keeps open for writing may wait before it is captured as `still open`. */
  open_file_wait_seconds: positive.max(3_600).default(30),
  max_file_mb: positive.max(100_000).default(100),
  /** The safety scan that finds what events missed; jittered by a quarter. */
  rescan_minutes: positive.max(10_080).default(30),
  /** Deletions beyond either limit are held until a person decides. */
  hold_deletes_over: positive.default(50),
  hold_deletes_share: z.number().gt(0).lte(1).default(0.2),
});

/** A database of Notion by its id or its link; `create`: one is wanted, and made when asked; empty: none. */
const notionDatabase = z
  .string()
  .regex(
    /^(create|.*[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}.*)?$/i,
    'must be the link or the id of a database, or create',
  )
  .default('');

const sync = z.strictObject({
  supabase_enabled: z.boolean().default(true),
  notion_enabled: z.boolean().default(true),
  /** Where memories and activities go in Notion; decisions go to `NOTION_DATABASE_ID`. */
  notion_memories: notionDatabase,
  notion_activities: notionDatabase,
  /** Pages in Notion for people to read: one for each run that somebody starts, and one for each day. */
  notion_run_pages: z.boolean().default(false),
  notion_day_pages: z.boolean().default(false),
  /** The page or database that gets them, by its link or id; empty: beside the decisions. */
  notion_pages_in: z.string().default(''),
  /** Lines of the log from this level on, and recorded runs, go to Supabase, too. */
  send_logs: z.enum(['off', 'error', 'warn', 'info']).default('info'),
  batch_size: positive.max(10_000).default(500),
  reconcile_minutes: positive.default(60),
  /** Records that a remote would retire or empty here, or that would be retired over there, beyond either limit are held. */
  hold_changes_over: positive.default(50),
  hold_changes_share: z.number().gt(0).lte(1).default(0.2),
});

const scheduler = z.strictObject({
  run_time: clockTime.default('03:00'),
  timezone: timeZone.default('UTC'),
});

const notifications = z.strictObject({
  method: z.enum(['slack', 'email', 'desktop', 'none']).default('slack'),
  email_enabled: z.boolean().default(false),
  slack_enabled: z.boolean().default(true),
  desktop_enabled: z.boolean().default(true),
  /** Notices on the desktop in any 24 hours; what is beyond waits and is told as one. */
  daily_limit: z.number().int().min(1).max(50).default(3),
  /** No notice on the desktop between these times; both empty: no quiet hours. */
  quiet_from: optionalTime,
  quiet_to: optionalTime,
  tell_decisions: z.boolean().default(true),
  tell_faults: z.boolean().default(true),
  tell_sync: z.boolean().default(true),
  tell_backups: z.boolean().default(true),
  tell_schedule: z.boolean().default(true),
});

const desktop = z.strictObject({
  start_at_login: z.boolean().default(false),
  check_for_updates: z.boolean().default(true),
});

const backup = z.strictObject({
  /** The folder of the repository below `backups` in the data folder. */
  repository: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'must be letters, digits, dash and underscore')
    .default('angles-backup'),
  /** After changes, and at `scheduler.run_time`. */
  auto_commit: z.boolean().default(true),
  quiet_seconds: positive.max(3_600).default(30),
  push_enabled: z.boolean().default(true),
  archive_enabled: z.boolean().default(true),
  compression_level: z.number().int().min(0).max(9).default(6),
  retention_days: positive.default(30),
  retention_manual_days: positive.default(15),
});

const restore = z.strictObject({
  auto_migrate: z.boolean().default(false),
  dry_run_default: z.boolean().default(true),
});

const healthCheck = z.strictObject({
  timeout_seconds: positive.default(30),
  max_unsynced_warning: positive.default(10),
  max_unsynced_error: positive.default(50),
});

const ai = z.strictObject({
  enabled: z.boolean().default(true),
});

const privacy = z.strictObject({
  on_secret: z.enum(['redact', 'hold']).default('redact'),
});

const dashboard = z.strictObject({
  /** The first port tried; the next free one is taken when it is in use. 0 takes any. */
  port: z.number().int().min(0).max(65_535).default(5_000),
  theme: z.enum(['system', 'light', 'dark']).default('system'),
});

const logs = z.strictObject({
  level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  compress_after_days: positive.default(7),
  delete_after_days: positive.default(30),
  max_total_mb: positive.default(50),
});

/** The whole of `config.json`. Every section and key may be left out. */
export const settingsSchema = z.strictObject({
  roots: z.array(rootSetting).default([]),
  watch: watch.prefault({}),
  sync: sync.prefault({}),
  scheduler: scheduler.prefault({}),
  notifications: notifications.prefault({}),
  backup: backup.prefault({}),
  restore: restore.prefault({}),
  health_check: healthCheck.prefault({}),
  ai: ai.prefault({}),
  privacy: privacy.prefault({}),
  dashboard: dashboard.prefault({}),
  desktop: desktop.prefault({}),
  logs: logs.prefault({}),
});
export type Settings = z.infer<typeof settingsSchema>;
export type SettingsInput = z.input<typeof settingsSchema>;

/** The names of the outside, with the aliases that are accepted; the first name is the one we write about. */
export const ENVIRONMENT = [
  { name: 'SUPABASE_URL', aliases: [], secret: false, enables: 'sync with Supabase' },
  { name: 'SUPABASE_KEY', aliases: [], secret: true, enables: 'sync with Supabase' },
  { name: 'SUPABASE_EMAIL', aliases: [], secret: false, enables: 'signing in to Supabase with a publishable key' },
  { name: 'SUPABASE_PASSWORD', aliases: [], secret: true, enables: 'signing in to Supabase with a publishable key' },
  { name: 'SUPABASE_DB_URL', aliases: [], secret: true, enables: 'creating the Supabase tables by itself' },
  { name: 'NOTION_API_KEY', aliases: ['NOTION_TOKEN'], secret: true, enables: 'sync with Notion' },
  { name: 'NOTION_DATABASE_ID', aliases: [], secret: false, enables: 'sync with Notion' },
  { name: 'NOTION_MEMORIES_DATABASE_ID', aliases: [], secret: false, enables: 'memories in Notion' },
  { name: 'NOTION_ACTIVITIES_DATABASE_ID', aliases: [], secret: false, enables: 'activities in Notion' },
  { name: 'GITHUB_TOKEN', aliases: [], secret: true, enables: 'pushing backups to GitHub' },
  { name: 'GITHUB_REPO', aliases: ['REPO_URL'], secret: false, enables: 'pushing backups to GitHub' },
  { name: 'OPENAI_API_KEY', aliases: [], secret: true, enables: 'AI analysis' },
  { name: 'OPENAI_MODEL', aliases: [], secret: false, enables: 'choosing the AI model (default gpt-4o)' },
  { name: 'OPENAI_BASE_URL', aliases: [], secret: false, enables: 'another AI service of the same protocol' },
  {
    name: 'BACKUP_ENCRYPTION_KEY',
    aliases: [],
    secret: true,
    enables: 'your own backup key instead of a generated one',
  },
  { name: 'SLACK_WEBHOOK_URL', aliases: [], secret: true, enables: 'alerts in Slack' },
  { name: 'SMTP_SERVER', aliases: [], secret: false, enables: 'alerts by e-mail' },
  { name: 'SMTP_PORT', aliases: [], secret: false, enables: 'alerts by e-mail (default 587)' },
  { name: 'SMTP_USERNAME', aliases: [], secret: false, enables: 'alerts by e-mail' },
  { name: 'SMTP_PASSWORD', aliases: [], secret: true, enables: 'alerts by e-mail' },
  { name: 'EMAIL_RECIPIENT', aliases: [], secret: false, enables: 'alerts by e-mail' },
] as const satisfies readonly EnvironmentName[];

export type EnvironmentName = {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly secret: boolean;
  /** What the variable switches on, in words. */
  readonly enables: string;
};
export type EnvironmentKey = (typeof ENVIRONMENT)[number]['name'];

/** Names that a face may set: all but the key of the backups, which is rotated and never just replaced. */
export type ServiceName = Exclude<EnvironmentKey, 'BACKUP_ENCRYPTION_KEY'>;
export const SERVICE_ENVIRONMENT = ENVIRONMENT.filter(
  (one): one is Extract<(typeof ENVIRONMENT)[number], { name: ServiceName }> => one.name !== 'BACKUP_ENCRYPTION_KEY',
);
