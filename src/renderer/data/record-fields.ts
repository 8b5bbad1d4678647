/** A record as the texts of a form, and back: only what was changed is sent. */
import type { DecisionFields, EditableRecord, MemoryFields } from '../../shared/model.ts';

/** The texts of a form, by field name. Tags are separated by commas. */
export type FormTexts = Readonly<Record<string, string>>;

const COMMON = { title: '', category: '', tags: '' };
const NEW_DECISION: FormTexts = { ...COMMON, decision: '', type: '', status: 'proposed', priority: 'medium', date: '' };
const NEW_MEMORY: FormTexts = { ...COMMON, content: '', kind: 'note', status: 'active' };

export const emptyTexts = (table: EditableRecord['table']): FormTexts =>
  table === 'decision_vault' ? NEW_DECISION : NEW_MEMORY;

export function textsOf(record: EditableRecord): FormTexts {
  const { title, category, status } = record;
  const common = { title, category, status, tags: record.tags.join(', ') };
  return record.table === 'decision_vault'
    ? { ...common, decision: record.decision, type: record.type, priority: record.priority, date: record.date ?? '' }
    : { ...common, content: record.content, kind: record.kind };
}

export const splitTags = (text: string): string[] => [
  ...new Set(
    text
      .split(',')
      .map((tag) => tag.trim())
      .filter((tag) => tag !== ''),
  ),
];

/** The fields whose text differs from `before`, in the form of the contract. The agent checks every value. */
export function changedFields(texts: FormTexts, before: FormTexts): Record<string, unknown> {
  const changed = Object.entries(texts).filter(([field, value]) => value !== before[field]);
  return Object.fromEntries(
    changed.map(([field, value]) => {
      if (field === 'tags') return [field, splitTags(value)];
      if (field === 'date') return [field, value === '' ? null : value];
      return [field, value];
    }),
  );
}

export type SomeDecisionFields = Partial<DecisionFields>;
export type SomeMemoryFields = Partial<MemoryFields>;
