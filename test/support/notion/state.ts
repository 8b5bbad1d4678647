/** What the stand-in of Notion holds: databases, their data sources, pages and blocks, in memory. */
import { randomUUID } from 'node:crypto';

export type Json = Record<string, unknown>;

export type Option = { id: string; name: string; color: string };
export type Property = { id: string; name: string; type: string; options: Option[] };

export type DataSource = {
  readonly id: string;
  readonly databaseId: string;
  name: string;
  readonly createdMs: number;
  editedMs: number;
  properties: Property[];
};

export type Database = {
  readonly id: string;
  readonly title: string;
  readonly parent: Json;
  readonly dataSourceIds: string[];
  shared: boolean;
};

export type Page = {
  readonly id: string;
  readonly parent: { readonly type: 'data_source_id' | 'page_id' | 'workspace'; readonly id: string };
  readonly createdMs: number;
  readonly createdBy: string;
  editedMs: number;
  editedBy: string;
  inTrash: boolean;
  /** Values by the id of the property. */
  values: Map<string, unknown>;
  children: string[];
};

export type Block = {
  readonly id: string;
  readonly pageId: string;
  readonly parentId: string;
  readonly type: string;
  payload: Json;
  readonly createdMs: number;
  readonly createdBy: string;
  editedMs: number;
  editedBy: string;
  inTrash: boolean;
  children: string[];
  /** Where among its siblings it was before it went to the trash. */
  formerIndex?: number;
};

export type Token = {
  readonly botId: string;
  valid: boolean;
  /** What the connection may do: the capabilities of its settings page. */
  capabilities: { read: boolean; insert: boolean; update: boolean };
};

export type State = {
  readonly databases: Map<string, Database>;
  readonly dataSources: Map<string, DataSource>;
  readonly pages: Map<string, Page>;
  readonly blocks: Map<string, Block>;
  readonly tokens: Map<string, Token>;
  /** Blocks a free workspace may still create; null: no limit. */
  blocksLeft: number | null;
  /** Newly written pages are found by queries only after this time: the index of a real service lags. */
  indexLagMs: number;
  /** "Query a data source": at most 10,000 results, then `request_status` says incomplete. Fewer for a test. */
  maxResults: number;
  readonly nowMs: () => number;
};

export const PERSON = '00000000-0000-4000-8000-00000000aaaa';

export function createState(nowMs: () => number): State {
  return {
    databases: new Map(),
    dataSources: new Map(),
    pages: new Map(),
    blocks: new Map(),
    tokens: new Map(),
    blocksLeft: null,
    indexLagMs: 0,
    maxResults: 10_000,
    nowMs,
  };
}

export const newId = (): string => randomUUID();

/** Ids are taken with and without dashes. */
export function normalId(id: string): string {
  const plain = id.replaceAll('-', '').toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(plain)) return id;
  return [plain.slice(0, 8), plain.slice(8, 12), plain.slice(12, 16), plain.slice(16, 20), plain.slice(20)].join('-');
}

let propertyCounter = 0;
/** Property ids are short opaque strings; the title is always `title`. */
export function newPropertyId(type: string): string {
  if (type === 'title') return 'title';
  propertyCounter += 1;
  return `p${propertyCounter.toString(36)}~${randomUUID().slice(0, 4)}`;
}

const COLORS = ['default', 'gray', 'brown', 'orange', 'yellow', 'green', 'blue', 'purple', 'pink', 'red'];
export const newOption = (name: string): Option => ({
  id: randomUUID(),
  name,
  color: COLORS[name.length % COLORS.length] ?? 'default',
});

/** Times are rounded down to the minute, as documented for `created_time` and `last_edited_time`. */
export const minuteOf = (timeMs: number): string => new Date(Math.floor(timeMs / 60_000) * 60_000).toISOString();

/** A change of a page or of anything in it moves its `last_edited_time`. */
export function touch(state: State, page: Page, by: string): void {
  page.editedMs = state.nowMs();
  page.editedBy = by;
}

/** The page that a block lies in, or the page itself. */
export function pageOf(state: State, id: string): Page | undefined {
  return state.pages.get(id) ?? state.pages.get(state.blocks.get(id)?.pageId ?? '');
}

export function childrenOf(state: State, id: string): string[] | undefined {
  return state.pages.get(id)?.children ?? state.blocks.get(id)?.children;
}
