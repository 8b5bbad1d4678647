import type { VNode } from 'preact';

/** One set: 24 x 24, drawn with round strokes of 1.75. Shapes differ, not only colours. */
const PATHS = {
  overview: 'M4 20 20 20M4 20 14 4M9 20a9 9 0 0 0-2.2-5.9',
  activity: 'M3 12h4l3-8 4 16 3-8h4',
  files: 'M3 7a2 2 0 0 1 2-2h4l2 2.5h8a2 2 0 0 1 2 2V17a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z',
  file: 'M7 3h7l5 5v11a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zM14 3v5h5',
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16.2 16.2 21 21',
  decisions: 'M12 21V9M12 9 6 4M12 9l6-5M6 4v4M6 4h4M18 4v4M18 4h-4',
  memories: 'M6 4h12v17l-6-4.5L6 21z',
  conflicts: 'M7 21V9.5M7 9.5 3.5 13M7 9.5l3.5 3.5M17 3v11.5M17 14.5 13.5 11M17 14.5l3.5-3.5',
  sync: 'M4 9.5A8.3 8.3 0 0 1 19 7.5M19.5 3.5v4.2h-4.2M20 14.5A8.3 8.3 0 0 1 5 16.5M4.5 20.5v-4.2h4.2',
  backups:
    'M5 6.5C5 4.8 8.1 3.5 12 3.5s7 1.3 7 3-3.1 3-7 3-7-1.3-7-3zM5 6.5v11c0 1.7 3.1 3 7 3s7-1.3 7-3v-11M5 12c0 1.7 3.1 3 7 3s7-1.3 7-3',
  schedule: 'M5 5.5h14v14H5zM5 10h14M8.5 3v4M15.5 3v4M12 12.5v2.5l1.8 1.2',
  key: 'M8 11a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM11.3 12.3 20 3.5M16.5 7l3 3M14 9.5l2 2',
  logs: 'M5 6h14M5 10.5h9M5 15h12M5 19.5h6',
  health: 'M3.5 12.5h4l2-4 4 8 2-4h5M12 20.5C7 17 3 13.6 3 9a5 5 0 0 1 9-3 5 5 0 0 1 9 3c0 4.6-4 8-9 11.5z',
  settings: 'M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4',
  check: 'M4.5 12.5 10 18 19.5 7',
  safe: 'M12 3l8 3v6c0 4.6-3.3 7.7-8 9-4.7-1.3-8-4.4-8-9V6zM8.5 12l2.6 2.6 4.6-5',
  working: 'M20 12a8 8 0 1 1-5-7.4M20 4v4h-4',
  alert: 'M12 4 2.8 20h18.4zM12 10v4.5M12 17.3v.2',
  error: 'M8.2 3h7.6L21 8.2v7.6L15.8 21H8.2L3 15.8V8.2zM12 7.5v5.5M12 16.3v.2',
  info: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v5.5M12 7.5v.2',
  off: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8 12h8',
  clock: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5.3l3.4 2',
  close: 'M6 6l12 12M18 6 6 18',
  menu: 'M4 7h16M4 12h16M4 17h16',
  right: 'M9 5l7 7-7 7',
  down: 'M5 9l7 7 7-7',
  copy: 'M9 8h9a1.5 1.5 0 0 1 1.5 1.5v9A1.5 1.5 0 0 1 18 20H9a1.5 1.5 0 0 1-1.5-1.5v-9A1.5 1.5 0 0 1 9 8zM4.5 15.5V6A1.5 1.5 0 0 1 6 4.5h8.5',
  restore: 'M4 4v5h5M4.6 9A8.5 8.5 0 1 1 3.5 13M12 8v4.5l3 2',
  plus: 'M12 5v14M5 12h14',
  edit: 'M4 20l1-4.5L16 4.5l3.5 3.5L8.5 19zM13.5 7l3.5 3.5',
  archive: 'M4 5h16v4H4zM5.5 9v10h13V9M10 13h4',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z',
  system: 'M3.5 5h17v11h-17zM9 20h6M12 16v4',
  pause: 'M8 5v14M16 5v14',
  play: 'M7 4.5v15l12-7.5z',
  diff: 'M12 4v9M7.5 8.5h9M7.5 18.5h9',
  link: 'M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7l1-1',
  added: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 8v8M8 12h8',
  saved: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8 12.3l2.8 2.8L16 9.5',
  renamed: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM7.5 12h8.5M13 8.8l3.2 3.2-3.2 3.2',
  deleted: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM9 9l6 6M15 9l-6 6',
  power: 'M12 3v8M7 6.5a7.5 7.5 0 1 0 10 0',
  stack: 'M12 3.5 3 8l9 4.5L21 8zM3.5 12.2 12 16.5l8.5-4.3M3.5 16.2 12 20.5l8.5-4.3',
  keyboard: 'M3 7h18v10H3zM7 10.3v.2M10.5 10.3v.2M14 10.3v.2M17.2 10.3v.2M8 13.8h8',
} as const;
export type IconName = keyof typeof PATHS;

/** Decoration beside a text; a screen reader does not hear it. */
export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }): VNode {
  return (
    <svg
      class={`icon icon-${name}`}
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.75"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark of the program: an angle with its arc. */
export function Mark({ size = 26 }: { readonly size?: number }): VNode {
  return (
    <svg class="mark" width={size} height={size} viewBox="0 0 32 32" fill="none" aria-hidden="true" focusable="false">
      <path d="M27 26H6L19 6" stroke="currentColor" stroke-width="3.2" stroke-linecap="round" stroke-linejoin="round" />
      <path class="mark-arc" d="M18.5 26a12.5 12.5 0 0 0-5.7-10.5" stroke-width="3.2" stroke-linecap="round" />
    </svg>
  );
}
