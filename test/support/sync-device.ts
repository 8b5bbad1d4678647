/** A device for tests of sync: a vault of its own on a real disk, and one session per remote, run by hand. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createActivityStore } from '../../src/main/store/activities.ts';
import { openStore, type Store } from '../../src/main/store/database.ts';
import { openJournal } from '../../src/main/store/journal.ts';
import { createOutbox } from '../../src/main/store/outbox.ts';
import { createRecordStore } from '../../src/main/store/records.ts';
import { createApplier } from '../../src/main/sync/apply-change.ts';
import type { Connector } from '../../src/main/sync/connector.ts';
import { createOutgoing } from '../../src/main/sync/outgoing.ts';
import type { SyncSettings, SyncShell, SyncStores } from '../../src/main/sync/parts.ts';
import { createPlanner } from '../../src/main/sync/plan-change.ts';
import { createPusher } from '../../src/main/sync/push.ts';
import { createSession } from '../../src/main/sync/session.ts';
import type { RunOptions, Session } from '../../src/main/sync/session-parts.ts';
import { createSyncStores } from '../../src/main/sync/sync-stores.ts';
import type { SyncPlan } from '../../src/shared/contract-sync.ts';
import type { Remote } from '../../src/shared/model.ts';
import { quickDisk } from './quick-disk.ts';

export type SyncDevice = {
  readonly store: Store;
  readonly stores: SyncStores;
  readonly records: ReturnType<typeof createRecordStore>;
  readonly session: (remote: Remote) => Session;
  readonly run: (remote: Remote, options?: Partial<RunOptions>) => Promise<SyncPlan>;
  /** As after a crash: nothing is said to anybody. */
  readonly reopen: () => SyncDevice;
  readonly close: () => void;
};

export type DeviceOptions = {
  /** What it connects to; each device gets a connection of its own. */
  readonly remotes: readonly { readonly remote: Remote; readonly connect: () => Connector }[];
  readonly nowMs: () => number;
  readonly monotonicMs?: () => number;
  readonly random?: () => number;
  readonly settings?: Partial<SyncSettings>;
  readonly redact?: SyncShell['redact'];
  /** Changes a part, for faults that are planted. */
  readonly wrap?: (stores: SyncStores) => SyncStores;
  readonly wrapConnector?: (connector: Connector) => Connector;
  readonly folder?: string;
  readonly log?: (message: string, data: unknown) => void;
  /** How long records had waited that a remote acknowledged. */
  readonly onSent?: ((waitedMs: readonly number[]) => void) | undefined;
};

export function openDevice(options: DeviceOptions): SyncDevice {
  const folder = options.folder ?? mkdtempSync(join(quickDisk(), 'angles-sync-'));
  const { nowMs } = options;
  const store = openStore({ dataFolder: folder, nowMs });
  store.db.pragma('synchronous = OFF');
  const outbox = createOutbox(store);
  const activities = createActivityStore(store, outbox);
  const journal = openJournal(store);
  const own = createSyncStores(store, { outbox, activities, journal });
  const stores = options.wrap?.(own) ?? own;
  const shell: SyncShell = {
    settings: () => ({
      limits: { over: 50, share: 0.2 },
      batchSize: 500,
      reconcileMs: 3_600_000,
      onSecret: 'redact',
      ...options.settings,
    }),
    nowMs,
    random: options.random ?? (() => 0.5),
    log: {
      info: (message, data) => options.log?.(message, data),
      warn: (message, data) => options.log?.(message, data),
      error: (message, data) => {
        options.log?.(message, data);
        throw (data?.error as Error | undefined) ?? new Error(message);
      },
    },
    redact: options.redact ?? ((text) => ({ text, redactions: 0, kinds: [] })),
    onRecords: () => undefined,
    onState: () => undefined,
    onConflicts: () => undefined,
    onSent: options.onSent,
  };
  const connectors = options.remotes.map((one) => {
    const connector = one.connect();
    return options.wrapConnector?.(connector) ?? connector;
  });
  outbox.setConfigured(
    connectors.map(({ remote }) => remote),
    Object.fromEntries(connectors.map(({ remote, tables }) => [remote, tables])),
  );
  while (outbox.fillBacklog(1_000));
  const plan = createPlanner(stores, shell);
  const applier = createApplier(stores, shell);
  const push = createPusher({ stores, shell, outgoing: createOutgoing(stores, shell) });
  const sessions = new Map(
    connectors.map((connector): [Remote, Session] => {
      const session = createSession({
        stores,
        shell,
        plan,
        applier,
        push,
        remote: connector.remote,
        leader: null,
        isSafeMode: () => false,
        pullEveryMs: 60_000,
        monotonicMs: options.monotonicMs ?? (() => performance.now()),
      });
      session.connect(connector);
      return [connector.remote, session];
    }),
  );
  const session = (remote: Remote): Session => {
    const found = sessions.get(remote);
    if (found === undefined) throw new Error(`no session of ${remote}`);
    return found;
  };
  const end = (): void => {
    journal.close();
    store.close();
  };
  return {
    store,
    stores,
    records: createRecordStore(store, { outbox, activities, journal }),
    session,
    run: (remote, given = {}) => session(remote).run({ isAsked: true, pull: 'first', push: true, ...given }),
    reopen: () => {
      end();
      return openDevice({ ...options, folder });
    },
    close: () => {
      end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
