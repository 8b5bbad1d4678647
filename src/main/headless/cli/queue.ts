import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { AgentClient, MethodOutput } from '../../../shared/contract.ts';
import type { QueueEntry, QueueKey } from '../../../shared/contract-sync.ts';
import { AppError } from '../../../shared/errors.ts';
import type { Remote } from '../../../shared/model.ts';
import { QUEUE_STATES, REMOTES } from './choices.ts';
import type { Context } from './context.ts';
import { choice, confirm, count, define, describe, type Runner, yesOption } from './define.ts';
import { ago, displayPath, displayText, formatBytes, oneLine, plural, shortId } from './format.ts';

type ListOptions = { only?: Remote; state?: QueueEntry['state']; limit: number };
type PickOptions = { only?: Remote; export?: string };

export function addQueue(program: Command, runner: Runner): void {
  const group = program.command('queue');
  describe(group, {
    summary: 'Look at what waits to be sent, and at what was set aside',
    examples: ['angles queue', 'angles queue show 4f1c22ab', 'angles queue retry'],
  });
  addReading(group, runner);
  addChanging(group, runner);
}

function addReading(group: Command, runner: Runner): void {
  define<ListOptions>(
    group,
    runner,
    {
      usage: 'list',
      summary: 'List what waits, oldest first (the default)',
      examples: ['angles queue list --state parked', 'angles queue list --only notion --json'],
      options: [
        choice('--only <service>', 'only for this service', REMOTES),
        choice('--state <state>', 'pending, leased (being sent) or parked (set aside)', QUEUE_STATES),
        count('--limit <n>', 'at most so many (up to 1000)', 100),
      ],
    },
    (context, _, options) =>
      context.withAgent(async (client) => {
        const answer = await client.call('queue.list', {
          limit: Math.min(options.limit, 1_000),
          ...(options.only === undefined ? {} : { remote: options.only }),
          ...(options.state === undefined ? {} : { state: options.state }),
        });
        context.answer(answer, () =>
          answer.entries.length === 0 ? ['Nothing waits.'] : listLines(context, answer.entries),
        );
        if (answer.next !== null) context.say(`These are the first of ${plural(answer.total, 'entry', 'entries')}.`);
      }),
  );
  define<PickOptions>(
    group,
    runner,
    {
      usage: 'show <id>',
      summary: 'Show exactly what would be sent to whom, secrets taken out',
      examples: ['angles queue show 4f1c22ab', 'angles queue show 4f1c22ab --only notion --json'],
      options: [choice('--only <service>', 'only for this service', REMOTES)],
    },
    (context, [id = ''], options) =>
      context.withAgent(async (client) => {
        const answer = await find(client, id, options);
        context.answer(answer, () => answer.entries.flatMap((one) => describeEntry(context, one)));
      }),
  );
}

function addChanging(group: Command, runner: Runner): void {
  define<PickOptions>(
    group,
    runner,
    {
      usage: 'retry [ids...]',
      summary: 'Try again what was set aside; without ids all of it',
      examples: ['angles queue retry', 'angles queue retry 4f1c22ab'],
      options: [choice('--only <service>', 'only for this service', REMOTES)],
    },
    (context, ids, options) =>
      context.withAgent(async (client) => {
        const answer = await client.call('queue.retry', {
          ...(ids.length === 0 ? {} : { keys: await keysOf(client, ids, options) }),
          ...(options.only === undefined ? {} : { remote: options.only }),
        });
        context.answer(answer, () => [`${plural(answer.retried, 'entry', 'entries')} will be tried again.`]);
      }),
  );
  define<PickOptions>(
    group,
    runner,
    {
      usage: 'discard <ids...>',
      summary: 'Never send what was set aside; it is written to a file first',
      examples: ['angles queue discard 4f1c22ab --export rejected.json'],
      notes: 'The records stay in the vault. They are sent again when they change.',
      options: [
        choice('--only <service>', 'only for this service', REMOTES),
        new Option('--export <file>', 'where to write them; a file in the data folder when it is left out'),
        yesOption(),
      ],
    },
    (context, ids, options) =>
      context.withAgent(async (client) => {
        const keys = await keysOf(client, ids, options);
        if (
          !(await confirm(context, `Discard ${plural(keys.length, 'entry', 'entries')} after writing them to a file?`))
        ) {
          context.say('Nothing was changed.');
          return 1;
        }
        const exportTo = options.export === undefined ? {} : { exportTo: resolve(context.io.cwd, options.export) };
        const answer = await client.call('queue.discard', { keys, ...exportTo });
        context.answer(answer, () => [
          `${plural(answer.discarded, 'entry', 'entries')} discarded; written to ${displayPath(answer.exportedTo)}.`,
        ]);
        return 0;
      }),
  );
}

function find(client: AgentClient, id: string, { only }: PickOptions): Promise<MethodOutput<'queue.show'>> {
  if (id.length < 6) throw new AppError('usage.bad_argument', 'Give at least 6 characters of the id.');
  return client.call('queue.show', { id, ...(only === undefined ? {} : { remote: only }) });
}

async function keysOf(client: AgentClient, ids: readonly string[], options: PickOptions): Promise<QueueKey[]> {
  const found = await Promise.all(ids.map((id) => find(client, id, options)));
  return found.flatMap(({ entries }) =>
    entries.map(({ entry: { remote, table, recordId } }) => ({ remote, table, recordId })),
  );
}

function listLines(context: Context, entries: readonly QueueEntry[]): string[] {
  const lines = context.table(
    [
      { title: 'ID' },
      { title: 'SERVICE' },
      { title: 'STATE' },
      { title: 'WAITS' },
      { title: 'TABLE' },
      { title: 'WHAT', cut: 'end' },
    ],
    entries.map((entry) => [
      shortId(entry.recordId),
      entry.remote,
      entry.state,
      ago(context, entry.enqueuedAtMs),
      entry.table,
      oneLine(entry.title),
    ]),
  );
  const reasons = entries.flatMap((entry) =>
    entry.reason === null ? [] : [`${shortId(entry.recordId)} (${entry.remote}): ${oneLine(entry.reason)}`],
  );
  return [...lines, ...reasons];
}

function describeEntry(context: Context, { entry, outgoing }: MethodOutput<'queue.show'>['entries'][number]): string[] {
  const { style } = context;
  const head = [
    style.bold(`${entry.remote}: ${entry.table} ${entry.recordId}`),
    `  ${entry.state}, waits since ${ago(context, entry.enqueuedAtMs)}, ${plural(entry.attempts, 'failed attempt')}`,
    ...(entry.reason === null
      ? []
      : [`  ${oneLine(entry.reason)}`, ...(entry.fix === null ? [] : [`  ${oneLine(entry.fix)}`])]),
  ];
  if (outgoing === null) return [...head, '  It is not in the vault any more: nothing is sent.'];
  const changed = new Set(outgoing.changes.map((change) => change.field));
  return [
    ...head,
    outgoing.held ? `  ${style.yellow('Held: nothing of it is sent.')}` : `  ${outgoing.action}`,
    ...(outgoing.redactions === 0
      ? []
      : [`  ${plural(outgoing.redactions, 'secret')} taken out (${outgoing.redactedKinds.join(', ')})`]),
    ...Object.entries(outgoing.fields).map(
      ([field, value]) =>
        `  ${changed.has(field) ? style.cyan(field) : field}: ${displayText(typeof value === 'string' ? value : JSON.stringify(value))}`,
    ),
    ...contentLines(outgoing.content),
  ];
}

function contentLines(
  content: NonNullable<MethodOutput<'queue.show'>['entries'][number]['outgoing']>['content'],
): string[] {
  if (content === null) return [];
  if (content.kind === 'none') return [`  No content is sent: ${content.reason}`];
  return [
    `  Content, ${formatBytes(content.sizeBytes)}${content.isCut ? ', its beginning' : ''}:`,
    ...content.text.split('\n').map((line) => `  | ${displayText(line)}`),
  ];
}
