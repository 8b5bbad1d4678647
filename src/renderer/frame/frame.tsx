import type { ComponentChildren, VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { displayPath } from '../../shared/display.ts';
import { useApp } from '../app-context.ts';
import { formatRoute, type Route } from '../data/route.ts';
import { useStore } from '../data/store.ts';
import { useStatus } from '../data/use-status.ts';
import { IconButton } from '../parts/basics.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Icon, Mark } from '../parts/icon.tsx';
import { formatCount, strings } from '../strings.ts';
import { LostBanner, SampleBanner } from './banners.tsx';
import { NoticeBar } from './notice-bar.tsx';
import { Palette } from './palette.tsx';
import { SECTIONS, sectionCounts, sectionOf } from './sections.ts';
import { Shortcuts } from './shortcuts.tsx';
import { ThemeButton } from './theme-button.tsx';
import { useKeys } from './use-keys.ts';

const text = strings.frame;

/** What stands around every view: sections, connection, notices, and what opens above it. */
export function Frame({ route, children }: { route: Route; children: ComponentChildren }): VNode {
  const app = useApp();
  const overlay = useStore(app.overlay);
  const { state } = useStore(app.client.connection);
  useKeys();
  useTitle(route);
  const openPalette = (): void => app.overlay.set('palette');
  return (
    <div class={state === 'lost' ? 'frame is-old' : 'frame'}>
      <button type="button" class="skip" onClick={() => document.getElementById('content')?.focus()}>
        {text.skip}
      </button>
      <header class="topbar">
        <IconButton icon="menu" label={text.menu} onClick={() => app.overlay.set('navigation')} />
        <a class="brand" href={formatRoute('overview')}>
          <Mark />
          {strings.product}
        </a>
        <IconButton icon="search" label={text.commands} onClick={openPalette} />
      </header>
      <aside class="sidebar">
        <a class="brand" href={formatRoute('overview')}>
          <Mark />
          {strings.product}
        </a>
        <button type="button" class="palette-button" onClick={openPalette}>
          <Icon name="search" size={16} />
          <span>{text.commands}</span>
          <kbd>{/Mac/.test(navigator.userAgent) ? '⌘K' : 'Ctrl K'}</kbd>
        </button>
        <Navigation route={route} />
        <Foot />
      </aside>
      <main id="content" class="content" tabIndex={-1}>
        <LostBanner />
        <SampleBanner />
        {children}
      </main>
      <NoticeBar />
      {overlay === 'palette' ? <Palette /> : null}
      {overlay === 'shortcuts' ? <Shortcuts /> : null}
      {overlay === 'navigation' ? (
        <Dialog title={strings.product} kind="drawer" onClose={() => app.overlay.set(null)}>
          <Navigation route={route} />
          <Foot />
        </Dialog>
      ) : null}
    </div>
  );
}

function Navigation({ route }: { route: Route }): VNode {
  const { overlay } = useApp();
  const status = useStatus().data;
  const counts = status === undefined ? {} : sectionCounts(status);
  return (
    <nav class="navigation" aria-label={text.sections}>
      {[0, 1, 2].map((group) => (
        <ul key={group}>
          {SECTIONS.filter((section) => section.group === group).map(({ view }) => (
            <li key={view}>
              <a
                href={formatRoute(view)}
                aria-current={sectionOf(route.view) === view ? 'page' : undefined}
                onClick={() => overlay.set(null)}
              >
                <Icon name={view} />
                <span>{strings.views[view]}</span>
                {(counts[view] ?? 0) > 0 ? (
                  <span class="count" title={strings.overview.attention}>
                    {formatCount(counts[view] ?? 0)}
                  </span>
                ) : null}
              </a>
            </li>
          ))}
        </ul>
      ))}
    </nav>
  );
}

function Foot(): VNode {
  const { client, overlay } = useApp();
  const { state } = useStore(client.connection);
  const status = useStatus().data;
  const words = state === 'live' ? text.connected : state === 'lost' ? text.lost : text.connecting;
  return (
    <footer class="foot">
      <span class={`connection ${state}`} title={status === undefined ? undefined : displayPath(status.dataFolder)}>
        <span class="connection-dot" />
        {words}
      </span>
      <span class="row tight">
        <IconButton icon="keyboard" label={text.shortcuts} onClick={() => overlay.set('shortcuts')} />
        <ThemeButton />
      </span>
    </footer>
  );
}

function useTitle(route: Route): void {
  const waiting = useStatus().data?.attention.length ?? 0;
  const { path } = route.params;
  const name =
    route.view === 'file' && path !== undefined
      ? displayPath(path.slice(path.lastIndexOf('/') + 1))
      : strings.views[route.view];
  useEffect(() => {
    document.title = `${waiting > 0 ? `(${waiting}) ` : ''}${name} · ${strings.product}`;
  }, [name, waiting]);
}
