/** Backups of the vault: made by themselves and on request, brought to their destinations, kept, proven and restored. */
import type {
  BackupItem,
  BackupKey,
  BackupStatus,
  BackupSummaryView,
  DestinationKind,
  DrillReceipt,
  RestoreResultView,
  RestoreRun,
} from '../../shared/contract-backup.ts';
import { AppError } from '../../shared/errors.ts';
import { actNow, dueAtMs, nextOf } from './automatic.ts';
import { confirmKit, importKey, makeKit, rotateKey, showKey } from './backup-keys.ts';
import { createBackupLoop } from './backup-loop.ts';
import { type RunOutcome, type RunWish, runBackup, verifyBackup } from './backup-runs.ts';
import { type BackupSchedule, readSchedule } from './backup-schedule.ts';
import type { Catalog } from './catalog.ts';
import { AWAY } from './destinations.ts';
import { clearDrills } from './drill.ts';
import type { Exclusive } from './exclusive.ts';
import { viewPast } from './plan-view.ts';
import type { Restorer } from './restorer.ts';
import { createRestores, type Restores } from './restores.ts';
import { type BackupServiceDeps, createServiceParts } from './service-parts.ts';
import { readStatus, shorten } from './service-status.ts';
import { drillOnce, type Pruned, pruneAll } from './upkeep.ts';

export type BackupService = {
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** A save, a record or a setting changed. Cheap. */
  readonly changed: () => void;
  /** The machine woke, or settings changed: everything is looked at again at once. */
  readonly wake: () => void;
  readonly status: () => Promise<BackupStatus>;
  readonly summary: () => Promise<BackupSummaryView>;
  readonly schedule: () => BackupSchedule;
  /** `capture` runs first, so that the backup holds what is on the disk now. Throws `backup.busy` beside another one. */
  readonly run: (wish: RunWish, capture: () => Promise<void>) => Promise<RunOutcome>;
  readonly verify: (
    id: string | undefined,
    at: DestinationKind | undefined,
  ) => Promise<{ backup: BackupItem; objects: number; bytes: number; durationMs: number }>;
  readonly prune: (isDryRun: boolean) => Promise<Pruned>;
  readonly drill: (id: string | undefined) => Promise<DrillReceipt>;
  readonly fresh: (what: 'branch' | 'repository') => Promise<void>;
  readonly key: {
    readonly show: () => Promise<BackupKey>;
    readonly kit: () => Promise<{ text: string; fingerprint: string; fileName: string }>;
    readonly confirm: (ending: string) => Promise<BackupKey>;
    readonly import: (key: string) => Promise<BackupKey>;
    readonly rotate: (key: string | undefined) => Promise<BackupKey>;
  };
  /** Gives restores that were cut off an end. Throws `restore.nothing_to_undo` when there is none. */
  readonly resume: () => Promise<RestoreResultView>;
  readonly catalog: Catalog;
  readonly restores: Restores;
  readonly exclusive: Exclusive;
};

export function createBackupService(deps: BackupServiceDeps): BackupService {
  const abort = new AbortController();
  const parts = createServiceParts(deps, abort.signal);
  const { exclusive, restorer, repository, memory, logger } = { ...parts, logger: deps.logger };
  const restores = createRestores({
    restorer,
    findSource: parts.findSource,
    operations: parts.operations,
    nowMs: deps.nowMs,
    home: deps.home,
    autoMigrate: () => deps.settings().autoMigrate,
    signal: abort.signal,
    note: deps.note,
  });
  let delivering: Promise<void> | null = null;
  /** Beside everything else: a server that stalls holds up no backup and no restore. */
  const deliver = (): void => {
    delivering ??= parts.destinations
      .deliver(AWAY, { isDue: true, signal: abort.signal })
      .catch((cause: unknown) => logger.error('A delivery ended in an unexpected way.', { error: cause }))
      .finally(() => {
        delivering = null;
      });
  };
  const loop = createBackupLoop({
    nowMs: deps.nowMs,
    monotonicMs: deps.monotonicMs,
    nextAtMs: () => dueAtMs(parts),
    act: () => actNow(parts, deliver),
    onBug: (cause) => logger.error('Backups met something unexpected.', { error: cause }),
  });
  const resume = async (): ReturnType<Restorer['recover']> => {
    const outcomes = await restorer.recover();
    for (const each of outcomes) {
      logger.warn('A restore that was cut off has an end now.', each);
      if (each.outcome === 'completed') deps.note('restore.done', 'A restore that was cut off was completed.');
      if (each.outcome === 'rolled-back') deps.note('restore.undone', 'A restore that was cut off was taken back.');
    }
    return outcomes;
  };
  const again = <T>(result: T): T => {
    loop.wake(0);
    deps.onState();
    return result;
  };
  return {
    catalog: parts.catalog,
    restores,
    exclusive,
    start: async () => {
      // The first look fixes since when daily backups are due.
      memory.update({});
      clearDrills(deps.dataFolder);
      parts.archives.tidy();
      await resume();
      if (deps.isWatching) loop.start();
    },
    stop: async () => {
      abort.abort();
      await loop.stop();
      await delivering;
      await restores.close();
      repository.close();
    },
    changed: () => loop.wake(deps.settings().quietMs),
    wake: () => loop.wake(0),
    status: () => readStatus(parts, nextOf(parts)?.atMs ?? null),
    summary: async () => shorten(await readStatus(parts, nextOf(parts)?.atMs ?? null)),
    schedule: () => readSchedule(parts),
    run: async (wish, capture) => again(await runBackup(parts, wish, capture)),
    verify: (id, at) => verifyBackup(parts, id, at),
    prune: (isDryRun) => exclusive.run('clearing of old backups', () => pruneAll(parts.upkeep, isDryRun, abort.signal)),
    drill: async (id) =>
      again(await exclusive.run('drill', () => drillOnce(parts.upkeep, id ?? 'latest', abort.signal))),
    fresh: async (what) => {
      await exclusive.run('change of the repository', () =>
        what === 'branch' ? repository.startBranch() : repository.startRepository(),
      );
      again(undefined);
    },
    key: {
      show: () => showKey(parts),
      kit: () => makeKit(parts),
      confirm: async (ending) => again(await confirmKit(parts, ending)),
      import: async (key) => again(await importKey(parts, key)),
      rotate: async (key) => again(await rotateKey(parts, key)),
    },
    resume: async () => {
      const outcomes = await resume();
      const [last] = outcomes;
      if (last === undefined) throw new AppError('restore.nothing_to_undo', 'No restore was cut off.');
      const failed = outcomes.find(({ outcome }) => outcome === 'failed');
      if (failed !== undefined)
        throw new AppError(
          'restore.interrupted',
          `The restore cannot be ended: ${failed.reason ?? 'no reason is known'}.`,
        );
      const past = restorer.list().find(({ id }) => id === last.id);
      const now = deps.nowMs();
      // One that had not touched the target yet leaves nothing behind.
      return past === undefined ? takenBack(last.id, now) : withoutState(viewPast(past));
    },
  };
}

function withoutState({ backupId: _, state: __, ...result }: RestoreRun): RestoreResultView {
  return result;
}

function takenBack(restoreId: string, startedAtMs: number): RestoreResultView {
  const none = { written: 0, overwritten: 0, rowsInserted: 0, rowsUpdated: 0, bytes: 0, durationMs: 0 };
  return { restoreId, startedAtMs, target: null, failed: [], undoUntilMs: null, ...none };
}

export type { BackupServiceDeps };
