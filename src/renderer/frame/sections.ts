import type { ViewName } from '../data/route.ts';

/** The sections in the order of the navigation, in their two groups. */
export const SECTIONS = [
  { view: 'overview', group: 0 },
  { view: 'activity', group: 0 },
  { view: 'files', group: 0 },
  { view: 'search', group: 0 },
  { view: 'decisions', group: 1 },
  { view: 'memories', group: 1 },
  { view: 'health', group: 2 },
  { view: 'logs', group: 2 },
  { view: 'settings', group: 2 },
] as const satisfies readonly { readonly view: ViewName; readonly group: number }[];

/** The section that a view belongs to. */
export const sectionOf = (view: ViewName): ViewName => (view === 'file' ? 'files' : view);
