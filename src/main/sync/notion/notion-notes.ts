/**
 * Summaries in Notion for people to read: a page per run or operation, or a page per day that each run adds to. Written
 * once, never changed: what a person writes into them stays.
 */
import type { Client } from '@notionhq/client';
import { z } from 'zod';
import { AppError } from '../../../shared/errors.ts';
import { piecesOf, renderBody } from './body.ts';
import { planBody } from './body-plan.ts';
import { readBody } from './body-reader.ts';
import { appendBlocks, carryOut } from './body-writer.ts';
import { findParentPage } from './new-databases.ts';
import type { NotionApi } from './notion-api.ts';
import type { NotionConnection } from './notion-connector.ts';
import { queryPages } from './page-records.ts';
import { createSources, idIn } from './sources.ts';
import { batchesOf, richTextOf, textToBody } from './text-blocks.ts';
import { blockListShape, databaseShape, dataSourceShape, pageShape } from './wire.ts';

/** Where notes go: below a page, or into a database that has a title and whatever else. Ids or addresses. */
export type NotesParent = { readonly kind: 'page' | 'database'; readonly id: string };
export type Note = { readonly pageId: string; readonly url: string | null; readonly created: boolean };

export type NotionNotes = {
  /**
   * Makes the page of this title unless it is there. Safe to repeat: a page that an earlier try left without its end gets
   * it, any other is left as it is. The text may be markdown as `textToBody` understands it.
   */
  readonly put: (note: { readonly title: string; readonly text: string }, signal: AbortSignal) => Promise<Note>;
  /** Adds a section to the page of this title, making the page when it is missing; once per heading of a page. */
  readonly append: (
    note: { readonly title: string; readonly heading: string; readonly text: string },
    signal: AbortSignal,
  ) => Promise<Note>;
};

type Place = { readonly parent: { page_id: string } | { data_source_id: string }; readonly titleId: string };

async function findPlace(api: NotionApi, parent: NotesParent, signal: AbortSignal): Promise<Place> {
  const id = idIn(parent.id);
  if (id === null) throw new AppError('remote.not_shared', 'what is set as the place of summaries is no id of Notion');
  if (parent.kind === 'page') return { parent: { page_id: id }, titleId: 'title' };
  let sourceId = id;
  try {
    const database = await api.call(
      'reading the database',
      databaseShape,
      (client) => client.databases.retrieve({ database_id: id }),
      signal,
    );
    sourceId = database.data_sources[0]?.id ?? id;
  } catch (cause) {
    if (!(cause instanceof AppError && cause.code === 'remote.not_shared')) throw cause;
  }
  const source = await api.call(
    'reading the data source',
    dataSourceShape,
    (client) => client.dataSources.retrieve({ data_source_id: sourceId }),
    signal,
  );
  const title = Object.values(source.properties).find(({ type }) => type === 'title');
  return { parent: { data_source_id: source.id }, titleId: title?.id ?? 'title' };
}

const childPage = z.looseObject({ child_page: z.looseObject({ title: z.string() }) });

async function findPage(api: NotionApi, place: Place, title: string, signal: AbortSignal): Promise<string | null> {
  const { parent } = place;
  if ('data_source_id' in parent) {
    const filter = { property: place.titleId, title: { equals: title } };
    const { pages } = await queryPages(api, parent.data_source_id, { filter, page_size: 1 }, signal);
    return pages[0]?.id ?? null;
  }
  let cursor: string | null = null;
  do {
    const from: string | null = cursor;
    const list: z.infer<typeof blockListShape> = await api.call(
      'listing summaries',
      blockListShape,
      (client) =>
        client.blocks.children.list({
          block_id: parent.page_id,
          page_size: 100,
          ...(from === null ? {} : { start_cursor: from }),
        }),
      signal,
    );
    const found = list.results.find((block) => childPage.safeParse(block).data?.child_page.title === title);
    if (found) return found.id;
    cursor = list.has_more ? list.next_cursor : null;
  } while (cursor !== null);
  return null;
}

async function makePage(api: NotionApi, place: Place, title: string, text: string, signal: AbortSignal): Promise<Note> {
  const [first = [], ...rest] = batchesOf(textToBody(text));
  const request = {
    parent: place.parent,
    properties: { [place.titleId]: { title: richTextOf(title) } },
    ...(first.length > 0 ? { children: first } : {}),
  };
  const page = await api.call(
    'writing a summary',
    pageShape,
    (client) => client.pages.create(request as unknown as Parameters<typeof client.pages.create>[0]),
    signal,
  );
  await appendBlocks(api, page.id, rest, null, signal);
  return { pageId: page.id, url: page.url ?? null, created: true };
}

/**
 * Where notes go: what is set (a page, a database or a data source), or the page that holds the database for decisions.
 * Throws `remote.not_shared` for what is no id, `remote.forbidden` when that database lies in no page.
 */
export async function findNotesParent(
  { api }: NotionConnection,
  set: string,
  decisionsDatabase: string,
  signal: AbortSignal,
): Promise<NotesParent> {
  if (set.trim() === '') {
    const sources = createSources(api, { decision_vault: decisionsDatabase });
    return { kind: 'page', id: (await findParentPage(api, sources, signal)).pageId };
  }
  const id = idIn(set);
  if (id === null) throw new AppError('remote.not_shared', 'what is set as the place of summaries is no id of Notion');
  const read = async (send: (client: Client) => Promise<unknown>): Promise<boolean> => {
    try {
      await api.call('finding the place of summaries', z.looseObject({ id: z.string() }), send, signal);
      return true;
    } catch (cause) {
      if (cause instanceof AppError && cause.code === 'remote.not_shared') return false;
      throw cause;
    }
  };
  const isDatabase =
    (await read((client) => client.databases.retrieve({ database_id: id }))) ||
    (await read((client) => client.dataSources.retrieve({ data_source_id: id })));
  return { kind: isDatabase ? 'database' : 'page', id };
}

export function createNotionNotes(
  connection: NotionConnection,
  parent: NotesParent | ((signal: AbortSignal) => Promise<NotesParent>),
): NotionNotes {
  const { api } = connection;
  let known: Place | null = null;
  const place = async (signal: AbortSignal): Promise<Place> => {
    known ??= await findPlace(api, typeof parent === 'function' ? await parent(signal) : parent, signal);
    return known;
  };
  return {
    put: async ({ title, text }, signal) => {
      const at = await place(signal);
      const pageId = await findPage(api, at, title, signal);
      if (pageId === null) return makePage(api, at, title, text, signal);
      const nodes = await readBody(api, pageId, signal);
      if (text.startsWith(renderBody(nodes))) await carryOut(api, pageId, planBody(nodes, text), signal);
      return { pageId, url: null, created: false };
    },
    append: async ({ title, heading, text }, signal) => {
      const at = await place(signal);
      const section = `## ${heading.replaceAll(/\s+/g, ' ')}\n\n${text}`;
      const batches = batchesOf(textToBody(section));
      // All or nothing, so that the heading says whether it was added.
      if (batches.length > 1)
        throw new AppError('remote.too_large', `the section "${heading}" is larger than one request of Notion takes`);
      const pageId = await findPage(api, at, title, signal);
      if (pageId === null) return makePage(api, at, title, section, signal);
      const pieces = piecesOf(await readBody(api, pageId, signal));
      const there = pieces.some(({ text: own }) => own === section.split('\n', 1)[0]);
      if (!there) await appendBlocks(api, pageId, batches, null, signal);
      return { pageId, url: null, created: false };
    },
  };
}
