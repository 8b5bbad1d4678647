/** The keyboard of the page: which key means what, as values. */
import type { ViewName } from './route.ts';

/** After `g`: the letter of each section. */
export const GO_KEYS = {
  o: 'overview',
  a: 'activity',
  f: 'files',
  s: 'search',
  d: 'decisions',
  m: 'memories',
  c: 'conflicts',
  y: 'sync',
  b: 'backups',
  e: 'schedule',
  l: 'logs',
  h: 'health',
  t: 'settings',
} as const satisfies Record<string, ViewName>;

export type KeyAct =
  | { readonly act: 'palette' }
  | { readonly act: 'shortcuts' }
  | { readonly act: 'search' }
  | { readonly act: 'go'; readonly view: ViewName }
  | { readonly act: 'wait' }
  | { readonly act: 'none' };

export type KeyPress = {
  readonly key: string;
  readonly ctrlOrMeta: boolean;
  readonly alt: boolean;
  /** The key goes into a field. */
  readonly typing: boolean;
  /** A dialog is open. */
  readonly modal: boolean;
  /** `g` was pressed just before. */
  readonly afterG: boolean;
};

/** What a key press means. Nothing is taken from a field except Ctrl/Cmd-K. */
export function actOfKey(press: KeyPress): KeyAct {
  const none: KeyAct = { act: 'none' };
  if (press.ctrlOrMeta) return press.key.toLowerCase() === 'k' && !press.alt ? { act: 'palette' } : none;
  if (press.typing || press.modal || press.alt) return none;
  if (press.afterG && Object.hasOwn(GO_KEYS, press.key)) {
    return { act: 'go', view: GO_KEYS[press.key as keyof typeof GO_KEYS] };
  }
  if (press.key === 'g') return { act: 'wait' };
  if (press.key === '/') return { act: 'search' };
  return press.key === '?' ? { act: 'shortcuts' } : none;
}
