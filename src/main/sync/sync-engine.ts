/** Composes sync: a session per remote, the leader, what a person can ask, and what takes effect without a restart. */
import { networkInterfaces } from 'node:os';
import { setImmediate as setImmediateAsync } from 'node:timers/promises';
import type { AgentMethods } from '../../shared/contract.ts';
import type { Device, RemoteStatus, SyncPlan, SyncStatus, syncMethods } from '../../shared/contract-sync.ts';
import { AppError, ERROR_CATALOGUE, exitCodeOf } from '../../shared/errors.ts';
import { type EditableRecord, type Remote, remote as remoteSchema } from '../../shared/model.ts';
import { createApplier } from './apply-change.ts';
import { compareRows, type RowSides } from './compare-rows.ts';
import { createConflictMethods } from './conflict-methods.ts';
import type { Connector, MergedTable } from './connector.ts';
import type { CrashGuard } from './crash-guard.ts';
import { withDeadline } from './deadline.ts';
import { createLeader, type LeaseService } from './leader.ts';
import type { LogService } from './log-sender.ts';
import { createOutgoing } from './outgoing.ts';
import type { SyncShell, SyncStores } from './parts.ts';
import { createPlanner } from './plan-change.ts';
import { createPusher } from './push.ts';
import { createQueueMethods } from './queue-methods.ts';
import { quietConnector, quietError } from './quiet-connector.ts';
import { createReporting, type ReportSettings } from './reporting.ts';
import { createSession } from './session.ts';
import type { RunOptions, Session } from './session-parts.ts';
import type { NoteService } from './summaries.ts';

export type SyncMethods = Pick<AgentMethods, keyof typeof syncMethods>;

/** The devices that share a project, as that project knows them. */
export type DeviceDirectory = {
  /** Says that this device is there; safe to repeat. */
  readonly seen: (device: DeviceNote, signal: AbortSignal) => Promise<void>;
  readonly list: (signal: AbortSignal) => Promise<readonly (DeviceNote & { readonly lastSeenAtMs: number })[]>;
};
export type DeviceNote = {
  readonly deviceId: string;
  readonly name: string;
  readonly version: string;
  readonly unsent: number;
};

/** What a remote brings: its connector, and where devices meet when it is the one for that. */
export type RemoteParts = {
  readonly connector: Connector;
  readonly leases?: LeaseService;
  readonly devices?: DeviceDirectory;
  /** Where lines of the log and recorded runs go besides. */
  readonly logs?: LogService;
  /** Where summaries are written. */
  readonly notes?: NoteService;
};

/** Keeps the vault and its remotes the same. The agent builds one, starts it, and stops it before the vault closes. */
export type SyncEngine = {
  /** The handlers of the contract. */
  readonly methods: SyncMethods;
  /** What `sync.status` answers; from what is stored and what runs, without asking a remote. */
  readonly status: () => SyncStatus;
  /**
   * Settings or keys changed, or it is the start: connects what is new and lets go of what is gone. Resolves when
   * that is done; never rejects.
   */
  readonly configure: () => Promise<void>;
  /** Syncs by itself from now on. */
  readonly start: () => Promise<void>;
  /** Somebody mended a remote from outside: what was known of its faults is forgotten, and it is tried at once. */
  readonly reconnect: (remote: Remote) => Promise<void>;
  /**
   * Every row of a remote next to the one here, read without changing anything. `records` gives all of a table, retired
   * ones, too. Throws what the remote says.
   */
  readonly compare: (
    remote: Remote,
    records: (table: MergedTable) => Iterable<EditableRecord>,
  ) => Promise<readonly RowSides[]>;
  /** The machine woke, or its network changed. */
  readonly wake: () => void;
  /** A pause began or ended. */
  readonly look: () => void;
  /** Forgets recorded runs that ended before. */
  readonly tidy: (beforeMs: number) => void;
  /** Ends what is in flight; what was not acknowledged is sent by the next start. */
  readonly stop: () => Promise<void>;
};

export type SyncEngineParts = {
  readonly stores: SyncStores;
  readonly shell: SyncShell;
  readonly guard: CrashGuard;
  /** Remotes that have their settings; what each is made from, so that a change is noticed. */
  readonly configured: () => readonly { readonly remote: Remote; readonly key: string }[];
  /** Null when there is no connector for it. Throws AppErrors. */
  readonly connect: (remote: Remote, assertMayWrite: () => void) => Promise<RemoteParts | null>;
  readonly reporting: () => ReportSettings;
  readonly device: { readonly name: string; readonly version: string };
  readonly monotonicMs: () => number;
  readonly exportFolder: string;
  readonly writeFile: (path: string, bytes: Buffer) => void;
};

const PULL_EVERY_MS = 60_000;
const BACKLOG_STEP = 2_000;
const CHECK_LIMIT_MS = 60_000;
/** A large database of Notion is read page by page. */
const COMPARE_LIMIT_MS = 30 * 60_000;
const DEVICE_LIMIT_MS = 15_000;
const HEARTBEAT_MS = 5 * 60_000;
const OTHERS = 'sync.other_devices';
const ANOTHER_WITHIN_MS = 30 * 86_400_000;
/** Looking at the names of the network costs nothing; it is done only while something cannot be reached. */
const NETWORK_EVERY_MS = 1_000;
const NETWORK_IDLE_MS = 10_000;

export function createSyncEngine(parts: SyncEngineParts): SyncEngine {
  const { stores, shell, guard } = parts;
  const { outbox } = stores;
  const outgoing = createOutgoing(stores, shell);
  const leader = createLeader({
    name: 'notion',
    deviceId: stores.deviceId,
    monotonicMs: parts.monotonicMs,
    nowMs: shell.nowMs,
    log: shell.log,
    onChange: () => {
      sessionOf('notion').wake('queued');
      shell.onState('notion');
    },
    isAlone: () => stores.meta.get(OTHERS) !== 'yes',
  });
  const common = {
    stores,
    shell,
    plan: createPlanner(stores, shell),
    applier: createApplier(stores, shell),
    push: createPusher({ stores, shell, outgoing }),
    isSafeMode: () => guard.safeMode() !== null,
    pullEveryMs: PULL_EVERY_MS,
    monotonicMs: parts.monotonicMs,
  };
  const sessions = new Map<Remote, Session>(
    remoteSchema.options.map((remote) => [
      remote,
      createSession({ ...common, remote, leader: remote === 'notion' ? leader : null }),
    ]),
  );
  const sessionOf = (remote: Remote): Session => {
    const session = sessions.get(remote);
    if (session === undefined) throw new Error(`there is no session of ${remote}`);
    return session;
  };
  const connections = createConnections(
    { ...parts, connect: (remote) => parts.connect(remote, remote === 'notion' ? leader.assert : () => undefined) },
    sessionOf,
    (leases) => leader.setService(leases),
  );
  const isWell = (remote: Remote): boolean =>
    (shell.pausedUntilMs?.() ?? null) === null && stores.states.read(remote).errorJson === null;
  const reporting = createReporting({
    stores,
    shell,
    settings: parts.reporting,
    device: parts.device.name,
    monotonicMs: parts.monotonicMs,
    logs: () => (isWell('supabase') ? (connections.of('supabase')?.logs ?? null) : null),
    notes: () => (isWell('notion') && leader.isThisDevice() ? (connections.of('notion')?.notes ?? null) : null),
  });
  let unlisten = (): void => undefined;
  const timers: NodeJS.Timeout[] = [];
  let networkTimer: NodeJS.Timeout | undefined;
  let isStopped = false;

  const status = (): SyncStatus => {
    const safe = guard.safeMode();
    const { title, meaning, fix } = ERROR_CATALOGUE['sync.safe_mode'];
    return {
      remotes: outbox.summary().map((summary) => {
        const configured = connections.isConfigured(summary.remote);
        return withConnectFailure(
          sessionOf(summary.remote).status({ ...summary, configured }),
          connections.failure(summary.remote),
        );
      }),
      conflicts: stores.conflicts.countOpen(),
      safeMode: safe === null ? null : { sinceMs: safe.sinceMs, reason: `${title} ${meaning}`, fix },
    };
  };
  const chosen = (remote: Remote | undefined): Remote[] =>
    remoteSchema.options.filter((one) => (remote === undefined ? connections.isConfigured(one) : one === remote));
  /** A running agent is connected long since; a command connects when it first needs to. */
  const connected = async (remote: Remote): Promise<RemoteParts> => {
    await connections.configure();
    const failure = connections.failure(remote);
    if (failure !== null) throw failure;
    const own = connections.of(remote);
    if (own === null) throw new AppError('sync.off', `Sync with ${remote} is off.`);
    return own;
  };
  const runOne = async (remote: Remote, isDry: boolean, isExport: boolean): Promise<SyncPlan> => {
    try {
      await connected(remote);
    } catch (cause) {
      if (cause instanceof AppError) return unconnected(remote, cause);
      throw cause;
    }
    if (remote === 'notion') await leader.check();
    if (isDry) return sessionOf(remote).plan({ pull: !isExport });
    const options: RunOptions = { isAsked: true, pull: isExport ? 'never' : 'first', push: true };
    return sessionOf(remote).run(isExport ? options : { ...options, reconcile: true });
  };

  const methods: SyncMethods = {
    'sync.status': async () => status(),
    'sync.run': async ({ remote, dryRun = false, exportOnly = false }) => {
      await connections.configure();
      if (remote !== undefined && !connections.isConfigured(remote))
        throw new AppError('sync.off', `Sync with ${remote} is off.`);
      const beganMs = shell.nowMs();
      if (!dryRun) guard.leave();
      // A service that is new has heard nothing yet: what there is belongs to this run.
      while (outbox.fillBacklog(BACKLOG_STEP)) await setImmediateAsync();
      const plans: SyncPlan[] = [];
      for (const one of chosen(remote)) plans.push(await runOne(one, dryRun, exportOnly));
      // What one remote told another one has to hear; and the first may have been told by the second.
      const [first] = plans;
      if (!dryRun && plans.length > 1 && first !== undefined && first.problem === null && waiting(first.remote) > 0) {
        const again = await runOne(first.remote, false, true);
        plans.splice(0, 1, joinPlans(first, again));
      }
      if (!dryRun) reporting.ran(plans, beganMs);
      return { dryRun, plans, status: status() };
    },
    'sync.test': async ({ remote }) => {
      await connections.configure();
      const remotes = remote === undefined ? remoteSchema.options : [remote];
      return { remotes: await Promise.all(remotes.map((one) => test(connections, one))) };
    },
    'sync.prepare': async ({ remote, apply }) => {
      const { connector } = await connected(remote);
      const plan = await withDeadline(CHECK_LIMIT_MS, AbortSignal.timeout(2 * CHECK_LIMIT_MS), connector.prepare);
      if (apply && plan.steps.length > 0) {
        await withDeadline(CHECK_LIMIT_MS, AbortSignal.timeout(2 * CHECK_LIMIT_MS), plan.apply);
        // What was missing is there: nothing has to wait for the next look.
        await connections.reconnect(remote);
      }
      return { steps: [...plan.steps], applied: apply };
    },
    'sync.decide': async ({ remote, decision }) => {
      await connected(remote);
      await sessionOf(remote).decide(decision);
      shell.log.info('A person decided what sync held.', { remote, decision });
      const found = status().remotes.find((one) => one.remote === remote);
      if (found === undefined) throw new Error(`there is no status of ${remote}`);
      return { status: found };
    },
    ...createConflictMethods(stores, shell),
    ...createQueueMethods({
      stores,
      shell,
      outgoing,
      exportFolder: parts.exportFolder,
      writeFile: parts.writeFile,
    }),
    'devices.list': async () => {
      await connections.configure();
      return listDevices();
    },
  };

  function waiting(remote: Remote): number {
    const summary = outbox.summary().find((one) => one.remote === remote);
    return summary === undefined ? 0 : summary.pending + summary.leased;
  }

  function thisDevice(): DeviceNote {
    return { deviceId: stores.deviceId, ...parts.device, unsent: waiting('supabase') };
  }

  async function listDevices(): Promise<Awaited<ReturnType<SyncMethods['devices.list']>>> {
    const state = leader.state();
    const isLeader = (deviceId: string): boolean => connections.isConfigured('notion') && state.deviceId === deviceId;
    const own: Device = {
      ...thisDevice(),
      isThis: true,
      lastSeenAtMs: shell.nowMs(),
      isLeader: isLeader(stores.deviceId),
    };
    const directory = connections.of('supabase')?.devices;
    if (directory === undefined) return { devices: [own], problem: null };
    try {
      const known = await withDeadline(DEVICE_LIMIT_MS, AbortSignal.timeout(2 * DEVICE_LIMIT_MS), directory.list);
      const others = known
        .filter((one) => one.deviceId !== stores.deviceId)
        .map((one): Device => ({ ...one, isThis: false, isLeader: isLeader(one.deviceId) }));
      return { devices: [own, ...others], problem: null };
    } catch (cause) {
      if (!(cause instanceof AppError)) throw cause;
      return { devices: [own], problem: problemOf(quietError(cause, shell.redact) as AppError) };
    }
  }

  /** Whether somebody else shares the project: one that was not seen for a month does not. */
  const noteOthers = (known: readonly { readonly deviceId: string; readonly lastSeenAtMs: number }[]): void => {
    const newestMs = Math.max(...known.map(({ lastSeenAtMs }) => lastSeenAtMs));
    const others = known.filter(
      (one) => one.deviceId !== stores.deviceId && newestMs - one.lastSeenAtMs < ANOTHER_WITHIN_MS,
    );
    const word = others.length > 0 ? 'yes' : 'no';
    if (stores.meta.get(OTHERS) !== word) stores.meta.set(OTHERS, word);
  };
  const heartbeat = async (): Promise<void> => {
    const directory = connections.of('supabase')?.devices;
    if (directory === undefined) return;
    try {
      const limit = AbortSignal.timeout(2 * DEVICE_LIMIT_MS);
      await withDeadline(DEVICE_LIMIT_MS, limit, (signal) => directory.seen(thisDevice(), signal));
      noteOthers(await withDeadline(DEVICE_LIMIT_MS, limit, directory.list));
    } catch {
      // The state of the remote tells what is wrong with it; this is only a sign of life.
    }
  };
  const watchNetwork = createNetworkWatch(() => wake());
  const wake = (): void => {
    for (const session of sessions.values()) session.wake('network');
  };

  return {
    methods,
    status,
    configure: async () => {
      await connections.configure();
      fillBacklog();
    },
    start: async () => {
      unlisten = outbox.onEnqueued(() => {
        for (const session of sessions.values()) session.wake('queued');
      });
      await connections.configure();
      if (isStopped) return;
      leader.start();
      for (const session of sessions.values()) session.start();
      fillBacklog();
      timers.push(setInterval(() => void heartbeat(), HEARTBEAT_MS));
      lookAtNetwork();
      for (const timer of timers) timer.unref();
      void heartbeat();
      reporting.start();
    },
    reconnect: async (remote) => {
      if (connections.of(remote) !== null) await connections.reconnect(remote);
    },
    compare: async (remote, records) => {
      const { connector } = await connected(remote);
      return compareRows({ stores, shell }, remote, connector, records, AbortSignal.timeout(COMPARE_LIMIT_MS));
    },
    wake,
    look: () => {
      for (const session of sessions.values()) session.wake('queued');
      shell.onState(null);
    },
    tidy: reporting.tidy,
    stop: async () => {
      isStopped = true;
      await reporting.stop();
      unlisten();
      for (const timer of timers) clearInterval(timer);
      clearTimeout(networkTimer);
      await Promise.all([...sessions.values()].map((session) => session.stop()));
      await leader.stop();
      await connections.close();
    },
  };

  /** In steps, so that a large vault does not stop everything else. */
  function fillBacklog(): void {
    if (!isStopped && outbox.fillBacklog(BACKLOG_STEP)) setImmediate(fillBacklog);
  }

  function lookAtNetwork(): void {
    const isOffline = [...sessions.keys()].some((remote) => {
      const { errorJson } = stores.states.read(remote);
      return errorJson?.includes('"remote.unreachable"') === true && waiting(remote) > 0;
    });
    if (isOffline) watchNetwork();
    if (isStopped) return;
    networkTimer = setTimeout(lookAtNetwork, isOffline ? NETWORK_EVERY_MS : NETWORK_IDLE_MS);
    networkTimer.unref();
  }
}

/** Calls back when the addresses of this machine are not the ones of the last look. */
function createNetworkWatch(onChange: () => void): () => void {
  let known: string | null = null;
  return () => {
    const addresses = Object.values(networkInterfaces())
      .flatMap((list) => (list ?? []).filter((one) => !one.internal).map((one) => one.address))
      .sort()
      .join();
    if (known !== null && addresses !== known && addresses !== '') onChange();
    known = addresses;
  };
}

const problemOf = (error: AppError) => ({
  code: error.code,
  message: error.message,
  fix: error.hint,
  exitCode: exitCodeOf(error),
});

const unconnected = (remote: Remote, error: AppError): SyncPlan => ({
  remote,
  tables: [],
  sample: [],
  hold: null,
  problem: problemOf(error),
});

function joinPlans(first: SyncPlan, second: SyncPlan): SyncPlan {
  const tables = new Map(first.tables.map((table) => [table.table, table]));
  for (const more of second.tables) {
    const known = tables.get(more.table);
    tables.set(
      more.table,
      known === undefined
        ? more
        : { ...known, push: known.push + more.push, pushDeletes: known.pushDeletes + more.pushDeletes },
    );
  }
  return { ...second, tables: [...tables.values()], sample: [...first.sample, ...second.sample].slice(0, 20) };
}

/** A remote whose connector could not even be made: its settings say why. */
function withConnectFailure(status: RemoteStatus, failure: AppError | null): RemoteStatus {
  if (failure === null) return status;
  const { title } = ERROR_CATALOGUE[failure.code];
  return {
    ...status,
    state: 'needs_you',
    reason: failure.message === title ? title : `${title} ${failure.message}`,
    fix: failure.hint,
    code: failure.code,
  };
}

async function test(connections: Connections, remote: Remote) {
  const configured = connections.isConfigured(remote);
  const failure = connections.failure(remote);
  const own = connections.of(remote);
  if (failure !== null) return { remote, configured, steps: [failedStep(failure)] };
  if (own === null) return { remote, configured, steps: [] };
  try {
    const steps = await withDeadline(CHECK_LIMIT_MS, AbortSignal.timeout(2 * CHECK_LIMIT_MS), own.connector.check);
    return { remote, configured, steps: [...steps] };
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    return { remote, configured, steps: [failedStep(cause)] };
  }
}

function failedStep(error: AppError) {
  const { title } = ERROR_CATALOGUE[error.code];
  const detail = error.message === title ? ERROR_CATALOGUE[error.code].meaning : error.message;
  const common = { id: 'settings', title, verdict: 'failed', canPrepare: false } as const;
  return { ...common, detail, fix: error.hint, code: error.code };
}

type Connections = {
  readonly configure: () => Promise<void>;
  readonly reconnect: (remote: Remote) => Promise<void>;
  readonly of: (remote: Remote) => RemoteParts | null;
  readonly failure: (remote: Remote) => AppError | null;
  readonly isConfigured: (remote: Remote) => boolean;
  readonly close: () => Promise<void>;
};
type Connection = { readonly key: string; readonly own: RemoteParts | null; readonly failure: AppError | null };

function createConnections(
  parts: Pick<SyncEngineParts, 'stores' | 'shell' | 'configured'> & {
    readonly connect: (remote: Remote) => Promise<RemoteParts | null>;
  },
  sessionOf: (remote: Remote) => Session,
  setLeases: (leases: LeaseService | null) => void,
): Connections {
  const { outbox } = parts.stores;
  const known = new Map<Remote, Connection>();
  let isClosed = false;
  let queue: Promise<void> = Promise.resolve();

  const close = async (remote: Remote): Promise<void> => {
    const own = known.get(remote)?.own ?? null;
    known.delete(remote);
    sessionOf(remote).connect(null);
    await own?.connector.close();
  };
  const open = async (remote: Remote, key: string): Promise<void> => {
    let own: RemoteParts | null = null;
    let failure: AppError | null = null;
    try {
      const made = await parts.connect(remote);
      own = made === null ? null : { ...made, connector: quietConnector(made.connector, parts.shell.redact) };
    } catch (cause) {
      if (!(cause instanceof AppError)) throw cause;
      failure = cause;
    }
    known.set(remote, { key, own, failure });
  };
  const apply = async (): Promise<void> => {
    if (isClosed) return;
    const wanted = new Map(parts.configured().map(({ remote, key }) => [remote, key]));
    const isSame = wanted.size === known.size && [...wanted].every(([remote, key]) => known.get(remote)?.key === key);
    if (isSame) return;
    for (const [remote, { key }] of [...known]) if (wanted.get(remote) !== key) await close(remote);
    for (const [remote, key] of wanted) if (!known.has(remote)) await open(remote, key);
    const tables = [...known].flatMap(([remote, { own }]) => (own === null ? [] : [[remote, own.connector.tables]]));
    outbox.setConfigured([...wanted.keys()], Object.fromEntries(tables));
    setLeases(known.get('supabase')?.own?.leases ?? null);
    for (const remote of remoteSchema.options) sessionOf(remote).connect(known.get(remote)?.own?.connector ?? null);
    parts.shell.onState(null);
  };
  const configure = (): Promise<void> => {
    queue = queue.then(apply).catch((cause: unknown) => {
      parts.shell.log.error('The remotes could not be connected.', { error: cause });
    });
    return queue;
  };
  return {
    configure,
    reconnect: async (remote) => {
      await queue;
      await close(remote);
      await configure();
    },
    of: (remote) => known.get(remote)?.own ?? null,
    failure: (remote) => known.get(remote)?.failure ?? null,
    isConfigured: (remote) => parts.configured().some((one) => one.remote === remote),
    close: async () => {
      isClosed = true;
      await queue;
      for (const remote of [...known.keys()]) await close(remote);
    },
  };
}
