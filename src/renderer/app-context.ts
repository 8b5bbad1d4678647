import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { PageClient } from './data/client.ts';
import type { QueryCache } from './data/query.ts';
import type { Store } from './data/store.ts';
import type { Theme } from './data/theme.ts';

/** Something to tell at the edge of the page, for a while, with at most one thing to do about it. */
export type Notice = {
  readonly tone: 'ok' | 'error';
  readonly text: string;
  readonly action?: { readonly label: string; readonly run: () => void };
};

/** What every view may use. */
export type App = {
  readonly client: PageClient;
  readonly cache: QueryCache;
  readonly theme: Store<Theme>;
  readonly notice: Store<Notice | null>;
  /** Which dialog of the frame is open. */
  readonly overlay: Store<'palette' | 'shortcuts' | 'navigation' | null>;
  /** Goes to a place made by `formatRoute`. */
  readonly go: (hash: string) => void;
  /** Changes the place without a new step for the back button: for filters while typing. */
  readonly replace: (hash: string) => void;
};

const context = createContext<App | null>(null);
export const AppProvider = context.Provider;

export function useApp(): App {
  const app = useContext(context);
  if (app === null) throw new Error('a view was rendered outside of the app');
  return app;
}
