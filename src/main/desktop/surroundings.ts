import { net, powerMonitor } from 'electron';
import type { ActivityKind } from '../../shared/model.ts';
import { describeTray, queued, type TrayFacts } from '../../shared/tray-state.ts';
import type { AgentApi } from '../api-types.ts';
import type { Notices } from './notices.ts';
import { problemsOf } from './problems.ts';
import { createSoon } from './soon.ts';
import type { TrayIcon } from './tray.ts';

export type SurroundingsNeeds = {
  readonly api: AgentApi;
  readonly tray: TrayIcon;
  readonly notices: Notices;
  readonly nowMs: () => number;
  readonly log: { readonly warn: (message: string, data?: Record<string, unknown>) => void };
};

/** Keeps tray and notices as the agent is. Between events it does nothing. */
export type Surroundings = {
  /** Reads and shows everything now. */
  readonly refresh: () => Promise<void>;
  readonly refreshSoon: () => void;
  /** Changes that wait for this machine or a service, as last seen. */
  readonly left: () => number;
  readonly stop: () => void;
};

const EVERY_MS = 1_000;
/** What did not happen makes no event: it is looked for now and then. */
const LOOK_EVERY_MS = 15 * 60_000;
const EVENTS: ReadonlySet<string> = new Set([
  'status',
  'activity',
  'progress',
  'records',
  'settings',
  'sync',
  'conflicts',
  'backups',
]);
const FILE_KINDS: ActivityKind[] = ['file.created', 'file.modified', 'file.renamed', 'file.deleted'];

export function createSurroundings(needs: SurroundingsNeeds): Surroundings {
  const { api, tray, notices, log } = needs;
  let left = 0;
  let isStopped = false;

  const refresh = async (): Promise<void> => {
    const facts = await readFacts(needs);
    if (isStopped) return;
    const { status } = facts;
    left = status === null ? 0 : queued(status) + status.waiting.capture;
    tray.show(describeTray(facts));
    if (status !== null) notices.report(problemsOf(status, facts.isOnline));
  };
  const soon = createSoon(EVERY_MS, () => {
    if (!isStopped) refresh().catch((error: unknown) => log.warn('The tray could not be renewed.', { error }));
  });
  const stopListening = api.subscribe((event) => {
    if (EVENTS.has(event.event)) soon.call();
  });
  powerMonitor.on('resume', soon.call);
  const looking = setInterval(soon.call, LOOK_EVERY_MS);
  looking.unref();
  return {
    refresh,
    refreshSoon: soon.call,
    left: () => left,
    stop: () => {
      isStopped = true;
      stopListening();
      clearInterval(looking);
      soon.stop();
      powerMonitor.off('resume', soon.call);
    },
  };
}

async function readFacts({ api, nowMs }: SurroundingsNeeds): Promise<TrayFacts> {
  const status = await api.methods['agent.status']({});
  const { activities } = await api.methods['activities.list']({ kinds: FILE_KINDS, limit: 5 });
  const roots = new Map(status.roots.map((root) => [root.rootId, root.path.replace(/\/$/, '')]));
  return {
    nowMs: nowMs(),
    status: status.startedAtMs === null ? null : status,
    isOnline: net.isOnline(),
    conflicts: status.sync.conflicts,
    recent: activities.map(({ summary, path, rootId }) => {
      const root = roots.get(rootId ?? -1);
      return { summary, path: path === null || root === undefined ? null : `${root}/${path}` };
    }),
    // Without a service there is nothing to sync with.
    can: { sync: status.sync.remotes.some((one) => one.configured), backUp: true },
    clock: (timeMs) => new Intl.DateTimeFormat(undefined, clockForm(timeMs, nowMs())).format(timeMs),
  };
}

/** Hours and minutes today, with the day otherwise. */
function clockForm(timeMs: number, nowMs: number): Intl.DateTimeFormatOptions {
  const isToday = new Date(timeMs).toDateString() === new Date(nowMs).toDateString();
  return isToday ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' };
}
