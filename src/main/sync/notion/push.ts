/** Writes records to pages: reads before it writes, changes only what differs, and finds what an earlier try left. */
import { AppError, type ErrorCode } from '../../../shared/errors.ts';
import type { OutgoingRecord, PushOutcome } from '../connector.ts';
import type { NotionApi } from './notion-api.ts';
import { findByIds, ownerOf } from './page-records.ts';
import { createPage } from './push-create.ts';
import { updatePage } from './push-update.ts';
import type { Access, Sources } from './sources.ts';
import type { NotionTable } from './table-specs.ts';
import { type NotionPage, pageShape } from './wire.ts';

export type PushContext = {
  readonly api: NotionApi;
  readonly sources: Sources;
  /** The user that our connection is: whose blocks an interrupted rewrite left. */
  readonly ownUser: (signal: AbortSignal) => Promise<string>;
  /** Pages by our ids, as far as this run knows them. */
  readonly pageIds: Map<string, string>;
};

/** Failures that the next record would meet, too. */
const STOPS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'remote.unauthorized',
  'remote.rate_limited',
  'remote.unreachable',
  'remote.bad_answer',
  'remote.not_shared',
  'remote.schema',
  'interrupted',
]);
/** Enough to use the allowed rate while each answer takes two seconds. */
const AT_ONCE = 6;
/** So many troubles of the service in a row are more than one bad record. */
const MAX_TROUBLES = 3;

const isSchema = (cause: unknown): boolean => cause instanceof AppError && cause.code === 'remote.schema';
const isNotShared = (cause: unknown): boolean => cause instanceof AppError && cause.code === 'remote.not_shared';

/** The page of a record that has one; null when it is gone although the data source is there. */
export async function linkedPage(
  api: NotionApi,
  sources: Sources,
  access: Access,
  pageId: string,
  signal: AbortSignal,
): Promise<NotionPage | null> {
  try {
    const page = await api.call(
      'reading a page',
      pageShape,
      (client) => client.pages.retrieve({ page_id: pageId }),
      signal,
    );
    // Moved to another database, or below a page: for this one it is gone.
    const plain = (id: string | undefined): string | undefined => id?.replaceAll('-', '');
    return plain(page.parent.data_source_id) === plain(access.dataSourceId) ? page : null;
  } catch (cause) {
    if (!isNotShared(cause)) throw cause;
    // The same answer is given when nothing is shared with us any more: then nothing may be believed gone.
    await sources.dataSource(access.mapping.spec.table, signal);
    return null;
  }
}

async function pushOne(
  context: PushContext,
  access: Access,
  record: OutgoingRecord,
  found: NotionPage | null,
  signal: AbortSignal,
): Promise<PushOutcome> {
  const { api, sources } = context;
  if (record.remoteId === null) {
    return found ? updatePage(context, access, record, found, signal) : createPage(context, access, record, signal);
  }
  const page = await linkedPage(api, sources, access, record.remoteId, signal);
  return page ? updatePage(context, access, record, page, signal) : { kind: 'gone', id: record.id };
}

/** With a mapping that proved old, the schema is read again and the record tried once more; that may say what is wrong. */
async function pushFresh(
  context: PushContext,
  access: Access,
  record: OutgoingRecord,
  found: NotionPage | null,
  signal: AbortSignal,
): Promise<PushOutcome> {
  const { table } = access.mapping.spec;
  try {
    return await pushOne(context, access, record, found, signal);
  } catch (cause) {
    if (!isSchema(cause)) throw cause;
    const fresh = await context.sources.access(table, signal, true);
    // Read again, too: the page in hand was read with the properties of before.
    const page = found && (await linkedPage(context.api, context.sources, fresh, found.id, signal));
    return pushOne(context, fresh, record, page, signal);
  }
}

/** Pages that exist already for records whose page is not known: an earlier try may have made them. */
async function findExisting(
  { api, pageIds }: PushContext,
  access: Access,
  records: readonly OutgoingRecord[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, NotionPage>> {
  const ids = records.filter(({ remoteId }) => remoteId === null).map(({ id }) => id);
  const result = new Map<string, NotionPage>();
  if (ids.length === 0) return result;
  for (const [id, pages] of await findByIds(api, access, ids, signal)) {
    const owner = ownerOf(pages, pageIds.get(id));
    if (owner) result.set(id, owner);
  }
  return result;
}

type Job = { readonly access: Access; readonly record: OutgoingRecord; readonly found: NotionPage | null };

async function prepareJobs(
  context: PushContext,
  records: readonly OutgoingRecord[],
  signal: AbortSignal,
): Promise<Job[]> {
  const jobs: Job[] = [];
  for (const table of context.sources.tables) {
    const own = records.filter((record) => record.table === table);
    if (own.length === 0) continue;
    const access = await context.sources.access(table, signal);
    let existing: ReadonlyMap<string, NotionPage>;
    try {
      existing = await findExisting(context, access, own, signal);
    } catch (cause) {
      if (!isSchema(cause)) throw cause;
      existing = await findExisting(context, await context.sources.access(table, signal, true), own, signal);
    }
    const current = await context.sources.access(table, signal);
    jobs.push(...own.map((record) => ({ access: current, record, found: existing.get(record.id) ?? null })));
  }
  return jobs;
}

/** See {@link Connector.push}. */
export async function pushRecords(
  context: PushContext,
  records: readonly OutgoingRecord[],
  signal: AbortSignal,
): Promise<PushOutcome[]> {
  const foreign = records.find(({ table }) => !context.sources.tables.includes(table as NotionTable));
  if (foreign) throw new Error(`Notion is not configured to hold ${foreign.table}`);
  const jobs = await prepareJobs(context, records, signal);
  const outcomes: PushOutcome[] = [];
  let stop: AppError | null = null;
  let troubles = 0;
  const worker = async (): Promise<void> => {
    for (let job = jobs.shift(); job; job = jobs.shift()) {
      const { id } = job.record;
      if (stop) {
        outcomes.push({ kind: 'failed', id, error: stop });
        continue;
      }
      try {
        outcomes.push(await pushFresh(context, job.access, job.record, job.found, signal));
        troubles = 0;
      } catch (cause) {
        if (!(cause instanceof AppError)) throw cause;
        outcomes.push({ kind: 'failed', id, error: cause });
        if (cause.code === 'remote.unavailable') troubles += 1;
        if (STOPS.has(cause.code) || cause.retryAfterMs !== undefined || troubles >= MAX_TROUBLES) stop ??= cause;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, jobs.length) }, worker));
  const reached = outcomes.some((outcome) => outcome.kind !== 'failed' || !STOPS.has(outcome.error.code));
  if (stop && !reached) throw stop;
  return outcomes;
}
