/** Conflicts as a person reads them: values in words, what is chosen unless somebody chooses, what goes together. */
import type { Conflict } from '../../shared/contract-sync.ts';
import { splitTags } from './record-fields.ts';
import { formatFull } from './time.ts';

export type ConflictAnswer = 'mine' | 'theirs' | 'both' | 'edited';

/** A value of a field as text. Empty for what is not set. */
export function valueText(field: string, value: unknown): string {
  if (value === null || value === undefined || value === '') return '';
  if (field === 'deletedAtMs') return typeof value === 'number' ? formatFull(value) : '';
  if (Array.isArray(value)) return value.map(String).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The choice that is marked: what is in force already, where that is a choice. */
export const defaultAnswer = ({ winner, choices }: Pick<Conflict, 'winner' | 'choices'>): ConflictAnswer =>
  choices.includes(winner) ? winner : (choices[0] ?? 'mine');

/** An edited text in the form of the field. */
export function editedValue(field: string, text: string): unknown {
  if (field === 'tags') return splitTags(text);
  return field === 'date' && text.trim() === '' ? null : text;
}

/** What both answers can be given to at once: every conflict takes `mine`, not every one takes the others. */
export function answersForAll(conflicts: readonly Pick<Conflict, 'choices'>[]): readonly ConflictAnswer[] {
  return (['mine', 'theirs', 'both'] as const).filter(
    (answer) => conflicts.length > 0 && conflicts.every((one) => one.choices.includes(answer)),
  );
}

/** Ids in the portions that one call takes. */
export function inPortions<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
