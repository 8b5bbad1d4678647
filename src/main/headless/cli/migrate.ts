import { type Command, Option } from 'commander';
import type { MethodOutput } from '../../../shared/contract.ts';
import type { Context } from './context.ts';
import { confirm, define, type Runner, yesOption } from './define.ts';
import { oneLine, plural } from './format.ts';

type MigrateOptions = { dryRun?: boolean; print?: boolean };

export function addMigrate(program: Command, runner: Runner): void {
  define<MigrateOptions>(
    program,
    runner,
    {
      usage: 'migrate',
      summary: 'Create or update the tables in your Supabase project',
      examples: ['angles migrate --dry-run', 'angles migrate --yes', 'angles migrate --print > angles.sql'],
      options: [
        new Option('--dry-run', 'only tell what would run'),
        new Option('--print', 'print the SQL, to be pasted into the SQL editor of the project').conflicts('dryRun'),
        yesOption(),
      ],
      notes:
        'It needs SUPABASE_DB_URL, except for --print. All of it is done or nothing; it may be run at any time. Exit code 2 when it fails.',
    },
    (context, _, options) =>
      context.withAgent(async (client) => {
        if (options.print) {
          const answer = await client.call('migrate.sql', {});
          context.answer(answer, () => [answer.sql.trimEnd()]);
          return 0;
        }
        const plan = await client.call('migrate.run', { apply: false });
        if (options.dryRun || plan.steps.length === 0) {
          context.answer(plan, () => describePlan(plan));
          return 0;
        }
        for (const line of describePlan(plan)) context.say(line);
        if (!(await confirm(context, 'Run this in the Supabase project?'))) {
          context.say('Nothing was changed.');
          return 1;
        }
        const done = await client.call('migrate.run', { apply: true });
        context.answer(done, () => describeDone(context, done));
        return 0;
      }),
  );
}

type Plan = MethodOutput<'migrate.run'>;

function describePlan({ current, newest, steps }: Plan): string[] {
  if (steps.length === 0) return [`The tables of Supabase are at version ${newest}: nothing to do.`];
  return [
    current === 0 ? 'The project has no tables of Angles yet.' : `The tables are at version ${current} of ${newest}.`,
    ...steps.map((step) => `  ${oneLine(step)}`),
  ];
}

const describeDone = ({ style }: Context, { newest, steps }: Plan): string[] => [
  `${style.green('Done:')} ${plural(steps.length, 'step')}; the tables are at version ${newest}.`,
];
