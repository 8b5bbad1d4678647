import { type Command, Option } from 'commander';
import { AppError } from '../../../shared/errors.ts';
import type { Context, GlobalOptions } from './context.ts';

/** Runs one command; a number that it returns is its exit code, anything else means 0. */
export type Run<O> = (context: Context, args: readonly string[], options: O) => Promise<unknown>;
/** Makes the context of a command and runs it. */
export type Runner = <O>(run: Run<O>, global: GlobalOptions, args: readonly string[], options: O) => Promise<void>;

export type CommandSpec = {
  /** Name and arguments: `add <path>`. */
  readonly usage: string;
  readonly summary: string;
  /** Shown first in the help. */
  readonly examples: readonly string[];
  /** Shown last in the help. */
  readonly notes?: string;
  readonly options?: readonly Option[];
  /** False for commands that print no answer (a completion script, raw bytes). */
  readonly json?: boolean;
};

/** Adds a command with the options that all commands share. */
export function define<O>(parent: Command, runner: Runner, spec: CommandSpec, run: Run<O>): Command {
  const command = parent.command(spec.usage);
  describe(command, spec);
  addOptions(command, spec);
  command.action(async (...given: unknown[]) => {
    const args = given.slice(0, command.registeredArguments.length).flat() as (string | undefined)[];
    const options = command.opts<O & Partial<GlobalOptions>>();
    const global: GlobalOptions = {
      json: options.json === true,
      color: options.color !== false,
      input: options.input !== false,
      yes: options.yes === true,
    };
    await runner(
      run,
      global,
      args.filter((argument) => argument !== undefined),
      options,
    );
  });
  return command;
}

/** Gives a command its texts; for groups such as `roots`, which have no options of their own. */
export function describe(command: Command, spec: Pick<CommandSpec, 'summary' | 'examples' | 'notes'>): Command {
  command.summary(spec.summary).description(`${spec.summary}.`).allowExcessArguments(false);
  command.addHelpText('before', `Examples:\n${spec.examples.map((example) => `  ${example}\n`).join('')}`);
  if (spec.notes !== undefined) command.addHelpText('after', `\n${spec.notes}`);
  return command;
}

function addOptions(command: Command, spec: CommandSpec): void {
  for (const option of spec.options ?? []) command.addOption(option);
  if (spec.json !== false) command.option('--json', 'print one JSON document on stdout');
  command.option('--no-color', 'print without colours').option('--no-input', 'never ask, fail instead');
}

/** An option that takes one of some words. */
export function choice(flags: string, description: string, words: readonly string[]): Option {
  return new Option(flags, description).choices(words);
}

/** An option that may be given several times. */
export function list(flags: string, description: string, words?: readonly string[]): Option {
  return new Option(flags, description).default([], 'none').argParser((value: string, before: unknown) => {
    if (words !== undefined && !words.includes(value)) {
      throw new AppError('usage.bad_argument', `"${value}" is not one of ${words.join(', ')}.`);
    }
    return [...(before as string[]), value];
  });
}

export function count(flags: string, description: string, fallback?: number): Option {
  const option = new Option(flags, description).argParser((value: string) => {
    if (!/^\d{1,9}$/.test(value) || Number(value) === 0) {
      throw new AppError('usage.bad_argument', `"${value}" is not a whole number above 0.`);
    }
    return Number(value);
  });
  return fallback === undefined ? option : option.default(fallback);
}

export const yesOption = (): Option => new Option('-y, --yes', 'do it without asking');

/** Asks a person to confirm. False for no; throws `usage.bad_argument` when nobody can be asked. */
export async function confirm(context: Context, question: string): Promise<boolean> {
  if (context.global.yes) return true;
  if (!context.global.input || context.global.json || !context.io.stdinIsTTY || !context.io.stderr.isTTY) {
    throw new AppError('usage.bad_argument', `This needs your consent: ${question}`, {
      hint: 'Add --yes to do it without being asked.',
    });
  }
  const answer = await context.io.askLine(`${question} [y/N] `);
  return /^y(es)?$/i.test(answer?.trim() ?? '');
}
