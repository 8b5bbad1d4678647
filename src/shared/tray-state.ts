/** What the tray shows: an icon, a tooltip and a menu, from what is known of the agent. Pure. */
import type { AgentStatus } from './contract.ts';
import { displayPath } from './display.ts';

/** From calm to grave; the gravest that applies is shown. Each has an icon of its own shape in `assets/tray`. */
export const TRAY_STATES = ['up-to-date', 'syncing', 'paused', 'offline', 'setup', 'needs-you', 'error'] as const;
export type TrayStateName = (typeof TRAY_STATES)[number];

export type TrayFacts = {
  readonly nowMs: number;
  /** null while the agent starts. */
  readonly status: Pick<
    AgentStatus,
    'attention' | 'roots' | 'waiting' | 'progress' | 'outbox' | 'sync' | 'pausedUntilMs' | 'lastCaptureAtMs'
  > | null;
  readonly isOnline: boolean;
  readonly conflicts: number;
  /** The newest activities, newest first. */
  readonly recent: readonly { readonly summary: string; readonly path: string | null }[];
  /** What this version of the agent can be asked for. */
  readonly can: { readonly sync: boolean; readonly backUp: boolean };
  /** A moment as the person's clock shows it. */
  readonly clock: (timeMs: number) => string;
};

export type TrayAction =
  | 'open'
  | 'sync'
  | 'backup'
  | 'pause-30'
  | 'pause-120'
  | 'pause-tomorrow'
  | 'resume'
  | 'conflicts'
  | 'logs'
  | 'settings'
  | 'quit'
  | `file:${string}`;

export type TrayItem =
  | { readonly kind: 'line' }
  | { readonly kind: 'text'; readonly label: string }
  | { readonly kind: 'action'; readonly label: string; readonly action: TrayAction; readonly enabled: boolean }
  | { readonly kind: 'menu'; readonly label: string; readonly enabled: boolean; readonly items: readonly TrayItem[] };

export type TrayView = {
  readonly state: TrayStateName;
  readonly tooltip: string;
  readonly menu: readonly TrayItem[];
};

/** Windows shows 127 characters of a tooltip. */
const TOOLTIP_LENGTH = 127;
const LABEL_LENGTH = 60;
const REMOTE_NAMES = { supabase: 'Supabase', notion: 'Notion' } as const;
const RECENT = 5;
/** Attention of these codes means that something is broken, not that a decision waits. */
const BROKEN = /^(data\.|log\.|content\.|internal|job\.|sync\.safe_mode|backup\.(damaged|unreadable))/;
/** Known, harmless, and nothing to do at once. */
const MINOR: ReadonlySet<string> = new Set(['watch.limited', 'root.none']);

export function describeTray(facts: TrayFacts): TrayView {
  const state = trayState(facts);
  const line = statusLine(state, facts);
  return { state, tooltip: tooltipOf(line, facts), menu: menuOf(line, facts) };
}

/** The gravest state that applies. */
export function trayState({ status, isOnline, conflicts, nowMs }: TrayFacts): TrayStateName {
  if (status === null) return 'syncing';
  const applies: Readonly<Record<TrayStateName, boolean>> = {
    error: status.attention.some((each) => BROKEN.test(each.code)),
    'needs-you': conflicts > 0 || status.attention.some((each) => !BROKEN.test(each.code) && !MINOR.has(each.code)),
    setup: status.roots.length === 0,
    offline: queued(status) > 0 && (!isOnline || awayOf(status).length > 0),
    paused: status.pausedUntilMs !== null && status.pausedUntilMs > nowMs,
    syncing: left(status) > 0 || status.progress.length > 0,
    'up-to-date': true,
  };
  return TRAY_STATES.findLast((name) => applies[name]) ?? 'up-to-date';
}

/** Services that cannot be reached, as stored with each of them: this machine may be online all the same. */
function awayOf({ sync }: Pick<AgentStatus, 'sync'>): readonly string[] {
  return sync.remotes
    .filter((one) => one.configured && one.state === 'offline' && one.pending + one.leased > 0)
    .map(({ remote }) => REMOTE_NAMES[remote]);
}

/** Changes that wait to be sent, for all services together. */
export function queued(status: Pick<AgentStatus, 'outbox'>): number {
  return status.outbox
    .filter((one) => one.configured)
    .reduce((sum, one) => sum + one.pending + one.leased + one.parked, 0);
}

function left(status: NonNullable<TrayFacts['status']>): number {
  const sending = status.outbox.filter((one) => one.configured).reduce((sum, one) => sum + one.pending + one.leased, 0);
  const reading = status.progress.reduce((sum, one) => sum + Math.max(0, one.totalFiles - one.doneFiles), 0);
  return status.waiting.capture + reading + sending;
}

function statusLine(state: TrayStateName, { status, conflicts, clock, isOnline }: TrayFacts): string {
  if (status === null) return 'Starting';
  const [first] = status.attention.filter((each) => !MINOR.has(each.code));
  switch (state) {
    case 'error':
      return clip(`Problem: ${status.attention.find((each) => BROKEN.test(each.code))?.message ?? ''}`);
    case 'needs-you':
      return clip(`Needs you: ${first?.message ?? `${count(conflicts, 'conflict')} to decide`}`);
    case 'setup':
      return 'Not set up: choose a folder';
    case 'offline':
      return isOnline
        ? `Offline: ${count(queued(status), 'change')} to send when ${awayOf(status).join(' and ')} can be reached`
        : `Offline: ${count(queued(status), 'change')} to send later`;
    case 'paused':
      return `Paused until ${clock(status.pausedUntilMs ?? 0)}; saves are still captured`;
    case 'syncing':
      return left(status) === 0 ? 'Reading your folders' : `Working: ${left(status).toLocaleString('en-GB')} left`;
    case 'up-to-date':
      return 'Up to date';
  }
}

function tooltipOf(line: string, { status, clock }: TrayFacts): string {
  const last = status?.lastCaptureAtMs ?? null;
  const tail = last === null ? '' : `. Last save captured ${clock(last)}`;
  const head = `Angles: ${line}`;
  return head.length + tail.length > TOOLTIP_LENGTH
    ? `${head.slice(0, TOOLTIP_LENGTH - tail.length - 1)}…${tail}`
    : head + tail;
}

function menuOf(line: string, facts: TrayFacts): TrayItem[] {
  const { status, recent, conflicts, can } = facts;
  const isPaused = status !== null && status.pausedUntilMs !== null && status.pausedUntilMs > facts.nowMs;
  const waiting = status === null ? 0 : queued(status) + status.waiting.capture;
  return [
    { kind: 'text', label: line },
    { kind: 'line' },
    action('Open Angles', 'open'),
    action('Sync now', 'sync', can.sync && status !== null),
    action('Back up now', 'backup', can.backUp && status !== null),
    isPaused
      ? action('Resume', 'resume')
      : {
          kind: 'menu',
          label: 'Pause',
          enabled: status !== null,
          items: [
            action('30 minutes', 'pause-30'),
            action('2 hours', 'pause-120'),
            action('Until tomorrow', 'pause-tomorrow'),
          ],
        },
    { kind: 'line' },
    {
      kind: 'menu',
      label: 'Recent',
      enabled: recent.length > 0,
      items: recent
        .slice(0, RECENT)
        .map(({ summary, path }) => action(clip(summary), path === null ? 'open' : `file:${path}`)),
    },
    action(conflicts === 0 ? 'Conflicts' : `Conflicts (${conflicts})`, 'conflicts', conflicts > 0),
    action('Logs', 'logs'),
    action('Settings', 'settings'),
    { kind: 'line' },
    action(waiting === 0 ? 'Quit Angles' : `Quit Angles (${count(waiting, 'change')} kept for later)`, 'quit'),
  ];
}

const action = (label: string, name: TrayAction, enabled = true): TrayItem => ({
  kind: 'action',
  label,
  action: name,
  enabled,
});

const count = (number: number, noun: string): string =>
  `${number.toLocaleString('en-GB')} ${noun}${number === 1 ? '' : 's'}`;

/** One line of a menu: no control characters, and not longer than a menu can be. */
function clip(text: string): string {
  const plain = displayPath(text).replace(/\.$/, '');
  return plain.length <= LABEL_LENGTH ? plain : `${plain.slice(0, LABEL_LENGTH - 1)}…`;
}

/** When a pause of the tray's menu ends: "until tomorrow" is six in the morning of the next day here. */
export function pauseEndMs(action: 'pause-30' | 'pause-120' | 'pause-tomorrow', nowMs: number): number {
  if (action === 'pause-30') return nowMs + 30 * 60_000;
  if (action === 'pause-120') return nowMs + 120 * 60_000;
  const tomorrow = new Date(nowMs);
  tomorrow.setDate(tomorrow.getDate() + 1);
  tomorrow.setHours(6, 0, 0, 0);
  return tomorrow.getTime();
}
