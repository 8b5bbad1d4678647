/** What a person can ask of sync. */
import { setImmediate as setImmediateAsync } from 'node:timers/promises';
import type { SyncPlan, SyncStatus } from '../../shared/contract-sync.ts';
import { AppError, ERROR_CATALOGUE } from '../../shared/errors.ts';
import { type Remote, remote as remoteSchema } from '../../shared/model.ts';
import { createConflictMethods } from './conflict-methods.ts';
import type { Connections } from './connections.ts';
import { withDeadline } from './deadline.ts';
import type { DeviceList } from './device-list.ts';
import type { RemoteParts, SyncEngineParts, SyncMethods } from './engine-parts.ts';
import type { Leader } from './leader.ts';
import type { Outgoing } from './outgoing.ts';
import { problemOf } from './problem-of.ts';
import { createQueueMethods } from './queue-methods.ts';
import type { Reporting } from './reporting.ts';
import type { RunOptions, Session } from './session-parts.ts';

export const BACKLOG_STEP = 2_000;
const CHECK_LIMIT_MS = 60_000;

export type SyncMethodParts = Omit<SyncEngineParts, 'reporting'> & {
  readonly connections: Connections;
  readonly leader: Leader;
  readonly devices: DeviceList;
  readonly outgoing: Outgoing;
  readonly reports: Reporting;
  readonly sessionOf: (remote: Remote) => Session;
  readonly status: () => SyncStatus;
  readonly waiting: (remote: Remote) => number;
};

/** A running agent is connected long since; a command connects when it first needs to. */
export async function connectedTo(connections: Connections, remote: Remote): Promise<RemoteParts> {
  await connections.configure();
  const failure = connections.failure(remote);
  if (failure !== null) throw failure;
  const own = connections.of(remote);
  if (own === null) throw new AppError('sync.off', `Sync with ${remote} is off.`);
  return own;
}

export function createSyncMethods(parts: SyncMethodParts): SyncMethods {
  const { stores, shell, guard, connections, leader, devices, outgoing, sessionOf, status, waiting } = parts;
  const { outbox } = stores;
  const connected = (remote: Remote): Promise<RemoteParts> => connectedTo(connections, remote);
  const chosen = (remote: Remote | undefined): Remote[] =>
    remoteSchema.options.filter((one) => (remote === undefined ? connections.isConfigured(one) : one === remote));
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

  return {
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
      if (!dryRun) parts.reports.ran(plans, beganMs);
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
      return devices.list();
    },
  };
}

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
