import { resolve } from 'node:path';
import type { Command } from 'commander';
import { ERROR_CATALOGUE } from '../../../shared/errors.ts';
import type { ScanResult } from '../../../shared/model.ts';
import type { Context } from './context.ts';
import { confirm, define, describe, type Runner, yesOption } from './define.ts';
import { displayPath, formatBytes, grouped, plural, took } from './format.ts';
import { rootTable } from './status.ts';

export function addRoots(program: Command, runner: Runner): void {
  const roots = program.command('roots');
  describe(roots, {
    summary: 'List, add and remove the watched folders',
    examples: ['angles roots', 'angles roots add ~/notes', 'angles roots remove ~/notes'],
  });
  define(
    roots,
    runner,
    { usage: 'list', summary: 'List the watched folders (the default)', examples: ['angles roots list'] },
    (context) =>
      context.withAgent(async (client) => {
        const answer = await client.call('roots.list', {});
        context.answer(answer, () =>
          answer.roots.length === 0
            ? ['No folder is watched. Add one with `angles roots add PATH`.']
            : rootTable(context, answer.roots),
        );
      }),
  );
  define(
    roots,
    runner,
    { usage: 'add <path>', summary: 'Watch a folder', examples: ['angles roots add ~/notes'] },
    (context, [path = '']) =>
      context.withAgent(async (client, session) => {
        const answer = await client.call('roots.add', { path: absolute(context, path) });
        const then =
          session.kind === 'offline'
            ? 'It is captured when the agent starts: `angles start`.'
            : 'What is there is being captured.';
        context.answer(answer, () => [`Watching ${displayPath(answer.root.path)}. ${then}`]);
      }),
  );
  define(
    roots,
    runner,
    {
      usage: 'remove <path>',
      summary: 'Stop watching a folder; what was captured stays',
      examples: ['angles roots remove ~/notes'],
    },
    (context, [path = '']) =>
      context.withAgent(async (client) => {
        await client.call('roots.remove', { path: absolute(context, path) });
        context.answer({ removed: absolute(context, path) }, () => [
          `${displayPath(absolute(context, path))} is not watched any more. Its versions stay in the vault.`,
        ]);
      }),
  );
  addDecisions(roots, runner);
}

function addDecisions(roots: Command, runner: Runner): void {
  define(
    roots,
    runner,
    {
      usage: 'accept <path>',
      summary: 'Record the deletions that a folder holds back: you did delete these files',
      examples: ['angles roots accept ~/notes', 'angles roots accept ~/notes --yes'],
      options: [yesOption()],
    },
    (context, [path = '']) =>
      context.withAgent(async (client) => {
        const folder = absolute(context, path);
        const { roots } = await client.call('roots.list', {});
        const hold = roots.find((root) => root.path === folder)?.hold ?? null;
        const question = `Record ${hold === null ? 'the deletions' : plural(hold.deletes, 'deletion')} in ${displayPath(folder)}? Every version stays in the vault.`;
        if (!(await confirm(context, question))) {
          context.say('Nothing was changed.');
          return 1;
        }
        const answer = await client.call('roots.decide', { path: folder, decision: 'accept' });
        context.answer(answer, () => describeScan(answer.result));
        return 0;
      }),
  );
  define(
    roots,
    runner,
    {
      usage: 'check <path>',
      summary: 'Look whether the missing files of a held folder are back',
      examples: ['angles roots check ~/notes'],
    },
    (context, [path = '']) =>
      context.withAgent(async (client) => {
        const answer = await client.call('roots.decide', { path: absolute(context, path), decision: 'check' });
        context.answer(answer, () => describeScan(answer.result));
        return answer.result.heldDeletes > 0 ? 6 : 0;
      }),
  );
}

export function addScan(program: Command, runner: Runner): void {
  define(
    program,
    runner,
    {
      usage: 'scan [path]',
      summary: 'Read the watched folders now and capture what changed',
      examples: ['angles scan', 'angles scan ~/notes', 'angles scan --once --json'],
      notes:
        'The command ends when everything it found is durable.\nIt ends with exit code 6 when deletions are held back for your decision, with 1 when a program is still writing a file.',
      options: [],
    },
    (context, [path]) =>
      context.withAgent(async (client) => {
        const answer = await client.call('scan.run', path === undefined ? {} : { path: absolute(context, path) });
        context.answer(answer, () =>
          answer.results.length === 0
            ? ['No folder is watched. Add one with `angles roots add PATH`.']
            : [...answer.results.flatMap(describeScan), ...describeWaiting(answer.waiting)],
        );
        if (answer.results.some((result) => result.heldDeletes > 0)) return 6;
        return answer.waiting > 0 ? ERROR_CATALOGUE['file.busy'].exitCode : 0;
      }),
  ).option('--once', 'scan once and end (the default; for scripts)');
}

function describeScan(result: ScanResult): string[] {
  const changes = (['created', 'modified', 'renamed', 'deleted', 'unchanged', 'skipped'] as const)
    .filter((kind) => result[kind] > 0)
    .map((kind) => `${grouped(result[kind])} ${kind}`);
  const line = `${displayPath(result.root)}: ${changes.join(', ') || 'empty'} (${formatBytes(result.capturedBytes)} captured in ${took(result.durationMs)})`;
  if (result.heldDeletes === 0) return [line];
  return [
    line,
    `  ${plural(result.heldDeletes, 'file')} are gone at once and held back. If you deleted them: angles roots accept ${displayPath(result.root)}`,
  ];
}

/** What the captures of a scan do not hold yet. */
export function describeWaiting(files: number): string[] {
  if (files === 0) return [];
  return [
    `${plural(files, 'file')} still being written: captured when closed, if an agent runs; else scan again then. Earlier versions are safe.`,
  ];
}

function absolute(context: Context, path: string): string {
  return resolve(context.io.cwd, path);
}
