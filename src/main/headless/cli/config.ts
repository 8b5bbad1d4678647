import type { Command } from 'commander';
import type { MethodOutput } from '../../../shared/contract.ts';
import { AppError } from '../../../shared/errors.ts';
import { nearestOf } from '../../../shared/near.ts';
import type { Context } from './context.ts';
import { define, describe, type Runner } from './define.ts';
import { displayPath, oneLine } from './format.ts';

type Shown = MethodOutput<'settings.show'>;

export function addConfig(program: Command, runner: Runner): void {
  const config = program.command('config');
  describe(config, {
    summary: 'Check, read and change the settings',
    examples: ['angles config check', 'angles config set watch.max_file_mb 250', 'angles config get dashboard.port'],
  });
  define(
    config,
    runner,
    {
      usage: 'check',
      summary: 'Say what is set, from where, what is missing and what that switches off',
      examples: ['angles config check'],
    },
    (context) =>
      context.withAgent(async (client) => {
        const shown = await client.call('settings.show', {});
        context.answer(shown, () => describeCheck(context, shown));
      }),
  );
  define(
    config,
    runner,
    {
      usage: 'show',
      summary: 'Print every setting with its value and where it comes from',
      examples: ['angles config show'],
    },
    (context) =>
      context.withAgent(async (client) => {
        const shown = await client.call('settings.show', {});
        context.answer(shown, () =>
          context.table(
            [{ title: 'KEY' }, { title: 'VALUE', cut: 'start' }, { title: 'FROM' }],
            shown.values.map((one) => [
              one.key,
              valueText(one.value),
              one.source === 'file' ? 'config.json' : 'default',
            ]),
          ),
        );
      }),
  );
  define(
    config,
    runner,
    {
      usage: 'get <key>',
      summary: 'Print one setting, or whether a name of a service is set',
      examples: ['angles config get watch.quiet_ms', 'angles config get SUPABASE_URL'],
    },
    async (context, [key = '']) => {
      if (isOutsideName(key)) return (await import('./config-service.ts')).getService(context, key);
      return context.withAgent(async (client) => {
        const { values } = await client.call('settings.show', {});
        const found = values.find((one) => one.key === key);
        if (found === undefined)
          throw await unknownKey(
            key,
            values.map((one) => one.key),
          );
        context.answer(found, () => [valueText(found.value)]);
      });
    },
  );
  addChanging(config, runner);
}

function addChanging(config: Command, runner: Runner): void {
  const change = (context: Context, key: string, value: unknown): Promise<void> =>
    context.withAgent(async (client) => {
      const answer = await client.call('settings.set', { key, value });
      const done = value === null ? `${key} has its default again.` : `${key} is ${valueText(value)} now.`;
      context.answer({ key, value, ...answer }, () => [
        `${done}${answer.restartNeeded ? ' It takes effect when the agent starts again.' : ''}`,
      ]);
    });
  define(
    config,
    runner,
    {
      usage: 'set <key> [value]',
      summary: 'Change one setting in config.json, or keep the key of a service',
      examples: [
        'angles config set dashboard.theme dark',
        'angles config set watch.max_file_mb 250',
        `angles config set roots '[{"path": "~/notes"}]'`,
        'angles config set SUPABASE_URL https://PROJECT.supabase.co',
        'angles config set SUPABASE_KEY',
        'angles config set NOTION_API_KEY < key.txt',
      ],
      notes:
        'The value of a setting is read as JSON when it is JSON, as text otherwise.\nNames of services are in capitals (`angles config check` lists them). Secrets are never arguments: they are asked for\nwithout being shown, or read from standard input, and kept in the keychain of a running desktop app, else in .env.',
    },
    async (context, [key = '', value]) => {
      if (isOutsideName(key)) return (await import('./config-service.ts')).setService(context, key, value);
      if (value === undefined) throw new AppError('usage.bad_argument', `${displayPath(key)} needs a value.`);
      return change(context, key, readValue(value));
    },
  );
  define(
    config,
    runner,
    {
      usage: 'reset <key>',
      summary: 'Give one setting its default again, or forget the key of a service',
      examples: ['angles config reset dashboard.port', 'angles config reset NOTION_API_KEY'],
    },
    async (context, [key = '']) =>
      isOutsideName(key)
        ? (await import('./config-service.ts')).resetService(context, key)
        : change(context, key, null),
  );
}

/** Settings are small and dotted; names of the outside are as environments have them. */
const isOutsideName = (key: string): boolean => /^[A-Z][A-Z0-9_]*$/.test(key);

function readValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function unknownKey(key: string, known: readonly string[]): Promise<AppError> {
  const nearest = nearestOf(key, known);
  return new AppError(
    'config.unknown_key',
    `There is no setting ${key}.${nearest === null ? '' : ` Did you mean ${nearest}?`}`,
    {
      hint: 'Run `angles config show` for the list.',
    },
  );
}

function describeCheck(context: Context, shown: Shown): string[] {
  const { style } = context;
  const changed = shown.values.filter((one) => one.source === 'file');
  return [
    `${style.bold('Settings')} ${displayPath(shown.file)}`,
    ...(changed.length === 0
      ? ['  every setting has its default']
      : changed.map((one) => `  ${one.key} = ${displayPath(valueText(one.value))}`)),
    '',
    style.bold('Environment'),
    ...context.table(
      [{ title: '  NAME' }, { title: 'VALUE', cut: 'start' }, { title: 'FROM' }, { title: 'FOR', cut: 'start' }],
      shown.environment.map((one) => [`  ${one.name}`, environmentValue(one), environmentSource(one), one.enables]),
    ),
    ...(shown.off.length === 0 ? [] : ['', style.bold('Off')]),
    ...shown.off.map(
      (one) => `  ${oneLine(one.part)}: ${oneLine(one.consequence)} Set ${one.missing.join(' and ')} to switch it on.`,
    ),
    ...(shown.warnings.length === 0 ? [] : ['', style.bold(style.yellow('Warnings'))]),
    ...shown.warnings.map((one) => `  ${oneLine(one.message)}\n    ${oneLine(one.fix)}`),
  ];
}

function environmentValue(one: Shown['environment'][number]): string {
  if (one.foundAs === null) return '-';
  return one.secret || one.value === null ? 'set' : displayPath(one.value);
}

function environmentSource(one: Shown['environment'][number]): string {
  if (one.source === null) return '';
  return one.foundAs === one.name ? one.source : `${one.source} as ${one.foundAs}`;
}

const valueText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
