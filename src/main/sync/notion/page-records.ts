/** Pages of Notion as records: with their text, and with the id that is theirs. */
import type { Client } from '@notionhq/client';
import type { z } from 'zod';
import { AppError } from '../../../shared/errors.ts';
import type { FieldProblem, Fields, RemoteRecord } from '../connector.ts';
import { type BodyNode, renderBody } from './body.ts';
import { readBody } from './body-reader.ts';
import type { Mapping } from './mapping.ts';
import type { NotionApi } from './notion-api.ts';
import { fieldsHash, hashOf, type PageRecord, readFields } from './page-fields.ts';
import type { Access } from './sources.ts';
import { type NotionPage, pageListShape, pageShape } from './wire.ts';

/** A body that could not be read: pages in the trash may not show theirs. */
const UNKNOWN_BODY = '-';
/** How long a rewrite may be under way before what the page shows counts again. */
const WRITING_MS = 24 * 3_600_000;

export const versionOf = (fields: string, body: string): string => `1.${fields}.${body}`;
export const fieldsVersion = (version: string | null): string | null => version?.split('.')[1] ?? null;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Ids of ours only: what a person types into `Angles ID` is no link to anything. */
export const ownId = (text: string): string | null => (UUID.test(text) ? text.toLowerCase() : null);

export type PageText =
  | { readonly kind: 'text'; readonly text: string }
  /** Half old, half new: an interrupted rewrite. */
  | { readonly kind: 'interrupted'; readonly from: string }
  | { readonly kind: 'unknown' };

/** What the body says, or that it is not to be believed right now. */
export function textOfBody(nodes: readonly BodyNode[], record: PageRecord, nowMs: number): PageText {
  const text = renderBody(nodes);
  const { writing } = record.state;
  if (!writing || nowMs - writing.atMs > WRITING_MS) return { kind: 'text', text };
  const hash = hashOf(text);
  return hash === writing.from || hash === writing.to
    ? { kind: 'text', text }
    : { kind: 'interrupted', from: writing.from };
}

export function remoteRecord(
  mapping: Mapping,
  page: NotionPage,
  record: PageRecord,
  text: PageText | null,
  id: string | null,
): RemoteRecord {
  const { body, table } = mapping.spec;
  const known: Fields =
    body !== null && text?.kind === 'text' ? { ...record.fields, [body]: text.text } : record.fields;
  const half: readonly FieldProblem[] =
    body !== null && text?.kind === 'interrupted'
      ? [{ field: body, value: '', reason: 'it is half written; the next push of this record finishes it' }]
      : [];
  const bodyVersion =
    text === null || text.kind === 'unknown' ? UNKNOWN_BODY : text.kind === 'text' ? hashOf(text.text) : text.from;
  return {
    table,
    id,
    remoteId: page.id,
    fields: {
      ...known,
      createdAtMs: Date.parse(page.created_time),
      updatedAtMs: Date.parse(page.last_edited_time),
      origin: 'notion',
    },
    problems: [...record.problems, ...half],
    version: versionOf(fieldsHash(record.fields, record.problems, body), bodyVersion),
    editedAtMs: Date.parse(page.last_edited_time),
  };
}

async function bodyOf(
  api: NotionApi,
  { bodies }: Access,
  page: NotionPage,
  signal: AbortSignal,
): Promise<readonly BodyNode[]> {
  const editedMs = Date.parse(page.last_edited_time);
  const known = bodies.find(page.id, editedMs);
  if (known !== null) return known;
  const readAtMs = api.serverNowMs() ?? editedMs;
  const nodes = await readBody(api, page.id, signal);
  bodies.keep(page.id, editedMs, readAtMs, nodes);
  return nodes;
}

/** The whole record of a page. A page in the trash that hides its blocks is one without a text. */
export async function readRecord(
  api: NotionApi,
  access: Access,
  page: NotionPage,
  id: string | null,
  signal: AbortSignal,
): Promise<RemoteRecord> {
  const record = readFields(access.mapping, page);
  if (access.mapping.spec.body === null) return remoteRecord(access.mapping, page, record, null, id);
  let text: PageText;
  try {
    text = textOfBody(await bodyOf(api, access, page, signal), record, api.serverNowMs() ?? 0);
  } catch (cause) {
    if (!record.inTrash || (cause as { code?: string }).code !== 'remote.not_shared') throw cause;
    text = { kind: 'unknown' };
  }
  return remoteRecord(access.mapping, page, record, text, id);
}

type QueryArguments = Omit<Parameters<Client['dataSources']['query']>[0], 'data_source_id'>;
export type PageList = {
  readonly pages: readonly NotionPage[];
  readonly nextCursor: string | null;
  readonly incomplete: boolean;
};

export async function queryPages(
  api: NotionApi,
  dataSourceId: string,
  query: QueryArguments,
  signal: AbortSignal,
): Promise<PageList> {
  let list: z.infer<typeof pageListShape>;
  try {
    list = await api.call(
      'listing pages',
      pageListShape,
      (client) => client.dataSources.query({ data_source_id: dataSourceId, ...query }),
      signal,
    );
  } catch (cause) {
    // A service that cannot list its trash: what is in there is then found when its page is read.
    const unlisted = query.in_trash === true && cause instanceof AppError && cause.code === 'remote.rejected';
    if (!unlisted) throw cause;
    return { pages: [], nextCursor: null, incomplete: false };
  }
  // A wiki also lists data sources; they are no records.
  const pages = list.results.flatMap((result) => {
    const { success, data } = pageShape.safeParse(result);
    return success ? data : [];
  });
  return {
    pages,
    nextCursor: list.has_more ? list.next_cursor : null,
    incomplete: list.request_status?.type === 'incomplete',
  };
}

/** At most this many conditions fit into one filter. */
const MAX_CONDITIONS = 100;

/** Pages that carry one of these ids, in the trash or not, by id. Several with one id: copies. */
export async function findByIds(
  api: NotionApi,
  access: Access,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, NotionPage[]>> {
  const found = new Map<string, NotionPage[]>();
  const property = access.mapping.byField.get('id');
  if (!property) return found;
  for (let start = 0; start < ids.length; start += MAX_CONDITIONS) {
    const conditions = ids
      .slice(start, start + MAX_CONDITIONS)
      .map((id) => ({ property: property.id, rich_text: { equals: id } }));
    for (const trashed of [false, true]) {
      let cursor: string | null = null;
      do {
        const query: QueryArguments = {
          filter: { or: conditions },
          page_size: 100,
          ...(trashed ? { in_trash: true } : {}),
          ...(cursor === null ? {} : { start_cursor: cursor }),
        };
        const list: PageList = await queryPages(api, access.dataSourceId, query, signal);
        for (const page of list.pages) {
          const id = readFields(access.mapping, page).id.toLowerCase();
          const held = found.get(id) ?? [];
          if (!held.some((other) => other.id === page.id)) found.set(id, [...held, page]);
        }
        cursor = list.nextCursor;
      } while (cursor !== null);
    }
  }
  return found;
}

/**
 * Which of several pages with one id is the record: the one we know as it, else the oldest; the others are copies that a
 * person made. Times are whole minutes, so that copies of the same minute are told apart by their ids alone.
 */
export function ownerOf(pages: readonly NotionPage[], knownPageId: string | undefined): NotionPage | null {
  const known = pages.find(({ id }) => id === knownPageId);
  if (known) return known;
  const sorted = [...pages].sort(
    (a, b) => Date.parse(a.created_time) - Date.parse(b.created_time) || (a.id < b.id ? -1 : 1),
  );
  return sorted[0] ?? null;
}
