import { AppError } from '../../shared/errors.ts';
import type { DecisionFields, EditableRecord, FieldChange, MemoryFields } from '../../shared/model.ts';

export type EditableTable = EditableRecord['table'];

/** Some fields of a record as a caller gives them; what is undefined is not given. */
export type GivenFields = { readonly [K in keyof DecisionFields | keyof MemoryFields]?: unknown };

const DECISION_DEFAULTS: DecisionFields = {
  title: '',
  decision: '',
  type: 'decision',
  category: 'general',
  status: 'proposed',
  priority: 'medium',
  tags: [],
  date: null,
};
const MEMORY_DEFAULTS: MemoryFields = {
  title: '',
  content: '',
  kind: 'note',
  category: 'general',
  status: 'active',
  tags: [],
};

/** What a person writes of a record, in the order in which it is shown. */
const WRITTEN_FIELDS: Readonly<Record<EditableTable, readonly string[]>> = {
  decision_vault: Object.keys(DECISION_DEFAULTS),
  memories: Object.keys(MEMORY_DEFAULTS),
};
/** What else can change of a record; the history has these too. */
const KEPT_FIELDS = ['sourcePath', 'sourceSha256', 'supersedes', 'deletedAtMs'] as const;

/** What every record has besides the fields of its table. */
export type RecordCommon = Omit<EditableRecord, 'table' | keyof DecisionFields | keyof MemoryFields>;

/** A record with the given fields, and defaults for the others. */
export function newRecord(table: EditableTable, common: RecordCommon, fields: GivenFields): EditableRecord {
  switch (table) {
    case 'decision_vault':
      return withFields({ ...common, table, ...DECISION_DEFAULTS }, fields);
    case 'memories':
      return withFields({ ...common, table, ...MEMORY_DEFAULTS }, fields);
  }
}

/**
 * The record with the given fields in place of its own.
 * Throws `record.invalid`, naming the field, for text that a database could not give back unchanged.
 */
export function withFields(record: EditableRecord, fields: GivenFields): EditableRecord {
  const given = Object.entries(fields).filter(
    ([field, value]) => value !== undefined && WRITTEN_FIELDS[record.table].includes(field),
  );
  const next = given.map(([field, value]) => {
    assertStorable(field, value);
    return [field, field === 'tags' && Array.isArray(value) ? [...new Set(value)] : value];
  });
  // The carrier has checked the values; only fields of this record's table get here.
  return { ...record, ...Object.fromEntries(next) } as EditableRecord;
}

/** The fields a person writes, for a record that takes over from this one. */
export function writtenFields(record: EditableRecord): GivenFields {
  const values: Readonly<Record<string, unknown>> = record;
  return Object.fromEntries(WRITTEN_FIELDS[record.table].map((field) => [field, values[field]]));
}

/** What differs, field by field; null is the record before it existed. Equal values are no change. */
export function changedFields(
  before: EditableRecord | null,
  after: EditableRecord,
): readonly Pick<FieldChange, 'field' | 'before' | 'after'>[] {
  const old: Readonly<Record<string, unknown>> = before ?? {};
  const now: Readonly<Record<string, unknown>> = after;
  return [...WRITTEN_FIELDS[after.table], ...KEPT_FIELDS].flatMap((field) => {
    const change = { field, before: old[field] ?? null, after: now[field] ?? null };
    return JSON.stringify(change.before) === JSON.stringify(change.after) ? [] : [change];
  });
}

function assertStorable(field: string, value: unknown): void {
  for (const text of Array.isArray(value) ? value : [value]) {
    if (typeof text !== 'string') continue;
    if (text.includes('\u0000')) throw invalid(field, 'a NUL character');
    if (!text.isWellFormed()) throw invalid(field, 'half of a surrogate pair, which is not a character');
  }
}

function invalid(field: string, what: string): AppError {
  return new AppError('record.invalid', `The field ${field} contains ${what}.`, {
    hint: `Remove it from the field ${field}.`,
  });
}
