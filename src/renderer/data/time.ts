/** Times in words. The present is given, the time zone is the machine's unless given. */
import { formatDuration } from '../../shared/display.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const LOCALE = 'en-GB';

const formats = new Map<string, Intl.DateTimeFormat>();
function format(timeMs: number, name: string, options: Intl.DateTimeFormatOptions, timeZone?: string): string {
  const key = `${name} ${timeZone ?? ''}`;
  const known =
    formats.get(key) ?? new Intl.DateTimeFormat(LOCALE, timeZone === undefined ? options : { ...options, timeZone });
  formats.set(key, known);
  return known.format(timeMs);
}

/** `09:30` */
export const formatClock = (timeMs: number, timeZone?: string): string =>
  format(timeMs, 'clock', { hour: '2-digit', minute: '2-digit' }, timeZone);

/** `09:30:05` */
export const formatSeconds = (timeMs: number, timeZone?: string): string =>
  format(timeMs, 'seconds', { hour: '2-digit', minute: '2-digit', second: '2-digit' }, timeZone);

/** `Fri 20 Nov 2026, 09:30:05`: for a title or a detail. */
export const formatFull = (timeMs: number, timeZone?: string): string =>
  format(
    timeMs,
    'full',
    {
      weekday: 'short',
      day: 'numeric',
      month: 'short',
      year: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    },
    timeZone,
  );

/** The calendar day as a key, `2026-11-20`. Asked for every row of long lists, so what is known is remembered. */
export function dayKey(timeMs: number, timeZone?: string): string {
  const zone = timeZone ?? '';
  const known = dayKeys.get(zone) ?? new Map<number, string>();
  dayKeys.set(zone, known);
  // Clocks of all zones differ by whole quarters of an hour, so a quarter lies within one day.
  const quarter = Math.floor(timeMs / QUARTER);
  const key = known.get(quarter);
  if (key !== undefined) return key;
  const parts = format(timeMs, 'key', { year: 'numeric', month: '2-digit', day: '2-digit' }, timeZone).split('/');
  const made = parts.reverse().join('-');
  if (known.size >= MOST_QUARTERS) known.clear();
  known.set(quarter, made);
  return made;
}
const QUARTER = 15 * MINUTE;
const MOST_QUARTERS = 200_000;
const dayKeys = new Map<string, Map<number, string>>();

/** `Today`, `Yesterday`, `Tuesday 17 November`, `3 March 2025`. */
export function formatDay(timeMs: number, nowMs: number, timeZone?: string): string {
  const day = dayKey(timeMs, timeZone);
  if (day === dayKey(nowMs, timeZone)) return 'Today';
  if (day === dayKey(nowMs - DAY, timeZone)) return 'Yesterday';
  return day.slice(0, 4) === dayKey(nowMs, timeZone).slice(0, 4)
    ? format(timeMs, 'day', { weekday: 'long', day: 'numeric', month: 'long' }, timeZone)
    : format(timeMs, 'year', { day: 'numeric', month: 'long', year: 'numeric' }, timeZone);
}

/** `just now`, `4 min ago`, `3 h ago`, `5 d ago`; a time ahead is `in 4 min`. */
export function formatAgo(timeMs: number, nowMs: number): string {
  const distance = nowMs - timeMs;
  const size = Math.abs(distance);
  if (size < MINUTE) return distance < -5_000 ? 'within a minute' : 'just now';
  const words =
    size < HOUR
      ? `${Math.floor(size / MINUTE)} min`
      : size < 2 * DAY
        ? `${Math.floor(size / HOUR)} h`
        : `${Math.floor(size / DAY)} d`;
  return distance > 0 ? `${words} ago` : `in ${words}`;
}

/** `09:30` today, `Yesterday, 09:30`, else with the date: short enough for a column. */
export function formatWhen(timeMs: number, nowMs: number, timeZone?: string, seconds = false): string {
  const clock = seconds ? formatSeconds(timeMs, timeZone) : formatClock(timeMs, timeZone);
  const day = formatDay(timeMs, nowMs, timeZone);
  if (day === 'Today') return clock;
  if (day === 'Yesterday') return `Yesterday, ${clock}`;
  const sameYear = dayKey(timeMs, timeZone).slice(0, 4) === dayKey(nowMs, timeZone).slice(0, 4);
  const date = sameYear
    ? format(timeMs, 'short', { day: 'numeric', month: 'short' }, timeZone)
    : format(timeMs, 'shortYear', { day: 'numeric', month: 'short', year: 'numeric' }, timeZone);
  return `${date}, ${clock}`;
}

/** A remaining time: `less than a minute`, `about 3 min`. */
export const formatEta = (etaMs: number): string =>
  etaMs < 45_000 ? 'less than a minute left' : `about ${formatDuration(Math.max(MINUTE, etaMs))} left`;
