import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { MethodOutput } from '../../../shared/contract.ts';
import { AppError } from '../../../shared/errors.ts';
import type { Context } from './context.ts';
import { define, list, type Runner, yesOption } from './define.ts';
import { describeCheck } from './doctor.ts';
import { displayPath, filesAndSize, oneLine } from './format.ts';
import { describeWaiting } from './roots.ts';
import { requireFolder, watchFolder } from './start.ts';

type InitOptions = { folder: string[] };

/** `angles init`: the first run of the window, for a terminal or a script. */
export function addInit(program: Command, runner: Runner): void {
  define<InitOptions>(
    program,
    runner,
    {
      usage: 'init',
      summary: 'Set up: choose folders, capture them once, check everything, and say what comes next',
      examples: ['angles init', 'angles init --folder ~/notes', 'angles init --yes --folder /srv/notes --json'],
      notes:
        'Safe to repeat. Without --folder it asks; with --yes it makes and watches a first folder in your documents.',
      options: [list('--folder <path>', 'watch this folder; may be repeated'), yesOption()],
    },
    async (context, _, options) => {
      const folders = await chooseFolders(context, options.folder);
      return context.withAgent(async (client, session) => {
        for (const path of folders) await watchFolder((input) => client.call('roots.add', input), path);
        const { waiting } = await client.call('scan.run', {});
        const { roots } = await client.call('roots.list', {});
        const { checks } = await client.call('doctor.run', {});
        const { off } = await client.call('settings.show', {});
        const found: Found = { roots, waiting, checks, off, isRunning: session.kind === 'running' };
        context.answer(found, () => lines(context, found));
        return waiting > 0 || checks.some(({ verdict }) => verdict === 'error') ? 1 : 0;
      });
    },
  );
}

async function chooseFolders(context: Context, named: readonly string[]): Promise<string[]> {
  const { io, global } = context;
  if (named.length > 0) return named.map((path) => requireFolder(resolve(io.cwd, path)));
  if (global.yes) return [(await import('../../agent-roots.ts')).createFirstRoot(io.env)];
  if (global.input && !global.json && io.stdinIsTTY && io.stderr.isTTY) {
    const typed = (await io.askLine('Which folder should be safe? '))?.trim() ?? '';
    if (typed !== '') return [requireFolder(resolve(io.cwd, typed.replace(/^~(?=$|\/)/, io.homedir)))];
  }
  throw new AppError('usage.bad_argument', 'No folder was named.', {
    hint: 'Add --folder PATH, or --yes for a first folder in your documents.',
  });
}

type Found = {
  /** Files that a program is still writing. */
  readonly waiting: number;
  readonly roots: MethodOutput<'roots.list'>['roots'];
  readonly checks: MethodOutput<'doctor.run'>['checks'];
  readonly off: MethodOutput<'settings.show'>['off'];
  readonly isRunning: boolean;
};

function lines(context: Context, { roots, waiting, checks, off, isRunning }: Found): string[] {
  const { style } = context;
  // That no agent runs is what the last lines are about.
  const odd = checks.filter(({ id, verdict }) => verdict === 'error' || (verdict === 'warn' && id !== 'agent'));
  return [
    ...roots.map(
      (root) => `${style.green('safe ')}  ${displayPath(root.path)}: ${filesAndSize(root.files, root.sizeBytes)}`,
    ),
    ...describeWaiting(waiting),
    ...(odd.length === 0
      ? [`${style.green('ok   ')}  Every check passed.`]
      : odd.flatMap((check) => describeCheck(context, check))),
    ...(off.length === 0
      ? []
      : [`${style.dim('later')}  Everything works without: ${off.map((one) => oneLine(one.part)).join(', ')}.`]),
    '',
    isRunning
      ? 'The agent runs: every save is captured from now on.'
      : 'Next: `angles start` captures every save from then on.',
    'After the first backup, keep the recovery kit away from this machine: `angles key kit`.',
  ];
}
