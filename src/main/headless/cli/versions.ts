import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { MethodOutput } from '../../../shared/contract.ts';
import { AppError } from '../../../shared/errors.ts';
import type { Snapshot } from '../../../shared/model.ts';
import type { Context } from './context.ts';
import { confirm, count, define, type Runner, yesOption } from './define.ts';
import { displayPath, displayText, formatBytes, fullPath, plural, shortId, when } from './format.ts';
import { withPath } from './paths.ts';
import { parseVersion, TIME_FORMS } from './time.ts';

const VERSION_NOTE = `A version is the id of a snapshot (a part of 6 characters is enough) or a time: the newest version then.\n${TIME_FORMS}`;

export function addVersions(program: Command, runner: Runner): void {
  addHistory(program, runner);
  addShow(program, runner);
  addDiff(program, runner);
  addRestore(program, runner);
}

function addHistory(program: Command, runner: Runner): void {
  define<{ limit: number }>(
    program,
    runner,
    {
      usage: 'history <path>',
      summary: 'List the versions of a file, newest first',
      examples: ['angles history notes/plan.md', 'angles history ~/notes/plan.md --limit 5'],
      options: [count('--limit <n>', 'at most so many (up to 1000)', 50)],
    },
    (context, [path = ''], { limit }) =>
      context.withAgent(async (client) => {
        const answer = await withPath(context, path, (one) =>
          client.call('files.history', { path: one, limit: Math.min(limit, 1_000) }),
        );
        context.answer(answer, () => [
          `${context.style.bold(fullPath(answer.file))}: ${plural(answer.file.versions, 'version')}`,
          ...context.table(
            [
              { title: 'ID' },
              { title: 'CAPTURED' },
              { title: 'CHANGE' },
              { title: 'SIZE', align: 'right' },
              { title: 'NOTE', cut: 'start' },
            ],
            answer.snapshots.map((one) => [
              shortId(one.snapshotId),
              when(context, one.capturedAtMs),
              one.change,
              formatBytes(one.sizeBytes),
              noteOf(one),
            ]),
          ),
        ]);
        if (answer.next !== null) context.say('There are older versions: use --limit to see more.');
      }),
  );
}

function noteOf(snapshot: Snapshot): string {
  const from = snapshot.previousPath === null ? '' : `from ${displayPath(snapshot.previousPath)}`;
  return [from, snapshot.stillOpen ? 'still being written' : ''].filter(Boolean).join(', ');
}

function addShow(program: Command, runner: Runner): void {
  define<{ at?: string }>(
    program,
    runner,
    {
      usage: 'show <path>',
      summary: 'Print a version of a file',
      examples: [
        'angles show notes/plan.md',
        'angles show notes/plan.md --at yesterday > plan-of-yesterday.md',
        'angles show notes/plan.md --at 4f1c22ab',
      ],
      notes: `Without --at it prints the newest version. Into a file or a pipe go the exact bytes.\n${VERSION_NOTE}`,
      options: [new Option('--at <version>', 'a time, or the id of a version')],
    },
    (context, [path = ''], { at }) =>
      context.withAgent(async (client) => {
        const version = at === undefined ? {} : { version: parseVersion(at, context.time('end')) };
        const answer = await withPath(context, path, (one) => client.call('files.show', { path: one, ...version }));
        if (context.global.json) context.answer(answer, () => []);
        else printContent(context, answer);
      }),
  );
}

function printContent(context: Context, answer: MethodOutput<'files.show'>): void {
  const { stdout } = context.io;
  const bytes = Buffer.from(answer.content, answer.encoding === 'text' ? 'utf8' : 'base64');
  if (!stdout.isTTY) {
    stdout.write(bytes);
    return;
  }
  if (answer.encoding === 'base64') {
    throw new AppError(
      'usage.bad_argument',
      `${displayPath(answer.snapshot.path)} is not text (${formatBytes(bytes.length)}).`,
      {
        hint: 'Send it to a file: `angles show PATH > FILE`, or use `angles restore-file`.',
      },
    );
  }
  // What a file says must not steer the terminal; a pipe gets it untouched.
  stdout.write(displayText(answer.content));
}

function addDiff(program: Command, runner: Runner): void {
  define(
    program,
    runner,
    {
      usage: 'diff <path> <from> [to]',
      summary: 'Show what changed between two versions of a file',
      examples: [
        'angles diff notes/plan.md yesterday',
        'angles diff notes/plan.md 4f1c22ab 91d0a377',
        "angles diff notes/plan.md '2026-11-01' '2026-11-15'",
      ],
      notes: `Without a second version the newest one is compared.\n${VERSION_NOTE}`,
    },
    (context, [path = '', from = '', to]) =>
      context.withAgent(async (client) => {
        const versions = {
          from: parseVersion(from, context.time('end')),
          ...(to === undefined ? {} : { to: parseVersion(to, context.time('end')) }),
        };
        const answer = await withPath(context, path, (one) => client.call('files.diff', { path: one, ...versions }));
        context.answer(answer, () => describeDiff(context, answer));
      }),
  );
}

function describeDiff(context: Context, answer: MethodOutput<'files.diff'>): string[] {
  const { style } = context;
  const name = (one: Snapshot): string =>
    `${displayPath(one.path)}  ${when(context, one.capturedAtMs)}  ${shortId(one.snapshotId)}`;
  const head = [style.bold(`--- ${name(answer.from)}`), style.bold(`+++ ${name(answer.to)}`)];
  if (!answer.comparable) {
    return [
      ...head,
      `The content is not text: ${formatBytes(answer.from.sizeBytes)} before, ${formatBytes(answer.to.sizeBytes)} after.`,
    ];
  }
  if (answer.hunks.length === 0) return [...head, 'No difference.'];
  const body = answer.hunks.flatMap(({ lines }) => {
    const before = lines.filter((line) => line.before !== null);
    const after = lines.filter((line) => line.after !== null);
    const range = (side: typeof lines, first: number | null | undefined): string => `${first ?? 0},${side.length}`;
    return [
      style.cyan(`@@ -${range(before, before[0]?.before)} +${range(after, after[0]?.after)} @@`),
      ...lines.map((line) => {
        const text = displayText(line.text);
        if (line.kind === 'added') return style.green(`+${text}`);
        return line.kind === 'removed' ? style.red(`-${text}`) : ` ${text}`;
      }),
    ];
  });
  return [...head, ...body];
}

type RestoreOptions = { at: string; to?: string; inPlace?: boolean };

function addRestore(program: Command, runner: Runner): void {
  define<RestoreOptions>(
    program,
    runner,
    {
      usage: 'restore-file <path>',
      summary: 'Write a version of a file back to the disk, beside the original unless told otherwise',
      examples: [
        'angles restore-file notes/plan.md --at yesterday',
        'angles restore-file notes/plan.md --at 4f1c22ab --to /tmp/plan.md',
        'angles restore-file notes/plan.md --at "2h ago" --in-place --yes',
      ],
      notes: `With --in-place the present content is captured first, so that this can be undone.\n${VERSION_NOTE}`,
      options: [
        new Option('--at <version>', 'a time, or the id of a version').makeOptionMandatory(),
        new Option('--to <path>', 'write it here; an existing file is never overwritten').conflicts('inPlace'),
        new Option('--in-place', 'replace the original'),
        yesOption(),
      ],
    },
    (context, [path = ''], options) =>
      context.withAgent(async (client) => {
        const version = parseVersion(options.at, context.time('end'));
        if (
          options.inPlace &&
          !(await confirm(context, `Replace ${displayPath(path)} with the version of ${options.at}?`))
        ) {
          context.say('Nothing was changed.');
          return 1;
        }
        const target = options.inPlace
          ? { inPlace: true }
          : options.to === undefined
            ? {}
            : { to: resolve(context.io.cwd, options.to) };
        const answer = await withPath(context, path, (one) =>
          client.call('files.restore', { path: one, version, ...target }),
        );
        const safety =
          answer.safetySnapshotId === null
            ? ''
            : ` What was there is kept as version ${shortId(answer.safetySnapshotId)}.`;
        context.answer(answer, () => [
          `Wrote ${displayPath(answer.writtenTo)} (${formatBytes(answer.sizeBytes)}).${safety}`,
        ]);
        return 0;
      }),
  );
}
