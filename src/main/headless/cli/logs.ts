import { type Command, Option } from 'commander';
import type { MethodInput } from '../../../shared/contract.ts';
import { AppError } from '../../../shared/errors.ts';
import type { LogLevel, LogRecord } from '../../../shared/model.ts';
import { isAlive } from '../../is-alive.ts';
import { LOG_LEVELS } from './choices.ts';
import { type Context, JSON_SCHEMA } from './context.ts';
import { choice, count, define, type Runner } from './define.ts';
import { displayPath, took, when } from './format.ts';
import { requireRunning } from './session.ts';
import { requireTime } from './time.ts';

type LogOptions = {
  component?: string;
  level?: LogLevel;
  since?: string;
  text?: string;
  run?: string;
  follow?: boolean;
  limit: number;
};

export function addLogs(program: Command, runner: Runner): void {
  define<LogOptions>(
    program,
    runner,
    {
      usage: 'logs',
      summary: 'Show the log of the agent',
      examples: ['angles logs', 'angles logs --component watch --level warn --since 1h', 'angles logs --follow'],
      notes: 'With --follow --json each record is a line of its own (NDJSON).',
      options: [
        new Option('--component <name>', 'only this part of the agent'),
        choice('--level <level>', 'this level and worse', LOG_LEVELS),
        new Option('--since <time>', 'only since'),
        new Option('--text <text>', 'only messages with this text'),
        new Option('--run <id>', 'only this run'),
        new Option('-f, --follow', 'go on with new records until Ctrl-C'),
        count('--limit <n>', 'at most so many, the newest (up to 1000)', 100),
      ],
    },
    async (context, _, options) => {
      const input: MethodInput<'logs.list'> = {
        limit: Math.min(options.limit, 1_000),
        ...(options.component === undefined ? {} : { component: options.component }),
        ...(options.level === undefined ? {} : { level: options.level }),
        ...(options.text === undefined ? {} : { text: options.text }),
        ...(options.run === undefined ? {} : { runId: options.run }),
        ...(options.since === undefined ? {} : { sinceMs: requireTime(options.since, context.time('start')) }),
      };
      if (options.follow) return follow(context, input);
      await context.withAgent(async (client) => {
        const answer = await client.call('logs.list', input);
        context.answer(answer, () =>
          answer.records.length === 0
            ? ['No record matches.']
            : answer.records.map((record) => logLine(context, record)),
        );
      });
      return 0;
    },
  );
}

/** One line per record; whatever a message holds, it cannot forge a second one. */
export function logLine(context: Context, record: LogRecord): string {
  const { style } = context;
  const level = record.level.toUpperCase().padEnd(5);
  const colour = { debug: style.dim, info: style.cyan, warn: style.yellow, error: style.red }[record.level];
  const duration = record.durationMs === null ? '' : style.dim(` (${took(record.durationMs)})`);
  const data = Object.keys(record.data).length === 0 ? '' : ` ${style.dim(displayPath(JSON.stringify(record.data)))}`;
  return `${style.dim(when(context, record.timeMs))} ${colour(level)} ${displayPath(record.component)}: ${displayPath(record.message)}${duration}${data}`;
}

const READ_ON_EVERY_MS = 2_000;

async function follow(context: Context, input: MethodInput<'logs.list'>): Promise<number> {
  const { client, endpoint } = await requireRunning(context.parts);
  let newest = -1;
  const print = (record: LogRecord): void => {
    if (record.seq <= newest) return;
    newest = record.seq;
    context.io.stdout.write(
      `${context.global.json ? JSON.stringify({ schema: JSON_SCHEMA, ...record }) : logLine(context, record)}\n`,
    );
  };
  const early: LogRecord[] = [];
  let hear = (record: LogRecord): void => void early.push(record);
  const stopListening = client.on('log', (record) => {
    if (matches(record, input)) hear(record);
  });
  let stopSignals = (): void => undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    for (const record of (await client.call('logs.list', input)).records) print(record);
    for (const record of early) print(record);
    hear = print;
    return await new Promise<number>((resolve, reject) => {
      stopSignals = context.io.onSignal(() => resolve(130));
      // Reads again what came while the stream was not connected, and notices the end of the agent.
      const readOn = async (): Promise<void> => {
        if (!isAlive(endpoint.pid))
          throw new AppError('agent.not_running', `The agent (process ${endpoint.pid}) has ended.`);
        const { records } = await client.call('logs.list', newest < 0 ? input : { ...input, afterSeq: newest });
        for (const record of records) print(record);
      };
      timer = setInterval(() => void readOn().catch(reject), READ_ON_EVERY_MS);
    });
  } finally {
    clearInterval(timer);
    stopSignals();
    stopListening();
    client.close();
  }
}

function matches(record: LogRecord, input: MethodInput<'logs.list'>): boolean {
  return (
    (input.component === undefined || record.component === input.component) &&
    (input.level === undefined || LOG_LEVELS.indexOf(record.level) >= LOG_LEVELS.indexOf(input.level)) &&
    (input.runId === undefined || record.runId === input.runId) &&
    (input.text === undefined || record.message.toLowerCase().includes(input.text.toLowerCase()))
  );
}
