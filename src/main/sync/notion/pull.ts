/** Lists what changed in Notion: the pages of each table by the time of their last edit, then those in its trash. */
import { AppError } from '../../../shared/errors.ts';
import { errorClassOf, type PullPage, type RemoteRecord } from '../connector.ts';
import {
  advance,
  beginWalk,
  finish,
  formatCursor,
  fresh,
  type ListedPage,
  type NotionCursor,
  OVERLAP_MS,
  type Place,
  parseCursor,
  type Walk,
} from './cursor.ts';
import type { NotionApi } from './notion-api.ts';
import { readFields, StaleMapping } from './page-fields.ts';
import { findByIds, ownerOf, ownId, type PageList, queryPages, readRecord } from './page-records.ts';
import type { Access, Sources } from './sources.ts';
import type { NotionTable } from './table-specs.ts';
import type { NotionPage } from './wire.ts';

export type PullContext = {
  readonly api: NotionApi;
  readonly sources: Sources;
  readonly pageIds: Map<string, string>;
};

/** Each takes a request or more of its own for its text, so that an answer does not take minutes. */
const PAGE_SIZE = 25;

type Step = { readonly table: NotionTable; readonly trashed: boolean };
/** Activities are written here and nowhere else. */
const pulledTables = (sources: Sources): NotionTable[] => sources.tables.filter((table) => table !== 'activities');
const stepsOf = (sources: Sources): Step[] =>
  pulledTables(sources).flatMap((table) => [
    { table, trashed: false },
    { table, trashed: true },
  ]);

const EMPTY_PLACE: Place = { sinceMs: null, settled: {} };
const iso = (timeMs: number): string => new Date(timeMs).toISOString();

/** An old cursor of the listing itself is refused by the service; the time it began with is as good. */
async function listFrom(
  context: PullContext,
  access: Access,
  step: Step,
  at: Walk,
  held: Place,
  signal: AbortSignal,
): Promise<PageList> {
  const fromMs = at.fromMs ?? (held.sinceMs === null ? null : held.sinceMs - OVERLAP_MS);
  const query = (startCursor: string | null) =>
    queryPages(
      context.api,
      access.dataSourceId,
      {
        page_size: PAGE_SIZE,
        sorts: [{ timestamp: 'last_edited_time', direction: 'ascending' }],
        ...(step.trashed ? { in_trash: true } : {}),
        ...(startCursor === null ? {} : { start_cursor: startCursor }),
        ...(fromMs === null
          ? {}
          : { filter: { timestamp: 'last_edited_time', last_edited_time: { on_or_after: iso(fromMs) } } }),
      },
      signal,
    );
  try {
    return await query(at.startCursor);
  } catch (cause) {
    if (at.startCursor === null || !(cause instanceof AppError) || cause.code !== 'remote.rejected') throw cause;
    return query(null);
  }
}

/** Reads pages as records; one that copies the id of another page has none of its own. */
export async function recordsOf(
  context: PullContext,
  access: Access,
  pages: readonly NotionPage[],
  signal: AbortSignal,
): Promise<RemoteRecord[]> {
  const { api, pageIds } = context;
  const idOf = (page: NotionPage): string | null => ownId(readFields(access.mapping, page).id);
  const ids = [...new Set(pages.flatMap((page) => idOf(page) ?? []))];
  const groups = ids.length === 0 ? new Map<string, NotionPage[]>() : await findByIds(api, access, ids, signal);
  return Promise.all(
    pages.map(async (page) => {
      const id = idOf(page);
      if (id === null) return readRecord(api, access, page, null, signal);
      const group = groups.get(id) ?? [];
      const owner = ownerOf(group.some((other) => other.id === page.id) ? group : [...group, page], pageIds.get(id));
      if (owner) pageIds.set(id, owner.id);
      return readRecord(api, access, page, owner?.id === page.id ? id : null, signal);
    }),
  );
}

type Listed = ListedPage & { readonly page: NotionPage };

async function pullStep(
  context: PullContext,
  cursor: NotionCursor,
  steps: readonly Step[],
  signal: AbortSignal,
): Promise<PullPage> {
  const { api, sources } = context;
  // Without a time of the service nothing counts as settled, and everything is listed again.
  const serverNowMs = (): number => api.serverNowMs() ?? 0;
  const under = cursor.walk !== null && cursor.walk.step < steps.length ? cursor.walk : null;
  const step = steps[under?.step ?? 0];
  if (!step) return { records: [], gone: [], cursor: formatCursor({ ...cursor, walk: null }), hasMore: false };
  // The schema is read once a round: a property that was renamed, retyped or removed meanwhile is noticed by that. It
  // also tells the time of the service before the first listing.
  const access = await sources.access(
    step.table,
    signal,
    api.serverNowMs() === null || ((under?.fromMs ?? null) === null && !step.trashed),
  );
  const at = under ?? beginWalk(0, serverNowMs());
  const key = `${access.dataSourceId}/${step.trashed ? 'trash' : 'pages'}`;
  const held = cursor.places[key] ?? EMPTY_PLACE;
  const readAtMs = serverNowMs();
  const list = await listFrom(context, access, step, at, held, signal);
  const listed: Listed[] = list.pages.map((page) => ({
    id: page.id,
    editedMs: Date.parse(page.last_edited_time),
    page,
  }));
  const records = await recordsOf(
    context,
    access,
    fresh(listed, at, held).map(({ page }) => page),
    signal,
  );
  const { walk, done } = advance(at, listed, list.nextCursor, readAtMs);
  if (done && list.incomplete && at.fromMs === walk.maxMs) throw tooManyAtOnce(walk.maxMs);
  // Cut off at 10,000 results: the listing goes on with the last minute it reached.
  const again: Walk = { ...walk, fromMs: walk.maxMs, startCursor: null, seen: [], paged: false, found: false };
  const next = done && list.incomplete ? again : done ? nextWalk(walk, steps, serverNowMs()) : walk;
  const places = done && !list.incomplete ? { ...cursor.places, [key]: finish(walk, held) } : cursor.places;
  return {
    records,
    gone: [],
    cursor: formatCursor({ v: 1, places, walk: next, known: sources.known() as NotionCursor['known'] }),
    hasMore: next !== null,
  };
}

const nextWalk = (walk: Walk, steps: readonly Step[], nowMs: number): Walk | null =>
  walk.step + 1 < steps.length ? beginWalk(walk.step + 1, nowMs) : null;

const tooManyAtOnce = (minuteMs: number | null): AppError =>
  new AppError(
    'remote.bad_answer',
    `Notion lists only 10,000 pages of one minute, and more were edited at ${iso(minuteMs ?? 0)}`,
    {
      hint: 'Edit any property of some thousand of these pages in Notion, so that their times differ.',
    },
  );

/** See {@link Connector.pull}. */
export async function pullPage(context: PullContext, text: string | null, signal: AbortSignal): Promise<PullPage> {
  const cursor = parseCursor(text);
  context.sources.learn(cursor.known);
  const steps = stepsOf(context.sources);
  try {
    return await pullStep(context, cursor, steps, signal);
  } catch (cause) {
    if (!(cause instanceof StaleMapping)) return passOver(context, cursor, steps, cause);
  }
  try {
    for (const table of pulledTables(context.sources)) await context.sources.access(table, signal, true);
    return await pullStep(context, cursor, steps, signal);
  } catch (cause) {
    return passOver(context, cursor, steps, cause);
  }
}

/** A table that somebody has to mend in Notion first keeps its place; the listing goes on with the next one, if any. */
function passOver(context: PullContext, cursor: NotionCursor, steps: readonly Step[], cause: unknown): PullPage {
  const at = cursor.walk?.step ?? 0;
  const table = steps[at]?.table;
  const isOnly = pulledTables(context.sources).length === 1;
  if (table === undefined || isOnly || !(cause instanceof AppError) || errorClassOf(cause.code) !== 'blocked')
    throw cause;
  const next = steps.findIndex((step, index) => index > at && step.table !== table);
  const walk = next === -1 ? null : beginWalk(next, context.api.serverNowMs() ?? 0);
  const known = context.sources.known() as NotionCursor['known'];
  const rest = formatCursor({ ...cursor, walk, known });
  return { records: [], gone: [], failed: [{ table, error: cause }], cursor: rest, hasMore: walk !== null };
}
