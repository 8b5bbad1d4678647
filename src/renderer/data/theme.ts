/** Light, dark, or as the system says. The setting `dashboard.theme` decides; the browser remembers it for the first paint. */
import type { Store } from './store.ts';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];
const KEY = 'angles.theme';

export const isTheme = (value: unknown): value is Theme => THEMES.some((theme) => theme === value);

export function rememberedTheme(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return isTheme(value) ? value : 'system';
  } catch {
    // A browser that keeps nothing (private mode): the setting arrives a moment later.
    return 'system';
  }
}

/** Shows a theme now and at every change of the store. */
export function applyTheme(theme: Store<Theme>): void {
  const show = (value: Theme): void => {
    if (value === 'system') document.documentElement.removeAttribute('data-theme');
    else document.documentElement.setAttribute('data-theme', value);
    try {
      localStorage.setItem(KEY, value);
    } catch {
      // Nothing is kept in private mode; the setting itself is with the agent.
      return;
    }
  };
  show(theme.get());
  theme.subscribe(show);
}
