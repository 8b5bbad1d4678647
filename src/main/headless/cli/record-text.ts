import type { MethodOutput } from '../../../shared/contract.ts';
import type { FieldChange } from '../../../shared/model.ts';
import type { Context } from './context.ts';
import { displayPath, displayText, shortId, when } from './format.ts';

/** A record with its text and the history of its fields. */
export function describeRecord(
  context: Context,
  { record, history, supersededBy }: MethodOutput<'records.show'>,
): string[] {
  const { style } = context;
  const own =
    record.table === 'decision_vault'
      ? [
          ['Type', record.type],
          ['Priority', record.priority],
          ['Date', record.date ?? ''],
        ]
      : [['Kind', record.kind]];
  const facts: readonly (readonly string[])[] = [
    ['Id', record.id],
    [
      'Status',
      record.deletedAtMs === null ? record.status : `${record.status}, retired ${when(context, record.deletedAtMs)}`,
    ],
    ...own,
    ['Category', record.category],
    ['Tags', record.tags.join(', ')],
    ['Source', record.sourcePath === null ? '' : displayPath(record.sourcePath)],
    ['Replaces', record.supersedes === null ? '' : shortId(record.supersedes)],
    ['Replaced by', supersededBy === null ? '' : shortId(supersededBy)],
    ['Written', `${when(context, record.createdAtMs)} (${record.origin})`],
    ['Changed', `${when(context, record.updatedAtMs)} (change ${record.changeSeq})`],
  ];
  const text = record.table === 'decision_vault' ? record.decision : record.content;
  return [
    style.bold(displayText(record.title)),
    ...facts
      .filter(([, value]) => value !== '')
      .map(([name = '', value = '']) => `${style.dim(name.padEnd(12))} ${displayText(value)}`),
    ...(text === '' ? [] : ['', displayText(text).replace(/\n$/, '')]),
    ...(history.length === 0 ? [] : ['', style.bold('History')]),
    ...history.map(
      (change) =>
        `${style.dim(when(context, change.changedAtMs))}  ${describeChange(change)} ${style.dim(`(${change.origin})`)}`,
    ),
  ];
}

function describeChange({ field, before, after }: FieldChange): string {
  if (before === null) return `${field}: ${short(after)}`;
  return `${field}: ${short(before)} -> ${short(after)}`;
}

function short(value: unknown): string {
  const text = displayPath(typeof value === 'string' ? value : JSON.stringify(value));
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
