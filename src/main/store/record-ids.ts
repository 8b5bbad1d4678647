import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import type { EditableRecord } from '../../shared/model.ts';
import type { EditableTable } from './record-fields.ts';
import type { RecordRows } from './record-rows.ts';
import { titleOf } from './record-summary.ts';

const SHORTEST_PART = 6;
const CANDIDATES = 5;

/**
 * The record with this id, or the only one whose id begins or ends like this.
 * Throws `not_found.record`, or `ambiguous.id` with the candidates in its message.
 */
export function resolveRecord(rows: RecordRows, table: EditableTable, id: string): EditableRecord {
  const exact = rows.get(id);
  if (exact !== undefined) return exact;
  const part = id.toLowerCase();
  const found = part.length < SHORTEST_PART ? [] : rows.like(part, CANDIDATES + 1);
  const [only] = found;
  if (only === undefined) {
    const noun = table === 'memories' ? 'memory' : 'decision';
    throw new AppError('not_found.record', `There is no ${noun} with the id ${quoted(id)}.`, {
      ...(part.length < SHORTEST_PART ? { hint: `Give at least ${SHORTEST_PART} characters of the id.` } : {}),
    });
  }
  if (found.length > 1) {
    const names = found.slice(0, CANDIDATES).map((record) => `${record.id} (${titleOf(record)})`);
    const more = found.length > CANDIDATES ? ', and more' : '';
    throw new AppError('ambiguous.id', `${quoted(id)} may be ${names.join(', ')}${more}.`, {
      hint: 'Give more characters, from the beginning or the end of the id.',
    });
  }
  return only;
}

function quoted(text: string): string {
  return `"${displayPath(text)}"`;
}
