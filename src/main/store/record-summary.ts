import { displayPath } from '../../shared/display.ts';
import { assertNever } from '../../shared/errors.ts';
import type { ActivityKind, EditableRecord } from '../../shared/model.ts';

const MAX_TITLE = 80;

/** `The decision "Use SQLite"`, safe to show and of a length that fits a line. */
export function titleOf(record: EditableRecord): string {
  const characters = [...displayPath(record.title)];
  const title = characters.length <= MAX_TITLE ? characters : [...characters.slice(0, MAX_TITLE - 1), '…'];
  return `The ${record.table === 'memories' ? 'memory' : 'decision'} "${title.join('')}"`;
}

/** The sentence of a record's activity. `heir` is the record that takes its place. */
export function recordSummary(
  kind: Extract<ActivityKind, `record.${string}`>,
  record: EditableRecord,
  changedFields: readonly string[],
  heir?: EditableRecord,
): string {
  switch (kind) {
    case 'record.created':
      return `${titleOf(record)} was created`;
    case 'record.edited':
      return `${titleOf(record)} was edited: ${changedFields.join(', ')}`;
    case 'record.retired':
      return `${titleOf(record)} was retired`;
    case 'record.restored':
      return `${titleOf(record)} was brought back`;
    case 'record.superseded':
      return heir === undefined || heir.title === record.title
        ? `${titleOf(record)} was superseded by a new version`
        : `${titleOf(record)} was superseded by ${titleOf(heir).replace(/^The (decision|memory) /, '')}`;
    default:
      return assertNever(kind);
  }
}
