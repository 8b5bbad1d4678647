/** Queries of a data source: filters, order, pages of at most 100, at most 10,000 results. */
import { listAnswer, pageAnswer } from './answers.ts';
import { ApiError, bodyInvalid, invalid } from './errors.ts';
import type { DataSource, Json, Page, State } from './state.ts';
import { minuteOf } from './state.ts';

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function pageSizeOf(value: unknown): number {
  if (value === undefined || value === null) return 100;
  const size = Number(value);
  if (!Number.isInteger(size) || size < 1) throw bodyInvalid('body.page_size', '≥ `1`', value);
  if (size > 100) throw bodyInvalid('body.page_size', '≤ `100`', value);
  return size;
}

/** A cursor is opaque: it names the element to go on with. */
export const cursorOf = (id: string): string => Buffer.from(`c1:${id}`).toString('base64url');
export function idOfCursor(cursor: unknown): string | null {
  if (cursor === undefined || cursor === null) return null;
  const text = Buffer.from(String(cursor), 'base64url').toString();
  if (!text.startsWith('c1:')) throw invalid(`The start_cursor provided is invalid: ${String(cursor)}`);
  return text.slice(3);
}

/** Cuts one page out of a list; the cursor names the next element. */
export function pageOfList<T extends { readonly id: string }>(
  all: readonly T[],
  cursor: unknown,
  size: number,
): { readonly items: readonly T[]; readonly next: string | null } {
  const from = idOfCursor(cursor);
  const start = from === null ? 0 : all.findIndex(({ id }) => id === from);
  if (start < 0) throw invalid(`The start_cursor provided is invalid: ${String(cursor)}`);
  const next = all[start + size];
  return { items: all.slice(start, start + size), next: next ? cursorOf(next.id) : null };
}

const plain = (value: unknown): string =>
  Array.isArray(value) ? value.map((item) => String(item?.plain_text ?? '')).join('') : '';

function textMatches(text: string, test: Json): boolean {
  if ('equals' in test) return text === test.equals;
  if ('contains' in test) return text.includes(String(test.contains));
  if ('is_empty' in test) return text === '';
  if ('is_not_empty' in test) return text !== '';
  throw invalid('body failed validation: body.filter has an unknown condition.');
}

function timeMatches(time: string, test: Json): boolean {
  const at = Date.parse(time);
  return Object.entries(test).every(([kind, value]) => {
    const other = Date.parse(String(value));
    if (Number.isNaN(other)) throw bodyInvalid(`body.filter.${kind}`, 'a valid ISO 8601 date string', value);
    if (kind === 'on_or_after') return at >= other;
    if (kind === 'on_or_before') return at <= other;
    if (kind === 'after') return at > other;
    if (kind === 'before') return at < other;
    if (kind === 'equals') return at === other;
    throw bodyInvalid(`body.filter.${kind}`, 'not present', value);
  });
}

function matches(source: DataSource, page: Page, filter: unknown, level = 0): boolean {
  if (!isObject(filter)) throw bodyInvalid('body.filter', 'an object', filter);
  for (const kind of ['or', 'and'] as const) {
    const parts = filter[kind];
    if (parts === undefined) continue;
    if (!Array.isArray(parts)) throw bodyInvalid(`body.filter.${kind}`, 'an array', parts);
    if (parts.length > 100) throw bodyInvalid(`body.filter.${kind}.length`, '≤ `100`', parts.length);
    if (level >= 2) throw bodyInvalid(`body.filter.${kind}`, 'not present', 'nested deeper than two levels');
    return kind === 'or'
      ? parts.some((part) => matches(source, page, part, level + 1))
      : parts.every((part) => matches(source, page, part, level + 1));
  }
  for (const time of ['last_edited_time', 'created_time'] as const) {
    if (filter.timestamp !== time) continue;
    const stamp = minuteOf(time === 'last_edited_time' ? page.editedMs : page.createdMs);
    return timeMatches(stamp, filter[time] as Json);
  }
  const property = source.properties.find(({ id, name }) => id === filter.property || name === filter.property);
  if (!property) throw invalid(`Could not find property with name or id: ${String(filter.property)}`);
  const value = page.values.get(property.id);
  const test = filter[property.type];
  if (!isObject(test)) throw invalid(`database property ${property.type} does not match filter`);
  if (property.type === 'title' || property.type === 'rich_text') return textMatches(plain(value), test);
  if (property.type === 'select') return textMatches(isObject(value) ? String(value.name) : '', test);
  throw invalid(`body failed validation: a filter of ${property.type} is not known here.`);
}

function compare(sorts: unknown): (a: Page, b: Page) => number {
  const list = Array.isArray(sorts) ? (sorts as Json[]) : [];
  return (a, b) => {
    for (const { timestamp, direction } of list) {
      const key = timestamp === 'last_edited_time' ? 'editedMs' : 'createdMs';
      const [left, right] = [minuteOf(a[key]), minuteOf(b[key])];
      if (left !== right) return (left < right ? -1 : 1) * (direction === 'descending' ? -1 : 1);
    }
    return 0;
  };
}

export function query(state: State, source: DataSource, body: Json): Json {
  const known = ['filter', 'sorts', 'start_cursor', 'page_size', 'in_trash', 'archived', 'result_type'];
  const foreign = Object.keys(body).find((key) => !known.includes(key));
  if (foreign !== undefined) throw bodyInvalid(`body.${foreign}`, 'not present', body[foreign]);
  const size = pageSizeOf(body.page_size);
  const trashed = body.in_trash === true || body.archived === true;
  const visible = state.nowMs() - state.indexLagMs;
  const all = [...state.pages.values()]
    .filter((page) => page.parent.id === source.id && page.inTrash === trashed && page.createdMs <= visible)
    .filter((page) => body.filter === undefined || body.filter === null || matches(source, page, body.filter))
    .sort(compare(body.sorts));
  const { items, next } = pageOfList(all.slice(0, state.maxResults), body.start_cursor, size);
  const cut = next === null && all.length > state.maxResults;
  return listAnswer(
    'page_or_data_source',
    items.map((page) => pageAnswer(state, page)),
    next,
    cut ? { request_status: { type: 'incomplete', incomplete_reason: 'query_result_limit_reached' } } : {},
  );
}

/** Titles that contain the words, newest first, as "Search by title" does. */
export function search(state: State, body: Json): Json {
  const words = String(body.query ?? '').toLowerCase();
  const kind = isObject(body.filter) ? body.filter.value : undefined;
  if (kind !== undefined && kind !== 'page' && kind !== 'data_source') {
    throw new ApiError(
      400,
      'validation_error',
      'body failed validation: body.filter.value should be `"page"` or `"data_source"`.',
    );
  }
  const pages = [...state.pages.values()].filter(
    (page) => !page.inTrash && kind !== 'data_source' && plain(page.values.get('title')).toLowerCase().includes(words),
  );
  const { items, next } = pageOfList(pages, body.start_cursor, pageSizeOf(body.page_size));
  return listAnswer(
    'page_or_data_source',
    items.map((page) => pageAnswer(state, page)),
    next,
  );
}
