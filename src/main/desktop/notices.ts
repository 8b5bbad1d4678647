import { Notification } from 'electron';
import { displayPath } from '../../shared/display.ts';
import {
  decideNotices,
  EMPTY_MEMORY,
  minuteOfDay,
  type NoticeMemory,
  type NoticeRules,
  type Problem,
  type ShownNotice,
} from '../../shared/notice-policy.ts';
import type { Settings } from '../../shared/settings.ts';
import type { StateFile } from './state-file.ts';

export type NoticesNeeds = {
  readonly settings: () => Settings;
  readonly state: StateFile;
  readonly icon: string;
  readonly nowMs: () => number;
  /** The person answered a notice: show this place. */
  readonly onAction: (hash: string) => void;
};

/** The notices on the desktop. Everything in them is also in the window. */
export type Notices = {
  /** Everything that is wrong right now; decides what is shown, replaced and withdrawn. */
  readonly report: (problems: readonly Problem[]) => void;
  /** Shows something once that is no problem (the window was closed, say). False when the desktop shows no notices. */
  readonly tellOnce: (title: string, body: string) => boolean;
  /** Withdraws what is shown and calls off the timer. */
  readonly stop: () => void;
};

const LONGEST_TIMER_MS = 2_147_000_000;

export function createNotices(needs: NoticesNeeds): Notices {
  let memory: NoticeMemory = { ...EMPTY_MEMORY, shownAtMs: needs.state.get().notices.shownAtMs };
  let problems: readonly Problem[] = [];
  let timer: NodeJS.Timeout | null = null;
  const onScreen = new Map<string, Notification>();

  const put = (notice: ShownNotice): void => {
    onScreen.get(notice.id)?.close();
    const shown = makeNotification(notice, needs);
    shown.on('click', () => needs.onAction(notice.action.hash));
    shown.on('action', () => needs.onAction(notice.action.hash));
    onScreen.set(notice.id, shown);
    shown.show();
  };
  const decide = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const nowMs = needs.nowMs();
    const decision = decideNotices(memory, problems, rulesOf(needs.settings()), nowMs);
    memory = decision.memory;
    for (const id of decision.withdraw) {
      onScreen.get(id)?.close();
      onScreen.delete(id);
    }
    for (const notice of [...decision.update, ...decision.show]) put(notice);
    if (decision.show.length > 0) needs.state.change({ notices: { shownAtMs: [...memory.shownAtMs] } });
    if (decision.againAtMs !== null) {
      timer = setTimeout(decide, Math.min(LONGEST_TIMER_MS, decision.againAtMs - nowMs));
      timer.unref();
    }
  };
  return {
    report: (now) => {
      problems = now;
      decide();
    },
    tellOnce: (title, body) => {
      if (!Notification.isSupported()) return false;
      const shown = new Notification({ title, body, icon: needs.icon });
      shown.on('click', () => needs.onAction('#/'));
      shown.show();
      return true;
    },
    stop: () => {
      if (timer !== null) clearTimeout(timer);
      for (const shown of onScreen.values()) shown.close();
      onScreen.clear();
    },
  };
}

function makeNotification({ title, body, action }: ShownNotice, { icon }: NoticesNeeds): Notification {
  return new Notification({
    title: oneLine(title, 120),
    body: oneLine(body, 240),
    icon,
    actions: [{ type: 'button', text: action.label }],
  });
}

const oneLine = (text: string, length: number): string => {
  const plain = displayPath(text);
  return plain.length <= length ? plain : `${plain.slice(0, length - 1)}…`;
};

/** The rules that the settings make. */
export function rulesOf({ notifications: set }: Pick<Settings, 'notifications'>): NoticeRules {
  const fromMinute = minuteOfDay(set.quiet_from);
  const toMinute = minuteOfDay(set.quiet_to);
  return {
    isOn: set.desktop_enabled && set.method !== 'none',
    kinds: {
      decision: set.tell_decisions,
      fault: set.tell_faults,
      sync: set.tell_sync,
      backup: set.tell_backups,
      schedule: set.tell_schedule,
    },
    dailyLimit: set.daily_limit,
    quiet: fromMinute === null || toMinute === null ? null : { fromMinute, toMinute },
    minuteOf: (timeMs) => {
      const local = new Date(timeMs);
      return local.getHours() * 60 + local.getMinutes();
    },
  };
}
