/** The two kinds of records that people write, and the fields that options give them. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Option } from 'commander';
import { AppError } from '../../../shared/errors.ts';
import type { DecisionFields, MemoryFields } from '../../../shared/model.ts';
import { DECISION_STATUSES, MEMORY_KINDS, MEMORY_STATUSES, PRIORITIES } from './choices.ts';
import type { Context } from './context.ts';
import { choice, list } from './define.ts';

/** What differs between the two tables that people write. */
export type Noun = {
  readonly name: 'decisions' | 'memories';
  readonly one: string;
  readonly table: 'decision_vault' | 'memories';
  readonly textField: 'decision' | 'content';
  readonly example: string;
};
export const DECISIONS: Noun = {
  name: 'decisions',
  one: 'decision',
  table: 'decision_vault',
  textField: 'decision',
  example: 'Use SQLite for the vault',
};
export const MEMORIES: Noun = {
  name: 'memories',
  one: 'memory',
  table: 'memories',
  textField: 'content',
  example: 'Mira prefers short answers',
};

export type FieldOptions = {
  title?: string;
  text?: string;
  file?: string;
  status?: string;
  category?: string;
  priority?: string;
  type?: string;
  kind?: string;
  date?: string;
  tag: string[];
  ifChangeSeq?: number;
};
export function fieldOptions(noun: Noun): Option[] {
  const common = [
    new Option('--text <text>', 'its text'),
    new Option('--file <path>', 'read its text from a file; - reads the standard input').conflicts('text'),
    new Option('--category <name>', 'its category'),
    list('--tag <tag>', 'a tag; may be repeated, and replaces all tags'),
  ];
  if (noun === MEMORIES) {
    return [
      ...common,
      choice('--kind <kind>', 'what it is', MEMORY_KINDS),
      choice('--status <status>', 'its status', MEMORY_STATUSES),
    ];
  }
  return [
    ...common,
    choice('--status <status>', 'its status', DECISION_STATUSES),
    choice('--priority <priority>', 'how much it matters', PRIORITIES),
    new Option('--type <type>', 'its type, such as architecture'),
    new Option('--date <day>', 'the day it was made, such as 2026-11-20'),
  ];
}

/** The fields that were given; text comes from `--text`, a file or the standard input. */
export async function readFields(
  context: Context,
  noun: Noun,
  options: FieldOptions,
): Promise<Partial<DecisionFields & MemoryFields>> {
  const { title, status, category, priority, type, kind, date, tag } = options;
  const text = options.file === undefined ? options.text : await readText(context, options.file);
  const given = {
    title,
    status,
    category,
    priority,
    type,
    kind,
    date,
    [noun.textField]: text,
    tags: tag.length === 0 ? undefined : tag,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

async function readText(context: Context, file: string): Promise<string> {
  if (file === '-') return context.io.readStdin();
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(resolve(context.io.cwd, file)));
  } catch (cause) {
    throw new AppError('usage.bad_argument', `${file} cannot be read as text: ${(cause as Error).message}`, { cause });
  }
}
