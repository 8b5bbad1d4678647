import type { VNode } from 'preact';
import { type App, useApp } from '../app-context.ts';
import { useStore } from '../data/store.ts';
import { THEMES, type Theme } from '../data/theme.ts';
import { IconButton, useTell } from '../parts/basics.tsx';
import { strings } from '../strings.ts';

/** Shows a theme and keeps it as the setting `dashboard.theme`. */
export async function saveTheme(app: App, theme: Theme): Promise<void> {
  app.theme.set(theme);
  await app.client.call('settings.set', { key: 'dashboard.theme', value: theme });
}

/** Goes round system, light and dark. */
export function ThemeButton(): VNode {
  const app = useApp();
  const tell = useTell();
  const theme = useStore(app.theme);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system';
  return (
    <IconButton
      icon={theme === 'system' ? 'system' : theme === 'light' ? 'sun' : 'moon'}
      label={strings.frame.theme[theme]}
      onClick={() => saveTheme(app, next).catch(tell.fail)}
    />
  );
}
