import type { Settings } from '../../shared/settings.ts';

export type LogLimits = {
  /** A file is rotated before it grows above this. */
  readonly maxFileBytes: number;
  /** All log files together never exceed this. */
  readonly maxTotalBytes: number;
  readonly compressAfterDays: number;
  readonly deleteAfterDays: number;
};

/** A rotated file, named by the UTC day of its lines; `number` counts the files of that day. */
export type LogFile = {
  readonly name: string;
  readonly day: string;
  readonly number: number;
  readonly state: 'plain' | 'compressed' | 'unfinished';
  readonly sizeBytes: number;
};

export type TidyAction =
  | { readonly kind: 'delete'; readonly name: string }
  | { readonly kind: 'compress'; readonly name: string };

export const CURRENT_FILE = 'angles.log';
const ROTATED = /^angles-(\d{4}-\d{2}-\d{2})\.(\d{1,9})\.log(\.gz(?:\.new)?)?$/;
const DAY_MS = 86_400_000;

export function logLimits(settings: Settings['logs']): LogLimits {
  const maxTotalBytes = settings.max_total_mb * 1_000_000;
  return {
    maxFileBytes: Math.min(5_000_000, Math.floor(maxTotalBytes / 5)),
    maxTotalBytes,
    compressAfterDays: settings.compress_after_days,
    deleteAfterDays: settings.delete_after_days,
  };
}

/** The UTC day of a time, as `2026-11-21`. */
export function dayOf(timeMs: number): string {
  return isoTime(timeMs).slice(0, 10);
}

/** ISO 8601 in UTC; a time outside the calendar becomes its nearest end, so that a broken clock stops nothing. */
export function isoTime(timeMs: number): string {
  const limit = 253_402_300_799_999;
  return new Date(Number.isFinite(timeMs) ? Math.min(Math.max(timeMs, 0), limit) : 0).toISOString();
}

export function parseLogName(name: string): Omit<LogFile, 'name' | 'sizeBytes'> | null {
  const [, day, number, suffix] = ROTATED.exec(name) ?? [];
  if (day === undefined || number === undefined) return null;
  const state = suffix === undefined ? 'plain' : suffix === '.gz' ? 'compressed' : 'unfinished';
  return { day, number: Number(number), state };
}

/** The next free name for a day, given the names in the folder; numbers are not used again while later ones exist. */
export function rotatedName(names: readonly string[], day: string): string {
  const used = names.flatMap((name) => {
    const parsed = parseLogName(name);
    return parsed?.day === day ? [parsed.number] : [];
  });
  return `angles-${day}.${Math.max(0, ...used) + 1}.log`;
}

/** What the rotated files may take: the total without the current file and a compression in progress. */
export function rotatedCap({ maxTotalBytes, maxFileBytes }: LogLimits): number {
  return maxTotalBytes - 2 * maxFileBytes;
}

/** The oldest files that must go so that the rest is within `maxBytes`. */
export function overCap(files: readonly LogFile[], maxBytes: number): LogFile[] {
  let total = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  return [...files].sort(byAge).filter((file) => {
    if (total <= maxBytes) return false;
    total -= file.sizeBytes;
    return true;
  });
}

function byAge(one: LogFile, other: LogFile): number {
  if (one.day !== other.day) return one.day < other.day ? -1 : 1;
  return one.number - other.number;
}

/**
 * What to do with the rotated files today: delete what is too old or over the cap, compress what is old, clear away
 * what an interrupted compression left. Files of the future (the clock was wrong once) count as of today.
 */
export function planTidy(files: readonly LogFile[], nowMs: number, limits: LogLimits): TidyAction[] {
  const today = Date.parse(dayOf(nowMs));
  const ageDays = (file: LogFile): number => Math.max(0, (today - Date.parse(file.day)) / DAY_MS);
  const kept = files.filter((file) => file.state !== 'unfinished' && ageDays(file) <= limits.deleteAfterDays);
  const over = new Set(overCap(kept, rotatedCap(limits)));
  return files.flatMap((file): TidyAction[] => {
    if (!kept.includes(file) || over.has(file)) return [{ kind: 'delete', name: file.name }];
    if (file.state === 'plain' && ageDays(file) > limits.compressAfterDays)
      return [{ kind: 'compress', name: file.name }];
    return [];
  });
}
