import { existsSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { AgentClient, MethodInput } from '../../../shared/contract.ts';
import type { RestorePlanView, RestoreResultView, RestoreRun } from '../../../shared/contract-backup.ts';
import { AppError } from '../../../shared/errors.ts';
import { withProgress } from './backup-progress.ts';
import { backupName } from './backup-text.ts';
import type { Context } from './context.ts';
import { choice, confirm, count, define, describe, list, type Runner, yesOption } from './define.ts';
import { displayPath, formatBytes, oneLine, plural, took, whenShort } from './format.ts';
import { keyFileOption, readKey } from './key-file.ts';
import { requireTime, TIME_FORMS } from './time.ts';

export function addRestore(program: Command, runner: Runner): void {
  const group = describe(program.command('restore'), {
    summary: 'Bring back files and records from a backup: shows the plan first',
    examples: [
      'angles restore',
      'angles restore --tag before-move --only docs --live',
      'angles restore --source github --key-file kit.txt --to ~/restored --live',
      'angles restore undo',
    ],
    notes: 'Without a command it plans a restore: `angles restore run --help` tells all about that.',
  });
  addRun(group, runner);
  addUndo(group, runner);
  addResume(group, runner);
  addList(group, runner);
}

type RunOptions = {
  source?: 'local' | 'github' | 'supabase';
  file?: string;
  tag?: string;
  at?: string;
  only: string[];
  tables: string[];
  to?: string;
  inPlace?: boolean;
  dryRun?: boolean;
  live?: boolean;
  force?: boolean;
  allowRedacted?: boolean;
  autoMigrate?: boolean;
  keyFile?: string;
};

function addRun(group: Command, runner: Runner): void {
  define<RunOptions>(
    group,
    runner,
    {
      usage: 'run [backup]',
      summary: 'Show what a restore would do, and do it with --live',
      examples: [
        'angles restore',
        'angles restore --at yesterday --only docs/plan.md --live',
        'angles restore --tag before-move --in-place --live',
        'angles restore --tables decision_vault --live',
        'angles restore --source local --file ~/memory_backup_2026-11-20.zip.gpg --to ~/restored --live',
        'angles restore --source github --key-file kit.txt --live --force',
      ],
      notes: `Without --to and --in-place, files go into a new folder beside the original. With --live you are asked twice;
--force asks nothing. What is overwritten is kept: \`angles restore undo\` gives it back for 30 days.
A key is read from --key-file (a recovery kit will do), standard input (-), BACKUP_ENCRYPTION_KEY, or the data folder.
${TIME_FORMS}`,
      options: [
        choice('--source <place>', 'where the backup is', ['local', 'github', 'supabase']),
        new Option('--file <path>', 'this archive or repository on the disk, or this archive of the bucket'),
        new Option('--tag <name>', 'the backup with this tag'),
        new Option('--at <time>', 'the newest backup made then or before'),
        list('--only <path>', 'only this file, folder or glob (may be repeated)'),
        list('--tables <name>', 'records of this table, or `all` (may be repeated); alone, no files'),
        new Option('--to <path>', 'write into this folder'),
        new Option('--in-place', 'write over the original places').conflicts('to'),
        new Option('--dry-run', 'only show the plan').conflicts('live'),
        new Option('--live', 'do it'),
        new Option('--force', 'with --live: do not ask'),
        new Option('--allow-redacted', 'redacted copies may replace originals'),
        new Option('--auto-migrate', 'carry over rows of an older shape'),
        keyFileOption(),
        yesOption(),
      ],
    },
    (context, [backup], options) =>
      context.withAgent(async (client) => {
        const wish = await wishOf(context, backup, options);
        const plan = await withProgress(context, client, () => client.call('restore.plan', wish));
        const isLive = options.live ?? (options.dryRun ? false : !(await dryRunByDefault(client)));
        if (!isLive) {
          context.answer({ plan, dryRun: true }, () => describePlan(context, plan, true));
          return plan.problem?.exitCode ?? 0;
        }
        return apply(context, client, plan, options);
      }),
  );
}

async function wishOf(
  context: Context,
  backup: string | undefined,
  options: RunOptions,
): Promise<MethodInput<'restore.plan'>> {
  if (backup !== undefined && options.tag !== undefined)
    throw new AppError('usage.bad_argument', 'Name a backup or a tag, not both.');
  const name = backup ?? options.tag;
  const key = await readKey(context, options.keyFile);
  return {
    ...(options.source === undefined ? {} : { source: options.source }),
    ...(name === undefined ? {} : { backup: name }),
    ...(options.file === undefined ? {} : { file: fileOf(context, options.file) }),
    ...(options.at === undefined ? {} : { atMs: requireTime(options.at, context.time('end')) }),
    ...(options.only.length === 0 ? {} : { only: options.only }),
    ...(options.tables.length === 0 ? {} : { tables: options.tables.flatMap((each) => each.split(',')) }),
    ...(options.to === undefined ? {} : { to: resolve(context.io.cwd, options.to) }),
    ...(options.inPlace ? { inPlace: true } : {}),
    ...(options.allowRedacted ? { allowRedacted: true } : {}),
    ...(options.autoMigrate ? { autoMigrate: true } : {}),
    ...(key === undefined ? {} : { key }),
  };
}

/** A file on the disk where there is one, else a name for the agent to look up. */
function fileOf(context: Context, file: string): string {
  const path = resolve(context.io.cwd, file);
  return isAbsolute(file) || existsSync(path) ? path : file;
}

async function dryRunByDefault(client: AgentClient): Promise<boolean> {
  const { values } = await client.call('settings.show', {});
  return values.find(({ key }) => key === 'restore.dry_run_default')?.value !== false;
}

async function apply(
  context: Context,
  client: AgentClient,
  plan: RestorePlanView,
  options: RunOptions,
): Promise<number> {
  if (plan.problem !== null) {
    context.answer({ plan, dryRun: true }, () => describePlan(context, plan, false));
    return plan.problem.exitCode;
  }
  if (!options.force && !(await askTwice(context, plan))) {
    context.say('Nothing was changed.');
    return 1;
  }
  const result = await withProgress(context, client, () =>
    client.call('restore.apply', { planId: plan.planId, confirm: plan.confirmWith }),
  );
  context.answer({ plan, result }, () => describeResult(context, result, plan.inPlace));
  return result.failed.length > 0 ? 1 : 0;
}

/** Once for the plan, once for what is lost by it: a person types the word of the backup. */
async function askTwice(context: Context, plan: RestorePlanView): Promise<boolean> {
  if (context.global.yes) return true;
  for (const line of describePlan(context, plan, false)) context.say(line);
  if (!(await confirm(context, 'Is this what you want?'))) return false;
  const typed = await context.io.askLine(`Type ${plan.confirmWith} to do it: `);
  return typed?.trim() === plan.confirmWith;
}

function describePlan(context: Context, plan: RestorePlanView, isDryRun: boolean): string[] {
  const { style } = context;
  const { counts, backup } = plan;
  const marks = {
    new: '+',
    overwrite: '~',
    extra: ' ',
    insert: '+',
    update: '~',
    unchanged: '=',
    same: '=',
    refused: '!',
  };
  return [
    `${style.bold(`Backup ${backupName(backup)}`)} of ${whenShort(context, backup.createdAtMs)}${backup.tag === null ? '' : ` (${displayPath(backup.tag)})`}`,
    `Into ${plan.inPlace ? style.yellow('the original places') : displayPath(plan.target ?? '')}`,
    `  ${plural(counts.created, 'new file')}, ${counts.overwritten} overwritten, ${counts.unchanged} unchanged, ${counts.keptExtra} others stay`,
    ...(counts.rowsInserted + counts.rowsUpdated + counts.rowsSame > 0
      ? [
          `  ${plural(counts.rowsInserted, 'record')} inserted, ${counts.rowsUpdated} updated, ${counts.rowsSame} the same`,
        ]
      : []),
    `  ${formatBytes(plan.bytesToWrite)} to write${plan.bytesFree === null ? '' : `, ${formatBytes(plan.bytesFree)} free`}`,
    ...plan.sample.map(
      (item) =>
        `  ${marks[item.action]} ${displayPath(item.target)}${item.note === null ? '' : style.dim(`  ${oneLine(item.note)}`)}`,
    ),
    ...plan.warnings.map((warning) => style.yellow(`Note: ${oneLine(warning)}`)),
    ...(plan.problem === null
      ? []
      : [style.red(`It cannot be done: ${oneLine(plan.problem.message)}`), `  ${oneLine(plan.problem.fix)}`]),
    ...(isDryRun && plan.problem === null ? ['Nothing was written. Add --live to do it.'] : []),
  ];
}

function describeResult(context: Context, result: RestoreResultView, isInPlace: boolean): string[] {
  const rows = result.rowsInserted + result.rowsUpdated;
  const undo =
    result.undoUntilMs === null
      ? []
      : [`\`angles restore undo\` gives back what was there, until ${whenShort(context, result.undoUntilMs)}.`];
  return [
    `Restored ${plural(result.written, 'file')} (${formatBytes(result.bytes)})${isInPlace ? '' : ` into ${displayPath(result.target ?? '')}`} in ${took(result.durationMs)}.`,
    ...(rows > 0 ? [`${plural(result.rowsInserted, 'record')} inserted, ${result.rowsUpdated} updated.`] : []),
    ...undo,
  ];
}

function addUndo(group: Command, runner: Runner): void {
  define(
    group,
    runner,
    {
      usage: 'undo [restore]',
      summary: 'Give back what was there before a restore: the newest one unless told',
      examples: ['angles restore undo --yes', 'angles restore undo 5c0a91d2'],
      options: [yesOption()],
    },
    (context, [restoreId]) =>
      context.withAgent(async (client) => {
        if (!(await confirm(context, 'Give back what was there before the restore?'))) {
          context.say('Nothing was changed.');
          return 1;
        }
        const result = await withProgress(context, client, () =>
          client.call('restore.undo', restoreId === undefined ? {} : { restoreId }),
        );
        context.answer({ result }, () => [`Undone: ${plural(result.written, 'file')} are as they were before.`]);
        return 0;
      }),
  );
}

function addResume(group: Command, runner: Runner): void {
  define(
    group,
    runner,
    {
      usage: 'resume',
      summary: 'Go on with a restore that was cut off, or take it back',
      examples: ['angles restore resume'],
    },
    (context) =>
      context.withAgent(async (client) => {
        const result = await withProgress(context, client, () => client.call('restore.resume', {}));
        const { restores } = await client.call('restore.list', {});
        const run = restores.find(({ restoreId }) => restoreId === result.restoreId);
        context.answer({ result, state: run?.state ?? 'failed' }, () => [
          run?.state === 'done'
            ? `The restore is complete: ${plural(result.written, 'file')}.`
            : 'The restore was taken back: everything is as it was before it.',
        ]);
      }),
  );
}

function addList(group: Command, runner: Runner): void {
  define<{ limit: number }>(
    group,
    runner,
    {
      usage: 'list',
      summary: 'List the restores of the last 30 days',
      examples: ['angles restore list'],
      options: [count('--limit <n>', 'at most so many', 50)],
    },
    (context, _args, { limit }) =>
      context.withAgent(async (client) => {
        const answer = await client.call('restore.list', { limit: Math.min(limit, 1_000) });
        context.answer(answer, () =>
          answer.restores.length === 0
            ? ['Nothing was restored in the last 30 days.']
            : restoreTable(context, answer.restores),
        );
      }),
  );
}

function restoreTable(context: Context, restores: readonly RestoreRun[]): string[] {
  return context.table(
    [
      { title: 'RESTORE' },
      { title: 'WHEN' },
      { title: 'STATE' },
      { title: 'FILES', align: 'right' },
      { title: 'ROWS', align: 'right' },
      { title: 'INTO', cut: 'end' },
    ],
    restores.map((run) => [
      run.restoreId.slice(0, 8),
      whenShort(context, run.startedAtMs),
      run.state,
      String(run.written),
      String(run.rowsInserted + run.rowsUpdated),
      run.target === null ? 'original places' : displayPath(run.target),
    ]),
  );
}
