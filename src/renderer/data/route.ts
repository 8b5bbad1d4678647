/** Where the page is: a view and its parameters, kept in the hash so that back, forward and bookmarks work. */

export const VIEWS = [
  'overview',
  'activity',
  'files',
  'file',
  'search',
  'decisions',
  'memories',
  'conflicts',
  'sync',
  'backups',
  'schedule',
  'logs',
  'health',
  'settings',
  'welcome',
] as const;
export type ViewName = (typeof VIEWS)[number];
export type Params = Readonly<Record<string, string>>;
export type Route = { readonly view: ViewName; readonly params: Params };

/** Reads a hash such as `#/search?q=backup`; anything unknown is the overview. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = splitOnce(hash.replace(/^#\/?/, ''), '?');
  const view = VIEWS.find((name) => name === path) ?? 'overview';
  return { view, params: Object.fromEntries(new URLSearchParams(query)) };
}

/** The hash of a place. Parameters that are empty or undefined are left out. */
export function formatRoute(view: ViewName, params: Readonly<Record<string, string | undefined>> = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== '') query.set(name, value);
  }
  const text = query.toString();
  const path = view === 'overview' ? '#/' : `#/${view}`;
  return text === '' ? path : `${path}?${text}`;
}

/** The same place with some parameters changed; undefined removes one. */
export function changeParams(route: Route, changes: Readonly<Record<string, string | undefined>>): string {
  return formatRoute(route.view, { ...route.params, ...changes });
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}
