import { type Command, Option } from 'commander';
import type { MethodInput, MethodOutput } from '../../../shared/contract.ts';
import type { Conflict } from '../../../shared/contract-sync.ts';
import { AppError } from '../../../shared/errors.ts';
import type { Remote } from '../../../shared/model.ts';
import { CONFLICT_CHOICES, REMOTES } from './choices.ts';
import type { Context } from './context.ts';
import { choice, count, define, describe, type Runner } from './define.ts';
import { displayText, oneLine, plural, shortId, when, whenShort } from './format.ts';

type ListOptions = { all?: boolean; resolved?: boolean; only?: Remote; limit: number };
type ResolveOptions = { take?: 'mine' | 'theirs' | 'both'; value?: string; all?: boolean };

export function addConflicts(program: Command, runner: Runner): void {
  const group = program.command('conflicts');
  describe(group, {
    summary: 'Decide what two sides say differently',
    examples: ['angles conflicts', 'angles conflicts show 4f1c22ab', 'angles conflicts resolve 4f1c22ab --take mine'],
    notes: 'The newer value is in force already, and the other one is kept: nothing is lost while you do not decide.',
  });
  addReading(group, runner);
  addDeciding(group, runner);
}

function addReading(group: Command, runner: Runner): void {
  define<ListOptions>(
    group,
    runner,
    {
      usage: 'list',
      summary: 'List the open conflicts (the default)',
      examples: ['angles conflicts list --only notion', 'angles conflicts list --all --json'],
      options: [
        choice('--only <service>', 'only of this service', REMOTES),
        new Option('--resolved', 'the decided ones'),
        new Option('--all', 'open and decided ones'),
        count('--limit <n>', 'at most so many (up to 1000)', 100),
      ],
    },
    (context, _, options) =>
      context.withAgent(async (client) => {
        const answer = await client.call('conflicts.list', {
          state: options.all ? 'all' : options.resolved ? 'resolved' : 'open',
          limit: Math.min(options.limit, 1_000),
          ...(options.only === undefined ? {} : { remote: options.only }),
        });
        context.answer(answer, () =>
          answer.conflicts.length === 0 ? ['There are no conflicts.'] : listLines(context, answer.conflicts),
        );
        if (answer.next !== null) context.say('There are more: use --limit to see them.');
      }),
  );
  define(
    group,
    runner,
    {
      usage: 'show <id>',
      summary: 'Show what both sides say',
      examples: ['angles conflicts show 4f1c22ab'],
    },
    (context, [id = '']) =>
      context.withAgent(async (client) => {
        const answer = await client.call('conflicts.show', { id: requireId(id) });
        context.answer(answer, () => describeConflict(context, answer));
      }),
  );
}

function addDeciding(group: Command, runner: Runner): void {
  define<ResolveOptions>(
    group,
    runner,
    {
      usage: 'resolve [ids...]',
      summary: 'Decide conflicts: take one side, both, or a value of your own',
      examples: [
        'angles conflicts resolve 4f1c22ab --take mine',
        'angles conflicts resolve --all --take theirs',
        'angles conflicts resolve 4f1c22ab --value "Use SQLite"',
      ],
      options: [
        choice('--take <side>', 'the value of this vault, of the service, or both joined', CONFLICT_CHOICES),
        new Option('--value <text>', 'a value of your own').conflicts('take'),
        new Option('--all', 'every open conflict'),
      ],
    },
    (context, ids, options) =>
      context.withAgent(async (client) => {
        const decision = decisionOf(options);
        const open = options.all ? (await client.call('conflicts.list', { limit: 1_000 })).conflicts : [];
        const chosen = options.all ? open.map((conflict) => conflict.id) : ids.map(requireId);
        if (chosen.length === 0 && !options.all) throw new AppError('usage.bad_argument', 'Give ids, or --all.');
        if (chosen.length === 0) {
          context.answer({ resolved: [], failed: [] }, () => ['There are no conflicts.']);
          return 0;
        }
        const answer = await client.call('conflicts.resolve', { ids: chosen, ...decision, origin: 'cli' });
        context.answer(answer, () => [
          `${plural(answer.resolved.length, 'conflict')} decided. \`angles conflicts undo ID\` takes it back.`,
          ...failures(answer.failed),
        ]);
        return answer.failed.length > 0 ? 1 : 0;
      }),
  );
  define(
    group,
    runner,
    {
      usage: 'undo <ids...>',
      summary: 'Take a decision back: the value before it is in force again',
      examples: ['angles conflicts undo 4f1c22ab'],
    },
    (context, ids) =>
      context.withAgent(async (client) => {
        const answer = await client.call('conflicts.undo', { ids: ids.map(requireId), origin: 'cli' });
        context.answer(answer, () => [
          `${plural(answer.undone.length, 'conflict')} opened again.`,
          ...failures(answer.failed),
        ]);
        return answer.failed.length > 0 ? 1 : 0;
      }),
  );
}

type Decision = Pick<MethodInput<'conflicts.resolve'>, 'choice' | 'value'>;

function decisionOf({ take, value }: ResolveOptions): Decision {
  if (value !== undefined) return { choice: 'edited', value: parseValue(value) };
  if (take === undefined)
    throw new AppError('usage.bad_argument', 'Say what is to be in force.', {
      hint: 'Add --take mine, --take theirs, --take both, or --value TEXT.',
    });
  return { choice: take };
}

/** A list of tags is given as JSON; everything else is the text itself. */
function parseValue(text: string): unknown {
  if (!text.startsWith('[')) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const failures = (failed: MethodOutput<'conflicts.resolve'>['failed']): string[] =>
  failed.map(({ id, message }) => `${shortId(id)}: ${oneLine(message)}`);

function listLines(context: Context, conflicts: readonly Conflict[]): string[] {
  return context.table(
    [
      { title: 'ID' },
      { title: 'FOUND' },
      { title: 'SERVICE' },
      { title: 'FIELD' },
      { title: 'IN FORCE' },
      { title: 'RECORD', cut: 'end' },
    ],
    conflicts.map((one) => [
      shortId(one.id),
      whenShort(context, one.detectedAtMs),
      one.remote,
      one.kind === 'invalid' ? `${one.field} (makes no sense)` : one.field,
      one.resolution ?? one.winner,
      oneLine(one.recordTitle),
    ]),
  );
}

function describeConflict(context: Context, { conflict, others }: MethodOutput<'conflicts.show'>): string[] {
  const { style } = context;
  const side = (name: string, value: unknown, atMs: number | null, isWinner: boolean): string[] => [
    `${style.bold(name)}${atMs === null ? '' : style.dim(` (edited ${when(context, atMs)})`)}${isWinner ? style.green(' in force') : ''}`,
    ...textOf(value).map((line) => `  ${line}`),
  ];
  return [
    `${conflict.field} of "${oneLine(conflict.recordTitle)}" (${conflict.table} ${conflict.recordId})`,
    ...(conflict.reason === null ? [] : [oneLine(conflict.reason)]),
    '',
    ...side('Here', conflict.mine, conflict.mineEditedAtMs, conflict.winner === 'mine'),
    '',
    ...side(conflict.remote, conflict.theirs, conflict.theirsEditedAtMs, conflict.winner === 'theirs'),
    '',
    ...side('Before', conflict.base, null, false),
    '',
    conflict.resolution === null
      ? `Decide: angles conflicts resolve ${shortId(conflict.id)} ${conflict.choices.map((one) => (one === 'edited' ? '--value TEXT' : `--take ${one}`)).join(' | ')}`
      : `Decided: ${conflict.resolution}, ${when(context, conflict.resolvedAtMs)}${conflict.canUndo ? `; take it back with angles conflicts undo ${shortId(conflict.id)}` : ''}`,
    ...(others.length === 0
      ? []
      : [
          `${plural(others.length, 'more open conflict')} of this record: ${others.map((one) => `${one.field} (${shortId(one.id)})`).join(', ')}`,
        ]),
  ];
}

function textOf(value: unknown): string[] {
  if (value === null || value === undefined) return ['(nothing)'];
  if (typeof value === 'string') return value === '' ? ['(empty)'] : value.split('\n').map(displayText);
  return [displayText(JSON.stringify(value))];
}

function requireId(id: string): string {
  if (id.length < 6) throw new AppError('usage.bad_argument', 'Give at least 6 characters of the id.');
  return id;
}
