import type { VNode } from 'preact';
import { useEffect, useErrorBoundary, useMemo, useState } from 'preact/hooks';
import { type App, AppProvider, type Notice, useApp } from './app-context.ts';
import type { PageClient } from './data/client.ts';
import { createQueryCache, useQuery } from './data/query.ts';
import { parseRoute, type Route } from './data/route.ts';
import { createStore, type Store, useStore } from './data/store.ts';
import { isTheme, type Theme } from './data/theme.ts';
import { Frame } from './frame/frame.tsx';
import { ErrorCard } from './parts/basics.tsx';
import { lazyView } from './parts/lazy.tsx';
import { strings } from './strings.ts';
import { ActivityView } from './views/activity.tsx';
import { FileView } from './views/files/file.tsx';
import { FilesView } from './views/files/files.tsx';
import { HealthView } from './views/health.tsx';
import { LogsView } from './views/logs.tsx';
import { OverviewView } from './views/overview/overview.tsx';
import { RecordsView } from './views/records/records.tsx';
import { SearchView } from './views/search.tsx';
import { SettingsView } from './views/settings/settings.tsx';
import { SignInView } from './views/sign-in.tsx';

/** Views that not everybody opens are loaded when somebody does. */
type RouteProps = { readonly route: Route };
const SyncView = lazyView<RouteProps>(strings.views.sync, async () => (await import('./views/sync/sync.tsx')).SyncView);
const ConflictsView = lazyView<RouteProps>(
  strings.views.conflicts,
  async () => (await import('./views/conflicts/conflicts.tsx')).ConflictsView,
);
const BackupsView = lazyView<RouteProps>(
  strings.views.backups,
  async () => (await import('./views/backups/backups.tsx')).BackupsView,
);

/** The whole page over a client of the agent. */
export function Root({ client, theme }: { client: PageClient; theme: Store<Theme> }): VNode {
  const [route, setRoute] = useState<Route>(() => parseRoute(location.hash));
  const app = useMemo<App>(
    () => ({
      client,
      cache: createQueryCache(),
      theme,
      notice: createStore<Notice | null>(null),
      overlay: createStore<ReturnType<App['overlay']['get']>>(null),
      // The browser tells of a new hash only later; keys that are pressed meanwhile belong to the new place already.
      go: (hash) => {
        location.hash = hash;
        setRoute(parseRoute(hash));
      },
      replace: (hash) => {
        history.replaceState(null, '', hash);
        setRoute(parseRoute(hash));
      },
    }),
    [client, theme],
  );
  useEffect(() => {
    const onHash = (): void => setRoute(parseRoute(location.hash));
    addEventListener('hashchange', onHash);
    return () => removeEventListener('hashchange', onHash);
  }, []);
  return (
    <AppProvider value={app}>
      <Page route={route} />
    </AppProvider>
  );
}

function Page({ route }: { route: Route }): VNode {
  const { client } = useApp();
  const { state } = useStore(client.connection);
  useSettledTheme();
  // A page that nobody looks at may sleep through a restart; it catches up when it is seen again.
  useEffect(() => {
    const onSeen = (): void => {
      if (!document.hidden && client.connection.get().state !== 'live') client.retryNow();
    };
    document.addEventListener('visibilitychange', onSeen);
    addEventListener('focus', onSeen);
    return () => {
      document.removeEventListener('visibilitychange', onSeen);
      removeEventListener('focus', onSeen);
    };
  }, [client]);
  if (state === 'signed-out') return <SignInView />;
  return (
    <Frame route={route}>
      <View key={viewKey(route)} route={route} />
    </Frame>
  );
}

/** Places that start afresh: another view, another file, another way into the same list. */
const viewKey = ({ view, params }: Route): string =>
  `${view} ${view === 'file' ? (params.path ?? '') : ''}${params.new ?? ''}`;

function View({ route }: { route: Route }): VNode {
  const [error, reset] = useErrorBoundary();
  useEffect(() => {
    document.getElementById('content')?.scrollTo(0, 0);
    // Only when nothing else took the focus: a search box does.
    if (document.activeElement === document.body) document.querySelector<HTMLElement>('main h1')?.focus();
  }, []);
  if (error !== undefined) return <ErrorCard error={error} onRetry={reset} />;
  switch (route.view) {
    case 'overview':
      return <OverviewView />;
    case 'activity':
      return <ActivityView route={route} />;
    case 'files':
      return <FilesView route={route} />;
    case 'file':
      return <FileView route={route} />;
    case 'search':
      return <SearchView route={route} />;
    case 'decisions':
      return <RecordsView route={route} table="decision_vault" />;
    case 'memories':
      return <RecordsView route={route} table="memories" />;
    case 'conflicts':
      return <ConflictsView route={route} />;
    case 'sync':
      return <SyncView route={route} />;
    case 'backups':
      return <BackupsView route={route} />;
    case 'logs':
      return <LogsView route={route} />;
    case 'health':
      return <HealthView />;
    case 'settings':
      return <SettingsView route={route} />;
  }
}

/** The setting decides over what the browser remembered. */
function useSettledTheme(): void {
  const { theme } = useApp();
  const { data } = useQuery('settings.show', {}, ['settings']);
  const value = data?.values.find((one) => one.key === 'dashboard.theme')?.value;
  useEffect(() => {
    if (isTheme(value)) theme.set(value);
  }, [value]);
}
