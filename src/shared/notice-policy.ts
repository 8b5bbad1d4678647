/**
 * When a person is told something at the edge of the screen: only when they must act, seldom, and never twice. Pure:
 * the shell around it shows, updates and withdraws what is decided here.
 */

export const NOTICE_KINDS = ['decision', 'fault', 'sync', 'backup', 'schedule'] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** Something that needs a person, for as long as it is there. */
export type Problem = {
  /** The same problem has the same id each time it is reported. */
  readonly id: string;
  readonly kind: NoticeKind;
  /** It may go away by itself (a network, a full disk): told only after 10 minutes and 3 tries. */
  readonly isTransient: boolean;
  /** Failed tries so far; null when nobody counts them. */
  readonly tries: number | null;
  readonly title: string;
  readonly body: string;
  readonly action: { readonly label: string; readonly hash: string };
};

export type NoticeRules = {
  readonly isOn: boolean;
  readonly kinds: Readonly<Record<NoticeKind, boolean>>;
  /** Notices in any 24 hours. */
  readonly dailyLimit: number;
  /** Minutes of the local day; null when there are no quiet hours. They may span midnight. */
  readonly quiet: { readonly fromMinute: number; readonly toMinute: number } | null;
  /** The minute of the local day at a time. */
  readonly minuteOf: (timeMs: number) => number;
};

export type ShownNotice = {
  /** The id of its problem, or {@link DIGEST}. */
  readonly id: string;
  readonly title: string;
  readonly body: string;
  readonly action: { readonly label: string; readonly hash: string };
  /** The problems that it tells of. */
  readonly covers: readonly string[];
};

export type NoticeMemory = {
  /** Since when each open problem is there. */
  readonly sinceMs: ReadonlyMap<string, number>;
  readonly shown: ReadonlyMap<string, ShownNotice>;
  /** When notices were shown, in the last 24 hours. */
  readonly shownAtMs: readonly number[];
  /** When each problem was last told of, in the last 24 hours. */
  readonly toldAtMs: ReadonlyMap<string, number>;
};

export type NoticeDecision = {
  readonly memory: NoticeMemory;
  readonly show: readonly ShownNotice[];
  /** Shown already, with other words now: replaced in silence. */
  readonly update: readonly ShownNotice[];
  readonly withdraw: readonly string[];
  /** When to decide again though nothing new was reported; null when not needed. */
  readonly againAtMs: number | null;
};

export const DIGEST = 'digest';
export const EMPTY_MEMORY: NoticeMemory = {
  sinceMs: new Map(),
  shown: new Map(),
  shownAtMs: [],
  toldAtMs: new Map(),
};

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const PATIENCE_MS = 10 * MINUTE_MS;
const PATIENCE_TRIES = 3;
/** What was told of within the day and came back must last longer before it is told again. */
const AGAIN_PATIENCE_MS = 60 * MINUTE_MS;

/** Decides over everything that is wrong right now. */
export function decideNotices(
  before: NoticeMemory,
  problems: readonly Problem[],
  rules: NoticeRules,
  nowMs: number,
): NoticeDecision {
  const open = new Map(problems.filter((one) => rules.isOn && rules.kinds[one.kind]).map((one) => [one.id, one]));
  const sinceMs = new Map([...open.keys()].map((id) => [id, Math.min(before.sinceMs.get(id) ?? nowMs, nowMs)]));
  const recent = (timeMs: number): boolean => nowMs - timeMs < DAY_MS && timeMs <= nowMs;
  const toldAtMs = new Map([...before.toldAtMs].filter(([, timeMs]) => recent(timeMs)));
  const shownAtMs = before.shownAtMs.filter(recent);

  const { kept, update, withdraw } = reviseShown(before.shown, open);
  const covered = new Set([...kept.values()].flatMap((notice) => notice.covers));
  const uncovered = [...open.values()].filter((problem) => !covered.has(problem.id));
  const ripeAtMs = (problem: Problem): number =>
    (sinceMs.get(problem.id) ?? nowMs) + patienceMs(problem, toldAtMs.get(problem.id));
  const ripe = uncovered.filter((problem) => ripeAtMs(problem) <= nowMs && hasTried(problem));

  const budget = rules.dailyLimit - shownAtMs.length;
  const quietEnd = quietEndMs(rules, nowMs);
  const show = quietEnd === null ? choose(ripe, budget, kept.has(DIGEST)) : [];
  for (const notice of show) {
    kept.set(notice.id, notice);
    shownAtMs.push(nowMs);
    for (const id of notice.covers) toldAtMs.set(id, nowMs);
  }

  const later = [
    ...uncovered.map(ripeAtMs).filter((timeMs) => timeMs > nowMs),
    ...(ripe.length > 0 && show.length === 0 ? [quietEnd ?? (shownAtMs[0] ?? nowMs) + DAY_MS] : []),
  ];
  return {
    memory: { sinceMs, shown: kept, shownAtMs, toldAtMs },
    show,
    update,
    withdraw,
    againAtMs: later.length === 0 ? null : Math.max(nowMs + 1_000, Math.min(...later)),
  };
}

/** What is on the screen already: takes away what is solved, and puts right what reads differently now. */
function reviseShown(
  shown: NoticeMemory['shown'],
  open: ReadonlyMap<string, Problem>,
): { kept: Map<string, ShownNotice>; update: ShownNotice[]; withdraw: string[] } {
  const kept = new Map<string, ShownNotice>();
  const update: ShownNotice[] = [];
  const withdraw: string[] = [];
  for (const notice of shown.values()) {
    const left = notice.covers.flatMap((id) => open.get(id) ?? []);
    const [first] = left;
    if (first === undefined) {
      withdraw.push(notice.id);
      continue;
    }
    const next = notice.id === DIGEST ? digestOf(left) : noticeOf(first);
    if (next.title !== notice.title || next.body !== notice.body) update.push(next);
    kept.set(notice.id, next);
  }
  return { kept, update, withdraw };
}

/** One notice each while there is room; else one that tells of all of them. */
function choose(ripe: readonly Problem[], budget: number, hasDigest: boolean): ShownNotice[] {
  if (ripe.length === 0 || budget <= 0) return [];
  if (ripe.length === 1 || (ripe.length < budget && !hasDigest)) return ripe.map(noticeOf);
  return hasDigest ? ripe.slice(0, budget).map(noticeOf) : [digestOf(ripe)];
}

function noticeOf({ id, title, body, action }: Problem): ShownNotice {
  return { id, title, body, action, covers: [id] };
}

function digestOf(problems: readonly Problem[]): ShownNotice {
  return {
    id: DIGEST,
    title: problems.length === 1 ? (problems[0]?.title ?? '') : `${problems.length} things need you`,
    body: problems.map((one) => one.title).join(' · '),
    action: { label: 'Show', hash: '#/' },
    covers: problems.map((one) => one.id),
  };
}

function patienceMs(problem: Problem, toldAtMs: number | undefined): number {
  if (!problem.isTransient) return 0;
  return toldAtMs === undefined ? PATIENCE_MS : AGAIN_PATIENCE_MS;
}

const hasTried = (problem: Problem): boolean =>
  !problem.isTransient || problem.tries === null || problem.tries >= PATIENCE_TRIES;

/** When the quiet hours of now end; null when it is not quiet. */
function quietEndMs({ quiet, minuteOf }: NoticeRules, nowMs: number): number | null {
  if (quiet === null || quiet.fromMinute === quiet.toMinute) return null;
  const minute = minuteOf(nowMs);
  const { fromMinute, toMinute } = quiet;
  const isQuiet =
    fromMinute < toMinute ? minute >= fromMinute && minute < toMinute : minute >= fromMinute || minute < toMinute;
  if (!isQuiet) return null;
  const minutes = (toMinute - minute + 1_440) % 1_440;
  return nowMs - (nowMs % MINUTE_MS) + minutes * MINUTE_MS;
}

/** `22:30` as the minute of its day; null when it is no time. */
export function minuteOfDay(clock: string): number | null {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(clock);
  return match === null ? null : Number(match[1]) * 60 + Number(match[2]);
}
