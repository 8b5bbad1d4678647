/** What a person does in Notion, for tests and the page of the stand-in: none of it goes through the API. */
import { blockAnswer, pageAnswer } from './answers.ts';
import { addChildDatabase, makeBlocks, makeDatabase } from './api.ts';
import {
  type Block,
  childrenOf,
  type Json,
  newId,
  newOption,
  newPropertyId,
  normalId,
  type Page,
  PERSON,
  type State,
  touch,
} from './state.ts';

const text = (content: string): Json => ({ text: { content } });

function find<T>(map: Map<string, T>, id: unknown): T {
  const found = map.get(normalId(String(id)));
  if (found === undefined) throw new Error(`the stand-in has nothing with the id ${String(id)}`);
  return found;
}

/** A value as a person types it, for a property of any type. */
function typed(state: State, page: Page, name: string, value: unknown): void {
  const source = find(state.dataSources, page.parent.id);
  const property = source.properties.find((one) => one.name === name);
  if (!property) throw new Error(`no property is called ${name}`);
  const option = (label: string) => {
    const known = property.options.find((one) => one.name === label);
    if (known) return known;
    const made = newOption(label);
    property.options.push(made);
    return made;
  };
  const rich = (content: string) => [
    { type: 'text', text: { content, link: null }, annotations: {}, plain_text: content, href: null },
  ];
  const written =
    property.type === 'title' || property.type === 'rich_text'
      ? value === '' || value === null
        ? []
        : rich(String(value))
      : property.type === 'select' || property.type === 'status'
        ? value === null || value === ''
          ? null
          : option(String(value))
        : property.type === 'multi_select'
          ? (value as string[]).map(option)
          : property.type === 'date'
            ? value === null || value === ''
              ? null
              : { start: String(value), end: null, time_zone: null }
            : value;
  page.values.set(property.id, written);
}

/** Copies a page with all its properties and blocks, as "Duplicate" does. */
function duplicate(state: State, page: Page): Page {
  const now = state.nowMs();
  const copy: Page = {
    ...page,
    id: newId(),
    createdMs: now,
    createdBy: PERSON,
    editedMs: now,
    editedBy: PERSON,
    values: new Map(page.values),
    children: [],
  };
  const copyBlocks = (ids: readonly string[], parentId: string): string[] =>
    ids.map((id) => {
      const original = find(state.blocks, id);
      const block: Block = { ...original, id: newId(), pageId: copy.id, parentId, children: [], createdMs: now };
      state.blocks.set(block.id, block);
      block.children = copyBlocks(original.children, block.id);
      return block.id;
    });
  copy.children = copyBlocks(page.children, copy.id);
  state.pages.set(copy.id, copy);
  return copy;
}

function newPage(state: State, dataSourceId: string, properties: Json, blocks: readonly Json[]): Page {
  const source = find(state.dataSources, dataSourceId);
  const now = state.nowMs();
  const page: Page = {
    id: newId(),
    parent: { type: 'data_source_id', id: source.id },
    createdMs: now,
    createdBy: PERSON,
    editedMs: now,
    editedBy: PERSON,
    inTrash: false,
    values: new Map(),
    children: [],
  };
  state.pages.set(page.id, page);
  for (const [name, value] of Object.entries(properties)) typed(state, page, name, value);
  page.children = makeBlocks(state, page.id, page.id, blocks, PERSON);
  return page;
}

function retype(state: State, dataSourceId: unknown, name: unknown, type: string): void {
  const property = find(state.dataSources, dataSourceId).properties.find((one) => one.name === name);
  if (!property) throw new Error(`no property is called ${String(name)}`);
  property.type = type;
  for (const page of state.pages.values()) page.values.delete(property.id);
}

type Args = Record<string, unknown>;
const ACTIONS: Readonly<Record<string, (state: State, args: Args) => unknown>> = {
  database: (state, { title, properties, parentPageId }) => {
    const parent = parentPageId ? { type: 'page_id', page_id: parentPageId } : { type: 'workspace', workspace: true };
    const made = makeDatabase(state, parent, String(title), properties as Record<string, Json>);
    addChildDatabase(state, made, PERSON);
    return { databaseId: made.id, dataSourceId: made.dataSourceIds[0] };
  },
  dataSource: (state, { databaseId, name }) => {
    const database = find(state.databases, databaseId);
    const id = newId();
    const now = state.nowMs();
    state.dataSources.set(id, {
      id,
      databaseId: database.id,
      name: String(name),
      createdMs: now,
      editedMs: now,
      properties: [{ id: 'title', name: 'Name', type: 'title', options: [] }],
    });
    database.dataSourceIds.push(id);
    return { dataSourceId: id };
  },
  plainPage: (state, { title }) => {
    const now = state.nowMs();
    const page: Page = {
      id: newId(),
      parent: { type: 'workspace', id: 'workspace' },
      createdMs: now,
      createdBy: PERSON,
      editedMs: now,
      editedBy: PERSON,
      inTrash: false,
      values: new Map([['title', [{ ...text(String(title)), plain_text: String(title) }]]]),
      children: [],
    };
    state.pages.set(page.id, page);
    return { pageId: page.id };
  },
  page: (state, { dataSourceId, properties, blocks }) => ({
    pageId: newPage(state, String(dataSourceId), (properties ?? {}) as Json, (blocks ?? []) as Json[]).id,
  }),
  set: (state, { pageId, properties }) => {
    const page = find(state.pages, pageId);
    for (const [name, value] of Object.entries(properties as Json)) typed(state, page, name, value);
    touch(state, page, PERSON);
  },
  append: (state, { pageId, blocks, at }) => {
    const page = find(state.pages, pageId);
    const made = makeBlocks(state, page.id, page.id, blocks as Json[], PERSON);
    page.children.splice(typeof at === 'number' ? at : page.children.length, 0, ...made);
    touch(state, page, PERSON);
    return { blockIds: made };
  },
  editBlock: (state, { blockId, content }) => {
    const block = find(state.blocks, blockId);
    const rich = { type: 'text', text: { content, link: null }, annotations: {}, plain_text: content, href: null };
    block.payload = { ...block.payload, rich_text: content === '' ? [] : [rich] };
    block.editedMs = state.nowMs();
    block.editedBy = PERSON;
    touch(state, find(state.pages, block.pageId), PERSON);
  },
  removeBlock: (state, { blockId }) => {
    const block = find(state.blocks, blockId);
    const siblings = childrenOf(state, block.parentId);
    siblings?.splice(siblings.indexOf(block.id), 1);
    block.inTrash = true;
    touch(state, find(state.pages, block.pageId), PERSON);
  },
  trash: (state, { pageId }) => {
    const page = find(state.pages, pageId);
    page.inTrash = true;
    touch(state, page, PERSON);
  },
  restore: (state, { pageId }) => {
    const page = find(state.pages, pageId);
    page.inTrash = false;
    touch(state, page, PERSON);
  },
  /** Out of the trash for good: the API does not know it any more. */
  erase: (state, { pageId }) => {
    state.pages.delete(find(state.pages, pageId).id);
  },
  duplicate: (state, { pageId }) => ({ pageId: duplicate(state, find(state.pages, pageId)).id }),
  renameProperty: (state, { dataSourceId, from, to }) => {
    const property = find(state.dataSources, dataSourceId).properties.find(({ name }) => name === from);
    if (!property) throw new Error(`no property is called ${String(from)}`);
    property.name = String(to);
  },
  retypeProperty: (state, { dataSourceId, name, type }) => retype(state, dataSourceId, name, String(type)),
  deleteProperty: (state, { dataSourceId, name }) => {
    const source = find(state.dataSources, dataSourceId);
    source.properties = source.properties.filter((property) => property.name !== name);
  },
  addProperty: (state, { dataSourceId, name, type }) => {
    const property = { id: newPropertyId(String(type)), name: String(name), type: String(type), options: [] };
    find(state.dataSources, dataSourceId).properties.push(property);
  },
  share: (state, { databaseId, shared }) => {
    find(state.databases, databaseId).shared = shared === true;
  },
  /** Everything of a data source, trashed pages included, as the API would give it. */
  dump: (state, { dataSourceId }) =>
    [...state.pages.values()]
      .filter((page) => page.parent.id === normalId(String(dataSourceId)))
      .map((page) => ({
        ...pageAnswer(state, page),
        blocks: page.children.map((id) => blockAnswer(find(state.blocks, id))),
      })),
};

export function act(state: State, action: string, args: Args): unknown {
  const run = ACTIONS[action];
  if (!run) throw new Error(`a person cannot ${action} here`);
  return run(state, args) ?? {};
}
