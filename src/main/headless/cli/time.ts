import { AppError } from '../../../shared/errors.ts';

export type TimeContext = {
  readonly nowMs: number;
  /** An IANA name or `local`; times without a zone of their own are in it. */
  readonly timeZone: string;
  /** What a day without a time means: its first or its last moment. */
  readonly day: 'start' | 'end';
};

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const UNIT = 's|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?|w|weeks?';
const RELATIVE = new RegExp(`^(?:(?:\\d+(?:\\.\\d+)?)\\s*(?:${UNIT})\\s*)+(?: ago)?$`);
const AMOUNT = new RegExp(`(\\d+(?:\\.\\d+)?)\\s*(${UNIT})(?![a-z])`, 'g');
const CLOCK = '(\\d{1,2}):(\\d{2})(?::(\\d{2})(?:\\.(\\d{1,3})\\d*)?)?';
const ISO = new RegExp(`^(\\d{4})-(\\d{2})-(\\d{2})(?:[t ]${CLOCK}\\s*(z|[+-]\\d{2}:?\\d{2})?)?$`);
const NAMED = new RegExp(`^(today|yesterday)(?:\\s+${CLOCK})?$`);
const CLOCK_ONLY = new RegExp(`^${CLOCK}$`);

/**
 * Reads a moment as a person writes it: `2026-11-20`, `2026-11-20 14:00`, `2026-11-20T14:00:00Z`, `90m`, `2h ago`,
 * `1d 12h`, `yesterday 14:00`, `today`, `14:00` (the last one that has passed), `now`. null when it is none of these.
 */
export function parseTime(text: string, context: TimeContext): number | null {
  const plain = text.trim().toLowerCase().replace(/\s+/g, ' ');
  if (plain === 'now') return context.nowMs;
  if (RELATIVE.test(plain)) return relative(plain, context.nowMs);
  const iso = ISO.exec(plain);
  if (iso !== null) return absolute(iso, context);
  const named = NAMED.exec(plain);
  if (named !== null) return onDay(context, named[1] === 'yesterday' ? -1 : 0, named.slice(2, 6));
  const clock = CLOCK_ONLY.exec(plain);
  if (clock === null) return null;
  const today = onDay(context, 0, clock.slice(1, 5));
  return today !== null && today > context.nowMs ? onDay(context, -1, clock.slice(1, 5)) : today;
}

/** Like {@link parseTime}, or throws `usage.bad_argument` with the forms that are understood. */
export function requireTime(text: string, context: TimeContext): number {
  const time = parseTime(text, context);
  if (time !== null) return time;
  throw new AppError('usage.bad_argument', `"${text}" is not a time.`, { hint: TIME_FORMS });
}

export const TIME_FORMS = 'Write a time like 2026-11-20, "2026-11-20 14:00", 90m, "2h ago" or "yesterday 14:00".';

export type VersionChoice = { atMs: number } | { snapshotId: string };

/** A version of a file, by a time (its newest version then) or by a part of a snapshot's id. */
export function parseVersion(text: string, context: TimeContext): VersionChoice {
  const atMs = parseTime(text, { ...context, day: 'end' });
  if (atMs !== null) return { atMs };
  if (/^[0-9a-f-]{6,36}$/i.test(text)) return { snapshotId: text.toLowerCase() };
  throw new AppError('usage.bad_argument', `"${text}" is neither a time nor the id of a version.`, {
    hint: `${TIME_FORMS} \`angles history PATH\` lists the ids.`,
  });
}

function relative(text: string, nowMs: number): number {
  let total = 0;
  for (const [, amount = '0', unit = 's'] of text.matchAll(AMOUNT))
    total += Number(amount) * (UNITS[unit.charAt(0)] ?? 0);
  return Math.round(nowMs - total);
}

function absolute(match: RegExpExecArray, context: TimeContext): number | null {
  const [, year, month, day, hour, minute, second, fraction, zone] = match;
  const date = { year: Number(year), month: Number(month), day: Number(day) };
  if (!isDate(date)) return null;
  if (zone === undefined) return at(date, [hour, minute, second, fraction], context);
  const clock = clockMs([hour, minute, second, fraction]);
  if (clock === null) return null;
  const sign = zone.startsWith('-') ? -1 : 1;
  const digits = zone.replace(/\D/g, '');
  const offset = zone === 'z' ? 0 : sign * (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2, 4))) * 60_000;
  return Date.UTC(date.year, date.month - 1, date.day) + clock - offset;
}

type CalendarDay = { readonly year: number; readonly month: number; readonly day: number };
type ClockParts = readonly (string | undefined)[];

function isDate({ year, month, day }: CalendarDay): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** Milliseconds after midnight; null when a part is out of range. */
function clockMs([hour = '0', minute = '0', second = '0', fraction = '0']: ClockParts): number | null {
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null;
  return ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1_000 + Number(fraction.padEnd(3, '0'));
}

function onDay(context: TimeContext, offsetDays: number, clock: ClockParts): number | null {
  const local = new Date(context.nowMs + zoneOffsetMs(context.nowMs, context.timeZone));
  const date = new Date(Date.UTC(local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate() + offsetDays));
  return at({ year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() }, clock, context);
}

function at(date: CalendarDay, clock: ClockParts, context: TimeContext): number | null {
  if (clock[0] === undefined && context.day === 'end') {
    return zoned(Date.UTC(date.year, date.month - 1, date.day + 1), context.timeZone) - 1;
  }
  const time = clockMs(clock);
  return time === null ? null : zoned(Date.UTC(date.year, date.month - 1, date.day) + time, context.timeZone);
}

/** The moment at which clocks of the zone show `local` (as if it were UTC). A time that a spring leap skips moves on. */
function zoned(local: number, timeZone: string): number {
  const guess = local - zoneOffsetMs(local, timeZone);
  const offset = zoneOffsetMs(guess, timeZone);
  const better = local - offset;
  return zoneOffsetMs(better, timeZone) === offset ? better : Math.max(guess, better);
}

/** How far clocks of the zone are ahead of UTC at this moment. */
export function zoneOffsetMs(timeMs: number, timeZone: string): number {
  // Intl loads the tables of all zones, which takes longer than the rest of a quick command.
  if (timeZone === 'local') return -new Date(timeMs).getTimezoneOffset() * 60_000;
  const parts = formatter(timeZone).formatToParts(timeMs);
  const value = (type: Intl.DateTimeFormatPartTypes): number =>
    Number(parts.find((part) => part.type === type)?.value ?? 0);
  const local = Date.UTC(
    value('year'),
    value('month') - 1,
    value('day'),
    value('hour'),
    value('minute'),
    value('second'),
  );
  return local - Math.floor(timeMs / 1_000) * 1_000;
}

const formatters = new Map<string, Intl.DateTimeFormat>();
function formatter(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formatters.set(timeZone, made);
  return made;
}

/** `2026-11-20 14:05:09` in the zone. */
export function formatTime(timeMs: number, timeZone: string): string {
  return new Date(timeMs + zoneOffsetMs(timeMs, timeZone)).toISOString().slice(0, 19).replace('T', ' ');
}
