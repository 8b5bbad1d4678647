import type { Command, CommanderError } from 'commander';
import { displayText } from '../../../shared/display.ts';
import { AppError, exitCodeOf, toWireError } from '../../../shared/errors.ts';
import { nearestOf } from '../../../shared/near.ts';
import { JSON_SCHEMA } from './context.ts';
import type { Io } from './io.ts';
import { styleFor } from './style.ts';

/**
 * Prints what happened, what it means and what to do; with --json also the error as the one document on stdout.
 * Returns the exit code of the command.
 */
export function reportError(error: unknown, io: Io, options: { json: boolean; color: boolean }): number {
  const wire = toWireError(error);
  const style = styleFor(io.stderr, io.env, options.color);
  if (options.json) io.stdout.write(`${JSON.stringify({ schema: JSON_SCHEMA, error: wire })}\n`);
  const lines = [
    `${style.red('Error:')} ${displayText(wire.code === 'internal' ? detailOf(error) : wire.message)}`,
    // These messages say all that their titles do.
    ...(wire.title === wire.message || /^(usage|not_found|ambiguous)\./.test(wire.code) ? [] : [wire.title]).map(
      displayText,
    ),
    displayText(wire.meaning),
    `${style.bold('What to do:')} ${displayText(wire.hint)}`,
  ];
  io.stderr.write(`${lines.join('\n')}\n`);
  if (wire.code === 'internal' && !(error instanceof AppError) && (io.env.ANGLES_DEBUG ?? '') !== '') {
    io.stderr.write(`${displayText((error as Error).stack ?? String(error))}\n`);
  }
  return exitCodeOf(error);
}

/** A bug in this very process: its own text helps to report it. */
function detailOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Turns what commander found wrong with the arguments into an error of ours, with the nearest known word. */
export async function fromCommanderError(
  error: CommanderError,
  program: Command,
  argv: readonly string[],
): Promise<AppError> {
  const message = firstLine(error.message);
  const command = commandOf(program, argv);
  const isCommand = error.code === 'commander.unknownCommand' || isUnknownVerb(error, command);
  if (isCommand) {
    const known = visibleNames(command);
    const word = argv.find((argument) => !argument.startsWith('-') && !pathOf(command).includes(argument)) ?? '';
    const here = pathOf(command).join(' ');
    const verb = await nearestWord(word, known);
    const nearest = verb === null ? null : [here, verb].filter(Boolean).join(' ');
    return new AppError(
      'usage.unknown_command',
      `There is no command \`${[here, word].filter(Boolean).join(' ')}\`.${didYouMean(nearest)}`,
      {
        hint: `Run \`angles ${[here, '--help'].filter(Boolean).join(' ')}\` for the list.`,
      },
    );
  }
  const option = /unknown option '([^']+)'/.exec(message)?.[1];
  const nearest = option === undefined ? null : await nearestWord(option.replace(/=.*/, ''), longOptions(command));
  return new AppError('usage.bad_argument', `${capital(message)}.${didYouMean(nearest)}`, {
    hint: `Run \`angles ${[...pathOf(command), '--help'].join(' ')}\` for its form.`,
  });
}

const didYouMean = (word: string | null): string => (word === null ? '' : ` Did you mean \`${word}\`?`);
const firstLine = (text: string): string => (text.split('\n')[0] ?? '').replace(/^error: /, '').replace(/\.$/, '');
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

async function nearestWord(word: string, known: readonly string[]): Promise<string | null> {
  return nearestOf(word, known);
}

/** `angles roots ad`: the group takes no argument of its own, so the word was meant as one of its commands. */
function isUnknownVerb(error: CommanderError, command: Command): boolean {
  return (
    error.code === 'commander.excessArguments' &&
    command.commands.length > 0 &&
    command.registeredArguments.length === 0
  );
}

function commandOf(program: Command, argv: readonly string[]): Command {
  let command = program;
  for (const argument of argv) {
    const next = command.commands.find((one) => one.name() === argument || one.aliases().includes(argument));
    if (next !== undefined) command = next;
  }
  return command;
}

function pathOf(command: Command): string[] {
  return command.parent === null ? [] : [...pathOf(command.parent), command.name()];
}

const visibleNames = (command: Command): string[] => command.commands.map((one) => one.name());
const longOptions = (command: Command): string[] => command.options.flatMap((option) => option.long ?? []);
