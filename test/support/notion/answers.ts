/** Objects in the form in which the API gives them. */
import type { Block, Database, DataSource, Json, Page, Property, State } from './state.ts';
import { minuteOf } from './state.ts';

const user = (id: string): Json => ({ object: 'user', id });

export function listAnswer(kind: string, results: readonly Json[], nextCursor: string | null, more: Json = {}): Json {
  return {
    object: 'list',
    results,
    next_cursor: nextCursor,
    has_more: nextCursor !== null,
    type: kind,
    [kind]: {},
    ...more,
  };
}

const EMPTY_VALUES: Readonly<Record<string, unknown>> = { title: [], rich_text: [], multi_select: [], checkbox: false };

export function pageAnswer(state: State, page: Page): Json {
  const source = state.dataSources.get(page.parent.id);
  const properties: Json = {};
  for (const property of source?.properties ?? [titleOnly]) {
    const value = page.values.get(property.id) ?? EMPTY_VALUES[property.type] ?? null;
    properties[property.name] = { id: property.id, type: property.type, [property.type]: value };
  }
  return {
    object: 'page',
    id: page.id,
    created_time: minuteOf(page.createdMs),
    last_edited_time: minuteOf(page.editedMs),
    created_by: user(page.createdBy),
    last_edited_by: user(page.editedBy),
    cover: null,
    icon: null,
    parent: source
      ? { type: 'data_source_id', data_source_id: source.id, database_id: source.databaseId }
      : page.parent.type === 'workspace'
        ? { type: 'workspace', workspace: true }
        : { type: 'page_id', page_id: page.parent.id },
    archived: page.inTrash,
    in_trash: page.inTrash,
    is_locked: false,
    properties,
    url: `https://www.notion.so/${page.id.replaceAll('-', '')}`,
    public_url: null,
  };
}

const titleOnly: Property = { id: 'title', name: 'title', type: 'title', options: [] };

export function blockAnswer(block: Block): Json {
  return {
    object: 'block',
    id: block.id,
    parent:
      block.parentId === block.pageId
        ? { type: 'page_id', page_id: block.pageId }
        : { type: 'block_id', block_id: block.parentId },
    created_time: minuteOf(block.createdMs),
    last_edited_time: minuteOf(block.editedMs),
    created_by: user(block.createdBy),
    last_edited_by: user(block.editedBy),
    has_children: block.children.length > 0,
    archived: block.inTrash,
    in_trash: block.inTrash,
    type: block.type,
    [block.type]: block.payload,
  };
}

function propertyAnswer(property: Property): Json {
  const inner = ['select', 'multi_select', 'status'].includes(property.type) ? { options: property.options } : {};
  return { id: property.id, name: property.name, type: property.type, description: null, [property.type]: inner };
}

export function dataSourceAnswer(state: State, source: DataSource): Json {
  const database = state.databases.get(source.databaseId);
  return {
    object: 'data_source',
    id: source.id,
    created_time: minuteOf(source.createdMs),
    last_edited_time: minuteOf(source.editedMs),
    parent: { type: 'database_id', database_id: source.databaseId },
    database_parent: database?.parent ?? null,
    archived: false,
    in_trash: false,
    title: [{ type: 'text', text: { content: source.name, link: null }, plain_text: source.name, href: null }],
    properties: Object.fromEntries(source.properties.map((property) => [property.name, propertyAnswer(property)])),
    url: `https://www.notion.so/${source.databaseId.replaceAll('-', '')}`,
  };
}

export function databaseAnswer(state: State, database: Database): Json {
  const { title } = database;
  return {
    object: 'database',
    id: database.id,
    parent: database.parent,
    is_inline: false,
    in_trash: false,
    title: [{ type: 'text', text: { content: title, link: null }, plain_text: title, href: null }],
    data_sources: database.dataSourceIds.map((id) => ({ id, name: state.dataSources.get(id)?.name ?? '' })),
    url: `https://www.notion.so/${database.id.replaceAll('-', '')}`,
  };
}
