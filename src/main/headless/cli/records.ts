import { type Command, Option } from 'commander';
import type { MethodInput } from '../../../shared/contract.ts';
import { AppError } from '../../../shared/errors.ts';
import type { DecisionFields, EditableRecord, MemoryFields } from '../../../shared/model.ts';
import { DECISION_STATUSES, MEMORY_STATUSES } from './choices.ts';
import type { Context } from './context.ts';
import { choice, count, define, describe, type Runner } from './define.ts';
import { oneLine, shortId, whenShort } from './format.ts';
import { DECISIONS, type FieldOptions, fieldOptions, MEMORIES, type Noun, readFields } from './record-fields.ts';
import { describeRecord } from './record-text.ts';

type ListOptions = { status?: string; category?: string; tag?: string; all?: boolean; limit: number };

export function addRecords(program: Command, runner: Runner): void {
  for (const noun of [DECISIONS, MEMORIES]) {
    const group = program.command(noun.name);
    describe(group, {
      summary: `List, write and look back at ${noun.name}`,
      examples: [
        `angles ${noun.name}`,
        `angles ${noun.name} add "${noun.example}" --tag style`,
        `angles ${noun.name} show 4f1c22ab`,
      ],
    });
    addReading(group, runner, noun);
    addWriting(group, runner, noun);
    addRetiring(group, runner, noun);
  }
}

function addReading(group: Command, runner: Runner, noun: Noun): void {
  const statuses = noun === DECISIONS ? DECISION_STATUSES : MEMORY_STATUSES;
  define<ListOptions>(
    group,
    runner,
    {
      usage: 'list',
      summary: `List ${noun.name} (the default)`,
      examples: [`angles ${noun.name} list --tag style`, `angles ${noun.name} list --all --json`],
      options: [
        choice('--status <status>', 'only of this status', statuses),
        new Option('--category <name>', 'only of this category'),
        new Option('--tag <tag>', 'only with this tag'),
        new Option('--all', 'retired ones too'),
        count('--limit <n>', 'at most so many (up to 1000)', 100),
      ],
    },
    (context, _, options) =>
      context.withAgent(async (client) => {
        const answer = await client.call('records.list', {
          table: noun.table,
          limit: Math.min(options.limit, 1_000),
          ...(options.status === undefined ? {} : { status: options.status }),
          ...(options.category === undefined ? {} : { category: options.category }),
          ...(options.tag === undefined ? {} : { tag: options.tag }),
          ...(options.all ? { includeRetired: true } : {}),
        });
        context.answer(answer, () =>
          answer.records.length === 0 ? [`There are no ${noun.name} that match.`] : listLines(context, answer.records),
        );
        if (answer.next !== null) context.say('There are more: use --limit to see them.');
      }),
  );
  define(
    group,
    runner,
    {
      usage: 'show <id>',
      summary: `Show a ${noun.one} with every value its fields ever had`,
      examples: [`angles ${noun.name} show 4f1c22ab`],
    },
    (context, [id = '']) =>
      context.withAgent(async (client) => {
        const answer = await client.call('records.show', { table: noun.table, id: requireId(id) });
        context.answer(answer, () => describeRecord(context, answer));
      }),
  );
}

function listLines(context: Context, records: readonly EditableRecord[]): string[] {
  return context.table(
    [
      { title: 'ID' },
      { title: 'STATUS' },
      { title: 'TITLE', cut: 'start' },
      { title: 'CATEGORY', cut: 'start' },
      { title: 'TAGS', cut: 'start' },
      { title: 'CHANGED' },
    ],
    records.map((record) => [
      shortId(record.id),
      record.deletedAtMs === null ? record.status : 'retired',
      oneLine(record.title),
      oneLine(record.category),
      oneLine(record.tags.join(', ')),
      whenShort(context, record.updatedAtMs),
    ]),
  );
}

function addWriting(group: Command, runner: Runner, noun: Noun): void {
  define<FieldOptions>(
    group,
    runner,
    {
      usage: 'add <title>',
      summary: `Write a new ${noun.one}`,
      examples: [
        `angles ${noun.name} add "${noun.example}" --text "Because ..."`,
        `cat why.md | angles ${noun.name} add "${noun.example}" --file -`,
      ],
      options: fieldOptions(noun),
    },
    (context, [title = ''], options) =>
      context.withAgent(async (client) => {
        const fields = { ...(await readFields(context, noun, options)), title };
        const input = { table: noun.table, fields, origin: 'cli' } as MethodInput<'records.create'>;
        const answer = await client.call('records.create', input);
        context.answer(answer, () => [
          `Saved ${noun.one} ${shortId(answer.record.id)}: ${oneLine(answer.record.title)}`,
        ]);
      }),
  );
  define<FieldOptions>(
    group,
    runner,
    {
      usage: 'edit <id>',
      summary: `Change fields of a ${noun.one}; what they held before stays in its history`,
      examples: [
        `angles ${noun.name} edit 4f1c22ab --tag style`,
        `angles ${noun.name} edit 4f1c22ab --file new-text.md`,
      ],
      notes: 'Without any field it opens the text in your $EDITOR.',
      options: [
        new Option('--title <title>', 'a new title'),
        ...fieldOptions(noun),
        count('--if-change-seq <n>', 'fail when the record was changed since this change number'),
      ],
    },
    (context, [id = ''], options) => context.withAgent((client) => edit(context, noun, requireId(id), options, client)),
  );
  define<FieldOptions>(
    group,
    runner,
    {
      usage: 'supersede <id>',
      summary: `Write a new ${noun.one} in the place of an old one, which stays readable`,
      examples: [`angles ${noun.name} supersede 4f1c22ab --title "${noun.example}, again" --file -`],
      options: [new Option('--title <title>', 'the title of the new one'), ...fieldOptions(noun)],
    },
    (context, [id = ''], options) =>
      context.withAgent(async (client) => {
        const fields = await readFields(context, noun, options);
        const input = {
          table: noun.table,
          id: requireId(id),
          fields,
          origin: 'cli',
        } as MethodInput<'records.supersede'>;
        const answer = await client.call('records.supersede', input);
        context.answer(answer, () => [
          `Saved ${noun.one} ${shortId(answer.record.id)} in the place of ${shortId(answer.superseded.id)}: ${oneLine(answer.record.title)}`,
        ]);
      }),
  );
}

async function edit(
  context: Context,
  noun: Noun,
  id: string,
  options: FieldOptions,
  client: Parameters<Parameters<Context['withAgent']>[0]>[0],
): Promise<number> {
  const given = await readFields(context, noun, options);
  let fields: Partial<DecisionFields & MemoryFields> = given;
  let ifChangeSeq = options.ifChangeSeq;
  if (Object.keys(given).length === 0) {
    const { record } = await client.call('records.show', { table: noun.table, id });
    const before = record.table === 'decision_vault' ? record.decision : record.content;
    const after = context.global.input && !context.global.json ? await context.io.editText(before) : null;
    if (after === null)
      throw new AppError('usage.bad_argument', 'No field to change was given.', {
        hint: 'Give a field, such as --text, --file or --title.',
      });
    if (after === before) {
      context.say('Nothing was changed.');
      return 0;
    }
    fields = { [noun.textField]: after };
    // The editor was open for a while: what somebody else saved meanwhile is not overwritten.
    ifChangeSeq = record.changeSeq;
  }
  const input = { table: noun.table, id, fields, origin: 'cli', ...(ifChangeSeq === undefined ? {} : { ifChangeSeq }) };
  const answer = await client.call('records.edit', input as MethodInput<'records.edit'>);
  context.answer(answer, () => [`Saved ${noun.one} ${shortId(answer.record.id)}: ${oneLine(answer.record.title)}`]);
  return 0;
}

function addRetiring(group: Command, runner: Runner, noun: Noun): void {
  const verbs = [
    {
      verb: 'retire',
      retired: true,
      summary: `Retire a ${noun.one}: it leaves the lists and stays readable`,
      done: 'Retired',
    },
    { verb: 'restore', retired: false, summary: `Bring a retired ${noun.one} back`, done: 'Restored' },
  ] as const;
  for (const { verb, retired, summary, done } of verbs) {
    define(
      group,
      runner,
      { usage: `${verb} <id>`, summary, examples: [`angles ${noun.name} ${verb} 4f1c22ab`] },
      (context, [id = '']) =>
        context.withAgent(async (client) => {
          const answer = await client.call('records.retire', {
            table: noun.table,
            id: requireId(id),
            retired,
            origin: 'cli',
          });
          context.answer(answer, () => [
            `${done} ${noun.one} ${shortId(answer.record.id)}: ${oneLine(answer.record.title)}`,
          ]);
        }),
    );
  }
}

function requireId(id: string): string {
  if (/^[0-9a-f-]{6,36}$/i.test(id)) return id.toLowerCase();
  throw new AppError('usage.bad_argument', `"${id}" is not an id.`, {
    hint: 'Give the id as the list shows it, or at least 6 characters of it.',
  });
}
