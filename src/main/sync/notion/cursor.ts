/**
 * Where a pull stands. Notion has no change numbers: pages are listed by the time of their last edit, which is rounded
 * down to the minute, so every pull lists the last minutes again. What was already given in a state that cannot change
 * any more without its time changing, too, is remembered and not given again.
 */
import { z } from 'zod';

/** How far before the newest known edit a pull begins: a listing may lag behind what was written. */
export const OVERLAP_MS = 2 * 60_000;
/** A page of minute M is settled when it was read two minutes after M: that minute is over, and listings caught up. */
export const SETTLE_MS = 2 * 60_000;
/** When nothing was edited for long, the next pull still begins close to now. */
const IDLE_MS = 15 * 60_000;

const place = z.object({
  /** The newest edit that was listed; null: nothing yet. */
  sinceMs: z.number().nullable(),
  /** Pages that need not be given again, with the time of the edit that was given. */
  settled: z.record(z.string(), z.number()),
});
const walk = z.object({
  /** Which listing: the pages of a table, then its trash, then the next table. */
  step: z.number().int().nonnegative(),
  /** Listed up to here; the next page of the listing begins with this minute. */
  fromMs: z.number().nullable(),
  /** Set while a single minute has more pages than one answer. */
  startCursor: z.string().nullable(),
  /** Given already of minute `fromMs`. */
  seen: z.array(z.string()),
  /** That minute was gone through by cursor, and there was something new in it. */
  paged: z.boolean(),
  found: z.boolean(),
  maxMs: z.number().nullable(),
  startedMs: z.number(),
  settled: z.record(z.string(), z.number()),
});
const cursorShape = z.object({
  v: z.literal(1),
  places: z.record(z.string(), place),
  walk: walk.nullable(),
  /** Ids of properties by data source and field: so a renamed property is followed by the next run, too. */
  known: z.record(z.string(), z.record(z.string(), z.string())),
});

export type Place = z.infer<typeof place>;
export type Walk = z.infer<typeof walk>;
export type NotionCursor = z.infer<typeof cursorShape>;

export const FIRST_CURSOR: NotionCursor = { v: 1, places: {}, walk: null, known: {} };

/** A cursor that cannot be read is none: everything is listed again, which is never wrong. */
export function parseCursor(text: string | null): NotionCursor {
  if (text === null) return FIRST_CURSOR;
  try {
    const { success, data } = cursorShape.safeParse(JSON.parse(text));
    return success ? data : FIRST_CURSOR;
  } catch {
    return FIRST_CURSOR;
  }
}

export const formatCursor = (cursor: NotionCursor): string => JSON.stringify(cursor);

export const beginWalk = (step: number, startedMs: number): Walk => ({
  step,
  fromMs: null,
  startCursor: null,
  seen: [],
  paged: false,
  found: false,
  maxMs: null,
  startedMs,
  settled: {},
});

export type ListedPage = { readonly id: string; readonly editedMs: number };

const wasSeen = (at: Walk, id: string, editedMs: number): boolean => editedMs === at.fromMs && at.seen.includes(id);

/** Pages of a listing that have to be given: not given before, or possibly changed since. */
export const fresh = <T extends ListedPage>(listed: readonly T[], at: Walk, held: Place): readonly T[] =>
  listed.filter(({ id, editedMs }) => !wasSeen(at, id, editedMs) && held.settled[id] !== editedMs);

/**
 * The walk after one answer of a listing that was asked for at `readAtMs` by the clock of the service. It goes on by
 * time, not by cursor: a cursor names a page, and when that page is edited it moves to the end and takes us along, past
 * everything between. Only within one minute is there no other way; such a minute is gone through until nothing new is
 * found in it.
 */
export function advance(
  at: Walk,
  listed: readonly ListedPage[],
  nextCursor: string | null,
  readAtMs: number,
): { readonly walk: Walk; readonly done: boolean } {
  const settled = { ...at.settled };
  for (const { id, editedMs } of listed) if (readAtMs - editedMs >= SETTLE_MS) settled[id] = editedMs;
  const newest = Math.max(at.maxMs ?? Number.NEGATIVE_INFINITY, ...listed.map(({ editedMs }) => editedMs));
  const walk = { ...at, settled, maxMs: Number.isFinite(newest) ? newest : null };
  const last = listed.at(-1);
  const added = listed
    .filter(({ id, editedMs }) => editedMs === at.fromMs && !at.seen.includes(id))
    .map(({ id }) => id);
  const found = at.found || added.length > 0;
  const seen = [...at.seen, ...added];
  if (nextCursor !== null && last?.editedMs === at.fromMs) {
    return { walk: { ...walk, startCursor: nextCursor, seen, paged: true, found }, done: false };
  }
  const again = { ...walk, startCursor: null, paged: false, found: false };
  if (at.paged && found) return { walk: { ...again, seen }, done: false };
  if (!last || nextCursor === null) return { walk, done: true };
  const minute = listed.filter(({ editedMs }) => editedMs === last.editedMs).map(({ id }) => id);
  return { walk: { ...again, fromMs: last.editedMs, seen: minute }, done: false };
}

/** The place of a listing that came to its end. */
export function finish(at: Walk, held: Place): Place {
  const times = [held.sinceMs, at.maxMs, held.sinceMs === null && at.maxMs === null ? null : at.startedMs - IDLE_MS];
  const known = times.filter((time) => time !== null);
  const sinceMs = known.length > 0 ? Math.max(...known) : null;
  const from = sinceMs === null ? 0 : sinceMs - OVERLAP_MS;
  const settled = Object.fromEntries(
    Object.entries({ ...held.settled, ...at.settled }).filter(([, editedMs]) => editedMs >= from),
  );
  return { sinceMs, settled };
}
