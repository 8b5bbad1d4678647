/**
 * The documented limits of a request, and what a property takes. Sources: "Request limits" (2,000 characters of text and
 * of URLs, 1,000 of an equation, 200 of e-mail and phone, 100 elements of rich text, multi-select, relation, people; 1,000
 * blocks and 500 KB a request), "Append block children" (100 children, two levels), and reports of users for what the
 * documentation leaves out: an option has no comma and at most 100 characters.
 */
import { bodyInvalid, invalid } from './errors.ts';
import { type DataSource, type Json, newOption, type Option, type Property } from './state.ts';

export const MAX_BODY_BYTES = 500_000;
const MAX_BLOCKS = 1000;

/** Types of blocks that can be created, and whether they carry rich text and children. */
export const BLOCK_TYPES: Readonly<Record<string, { readonly text: boolean; readonly children: boolean }>> = {
  paragraph: { text: true, children: true },
  heading_1: { text: true, children: true },
  heading_2: { text: true, children: true },
  heading_3: { text: true, children: true },
  bulleted_list_item: { text: true, children: true },
  numbered_list_item: { text: true, children: true },
  to_do: { text: true, children: true },
  toggle: { text: true, children: true },
  quote: { text: true, children: true },
  callout: { text: true, children: true },
  code: { text: true, children: false },
  divider: { text: false, children: false },
  equation: { text: false, children: false },
  bookmark: { text: false, children: false },
  embed: { text: false, children: false },
  image: { text: false, children: false },
  table: { text: false, children: true },
  table_row: { text: false, children: false },
  column_list: { text: false, children: true },
  column: { text: false, children: true },
};

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const PLAIN = { bold: false, italic: false, strikethrough: false, underline: false, code: false, color: 'default' };

/** Rich text as it is stored and given back. */
export function richText(value: unknown, where: string): Json[] {
  if (!Array.isArray(value)) throw bodyInvalid(where, 'an array', value);
  if (value.length > 100) throw bodyInvalid(`${where}.length`, '≤ `100`', value.length);
  return value.map((item: unknown, index) => {
    const at = `${where}[${index}]`;
    if (!isObject(item)) throw bodyInvalid(at, 'an object', item);
    if (isObject(item.equation)) {
      const expression = String(item.equation.expression ?? '');
      if (expression.length > 1000)
        throw bodyInvalid(`${at}.equation.expression.length`, '≤ `1000`', expression.length);
      return { type: 'equation', equation: { expression }, annotations: PLAIN, plain_text: expression, href: null };
    }
    const { text } = item;
    if (!isObject(text)) throw bodyInvalid(`${at}.text`, 'defined', text);
    if (typeof text.content !== 'string') throw bodyInvalid(`${at}.text.content`, 'a string', text.content);
    if (text.content.length > 2000) throw bodyInvalid(`${at}.text.content.length`, '≤ `2000`', text.content.length);
    const url = isObject(text.link) ? String(text.link.url) : null;
    if (url !== null && url.length > 2000) throw bodyInvalid(`${at}.text.link.url.length`, '≤ `2000`', url.length);
    return {
      type: 'text',
      text: { content: text.content, link: url === null ? null : { url } },
      annotations: { ...PLAIN, ...(isObject(item.annotations) ? item.annotations : {}) },
      plain_text: text.content,
      href: url,
    };
  });
}

/** Counts all blocks of a request and checks its shape: children, levels, known types, no leftovers of an answer. */
export function checkChildren(children: unknown, where: string, level: number, counter: { count: number }): void {
  if (!Array.isArray(children)) throw bodyInvalid(where, 'an array', children);
  if (children.length > 100) throw bodyInvalid(`${where}.length`, '≤ `100`', children.length);
  if (level > 2 && children.length > 0) throw bodyInvalid(where, 'not present', 'nested deeper than two levels');
  children.forEach((block: unknown, index) => {
    const at = `${where}[${index}]`;
    counter.count += 1;
    if (counter.count > MAX_BLOCKS)
      throw invalid(`body failed validation: the request has more than ${MAX_BLOCKS} blocks.`);
    if (!isObject(block)) throw bodyInvalid(at, 'an object', block);
    for (const key of ['archived', 'in_trash', 'id', 'has_children']) {
      if (key in block) throw bodyInvalid(`${at}.${key}`, 'not present', block[key]);
    }
    const type = Object.keys(block).find((key) => key in BLOCK_TYPES);
    if (type === undefined) throw bodyInvalid(`${at}.paragraph`, 'defined', undefined);
    const payload = block[type];
    if (!isObject(payload)) throw bodyInvalid(`${at}.${type}`, 'an object', payload);
    if (BLOCK_TYPES[type]?.text) richText(payload.rich_text, `${at}.${type}.rich_text`);
    if (payload.children !== undefined) {
      if (!BLOCK_TYPES[type]?.children) throw bodyInvalid(`${at}.${type}.children`, 'not present', payload.children);
      checkChildren(payload.children, `${at}.${type}.children`, level + 1, counter);
    }
  });
}

function option(property: Property, value: unknown, where: string): Option {
  if (!isObject(value)) throw bodyInvalid(where, 'an object', value);
  const known = property.options.find(({ id, name }) =>
    value.id === undefined ? name === value.name : id === value.id,
  );
  if (known) return known;
  if (typeof value.name !== 'string') throw bodyInvalid(`${where}.name`, 'a string', value.name);
  const name = value.name.trim();
  if (name === '') throw bodyInvalid(`${where}.name.length`, '≥ `1`', 0);
  if (name.includes(',')) throw invalid(`Invalid select option, commas not allowed: ${name}`);
  if (name.length > 100) throw bodyInvalid(`${where}.name.length`, '≤ `100`', name.length);
  if (property.type === 'status') throw invalid(`Status option "${name}" does not exist".`);
  const made = newOption(name);
  property.options.push(made);
  return made;
}

const dateOf = (value: unknown, where: string): Json | null => {
  if (value === null) return null;
  if (!isObject(value) || typeof value.start !== 'string') throw bodyInvalid(`${where}.start`, 'defined', undefined);
  if (Number.isNaN(Date.parse(value.start)))
    throw bodyInvalid(`${where}.start`, 'a valid ISO 8601 date string', value.start);
  return { start: value.start, end: value.end ?? null, time_zone: null };
};

/** The value of one property as it is stored; selects make unknown options. */
export function propertyValue(property: Property, value: unknown, where: string): unknown {
  if (!isObject(value)) throw bodyInvalid(where, 'an object', value);
  const given = Object.keys(value).find((key) => key !== 'type' && key !== 'id');
  if (given !== property.type) throw invalid(`${property.name} is expected to be ${property.type}.`);
  const inner = value[property.type];
  const at = `${where}.${property.type}`;
  switch (property.type) {
    case 'title':
    case 'rich_text':
      return richText(inner, at);
    case 'select':
    case 'status':
      return inner === null ? null : option(property, inner, at);
    case 'multi_select': {
      if (!Array.isArray(inner)) throw bodyInvalid(at, 'an array', inner);
      if (inner.length > 100) throw bodyInvalid(`${at}.length`, '≤ `100`', inner.length);
      const options = inner.map((one, index) => option(property, one, `${at}[${index}]`));
      return [...new Map(options.map((one) => [one.id, one])).values()];
    }
    case 'date':
      return dateOf(inner, at);
    case 'number':
      if (inner !== null && typeof inner !== 'number') throw bodyInvalid(at, 'a number or `null`', inner);
      return inner;
    case 'checkbox':
      return inner === true;
    case 'url': {
      if (typeof inner === 'string' && inner.length > 2000) throw bodyInvalid(`${at}.length`, '≤ `2000`', inner.length);
      return inner;
    }
    case 'email':
    case 'phone_number': {
      if (typeof inner === 'string' && inner.length > 200) throw bodyInvalid(`${at}.length`, '≤ `200`', inner.length);
      return inner;
    }
    default:
      throw invalid(`${property.name} of type ${property.type} cannot be written.`);
  }
}

/** Properties are named by name or id; each must exist and be of the type that is sent. */
export function propertyValues(source: DataSource, properties: unknown, where: string): Map<string, unknown> {
  if (!isObject(properties)) throw bodyInvalid(where, 'defined', properties);
  const result = new Map<string, unknown>();
  for (const [key, value] of Object.entries(properties)) {
    const property = source.properties.find(({ id, name }) => name === key || id === key);
    if (!property) throw invalid(`${key} is not a property that exists.`);
    result.set(property.id, propertyValue(property, value, `${where}.${key}`));
  }
  return result;
}
