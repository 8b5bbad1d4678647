/** Times of day in a zone, for what happens once a day. Pure. */

const DAY_MS = 86_400_000;

/**
 * The last moment at or before `nowMs` at which clocks of the zone showed this time of day. A time that a leap of the
 * clock skips counts at the moment of the leap; of a time that comes twice the first counts.
 */
export function lastOccurrence(runTime: string, timeZone: string, nowMs: number): number {
  const [hour = 0, minute = 0] = runTime.split(':').map(Number);
  const today = localDay(nowMs, timeZone);
  for (let back = 0; ; back += 1) {
    const atMs = toMoment(today - back * DAY_MS + (hour * 60 + minute) * 60_000, timeZone);
    if (atMs <= nowMs) return atMs;
  }
}

/** The first moment after `nowMs` with this time of day. */
export function nextOccurrence(runTime: string, timeZone: string, nowMs: number): number {
  const [hour = 0, minute = 0] = runTime.split(':').map(Number);
  const today = localDay(nowMs, timeZone);
  for (let ahead = -1; ; ahead += 1) {
    const atMs = toMoment(today + ahead * DAY_MS + (hour * 60 + minute) * 60_000, timeZone);
    if (atMs > nowMs) return atMs;
  }
}

/** Midnight of the day that the zone has now, as if it were UTC. */
function localDay(nowMs: number, timeZone: string): number {
  const local = nowMs + offsetMs(nowMs, timeZone);
  return Math.floor(local / DAY_MS) * DAY_MS;
}

/** The moment at which clocks of the zone show `local` (as if it were UTC). */
function toMoment(local: number, timeZone: string): number {
  const before = local - offsetMs(local - DAY_MS, timeZone);
  const after = local - offsetMs(local + DAY_MS, timeZone);
  const fits = [before, after].filter((atMs) => atMs + offsetMs(atMs, timeZone) === local);
  // Skipped: no clock ever shows it. The later of the two is just after the leap.
  return fits.length > 0 ? Math.min(...fits) : Math.max(before, after);
}

function offsetMs(timeMs: number, timeZone: string): number {
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
