/** What the operations of backups share, built once. */
import { join } from 'node:path';
import type { BackupProgressView } from '../../shared/contract-backup.ts';
import type { Log } from '../log/log.ts';
import type { BackupFacts } from '../store/backup-facts.ts';
import type { RunStore } from '../store/runs.ts';
import { type Archives, createArchives } from './archives.ts';
import type { Bucket } from './bucket.ts';
import { type Catalog, createCatalog } from './catalog.ts';
import { keepConfigCopy } from './config-copies.ts';
import { createDestinations, type Destinations } from './destinations.ts';
import { createExclusive, type Exclusive } from './exclusive.ts';
import { createFindSource, type FindSource } from './find-source.ts';
import type { GitPlace } from './git-place.ts';
import { createKeySource, type KeySource } from './key-source.ts';
import { fingerprintOf } from './keys.ts';
import type { MakeDeps } from './make-backup.ts';
import { createMemory, type FactStore, type Memory } from './memory.ts';
import { createOperations, type Operations } from './operation.ts';
import type { Redact } from './redact-copy.ts';
import type { WriterDeps } from './repository-writer.ts';
import { createRestorer, type Restorer, type RestorerDeps } from './restorer.ts';
import type { RetentionRules } from './retention.ts';
import type { BackupTasks } from './tasks.ts';
import type { UpkeepDeps } from './upkeep.ts';
import { BACKUPS_FOLDER, createVaultRepository, type VaultRepository } from './vault-repository.ts';

export type BackupSettings = {
  readonly repository: string;
  readonly isAutomatic: boolean;
  readonly quietMs: number;
  readonly isArchiving: boolean;
  readonly compressionLevel: number;
  readonly rules: RetentionRules;
  readonly runTime: string;
  readonly timeZone: string;
  readonly autoMigrate: boolean;
};

export type BackupServiceDeps = {
  readonly dataFolder: string;
  readonly configFile: string;
  readonly home: string;
  readonly deviceId: string;
  readonly agentVersion: string;
  /** False for a command without an agent: nothing happens by itself. */
  readonly isWatching: boolean;
  readonly nowMs: () => number;
  /** Until when a person lets backing up rest; null when not. What a person asks for is done all the same. */
  readonly pausedUntilMs?: (() => number | null) | undefined;
  readonly monotonicMs: () => number;
  readonly random: () => number;
  readonly logger: ReturnType<Log['component']>;
  readonly settings: () => BackupSettings;
  readonly storedSettings: () => Readonly<Record<string, unknown>>;
  readonly environmentKey: () => string | undefined;
  readonly facts: BackupFacts;
  readonly stored: FactStore;
  readonly runs: RunStore;
  readonly git: () => GitPlace | null;
  readonly bucket: () => Promise<Bucket | null>;
  readonly bucketPlace: () => string | null;
  readonly redact: Redact;
  readonly lookAtFolders: NonNullable<WriterDeps['lookAtFolders']>;
  /** null: everything is done here, as for a command without an agent. */
  readonly tasks: BackupTasks | null;
  readonly vaultContent: UpkeepDeps['drill']['vaultContent'];
  readonly restorer: Pick<RestorerDeps, 'keepSafe' | 'pauseWatching' | 'records'>;
  readonly backoffMs: (failures: number, random: () => number, retryAfterMs?: number) => number;
  readonly stallMs: number;
  readonly onState: () => void;
  readonly onProgress: (progress: BackupProgressView) => void;
  readonly onMade?: MakeDeps['onMade'];
  readonly note: (kind: 'backup.made' | 'backup.failed' | 'restore.done' | 'restore.undone', summary: string) => void;
};

export type ServiceParts = {
  readonly deps: BackupServiceDeps;
  readonly memory: Memory;
  readonly keys: KeySource;
  readonly repository: VaultRepository;
  readonly archives: Archives;
  readonly destinations: Destinations;
  readonly catalog: Catalog;
  readonly operations: Operations;
  readonly exclusive: Exclusive;
  readonly restorer: Restorer;
  readonly findSource: FindSource;
  readonly upkeep: UpkeepDeps;
  readonly make: MakeDeps;
  readonly signal: AbortSignal;
};

/** Up to where everything is in a backup. A vault that was rebuilt counts anew: then nothing of it is known to be. */
export function coveredChange({ memory, deps }: ServiceParts): number {
  const { coveredChange: covered } = memory.read();
  return covered > deps.facts.newestChange() ? 0 : covered;
}

export function createServiceParts(deps: BackupServiceDeps, signal: AbortSignal): ServiceParts {
  const { dataFolder, nowMs, logger, settings } = deps;
  const memory = createMemory(deps.stored, nowMs);
  const keys = createKeySource(dataFolder, deps.environmentKey);
  const { monotonicMs, onProgress, onState } = deps;
  const operations = createOperations({ monotonicMs, onProgress, onState });
  const exclusive = createExclusive();
  const repository = createVaultRepository({
    dataFolder,
    deviceId: deps.deviceId,
    agentVersion: deps.agentVersion,
    nowMs,
    logger,
    memory,
    keys,
    name: () => settings().repository,
    storedSettings: deps.storedSettings,
    lookAtFolders: deps.lookAtFolders,
    tasks: deps.tasks,
  });
  const archives = createArchives({
    archive: {
      dataFolder,
      agentVersion: deps.agentVersion,
      nowMs,
      state: () => ({ settings: deps.storedSettings() }),
    },
    keys,
    compressionLevel: () => settings().compressionLevel,
    redact: deps.redact,
    tasks: deps.tasks,
  });
  const destinations = createDestinations({
    memory,
    repository,
    archives,
    nowMs,
    random: deps.random,
    logger,
    git: deps.git,
    bucket: deps.bucket,
    bucketPlace: deps.bucketPlace,
    mayLeave: () => mayLeave(keys, memory),
    backoffMs: deps.backoffMs,
    stallMs: deps.stallMs,
    onState,
    onProgress: (_, doneItems, totalItems, doneBytes) =>
      onProgress({ operation: 'push', phase: 'sending', doneItems, totalItems, doneBytes, totalBytes: 0, etaMs: null }),
  });
  const catalog = createCatalog({ repository, archives, destinations, keys, memory });
  const restorer = createRestorer({ dataFolder, nowMs, exclusive, ...deps.restorer });
  const { git, bucket, stallMs } = deps;
  return {
    deps,
    memory,
    keys,
    repository,
    archives,
    destinations,
    catalog,
    operations,
    exclusive,
    restorer,
    findSource: createFindSource({ dataFolder, keys, catalog, archives, git, bucket, stallMs }),
    upkeep: {
      archives,
      bucket,
      catalog,
      memory,
      operations,
      drill: { dataFolder, nowMs, vaultContent: deps.vaultContent, scratchFolder: null },
      runs: deps.runs,
      keys,
      tasks: deps.tasks,
      rules: () => settings().rules,
      nowMs,
    },
    make: {
      memory,
      facts: deps.facts,
      repository,
      archives,
      operations,
      nowMs,
      storedSettings: deps.storedSettings,
      onMade: deps.onMade,
      keepConfig: () => keepConfigCopy(deps.configFile, join(dataFolder, BACKUPS_FOLDER, 'config'), nowMs()),
      signal,
    },
    signal,
  };
}

/**
 * Whether backups may go where only the key opens them. A key that this machine made must be saved elsewhere first; one
 * that came from the environment is a person's own.
 */
export function mayLeave(keys: KeySource, memory: Memory): boolean {
  let own: ReturnType<KeySource['current']>;
  try {
    own = keys.current();
  } catch {
    // A key that cannot be used encrypts nothing that could be sent.
    return false;
  }
  if (own === null) return false;
  if (own.source === 'environment' || own.secret.kind === 'passphrase') return true;
  return memory.read().kit?.fingerprint === fingerprintOf(own.secret.key);
}
