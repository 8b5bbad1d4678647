/** The endpoints of the stand-in. Each takes the state and the request and gives the answer, or throws an `ApiError`. */
import { blockAnswer, databaseAnswer, dataSourceAnswer, listAnswer, pageAnswer } from './answers.ts';
import { ApiError, bodyInvalid, invalid, notFound } from './errors.ts';
import { pageOfList, pageSizeOf, query, search } from './query.ts';
import {
  type Block,
  childrenOf,
  type Database,
  type DataSource,
  type Json,
  newId,
  newOption,
  newPropertyId,
  normalId,
  type Page,
  type Property,
  pageOf,
  type State,
  type Token,
  touch,
} from './state.ts';
import { BLOCK_TYPES, checkChildren, propertyValues, richText } from './validate.ts';

export type Request = {
  readonly method: string;
  readonly path: string;
  readonly search: URLSearchParams;
  readonly body: Json;
  readonly token: Token;
};

const ARCHIVED = "Can't edit block that is archived. You must unarchive the block before editing.";

function dataSource(state: State, id: string): DataSource {
  const source = state.dataSources.get(normalId(id));
  if (!source || !state.databases.get(source.databaseId)?.shared) throw notFound('data_source', id);
  return source;
}

function database(state: State, id: string): Database {
  const found = state.databases.get(normalId(id));
  if (!found?.shared) throw notFound('database', id);
  return found;
}

function shared(state: State, page: Page): boolean {
  const source = state.dataSources.get(page.parent.id);
  return source === undefined || (state.databases.get(source.databaseId)?.shared ?? false);
}

function page(state: State, id: string): Page {
  const found = state.pages.get(normalId(id));
  if (!found || !shared(state, found)) throw notFound('page', id);
  return found;
}

function takeBlocks(state: State, count: number): void {
  if (state.blocksLeft === null) return;
  // The form of this answer is not in the documentation that was at hand; that creation fails, is.
  if (state.blocksLeft < count) {
    throw new ApiError(
      403,
      'restricted_resource',
      'This workspace has reached its block limit. Upgrade the plan to add more blocks.',
    );
  }
  state.blocksLeft -= count;
}

/** Makes blocks of a request below a parent and gives the ids of the first level. */
export function makeBlocks(
  state: State,
  pageId: string,
  parentId: string,
  children: readonly Json[],
  by: string,
): string[] {
  return children.map((given) => {
    const type = Object.keys(given).find((key) => key in BLOCK_TYPES) ?? 'paragraph';
    const { children: nested, ...payload } = given[type] as Json;
    const now = state.nowMs();
    const block: Block = {
      id: newId(),
      pageId,
      parentId,
      type,
      payload: BLOCK_TYPES[type]?.text
        ? { color: 'default', ...payload, rich_text: richText(payload.rich_text, type) }
        : payload,
      createdMs: now,
      createdBy: by,
      editedMs: now,
      editedBy: by,
      inTrash: false,
      children: [],
    };
    state.blocks.set(block.id, block);
    block.children = makeBlocks(state, pageId, block.id, (nested as Json[] | undefined) ?? [], by);
    return block.id;
  });
}

/** The title of a page outside of a data source; it is sent with and without the name of its type. */
function titleOf(properties: unknown): Map<string, unknown> {
  const title = (properties as Json | undefined)?.title;
  return new Map([
    [
      'title',
      richText(Array.isArray(title) ? title : ((title as Json | undefined)?.title ?? []), 'body.properties.title'),
    ],
  ]);
}

/** A page inside of a page is a block of it, with the id of the page. */
function addChildPage(state: State, made: Page, parentId: string): void {
  const title = ((made.values.get('title') ?? []) as Json[]).map((item) => String(item.plain_text)).join('');
  const { id, createdMs, createdBy, editedMs, editedBy } = made;
  const stamps = { createdMs, createdBy, editedMs, editedBy, inTrash: false, children: [] };
  state.blocks.set(id, { id, pageId: parentId, parentId, type: 'child_page', payload: { title }, ...stamps });
  state.pages.get(parentId)?.children.push(id);
}

/** The same for a database inside of a page. */
export function addChildDatabase(state: State, made: Database, by: string): void {
  const { page_id: pageId } = made.parent;
  const owner = typeof pageId === 'string' ? state.pages.get(normalId(pageId)) : undefined;
  if (!owner) return;
  const { id, title } = made;
  const now = state.nowMs();
  const stamps = { createdMs: now, createdBy: by, editedMs: now, editedBy: by, inTrash: false, children: [] };
  const place = { pageId: owner.id, parentId: owner.id };
  state.blocks.set(id, { id, ...place, type: 'child_database', payload: { title }, ...stamps });
  owner.children.push(id);
}

function createPage(state: State, { body, token }: Request): Json {
  const parent = body.parent as Json | undefined;
  if (!parent) throw bodyInvalid('body.parent', 'defined', undefined);
  const counter = { count: 1 };
  const children = (body.children ?? []) as Json[];
  checkChildren(children, 'body.children', 1, counter);
  const [kind, id] =
    parent.data_source_id !== undefined
      ? (['data_source_id', dataSource(state, String(parent.data_source_id)).id] as const)
      : (['page_id', page(state, String(parent.page_id)).id] as const);
  const now = state.nowMs();
  const values =
    kind === 'data_source_id'
      ? propertyValues(dataSource(state, id), body.properties ?? {}, 'body.properties')
      : titleOf(body.properties);
  takeBlocks(state, counter.count);
  const made: Page = {
    id: newId(),
    parent: { type: kind, id },
    createdMs: now,
    createdBy: token.botId,
    editedMs: now,
    editedBy: token.botId,
    inTrash: false,
    values,
    children: [],
  };
  state.pages.set(made.id, made);
  made.children = makeBlocks(state, made.id, made.id, children, token.botId);
  if (kind === 'page_id') addChildPage(state, made, id);
  return pageAnswer(state, made);
}

function updatePage(state: State, { body, token }: Request, id: string): Json {
  const found = page(state, id);
  const trash = (body.in_trash ?? body.archived) as boolean | undefined;
  const source = state.dataSources.get(found.parent.id);
  if (found.inTrash && (trash !== false || Object.keys((body.properties ?? {}) as Json).length > 0))
    throw invalid(ARCHIVED);
  const values = source && body.properties ? propertyValues(source, body.properties, 'body.properties') : new Map();
  if (!source && body.properties) {
    values.set('title', richText((body.properties as Record<string, Json>).title?.title, 'body.properties.title'));
  }
  for (const [key, value] of values) found.values.set(key, value);
  if (trash !== undefined) found.inTrash = trash;
  const asBlock = state.blocks.get(found.id);
  if (asBlock) asBlock.inTrash = found.inTrash;
  touch(state, found, token.botId);
  return pageAnswer(state, found);
}

function updateDataSource(state: State, { body }: Request, id: string): Json {
  const source = dataSource(state, id);
  for (const [key, value] of Object.entries((body.properties ?? {}) as Record<string, Json | null>)) {
    const known = source.properties.find((property) => property.id === key || property.name === key);
    if (value === null) {
      if (known?.type === 'title') throw invalid('The title property cannot be removed.');
      source.properties = source.properties.filter((property) => property !== known);
    } else if (known) {
      if (typeof value.name === 'string') known.name = value.name;
    } else {
      source.properties.push(makeProperty(key, value));
    }
  }
  source.editedMs = state.nowMs();
  return dataSourceAnswer(state, source);
}

function makeProperty(name: string, value: Json): Property {
  const type = Object.keys(value).find((key) => key !== 'type' && key !== 'name' && key !== 'description') ?? '';
  if (
    ![
      'title',
      'rich_text',
      'select',
      'multi_select',
      'date',
      'number',
      'checkbox',
      'url',
      'email',
      'phone_number',
    ].includes(type)
  ) {
    throw invalid(`body failed validation: body.properties.${name} has a type that cannot be created: ${type}.`);
  }
  const options = ((value[type] as Json).options ?? []) as { name: string }[];
  const comma = options.find((option) => option.name.includes(','));
  if (comma) throw invalid(`Invalid select option, commas not allowed: ${comma.name}`);
  return { id: newPropertyId(type), name, type, options: options.map((option) => newOption(option.name)) };
}

export function makeDatabase(state: State, parent: Json, title: string, properties: Record<string, Json>): Database {
  const made = Object.entries(properties).map(([name, value]) => makeProperty(name, value));
  if (made.filter(({ type }) => type === 'title').length !== 1)
    throw invalid('A database needs exactly one title property.');
  const now = state.nowMs();
  const source: DataSource = {
    id: newId(),
    databaseId: newId(),
    name: title,
    createdMs: now,
    editedMs: now,
    properties: made,
  };
  const result: Database = { id: source.databaseId, title, parent, dataSourceIds: [source.id], shared: true };
  state.dataSources.set(source.id, source);
  state.databases.set(result.id, result);
  return result;
}

function createDatabase(state: State, { body, token }: Request): Json {
  const parent = body.parent as Json | undefined;
  if (!parent) throw bodyInvalid('body.parent', 'defined', undefined);
  if (parent.page_id !== undefined) page(state, String(parent.page_id));
  takeBlocks(state, 1);
  const title = ((body.title ?? []) as { text: { content: string } }[]).map(({ text }) => text.content).join('');
  const initial = (body.initial_data_source ?? {}) as Json;
  const made = makeDatabase(state, parent, title, (initial.properties ?? {}) as Record<string, Json>);
  addChildDatabase(state, made, token.botId);
  return databaseAnswer(state, made);
}

function appendChildren(state: State, { body, token }: Request, id: string): Json {
  const parentId = normalId(id);
  const owner = pageOf(state, parentId);
  const siblings = childrenOf(state, parentId);
  if (!owner || !siblings || !shared(state, owner)) throw notFound('block', id);
  if (owner.inTrash || state.blocks.get(parentId)?.inTrash) throw invalid(ARCHIVED);
  const counter = { count: 0 };
  if (body.children === undefined) throw bodyInvalid('body.children', 'defined', undefined);
  checkChildren(body.children, 'body.children', 1, counter);
  const position = body.position as { type?: string; after_block?: { id: string } } | undefined;
  const after = (body.after ?? position?.after_block?.id) as string | undefined;
  const at = after === undefined ? siblings.length : siblings.indexOf(normalId(after)) + 1;
  if (after !== undefined && at === 0) throw invalid(`Could not find the block to append after: ${after}`);
  takeBlocks(state, counter.count);
  const made = makeBlocks(state, owner.id, parentId, body.children as Json[], token.botId);
  siblings.splice(position?.type === 'start' ? 0 : at, 0, ...made);
  touch(state, owner, token.botId);
  return listAnswer(
    'block',
    made.map((one) => blockAnswer(state.blocks.get(one) as Block)),
    null,
  );
}

function listChildren(state: State, { search: parameters }: Request, id: string): Json {
  const ids = childrenOf(state, normalId(id));
  const owner = pageOf(state, normalId(id));
  if (!ids || !owner || !shared(state, owner)) throw notFound('block', id);
  const all = ids.flatMap((one) => state.blocks.get(one) ?? []).filter((block) => !block.inTrash);
  const { items, next } = pageOfList(all, parameters.get('start_cursor'), pageSizeOf(parameters.get('page_size')));
  return listAnswer('block', items.map(blockAnswer), next);
}

function block(state: State, id: string): { block: Block; owner: Page } {
  const found = state.blocks.get(normalId(id));
  const owner = found && state.pages.get(found.pageId);
  if (!found || !owner || !shared(state, owner)) throw notFound('block', id);
  return { block: found, owner };
}

function updateBlock(state: State, { body, token }: Request, id: string): Json {
  const found = block(state, id);
  if (found.block.inTrash && body.in_trash === false) {
    found.block.inTrash = false;
    childrenOf(state, found.block.parentId)?.splice(found.block.formerIndex ?? 0, 0, found.block.id);
    touch(state, found.owner, token.botId);
    return blockAnswer(found.block);
  }
  if (found.owner.inTrash || found.block.inTrash) throw invalid(ARCHIVED);
  const payload = body[found.block.type] as Json | undefined;
  if (!payload) throw bodyInvalid(`body.${found.block.type}`, 'defined', undefined);
  if (payload.rich_text !== undefined) {
    found.block.payload = {
      ...found.block.payload,
      ...payload,
      rich_text: richText(payload.rich_text, `body.${found.block.type}.rich_text`),
    };
  }
  found.block.editedMs = state.nowMs();
  found.block.editedBy = token.botId;
  touch(state, found.owner, token.botId);
  return blockAnswer(found.block);
}

function deleteBlock(state: State, { token }: Request, id: string): Json {
  const found = block(state, id);
  if (found.owner.inTrash || found.block.inTrash) throw invalid(ARCHIVED);
  found.block.inTrash = true;
  const siblings = childrenOf(state, found.block.parentId) ?? [];
  found.block.formerIndex = siblings.indexOf(found.block.id);
  siblings.splice(found.block.formerIndex, 1);
  touch(state, found.owner, token.botId);
  return blockAnswer(found.block);
}

function propertyItem(state: State, id: string, propertyId: string): Json {
  const answer = pageAnswer(state, page(state, id)).properties as Record<string, Json>;
  const found = Object.values(answer).find((value) => value.id === decodeURIComponent(propertyId));
  if (!found) throw invalid(`${propertyId} is not a property that exists.`);
  return { object: 'property_item', ...found };
}

type Need = 'read' | 'insert' | 'update';
type Endpoint = readonly [
  method: string,
  path: RegExp,
  need: Need,
  run: (state: State, request: Request, ...ids: string[]) => Json,
];

const ENDPOINTS: readonly Endpoint[] = [
  [
    'GET',
    /^\/v1\/users\/me$/,
    'read',
    (_, { token }) => ({
      object: 'user',
      id: token.botId,
      type: 'bot',
      name: 'Angles',
      avatar_url: null,
      bot: { owner: { type: 'workspace', workspace: true }, workspace_name: 'Stand-in' },
    }),
  ],
  ['POST', /^\/v1\/search$/, 'read', (state, { body }) => search(state, body)],
  ['GET', /^\/v1\/databases\/([^/]+)$/, 'read', (state, _, id = '') => databaseAnswer(state, database(state, id))],
  ['POST', /^\/v1\/databases$/, 'insert', createDatabase],
  [
    'GET',
    /^\/v1\/data_sources\/([^/]+)$/,
    'read',
    (state, _, id = '') => dataSourceAnswer(state, dataSource(state, id)),
  ],
  [
    'PATCH',
    /^\/v1\/data_sources\/([^/]+)$/,
    'update',
    (state, request, id = '') => updateDataSource(state, request, id),
  ],
  [
    'POST',
    /^\/v1\/data_sources\/([^/]+)\/query$/,
    'read',
    (state, { body }, id = '') => query(state, dataSource(state, id), body),
  ],
  ['POST', /^\/v1\/pages$/, 'insert', createPage],
  ['GET', /^\/v1\/pages\/([^/]+)$/, 'read', (state, _, id = '') => pageAnswer(state, page(state, id))],
  ['PATCH', /^\/v1\/pages\/([^/]+)$/, 'update', (state, request, id = '') => updatePage(state, request, id)],
  [
    'GET',
    /^\/v1\/pages\/([^/]+)\/properties\/([^/]+)$/,
    'read',
    (state, _, id = '', property = '') => propertyItem(state, id, property),
  ],
  ['GET', /^\/v1\/blocks\/([^/]+)\/children$/, 'read', (state, request, id = '') => listChildren(state, request, id)],
  [
    'PATCH',
    /^\/v1\/blocks\/([^/]+)\/children$/,
    'insert',
    (state, request, id = '') => appendChildren(state, request, id),
  ],
  ['GET', /^\/v1\/blocks\/([^/]+)$/, 'read', (state, _, id = '') => blockAnswer(block(state, id).block)],
  ['PATCH', /^\/v1\/blocks\/([^/]+)$/, 'update', (state, request, id = '') => updateBlock(state, request, id)],
  ['DELETE', /^\/v1\/blocks\/([^/]+)$/, 'update', (state, request, id = '') => deleteBlock(state, request, id)],
];

export function answer(state: State, request: Request): Json {
  for (const [method, path, need, run] of ENDPOINTS) {
    const match = path.exec(request.path);
    if (method !== request.method || !match) continue;
    if (!request.token.capabilities[need]) {
      throw new ApiError(403, 'restricted_resource', 'Insufficient permissions for this endpoint.');
    }
    return run(state, request, ...match.slice(1));
  }
  throw new ApiError(400, 'invalid_request_url', 'Invalid request URL.');
}
