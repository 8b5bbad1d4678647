import { useLayoutEffect } from 'preact/hooks';
import { useApp } from '../app-context.ts';
import { actOfKey } from '../data/keys.ts';
import { formatRoute } from '../data/route.ts';

const SEQUENCE_MS = 1_200;

/** Listens to the keys of the whole page. */
export function useKeys(): void {
  const { go, overlay } = useApp();
  // With the first paint: a key that is pressed as soon as something is seen counts.
  useLayoutEffect(() => {
    let gPressedAtMs = Number.NEGATIVE_INFINITY;
    const onKey = (event: KeyboardEvent): void => {
      const { target } = event;
      const act = actOfKey({
        key: event.key,
        ctrlOrMeta: event.ctrlKey || event.metaKey,
        alt: event.altKey,
        typing: target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]'),
        modal: document.querySelector('dialog[open]') !== null,
        afterG: event.timeStamp - gPressedAtMs < SEQUENCE_MS,
      });
      gPressedAtMs = act.act === 'wait' ? event.timeStamp : Number.NEGATIVE_INFINITY;
      if (act.act === 'none' || act.act === 'wait') return;
      event.preventDefault();
      if (act.act === 'palette') overlay.set(overlay.get() === 'palette' ? null : 'palette');
      else if (act.act === 'shortcuts') overlay.set('shortcuts');
      else if (act.act === 'search') goToSearch(go);
      else go(formatRoute(act.view));
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [go, overlay]);
}

function goToSearch(go: (hash: string) => void): void {
  const box = document.querySelector<HTMLInputElement>('.search-box input');
  if (box === null) go(formatRoute('search'));
  else box.select();
}
