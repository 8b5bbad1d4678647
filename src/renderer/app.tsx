import type { VNode } from 'preact';
import { useEffect, useErrorBoundary, useMemo, useRef, useState } from 'preact/hooks';
import type { DesktopEventName, DesktopEvents } from '../shared/desktop.ts';
import { type App, AppProvider, type Notice, useApp } from './app-context.ts';
import type { PageClient } from './data/client.ts';
import { needsFirstRun } from './data/first-run.ts';
import { createQueryCache, useQuery } from './data/query.ts';
import { formatRoute, parseRoute, type Route } from './data/route.ts';
import { createStore, type Store, useStore } from './data/store.ts';
import { isTheme, type Theme } from './data/theme.ts';
import { useStatus } from './data/use-status.ts';
import { Frame } from './frame/frame.tsx';
import { NoticeBar } from './frame/notice-bar.tsx';
import { ErrorCard } from './parts/basics.tsx';
import { lazyView } from './parts/lazy.tsx';
import { strings } from './strings.ts';
import { ActivityView } from './views/activity.tsx';
import { FileView } from './views/files/file.tsx';
import { FilesView } from './views/files/files.tsx';
import { OverviewView } from './views/overview/overview.tsx';
import { SearchView } from './views/search.tsx';
import { SignInView } from './views/sign-in.tsx';

/** Views that not everybody opens are loaded when somebody does. */
type RouteProps = { readonly route: Route };
const FirstRunView = lazyView<{ readonly onLeave: () => void }>(
  strings.views.welcome,
  async () => (await import('./views/first-run/first-run.tsx')).FirstRunView,
);
const RecordsView = lazyView<RouteProps & { readonly table: 'decision_vault' | 'memories' }>(
  strings.views.decisions,
  async () => (await import('./views/records/records.tsx')).RecordsView,
);
const SyncView = lazyView<RouteProps>(strings.views.sync, async () => (await import('./views/sync/sync.tsx')).SyncView);
const ConflictsView = lazyView<RouteProps>(
  strings.views.conflicts,
  async () => (await import('./views/conflicts/conflicts.tsx')).ConflictsView,
);
const BackupsView = lazyView<RouteProps>(
  strings.views.backups,
  async () => (await import('./views/backups/backups.tsx')).BackupsView,
);

const LogsView = lazyView<RouteProps>(strings.views.logs, async () => (await import('./views/logs.tsx')).LogsView);
const ScheduleView = lazyView(
  strings.views.schedule,
  async () => (await import('./views/schedule/schedule.tsx')).ScheduleView,
);
const HealthView = lazyView(strings.views.health, async () => (await import('./views/health/health.tsx')).HealthView);
const SettingsView = lazyView<RouteProps>(
  strings.views.settings,
  async () => (await import('./views/settings/settings.tsx')).SettingsView,
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
  useEffect(() => listenToShell(app), [app]);
  return (
    <AppProvider value={app}>
      <Page route={route} />
    </AppProvider>
  );
}

/** What the shell around the page wants shown: a place from the tray, a word about the window itself. */
function listenToShell({ client: { desktop }, go, notice }: App): () => void {
  if (desktop === null) return () => undefined;
  const hear: { readonly [E in DesktopEventName]: (payload: DesktopEvents[E]) => void } = {
    'desktop.go': ({ hash }) => go(hash),
    'desktop.notice': (word) => notice.set(word),
  };
  const stops = [desktop.on('desktop.go', hear['desktop.go']), desktop.on('desktop.notice', hear['desktop.notice'])];
  desktop.call('desktop.ready', {}).then(
    ({ waiting }) => {
      for (const { event, payload } of waiting)
        if (Object.hasOwn(hear, event)) hear[event as DesktopEventName](payload as never);
    },
    // A window without its bridge says so in every view.
    () => undefined,
  );
  return () => {
    for (const stop of stops) stop();
  };
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
  const leaveWelcome = useWelcome(route);
  if (state === 'signed-out') return <SignInView />;
  if (route.view === 'welcome')
    return (
      <>
        <FirstRunView onLeave={leaveWelcome} />
        <NoticeBar />
      </>
    );
  return (
    <Frame route={route}>
      <View key={viewKey(route)} route={route} />
    </Frame>
  );
}

/** Leads a person who has no folder yet to the first run, once; returns what ends that for good. */
function useWelcome(route: Route): () => void {
  const { replace } = useApp();
  const status = useStatus().data;
  const wasLed = useRef(false);
  useEffect(() => {
    if (wasLed.current || route.view !== 'overview' || !needsFirstRun(status)) return;
    wasLed.current = true;
    replace(formatRoute('welcome'));
  }, [status, route.view]);
  return () => {
    wasLed.current = true;
  };
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
    case 'schedule':
      return <ScheduleView />;
    case 'logs':
      return <LogsView route={route} />;
    case 'health':
      return <HealthView />;
    case 'settings':
      return <SettingsView route={route} />;
    case 'welcome':
      // It stands alone, without the frame around it.
      return <OverviewView />;
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
