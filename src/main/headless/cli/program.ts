import { Command, CommanderError } from 'commander';
import { addActivities } from './activities.ts';
import { addAgentCommands } from './agent-commands.ts';
import { addBackup } from './backup.ts';
import { addCompletion } from './completion.ts';
import { addConfig } from './config.ts';
import { addConflicts } from './conflicts.ts';
import { type CliParts, createContext } from './context.ts';
import { define, type Runner } from './define.ts';
import { addDevices } from './devices.ts';
import { addDoctor } from './doctor.ts';
import { addDrift } from './drift.ts';
import { fromCommanderError, reportError } from './errors.ts';
import { addFiles } from './files.ts';
import { addInit } from './init.ts';
import type { Io } from './io.ts';
import { addKey } from './key.ts';
import { addLogs } from './logs.ts';
import { addMigrate } from './migrate.ts';
import { addPause } from './pause.ts';
import { addQueue } from './queue.ts';
import { addRecords } from './records.ts';
import { addRestore } from './restore.ts';
import { addRoots, addScan } from './roots.ts';
import { addSchedule } from './schedule.ts';
import { addSearch } from './search.ts';
import { addStart } from './start.ts';
import { addStatus } from './status.ts';
import { addSync } from './sync.ts';
import { addVersions } from './versions.ts';

const GROUPS = ['roots', 'decisions', 'memories', 'conflicts', 'queue', 'config', 'backup', 'restore', 'key'] as const;
/** What a group does when no verb is given. */
const DEFAULT_VERBS: Readonly<Record<(typeof GROUPS)[number], string>> = {
  roots: 'list',
  decisions: 'list',
  memories: 'list',
  conflicts: 'list',
  queue: 'list',
  config: 'check',
  backup: 'run',
  restore: 'run',
  key: 'show',
};

type Add = (program: Command, runner: Runner) => void;

/** What adds which commands, in the order of the help. */
const COMMANDS: readonly (readonly [add: Add, ...names: string[]])[] = [
  [addInit, 'init'],
  [addStart, 'start'],
  [addAgentCommands, 'stop', 'open'],
  [addStatus, 'status'],
  [addSchedule, 'schedule'],
  [addPause, 'pause', 'resume'],
  [addRoots, 'roots'],
  [addScan, 'scan'],
  [addFiles, 'files'],
  [addVersions, 'history', 'show', 'diff', 'restore-file'],
  [addSearch, 'search'],
  [addRecords, 'decisions', 'memories'],
  [addSync, 'sync'],
  [addMigrate, 'migrate'],
  [addConflicts, 'conflicts'],
  [addQueue, 'queue'],
  [addDevices, 'devices'],
  [addBackup, 'backup'],
  [addRestore, 'restore'],
  [addDrift, 'drift'],
  [addKey, 'key'],
  [addActivities, 'activities'],
  [addLogs, 'logs'],
  [addConfig, 'config'],
  [addDoctor, 'doctor'],
  [addVersion, 'version'],
  // Its scripts name every command, so it is never alone.
  [addCompletion],
];

function addersOf(only: string | undefined): Add[] {
  const meant = COMMANDS.filter(([, ...names]) => only !== undefined && names.includes(only));
  return (meant.length > 0 ? meant : COMMANDS).map(([add]) => add);
}

/** Runs one command line (without the program's own name); resolves with its exit code. */
export async function runCli(argv: readonly string[], io: Io, parts: CliParts): Promise<number> {
  let exitCode = 0;
  const runner: Runner = async (run, global, args, options) => {
    const code = await run(createContext(io, parts, global), args, options);
    if (typeof code === 'number') exitCode = code;
  };
  const program = createProgram(io, parts, runner, argv[0]);
  const words = withDefaultVerb(argv, program);
  const global = { json: words.includes('--json'), color: !words.includes('--no-color') };
  try {
    await program.parseAsync(words, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportError(error, io, global);
    if (error.exitCode === 0) return 0;
    if (error.code === 'commander.help') return 64;
    return reportError(await fromCommanderError(error, program, words), io, global);
  }
}

/**
 * The command tree; completion scripts and the documentation are made from it.
 * @param only the one command that is meant: the others are then left out, because making all of them takes a tenth of
 *   a short command's time. A word that names none gives the whole tree, for help and for errors.
 */
export function createProgram(io: Io, parts: Pick<CliParts, 'version'>, runner: Runner, only?: string): Command {
  const program = new Command('angles');
  program
    .description('The memory agent: every save in your folders becomes a durable, searchable version.')
    .version(parts.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .addHelpText(
      'before',
      'Examples:\n  angles start --root ~/notes\n  angles status\n  angles search backup key\n  angles history ~/notes/plan.md\n',
    )
    .addHelpText(
      'after',
      '\nEvery command has --help with examples, and --json for scripts.\nExit codes: 0 ok, 1 failed, 2 vault or tables, 3 unreachable, 4 git refuses the token, 6 needs your decision, 7 integrity, 8 another agent, 64 usage, 130 interrupted.',
    );
  for (const add of addersOf(only)) add(program, runner);
  configureOutput(program, io);
  return program;
}

function addVersion(program: Command, runner: Runner): void {
  define(
    program,
    runner,
    { usage: 'version', summary: 'Print the version', examples: ['angles version --json'] },
    async (context) => {
      const document = {
        version: context.parts.version,
        node: process.versions.node,
        platform: process.platform,
        arch: process.arch,
      };
      context.answer(document, () => [
        `angles ${document.version} (Node ${document.node}, ${document.platform} ${document.arch})`,
      ]);
    },
  );
}

/** Every command: throw instead of exiting, print through `io`; errors are printed by `reportError` alone. */
function configureOutput(command: Command, io: Io): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => io.stdout.write(text),
    writeErr: (text) => io.stderr.write(text),
    outputError: () => undefined,
    getOutHelpWidth: () => (io.stdout.isTTY ? io.stdout.columns : 100),
    getErrHelpWidth: () => (io.stderr.isTTY ? io.stderr.columns : 100),
    getOutHasColors: () => false,
    getErrHasColors: () => false,
  });
  for (const child of command.commands) configureOutput(child, io);
}

/** `angles roots` and `angles roots --json` mean `angles roots list`; a word that is no verb stays for the error. */
function withDefaultVerb(argv: readonly string[], program: Command): string[] {
  const [name, next] = argv;
  const group = GROUPS.find((one) => one === name);
  if (group === undefined || next === '--help' || next === '-h') return [...argv];
  const commands = program.commands.find((one) => one.name() === group)?.commands ?? [];
  const verbs = commands.map((one) => one.name());
  const meant = commands.find((one) => one.name() === DEFAULT_VERBS[group]);
  const takesValue = new Set(meant?.options.flatMap((option) => (option.required ? (option.long ?? []) : [])) ?? []);
  // A tag may be called `list`: what follows an option that takes a value is that value.
  const given = argv
    .slice(1)
    .some((word, at) => (verbs.includes(word) || word === 'help') && !takesValue.has(argv[at] ?? ''));
  const isPlain = next === undefined || next.startsWith('-');
  return given || !isPlain ? [...argv] : [group, DEFAULT_VERBS[group], ...argv.slice(1)];
}
