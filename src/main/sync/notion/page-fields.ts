/**
 * A record as properties of a page, and back. What Notion cannot hold (a comma in a tag, a category of 200 characters,
 * the millisecond of a deletion) is kept exactly beside, in the property `Angles State`, and counts as long as the page
 * shows what that value looks like in Notion: when a person changes it there, their value is the one.
 */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { AppError } from '../../../shared/errors.ts';
import { decisionFields, memoryFields } from '../../../shared/model.ts';
import type { FieldProblem, Fields, FieldValue } from '../connector.ts';
import type { MappedProperty, Mapping } from './mapping.ts';
import type { PropertySpec, PropertyType } from './table-specs.ts';
import { chunksOf, richTextOf } from './text-blocks.ts';
import { type NotionPage, plainText, richText } from './wire.ts';

/** An option has at most 100 characters and no comma; this one looks the same. */
const MAX_OPTION_UNITS = 100;
const COMMA = '‚';

const writing = z.object({ from: z.string(), to: z.string(), atMs: z.number() });
/** What `Angles State` holds. Anything else in it counts as nothing. */
export const pageState = z.object({
  v: z.literal(1),
  exact: z.record(z.string(), z.union([z.string(), z.number(), z.null(), z.array(z.string())])).optional(),
  /** The body is being rewritten: from the text with one hash to that with another. */
  writing: writing.optional(),
});
export type PageState = z.infer<typeof pageState>;
export const EMPTY_STATE: PageState = { v: 1 };

export function parseState(text: string): PageState {
  try {
    const { success, data } = pageState.safeParse(JSON.parse(text));
    return success ? data : EMPTY_STATE;
  } catch {
    return EMPTY_STATE;
  }
}

export function formatState(state: PageState): string {
  const exact = Object.keys(state.exact ?? {}).length > 0;
  return exact || state.writing
    ? JSON.stringify({
        v: 1,
        ...(exact ? { exact: state.exact } : {}),
        ...(state.writing ? { writing: state.writing } : {}),
      })
    : '';
}

const optionOf = (text: string): string | null => {
  const [label] = chunksOf(text.replaceAll(',', COMMA).replaceAll(/\s+/g, ' ').trim(), MAX_OPTION_UNITS);
  return label?.trim() || null;
};

/** What a value looks like in Notion: what reading the page gives back. */
export function shownOf(type: PropertyType, value: FieldValue): FieldValue {
  if (type === 'multi_select') {
    const labels = (Array.isArray(value) ? (value as readonly string[]) : []).flatMap((tag) => optionOf(tag) ?? []);
    return [...new Set(labels)].slice(0, 100);
  }
  if (type === 'select') return value === null ? null : optionOf(String(value));
  if (type === 'date') return typeof value === 'number' ? new Date(value).toISOString() : value;
  return value === null ? '' : String(value);
}

/** The value that what is shown stands for when nothing else is known. */
function valueOfShown(spec: PropertySpec, shown: FieldValue): FieldValue {
  if (Array.isArray(shown)) return shown as readonly string[];
  if (shown === null || shown === '') return spec.nullable ? null : '';
  return spec.field === 'title' ? String(shown).trim() : shown;
}

/** A property value as the API takes it. */
export function propertyValue(type: PropertyType, value: FieldValue): Record<string, unknown> {
  const shown = shownOf(type, value);
  if (type === 'multi_select') return { multi_select: (shown as readonly string[]).map((name) => ({ name })) };
  if (type === 'select') return { select: shown === null ? null : { name: shown } };
  if (type === 'date') return { date: shown === null ? null : { start: shown } };
  return { [type]: richTextOf(String(shown)) };
}

const option = z.looseObject({ name: z.string() });
const dateValue = z.looseObject({ start: z.string() });

function read<T>(shape: z.ZodType<T>, value: unknown, type: string): T {
  const { success, data } = shape.safeParse(value);
  if (success) return data;
  throw new AppError('remote.bad_answer', `a property of type ${type} came in an unknown form`, { retryable: true });
}

/** What a page shows for a property, from the API's form. */
function shownOnPage(type: PropertyType, value: Record<string, unknown>): FieldValue {
  const inner = value[type];
  if (type === 'multi_select') return read(z.array(option), inner, type).map(({ name }) => name);
  if (type === 'select') return read(option.nullable(), inner, type)?.name ?? null;
  if (type === 'date') return read(dateValue.nullable(), inner, type)?.start ?? null;
  return plainText(read(richText, inner, type));
}

const RULES: Readonly<Record<string, Readonly<Record<string, z.ZodType>>>> = {
  decision_vault: decisionFields.shape,
  memories: memoryFields.shape,
};
const SHA256 = /^[0-9a-f]{64}$/;

/** Why a value makes no sense for a field; null when it does. */
function whyNot(table: string, field: string, value: FieldValue): string | null {
  if (field === 'sourceSha256' && value !== null && !SHA256.test(String(value))) return 'it is not a SHA-256';
  const rule = RULES[table]?.[field];
  if (!rule) return null;
  const result = rule.safeParse(value);
  if (result.success) return null;
  if (field === 'title') return value === '' ? 'the title is empty' : 'the title is longer than 500 characters';
  return result.error.issues[0]?.message ?? 'it is not valid';
}

export type PageRecord = {
  /** What `Angles ID` says; empty for a page that a person made. */
  readonly id: string;
  readonly fields: Fields;
  readonly problems: readonly FieldProblem[];
  readonly state: PageState;
  readonly inTrash: boolean;
};

/** The page lacks a property, or has it with another type than the mapping knows: the schema changed since it was read. */
export class StaleMapping extends AppError {
  constructor(name: string) {
    super('remote.schema', `the property "${name}" was changed or removed in Notion just now`, { retryable: true });
    this.name = 'StaleMapping';
  }
}

function findOnPage(page: NotionPage, mapped: MappedProperty): Record<string, unknown> {
  const found = Object.values(page.properties).find(({ id }) => id === mapped.id);
  if (!found || found.type !== mapped.type) throw new StaleMapping(mapped.name);
  return found;
}

const isEmpty = (shown: FieldValue): boolean =>
  shown === null || shown === '' || (Array.isArray(shown) && shown.length === 0);

/** Reads the fields of a page, without its body. */
export function readFields(mapping: Mapping, page: NotionPage): PageRecord {
  const texts = new Map<string, FieldValue>();
  for (const [field, mapped] of mapping.byField) texts.set(field, shownOnPage(mapped.type, findOnPage(page, mapped)));
  const state = parseState(String(texts.get('state') ?? ''));
  const fields: Record<string, FieldValue> = {};
  const problems: FieldProblem[] = [];
  for (const [field, { spec, type, isReplaced }] of mapping.byField) {
    if (field === 'id' || field === 'state') continue;
    const shown = texts.get(field) ?? null;
    // Not what a person emptied, but what the next push of the record fills again.
    if (isReplaced && isEmpty(shown)) continue;
    const exact = state.exact?.[field];
    const kept = exact !== undefined && isDeepStrictEqual(shownOf(type, exact), shown);
    // A person may give a time besides the day, or a range: the day it begins is what we hold.
    const seen = field === 'date' && typeof shown === 'string' ? shown.slice(0, 10) : shown;
    const value = kept ? exact : valueOfShown(spec, seen);
    const reason = whyNot(mapping.spec.table, field, value);
    if (reason === null) fields[field] = value;
    else problems.push({ field, value: Array.isArray(value) ? value.join(', ') : String(value ?? ''), reason });
  }
  const inTrash = page.in_trash === true || page.archived === true;
  if (mapping.spec.body !== null) {
    const exact = state.exact?.deletedAtMs;
    fields.deletedAtMs = inTrash ? (typeof exact === 'number' ? exact : Date.parse(page.last_edited_time)) : null;
  }
  return { id: String(texts.get('id') ?? '').trim(), fields, problems, state, inTrash };
}

/** The exact values that have to be kept beside for these fields, on top of those kept already. */
export function exactOf(mapping: Mapping, fields: Fields, before: PageState): NonNullable<PageState['exact']> {
  const exact: Record<string, string | number | null | string[]> = { ...before.exact };
  for (const [field, value] of Object.entries(fields)) {
    const mapped = mapping.byField.get(field);
    delete exact[field];
    if (field === 'deletedAtMs') {
      if (typeof value === 'number') exact.deletedAtMs = value;
    } else if (mapped && !isDeepStrictEqual(valueOfShown(mapped.spec, shownOf(mapped.type, value)), value)) {
      exact[field] = Array.isArray(value) ? [...(value as readonly string[])] : (value as string | number | null);
    }
  }
  return exact;
}

export const hashOf = (text: string): string => createHash('sha256').update(text, 'utf16le').digest('hex').slice(0, 24);

/** Changes whenever a mapped property does. The body has a hash of its own: it is read only when it is needed. */
export function fieldsHash(fields: Fields, problems: readonly FieldProblem[], body: string | null): string {
  const sorted = Object.entries(fields)
    .filter(([field]) => field !== body)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return hashOf(JSON.stringify([sorted, problems.map(({ field, value }) => [field, value])]));
}
