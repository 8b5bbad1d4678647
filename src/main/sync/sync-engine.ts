/** Composes sync: a session per remote, the leader, what a person can ask, and what takes effect without a restart. */
import type { RemoteStatus, SyncStatus } from '../../shared/contract-sync.ts';
import { type AppError, ERROR_CATALOGUE } from '../../shared/errors.ts';
import { type Remote, remote as remoteSchema } from '../../shared/model.ts';
import { createApplier } from './apply-change.ts';
import { compareRows } from './compare-rows.ts';
import { createConnections } from './connections.ts';
import { createDeviceList, isAlone } from './device-list.ts';
import type { SyncEngine, SyncEngineParts } from './engine-parts.ts';
import { createLeader } from './leader.ts';
import { createNetworkWatch } from './network-watch.ts';
import { createOutgoing } from './outgoing.ts';
import { createPlanner } from './plan-change.ts';
import { createPusher } from './push.ts';
import { createReporting } from './reporting.ts';
import { createSession } from './session.ts';
import type { Session } from './session-parts.ts';
import { BACKLOG_STEP, connectedTo, createSyncMethods } from './sync-methods.ts';

const PULL_EVERY_MS = 60_000;
/** A large database of Notion is read page by page. */
const COMPARE_LIMIT_MS = 30 * 60_000;
const HEARTBEAT_MS = 5 * 60_000;

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
    isAlone: () => isAlone(stores),
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
  const waiting = (remote: Remote): number => {
    const summary = outbox.summary().find((one) => one.remote === remote);
    return summary === undefined ? 0 : summary.pending + summary.leased;
  };
  const devices = createDeviceList(parts, connections, leader, () => waiting('supabase'));
  const methods = createSyncMethods({
    ...parts,
    connections,
    leader,
    devices,
    outgoing,
    reports: reporting,
    sessionOf,
    status,
    waiting,
  });
  const wake = (): void => {
    for (const session of sessions.values()) session.wake('network');
  };
  const isOffline = (): boolean =>
    [...sessions.keys()].some((remote) => {
      const { errorJson } = stores.states.read(remote);
      return errorJson?.includes('"remote.unreachable"') === true && waiting(remote) > 0;
    });
  const network = createNetworkWatch(isOffline, wake);

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
      timers.push(setInterval(() => void devices.heartbeat(), HEARTBEAT_MS));
      network.start();
      for (const timer of timers) timer.unref();
      void devices.heartbeat();
      reporting.start();
    },
    reconnect: async (remote) => {
      if (connections.of(remote) !== null) await connections.reconnect(remote);
    },
    compare: async (remote, records) => {
      const { connector } = await connectedTo(connections, remote);
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
      network.stop();
      await Promise.all([...sessions.values()].map((session) => session.stop()));
      await leader.stop();
      await connections.close();
    },
  };

  /** In steps, so that a large vault does not stop everything else. */
  function fillBacklog(): void {
    if (!isStopped && outbox.fillBacklog(BACKLOG_STEP)) setImmediate(fillBacklog);
  }
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
