import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { MethodOutput } from '../../../shared/contract.ts';
import type { Destination } from '../../../shared/contract-backup.ts';
import { withProgress } from './backup-progress.ts';
import { backupName, backupTable, describeBackup, describeDestinations, describeReceipt } from './backup-text.ts';
import type { Context } from './context.ts';
import { choice, confirm, count, define, describe, type Runner, yesOption } from './define.ts';
import { displayPath, formatBytes, oneLine, plural, took } from './format.ts';

const PLACES = ['repository', 'folder', 'github', 'supabase'] as const;

export function addBackup(program: Command, runner: Runner): void {
  const group = describe(program.command('backup'), {
    summary: 'Back up now; list, look into, check and prove backups',
    examples: [
      'angles backup',
      'angles backup --tag before-move',
      'angles backup --export ~/everything.zip.gpg',
      'angles backup list',
      'angles backup drill',
    ],
    notes: 'Without a command it makes a backup: `angles backup run --help` tells all about that.',
  });
  addRun(group, runner);
  addList(group, runner);
  addShow(group, runner);
  addVerify(group, runner);
  addPrune(group, runner);
  addDrill(group, runner);
}

type RunOptions = {
  tag?: string;
  github: boolean;
  supabase: boolean;
  encryption: boolean;
  sanityCheck: boolean;
  export?: string;
  emergency?: boolean;
  newBranch?: boolean;
  newRepository?: boolean;
};

function addRun(group: Command, runner: Runner): void {
  define<RunOptions>(
    group,
    runner,
    {
      usage: 'run',
      summary: 'Back up everything captured now, and bring it to its destinations',
      examples: [
        'angles backup',
        'angles backup --tag before-move',
        'angles backup --export ~/everything.zip.gpg --no-github',
        'angles backup --emergency',
        'angles backup --new-branch',
      ],
      notes:
        'The backup is made, read back and proven on this machine first. Exit code 0: it is everywhere it should be;\n4: the git server refuses the token; 6: a destination needs you; 3: one cannot be reached and is tried again,\nor files could not be read and are not in it as they are now.',
      options: [
        new Option('--tag <name>', 'give the backup a name; it is kept with it'),
        new Option('--no-github', 'do not push it now'),
        new Option('--no-supabase', 'do not upload it now'),
        new Option('--no-encryption', 'write the archive readable, with secrets taken out'),
        new Option('--no-sanity-check', 'write it even if a secret could not be taken out'),
        new Option('--export <path>', 'write an archive to this file, too; it must not exist'),
        new Option('--emergency', 'write an archive and send everything at once'),
        new Option('--new-branch', 'go on in a new branch beside one that somebody else changed'),
        new Option('--new-repository', 'begin a fresh repository beside one that became too large'),
      ],
    },
    (context, _args, options) =>
      context.withAgent(async (client) => {
        if (options.newBranch) await client.call('backups.fresh', { what: 'branch' });
        if (options.newRepository) await client.call('backups.fresh', { what: 'repository' });
        const answer = await withProgress(context, client, () =>
          client.call('backups.run', {
            ...(options.tag === undefined ? {} : { tag: options.tag }),
            github: options.github,
            supabase: options.supabase,
            encryption: options.encryption,
            sanityCheck: options.sanityCheck,
            ...(options.export === undefined ? {} : { exportTo: resolve(context.io.cwd, options.export) }),
            ...(options.emergency ? { emergency: true } : {}),
          }),
        );
        context.answer(answer, () => describeRun(context, answer));
        return exitCodeOf(answer.destinations, options) || (answer.backup.incomplete > 0 ? INCOMPLETE : 0);
      }),
  );
}

function describeRun(context: Context, answer: MethodOutput<'backups.run'>): string[] {
  const { backup, archive, redactedFiles } = answer;
  const head = answer.isNew
    ? `Backup ${backupName(backup)}: ${plural(backup.files, 'file')}, ${formatBytes(backup.sizeBytes)}, read back and proven.`
    : `Nothing had changed since backup ${backupName(backup)}.`;
  return [
    head,
    ...(archive === null ? [] : [`Archive ${displayPath(archive.id)}.`]),
    ...(answer.exportedTo === null ? [] : [`Exported to ${displayPath(answer.exportedTo)}.`]),
    ...(backup.incomplete > 0
      ? [
          context.style.yellow(
            `Incomplete: ${plural(backup.incomplete, 'file')} could not be read, so the newest version is not in it. \`angles files --skipped\` tells which and why.`,
          ),
        ]
      : []),
    ...(redactedFiles.length === 0
      ? []
      : [
          `Secrets were taken out of ${plural(redactedFiles.length, 'file')}:`,
          ...redactedFiles.slice(0, 20).map((path) => `  ${displayPath(path)}`),
        ]),
    ...describeDestinations(context, answer.destinations),
  ];
}

/** It was made, and lacks something: scripts must not take it for whole. */
const INCOMPLETE = 3;

/** What a destination that was wanted has against the backup; the worst that a person can act on first. */
function exitCodeOf(destinations: readonly Destination[], wanted: { github: boolean; supabase: boolean }): number {
  const asked = destinations.filter(({ kind }) => (kind === 'github' || kind === 'supabase' ? wanted[kind] : true));
  const stuck = asked.find(({ state }) => state === 'needs_you') ?? asked.find(({ state }) => state === 'behind');
  return stuck?.problem?.exitCode ?? 0;
}

function addList(group: Command, runner: Runner): void {
  define<{ limit: number }>(
    group,
    runner,
    {
      usage: 'list',
      summary: 'List backups, newest first',
      examples: ['angles backup list', 'angles backup list --limit 5 --json'],
      options: [count('--limit <n>', 'at most so many (up to 1000)', 50)],
    },
    (context, _args, { limit }) =>
      context.withAgent(async (client) => {
        const answer = await client.call('backups.list', { limit: Math.min(limit, 1_000) });
        context.answer(answer, () =>
          answer.backups.length === 0
            ? ['There is no backup yet. Make one: `angles backup`.']
            : backupTable(context, answer.backups),
        );
        if (answer.total > answer.backups.length) context.say(`There are ${answer.total} in all: use --limit.`);
      }),
  );
}

function addShow(group: Command, runner: Runner): void {
  define<{ path?: string; search?: string; root?: string }>(
    group,
    runner,
    {
      usage: 'show [backup]',
      summary: 'Show a backup and what is in it: the newest one unless told',
      examples: [
        'angles backup show',
        'angles backup show before-move',
        'angles backup show 3f9c21ab --path docs',
        'angles backup show --search plan',
      ],
      notes: 'A backup is named by the beginning of its id, its tag, the name of an archive, or `latest`.',
      options: [
        new Option('--path <path>', 'list this folder of it'),
        new Option('--root <n>', 'the number of its watched folder, when there is more than one'),
        new Option('--search <text>', 'find files by a part of their path'),
      ],
    },
    (context, [id = 'latest'], options) =>
      context.withAgent(async (client) => {
        const shown = await client.call('backups.show', { id });
        const rootId = options.root === undefined ? shown.roots[0]?.rootId : Number(options.root);
        const entries =
          options.search !== undefined
            ? (await client.call('backups.search', { id, text: options.search, limit: 1_000 })).entries
            : options.path !== undefined && rootId !== undefined
              ? (await client.call('backups.browse', { id, rootId, path: options.path.replace(/^\.?\/|\/$/g, '') }))
                  .entries
              : null;
        context.answer({ ...shown, ...(entries === null ? {} : { entries }) }, () => [
          ...describeBackup(context, shown.backup),
          ...shown.roots.map((root) => `  ${root.rootId}  ${displayPath(root.path)}  ${plural(root.files, 'file')}`),
          ...(entries === null
            ? []
            : [
                '',
                ...context.table(
                  [{ title: 'PATH', cut: 'end' }, { title: 'SIZE', align: 'right' }, { title: 'NOW' }],
                  entries.map((each) => [
                    `${displayPath(each.path)}${each.kind === 'folder' ? '/' : ''}`,
                    each.kind === 'folder' ? '' : formatBytes(each.sizeBytes),
                    each.now ?? '',
                  ]),
                ),
              ]),
        ]);
      }),
  );
}

function addVerify(group: Command, runner: Runner): void {
  define<{ at?: (typeof PLACES)[number] }>(
    group,
    runner,
    {
      usage: 'verify [backup]',
      summary: 'Prove every byte of a backup: the newest one unless told',
      examples: ['angles backup verify', 'angles backup verify before-move', 'angles backup verify --at github'],
      notes:
        'With --at it is fetched from there first, as a restore on another machine would. Exit code 7: it is damaged.',
      options: [choice('--at <place>', 'where it is', PLACES)],
    },
    (context, [id], { at }) =>
      context.withAgent(async (client) => {
        const answer = await withProgress(context, client, () =>
          client.call('backups.verify', { ...(id === undefined ? {} : { id }), ...(at === undefined ? {} : { at }) }),
        );
        context.answer(answer, () => [
          `Backup ${backupName(answer.backup)} is sound: ${formatBytes(answer.bytes)} proven in ${took(answer.durationMs)}.`,
        ]);
      }),
  );
}

function addPrune(group: Command, runner: Runner): void {
  define<{ dryRun?: boolean }>(
    group,
    runner,
    {
      usage: 'prune',
      summary: 'Remove archives that are older than they are kept',
      examples: ['angles backup prune --dry-run', 'angles backup prune --yes'],
      notes: 'The repository is never pruned. The newest proven archive of each kind always stays.',
      options: [new Option('--dry-run', 'only say what would go'), yesOption()],
    },
    (context, _args, { dryRun = false }) =>
      context.withAgent(async (client) => {
        const planned = await client.call('backups.prune', { dryRun: true });
        const isAsked = !dryRun && planned.removed.length > 0;
        if (isAsked && !(await confirm(context, `Remove ${plural(planned.removed.length, 'archive')} for good?`))) {
          context.say('Nothing was removed.');
          return 1;
        }
        const answer = isAsked ? await client.call('backups.prune', { dryRun: false }) : planned;
        context.answer({ ...answer, dryRun }, () => [
          answer.removed.length === 0
            ? `Nothing is too old; ${answer.kept} kept.`
            : `${dryRun ? 'Would remove' : 'Removed'} ${plural(answer.removed.length, 'archive')}; ${answer.kept} kept.`,
          ...answer.removed.map(({ at, id }) => `  ${at}  ${displayPath(id)}`),
          ...answer.skipped.map(({ at, reason }) => `Left alone at ${at}: ${oneLine(reason)}.`),
        ]);
        return 0;
      }),
  );
}

function addDrill(group: Command, runner: Runner): void {
  define(
    group,
    runner,
    {
      usage: 'drill [backup]',
      summary: 'Restore a backup into a scratch folder and compare it byte by byte',
      examples: ['angles backup drill', 'angles backup drill before-move --json'],
      notes: 'The agent does this once a week. Exit code 7: something did not come back as it was.',
    },
    (context, [id]) =>
      context.withAgent(async (client) => {
        const answer = await withProgress(context, client, () =>
          client.call('backups.drill', id === undefined ? {} : { id }),
        );
        context.answer(answer, () => describeReceipt(context, answer.receipt));
        return answer.receipt.passed ? 0 : 7;
      }),
  );
}
