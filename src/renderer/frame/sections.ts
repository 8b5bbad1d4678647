import type { AgentStatus } from '../../shared/contract.ts';
import type { ViewName } from '../data/route.ts';

/** The sections in the order of the navigation, in their groups. */
export const SECTIONS = [
  { view: 'overview', group: 0 },
  { view: 'activity', group: 0 },
  { view: 'files', group: 0 },
  { view: 'search', group: 0 },
  { view: 'decisions', group: 1 },
  { view: 'memories', group: 1 },
  { view: 'conflicts', group: 1 },
  { view: 'sync', group: 2 },
  { view: 'backups', group: 2 },
  { view: 'schedule', group: 2 },
  { view: 'health', group: 2 },
  { view: 'logs', group: 2 },
  { view: 'settings', group: 2 },
] as const satisfies readonly { readonly view: ViewName; readonly group: number }[];

/** The section that a view belongs to. */
export const sectionOf = (view: ViewName): ViewName => (view === 'file' ? 'files' : view);

/** What waits for the person in each section; sections where nothing does are left out. */
export function sectionCounts({
  attention,
  sync,
}: Pick<AgentStatus, 'attention' | 'sync'>): Partial<Record<ViewName, number>> {
  const inSync = sync.remotes.filter(
    (one) => one.hold !== null || one.state === 'needs_you' || one.paused.length > 0,
  ).length;
  const parked = sync.remotes.reduce((sum, one) => sum + one.parked, 0);
  return {
    overview: attention.length,
    conflicts: sync.conflicts,
    sync: inSync + parked + (sync.safeMode === null ? 0 : 1),
  };
}
