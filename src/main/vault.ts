/** Opens the vault whatever state it was left in, and builds everything that works on it. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../shared/errors.ts';
import type { ActivityKind } from '../shared/model.ts';
import type { EventHub } from './event-hub.ts';
import type { Host } from './host.ts';
import type { Log, Logger } from './log/log.ts';
import { type ActivityStore, createActivityStore } from './store/activities.ts';
import { type CaptureCounts, type Captures, createCaptures } from './store/captures.ts';
import { type Store, VAULT_FILE } from './store/database.ts';
import { createFileQueries, type FileQueries } from './store/file-queries.ts';
import { type Journal, openJournal } from './store/journal.ts';
import { createLogStore, type LogStore } from './store/logs.ts';
import { createMeta } from './store/meta.ts';
import { createOutbox, type Outbox } from './store/outbox.ts';
import { quickCheck, startQuickCheck } from './store/quick-check.ts';
import { createRecordStore, type RecordStore } from './store/records.ts';
import { markDamaged, type Opened, openOrRecover, type RecoveryReport } from './store/recover.ts';
import { createReserve, type Reserve } from './store/reserve.ts';
import { createRootStore, type RootStore } from './store/roots.ts';
import { createSearch, type Search } from './store/search/search.ts';

export type Vault = {
  readonly store: Store;
  /** What was saved and lost, when the vault had to be rebuilt at this start. */
  readonly recovery: RecoveryReport | null;
  /** What the journal of records gave back to a vault that was sound but older (a lost log file, say). */
  readonly caughtUp: Opened['caughtUp'];
  /** The one who had it open before closed it; a new vault counts as closed. */
  readonly endedCleanly: boolean;
  /** Tests the whole file in the background; a damage is remembered, so that the next start rebuilds. */
  readonly checkInBackground: (onDamage: (what: string) => void) => void;
  readonly close: () => void;
};

/**
 * Opens the vault; a damaged one is kept aside and rebuilt from what is readable. SQLite's log survives a crash by
 * design, so the test of the whole file runs in the background; only a small vault is tested first after a crash.
 */
export function openVault(host: Host, logger: Logger): Vault {
  const { dataFolder, nowMs } = host;
  const opened = openTested(dataFolder, nowMs);
  const { store } = opened;
  const meta = createMeta(store);
  const endedCleanly = meta.get(CLEAN) !== 'no';
  meta.set(CLEAN, 'no');
  return {
    ...opened,
    endedCleanly,
    checkInBackground: (onDamage) => {
      startQuickCheck(dataFolder).then(
        (damage) => {
          if (damage === null) return;
          markDamaged(dataFolder, damage);
          onDamage(damage);
        },
        (cause: unknown) => logger.warn('The vault could not be tested.', { error: cause }),
      );
    },
    close: () => {
      try {
        meta.set(CLEAN, 'yes');
        store.db.pragma('wal_checkpoint(TRUNCATE)');
      } catch (cause) {
        // A full disk, say. Everything is durable in the log of SQLite: the next start reads it from there.
        logger.warn('The vault could not be tidied up before it was closed; nothing is lost.', { error: cause });
      } finally {
        store.close();
      }
    },
  };
}

const CLEAN = 'clean_shutdown';
const CHECK_FIRST_BYTES = 64 * 1_048_576;

function openTested(dataFolder: string, nowMs: () => number): Opened {
  const opened = openOrRecover({ dataFolder, nowMs });
  const isLarge = statSync(join(dataFolder, VAULT_FILE)).size > CHECK_FIRST_BYTES;
  if (opened.recovery !== null || isLarge || createMeta(opened.store).get(CLEAN) !== 'no') return opened;
  const damage = quickCheck(opened.store.db);
  if (damage === null) return opened;
  opened.store.close();
  markDamaged(dataFolder, damage);
  return openOrRecover({ dataFolder, nowMs, reason: damage });
}

/** Everything that works on the vault. */
export type Parts = {
  readonly outbox: Outbox;
  readonly activities: ActivityStore;
  readonly records: RecordStore;
  readonly captures: Captures;
  readonly roots: RootStore;
  readonly files: FileQueries;
  readonly search: Search;
  readonly journal: Journal;
  readonly logs: LogStore;
  readonly reserve: Reserve;
  /** To be called when the disk is full; the next capture that succeeds takes the space again. */
  readonly releaseReserve: () => void;
  /** Notes something that happened to the agent itself. Never throws: a full disk must not stop a start or a stop. */
  readonly note: (kind: ActivityKind, summary: string) => void;
  /** To be called after each commit. */
  readonly onCaptured: (counts: CaptureCounts) => void;
};

export function createParts(
  store: Store,
  shell: { readonly log: Log; readonly hub: EventHub; readonly nowMs: () => number },
): Parts {
  const logger = shell.log.component('vault');
  const outbox = createOutbox(store);
  const activities = createActivityStore(store, outbox);
  const journal = openJournal(store);
  const reserve = createReserve(store.dataFolder);
  reserve.restore();
  const guard = createReserveGuard(reserve);
  const search = createSearch({
    store,
    nowMs: shell.nowMs,
    onProblem: (message) => shell.log.component('search').warn(message),
  });
  const captures = createCaptures(store, { outbox, activities });
  const tellNewest = (): void => {
    // The agent may have stopped since: faces read again when it is back.
    if (!store.db.open) return;
    const newest = activities.list({ limit: 1 }).activities[0];
    if (newest !== undefined) shell.hub.emit({ event: 'activity', payload: { newest } });
  };
  let telling: NodeJS.Timeout | null = null;
  const changed = (): void => {
    search.wake();
    shell.hub.statusChanged();
    // Many commits a second are one event: faces read again anyway.
    telling ??= setTimeout(() => {
      telling = null;
      tellNewest();
    }, ACTIVITY_EVENT_MS);
    telling.unref();
  };
  return {
    outbox,
    activities,
    records: createRecordStore(store, { outbox, activities, journal }),
    captures: { ...captures, apply: guard.around(captures.apply) },
    releaseReserve: guard.release,
    roots: createRootStore(store),
    files: createFileQueries(store),
    search,
    journal,
    logs: createLogStore(store),
    reserve,
    note: (kind, summary) => {
      try {
        const nothing = { rootId: null, path: null, snapshotId: null, recordTable: null, recordId: null };
        store.write((tx) => activities.append(tx, { kind, summary, ...nothing, origin: 'agent' }));
        changed();
      } catch (cause) {
        logger.warn('An activity could not be noted.', { kind, error: cause });
      }
    },
    onCaptured: (counts) => {
      if (counts.created + counts.modified + counts.renamed + counts.deleted + counts.skipped > 0) changed();
    },
  };
}

const ACTIVITY_EVENT_MS = 100;

/** Gives the reserved space free when the disk is full, so that logs and settings can still be written. */
function createReserveGuard(reserve: Reserve) {
  let isReleased = false;
  const release = (): void => {
    reserve.release();
    isReleased = true;
  };
  const around =
    <A extends unknown[], T>(work: (...args: A) => T): ((...args: A) => T) =>
    (...args) => {
      try {
        const result = work(...args);
        if (isReleased) isReleased = !reserve.restore();
        return result;
      } catch (cause) {
        if (cause instanceof AppError && cause.code === 'data.full') release();
        throw cause;
      }
    };
  return { release, around };
}
