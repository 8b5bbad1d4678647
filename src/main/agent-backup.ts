/** Hands backups what they need of everything else. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { MethodOutput } from '../shared/contract.ts';
import { AppError } from '../shared/errors.ts';
import { ENVIRONMENT, type Settings } from '../shared/settings.ts';
import type { AgentState } from './api-parts.ts';
import type { AgentMode } from './api-types.ts';
import type { BackupService, BackupServiceDeps } from './backup/backup-service.ts';
import type { Bucket } from './backup/bucket.ts';
import { type GitPlace, gitPlace } from './backup/git-place.ts';
import type { BackupResult } from './backup/repository-types.ts';
import type { BackupSource } from './backup/source.ts';
import { createBackupProcess } from './backup-process.ts';
import type { EventHub } from './event-hub.ts';
import type { Host } from './host.ts';
import type { Log } from './log/log.ts';
import { createRedactor } from './privacy/redactor.ts';
import { CONFIG_FILE, type SettingsSource } from './settings/settings.ts';
import { createBackupFacts } from './store/backup-facts.ts';
import { streamContent } from './store/content-stream.ts';
import type { HealthSamples } from './store/health-samples.ts';
import { createMeta } from './store/meta.ts';
import { createRecordRestore } from './store/record-restore.ts';
import { prepareRows } from './store/record-rows.ts';
import { createSave } from './store/record-save.ts';
import { createRunStore } from './store/runs.ts';
import { backoffMs } from './sync/backoff.ts';
import { createSupabaseConnection, type SupabaseConnection } from './sync/supabase/client.ts';
import { BACKUPS_BUCKET, createSupabaseStorage } from './sync/supabase/storage.ts';
import type { Parts, Vault } from './vault.ts';
import { lookAtFolders } from './watch/look-at-folders.ts';
import type { WatchService } from './watch/watch-service.ts';

export type BackupParts = {
  readonly host: Host;
  readonly mode: AgentMode;
  readonly settings: SettingsSource;
  readonly log: Log;
  readonly hub: EventHub;
  readonly vault: Vault;
  readonly parts: Parts;
  readonly watch: WatchService;
  readonly state: AgentState;
  readonly samples: HealthSamples;
  readonly pausedUntilMs: () => number | null;
};

/** What the agent and its handlers use of backups. */
export type AgentBackup = {
  /** Made with the first use. */
  readonly service: () => Promise<BackupService>;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly changed: () => void;
  readonly wake: () => void;
  /** What is on the disk and not in the vault yet goes into the vault, so that a backup on request has it. */
  readonly captureFirst: () => Promise<void>;
  /** The newest backup, for a comparison; null when there is none. The caller closes it. */
  readonly openNewest: () => Promise<BackupSource | null>;
  /** The git server that backups are pushed to. */
  readonly git: () => Promise<GitSetup>;
};

export type GitSetup = {
  readonly test: () => Promise<MethodOutput<'backups.test'>>;
  readonly prepare: (apply: boolean) => Promise<MethodOutput<'backups.prepare'>>;
};

const SETTLE_MS = 5_000;
/** A git server may think for a while about a large push; silence for this long is a failure. */
const STALL_MS = 120_000;

export function createBackup(all: BackupParts): AgentBackup {
  const { watch, state } = all;
  let made: Promise<BackupService> | null = null;
  let current: BackupService | null = null;
  const service = (): Promise<BackupService> => {
    made ??= import('./backup/backup-service.ts').then(({ createBackupService }) => {
      current = createBackupService(createDeps(all));
      return current;
    });
    return made;
  };
  const captureAll = async (): Promise<void> => {
    for (const { rootId } of state.plan.watched) {
      try {
        await watch.scan(rootId, { acceptDeletes: false });
      } catch (cause) {
        // A folder that is not there holds nothing that could be captured; a vault that takes nothing is another matter.
        if (!(cause instanceof AppError) || cause.code.startsWith('data.')) throw cause;
      }
    }
    await watch.settled(SETTLE_MS);
  };
  return {
    service,
    start: async () => (await service()).start(),
    stop: async () => {
      if (made !== null) await (await made).stop();
    },
    changed: () => current?.changed(),
    wake: () => current?.wake(),
    captureFirst: captureAll,
    openNewest: async () => {
      const { catalog } = await service();
      const { total } = await catalog.list(0, 1);
      return total === 0 ? null : catalog.open(await catalog.find('latest'));
    },
    git: () => createGitSetup(all),
  };
}

function createDeps(all: BackupParts): BackupServiceDeps {
  const { host, mode, settings, log, hub, vault, parts, watch, state } = all;
  const { store } = vault;
  const bucket = createBucketSource(all);
  const secretsNow = (): readonly string[] =>
    ENVIRONMENT.flatMap(({ name, secret }) => (secret ? (settings.environment(name) ?? []) : []));
  const redactor = createRedactor({ secrets: secretsNow });
  const { outbox, activities, journal } = parts;
  const rows = { decision_vault: prepareRows(store.db, 'decision_vault'), memories: prepareRows(store.db, 'memories') };
  const save = createSave(store, { outbox, activities, journal }, (record) => rows[record.table].save(record));
  return {
    pausedUntilMs: all.pausedUntilMs,
    dataFolder: host.dataFolder,
    configFile: join(host.dataFolder, CONFIG_FILE),
    home: host.environment.HOME ?? homedir(),
    deviceId: store.deviceId,
    agentVersion: host.version,
    isWatching: mode === 'running',
    nowMs: host.nowMs,
    monotonicMs: () => performance.now(),
    random: Math.random,
    logger: log.component('backup'),
    settings: () => toBackupSettings(settings.current()),
    storedSettings: () => settings.current(),
    environmentKey: () => settings.environment('BACKUP_ENCRYPTION_KEY'),
    facts: createBackupFacts(store),
    stored: createMeta(store),
    runs: createRunStore(store),
    git: () => gitOf(all),
    ...bucket,
    redact: redactor.redact,
    lookAtFolders: ({ rootId }) => {
      const root = state.plan.watched.find((each) => each.rootId === rootId);
      if (root === undefined) return null;
      return lookAtFolders({ rootPath: root.path, exclude: root.exclude, respectGitignore: root.respectGitignore });
    },
    // A command without an agent has nobody whom a backup could hold up.
    tasks: mode === 'running' ? createBackupProcess({ roots: () => state.plan.watched, hide: secretsNow }) : null,
    vaultContent: (sha256, sizeBytes) =>
      streamContent(store.db, host.dataFolder, { sha256: Buffer.from(sha256, 'hex'), sizeBytes }),
    restorer: {
      records: createRecordRestore(store, save),
      pauseWatching: () => watch.pause(),
      keepSafe: (files) => keepSafe(all, files),
    },
    backoffMs,
    stallMs: Number(host.environment.ANGLES_GIT_STALL_MS ?? STALL_MS),
    onState: () => {
      hub.emit({ event: 'backups', payload: {} });
      hub.statusChanged();
    },
    onProgress: (progress) => hub.emit({ event: 'backup-progress', payload: progress }),
    onMade: (result) => noteBackup(all, result),
    note: parts.note,
  };
}

/** For the charts; a figure that cannot be written is no reason for a backup to fail. */
function noteBackup({ samples, host, log }: BackupParts, result: BackupResult): void {
  if (!result.isNew) return;
  const { durationMs, bytesWritten: writtenBytes, repositoryBytes, summary } = result;
  try {
    samples.addBackup({ atMs: host.nowMs(), durationMs, writtenBytes, repositoryBytes, files: summary.files });
  } catch (error) {
    log.component('health').warn('The figures of a backup could not be written.', { error });
  }
}

const TEST_MS = 20_000;

async function createGitSetup(all: BackupParts): Promise<GitSetup> {
  const { isOwnerAndName, makeRepository, testGit } = await import('./backup/test-git.ts');
  return {
    test: async () => {
      const place = gitOf(all);
      return place === null
        ? { configured: false, steps: [] }
        : { configured: true, steps: await testGit(place, { stallMs: TEST_MS }) };
    },
    prepare: async (apply) => {
      const place = gitOf(all);
      if (place === null || place.token === null || !isOwnerAndName(place.shown))
        throw new AppError('config.invalid', 'A repository is made from GITHUB_TOKEN and GITHUB_REPO as owner/name.');
      const apiUrl = all.host.environment.GITHUB_API_URL ?? 'https://api.github.com';
      if (apply) await makeRepository(place.shown, { apiUrl, token: place.token, stallMs: TEST_MS });
      return { steps: [`Make the private repository ${place.shown}.`], applied: apply };
    },
  };
}

function toBackupSettings({ backup, scheduler, restore }: Settings): ReturnType<BackupServiceDeps['settings']> {
  return {
    repository: backup.repository,
    isAutomatic: backup.auto_commit,
    quietMs: backup.quiet_seconds * 1_000,
    isArchiving: backup.archive_enabled,
    compressionLevel: backup.compression_level,
    rules: { manualDays: backup.retention_manual_days, dailyDays: backup.retention_days, configVersions: 10 },
    runTime: scheduler.run_time,
    timeZone: scheduler.timezone,
    autoMigrate: restore.auto_migrate,
  };
}

function gitOf({ settings, host }: BackupParts): GitPlace | null {
  const repo = settings.environment('GITHUB_REPO');
  if (repo === undefined || !settings.current().backup.push_enabled) return null;
  const apiUrl = host.environment.GITHUB_API_URL ?? null;
  return gitPlace({ repo, token: settings.environment('GITHUB_TOKEN') ?? null, apiUrl });
}

/**
 * Captures what will be overwritten, as a version of its own. The restore keeps the bytes for its undo besides; a folder
 * that is not watched has only those.
 */
async function keepSafe(
  { watch, state, parts }: BackupParts,
  files: readonly { readonly rootId: number; readonly folder: string; readonly path: string }[],
): Promise<void> {
  const folders = new Set(files.map(({ folder }) => folder));
  for (const { rootId, path } of state.plan.watched) {
    if (![...folders].some((folder) => folder === path || folder.startsWith(`${path}/`))) continue;
    try {
      await watch.scan(rootId, { acceptDeletes: false });
    } catch (cause) {
      if (!(cause instanceof AppError) || cause.code.startsWith('data.')) throw cause;
    }
  }
  await watch.settled(SETTLE_MS);
  parts.search.wake();
}

/** The bucket of Supabase; its connection is made when it is first used, and anew when its settings change. */
function createBucketSource({ settings, host }: BackupParts): Pick<BackupServiceDeps, 'bucket' | 'bucketPlace'> {
  let open: { readonly key: string; readonly connection: SupabaseConnection } | null = null;
  const config = () => {
    const url = settings.environment('SUPABASE_URL');
    const key = settings.environment('SUPABASE_KEY');
    if (url === undefined || key === undefined || !settings.configuredRemotes().includes('supabase')) return null;
    const email = settings.environment('SUPABASE_EMAIL');
    const password = settings.environment('SUPABASE_PASSWORD');
    const signIn = email === undefined || password === undefined ? null : { email, password };
    return { url, key, signIn, nowMs: host.nowMs };
  };
  return {
    bucketPlace: () => {
      const url = config()?.url;
      return url === undefined ? null : `${URL.parse(url)?.host ?? url}/${BACKUPS_BUCKET}`;
    },
    bucket: async (): Promise<Bucket | null> => {
      const wanted = config();
      if (wanted === null) return null;
      const key = JSON.stringify([wanted.url, wanted.key, wanted.signIn]);
      if (open?.key !== key) {
        await open?.connection.close();
        open = { key, connection: createSupabaseConnection(wanted) };
      }
      const place = `${URL.parse(wanted.url)?.host ?? wanted.url}/${BACKUPS_BUCKET}`;
      return { place, ...createSupabaseStorage({ connection: open.connection, bucket: BACKUPS_BUCKET }) };
    },
  };
}
