/** Times: milliseconds with us, ISO 8601 in UTC on the wire. Postgres keeps years that ISO strings of JavaScript do not. */

/** The time as Postgres reads it, also before the year 1 and after the year 9999. */
export function timeToWire(ms: number): string {
  const iso = new Date(ms).toISOString();
  const year = new Date(ms).getUTCFullYear();
  if (year >= 1 && year <= 9_999) return iso;
  const rest = iso.replace(/^[+-]?\d+/, '');
  return year < 1 ? `${String(1 - year).padStart(4, '0')}${rest} BC` : `${year}${rest}`;
}

/** Milliseconds of a time as Postgres writes it, parts of a millisecond dropped; null when it is none (`infinity`). */
export function timeFromWire(text: string): number | null {
  const found = /^(\d{4,6})(-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d(?::?\d\d)?(?::?\d\d)?)( BC)?$/.exec(
    text,
  );
  if (found === null) return null;
  const [, year = '', day = '', clock = '', fraction = '', zone = '', bc] = found;
  const number = bc === undefined ? Number(year) : 1 - Number(year);
  const sign = number < 0 ? '-' : '+';
  const full =
    number >= 0 && number <= 9_999
      ? String(number).padStart(4, '0')
      : `${sign}${String(Math.abs(number)).padStart(6, '0')}`;
  const offset = zone === 'Z' ? 'Z' : /^[+-]\d\d$/.test(zone) ? `${zone}:00` : zone;
  const ms = Date.parse(`${full}${day}T${clock}.${`${fraction.slice(1)}000`.slice(0, 3)}${offset}`);
  return Number.isNaN(ms) ? null : ms;
}
