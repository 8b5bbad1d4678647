import type { Command } from 'commander';
import type { MethodOutput } from '../../../shared/contract.ts';
import type { DriftItem } from '../../../shared/contract-backup.ts';
import { withProgress } from './backup-progress.ts';
import type { Context } from './context.ts';
import { count, define, list, type Runner } from './define.ts';
import { displayPath, oneLine, plural } from './format.ts';

const SIDES = ['files', 'backup', 'supabase', 'notion'] as const satisfies readonly DriftItem['against'][];

export function addDrift(program: Command, runner: Runner): void {
  define<{ against: string[]; limit: number }>(
    program,
    runner,
    {
      usage: 'drift',
      summary: 'Show what differs between files, vault, the newest backup and the remotes',
      examples: ['angles drift', 'angles drift --against backup', 'angles drift --json'],
      notes: 'Exit code 0: little or nothing differs; 6: so much that you should look.',
      options: [
        list('--against <side>', 'only this side: files, backup, supabase or notion (may be repeated)', SIDES),
        count('--limit <n>', 'at most so many lines (up to 1000)', 100),
      ],
    },
    (context, _args, { against, limit }) =>
      context.withAgent(async (client) => {
        const wanted = SIDES.filter((side) => against.includes(side));
        const answer = await withProgress(context, client, () =>
          client.call('drift.run', {
            limit: Math.min(limit, 1_000),
            ...(wanted.length === 0 ? {} : { against: wanted }),
          }),
        );
        context.answer(answer, () => describeDrift(context, answer));
        return answer.alert ? 6 : 0;
      }),
  );
}

const WORDS: Readonly<Record<DriftItem['kind'], string>> = {
  missing: 'missing here',
  extra: 'only here',
  changed_here: 'changed here',
  changed_there: 'changed there',
  changed_both: 'changed on both sides',
};

function describeDrift(context: Context, answer: MethodOutput<'drift.run'>): string[] {
  const { style } = context;
  const sides = answer.sides.flatMap(({ against, compared, different, problem }) => {
    const line = `${against.padEnd(9)} ${different === 0 ? style.green('the same') : style.yellow(`${different} of ${compared} differ`)}`;
    return problem === null ? [line] : [line, `  ${oneLine(problem.message)} ${oneLine(problem.fix)}`];
  });
  return [
    ...sides,
    ...answer.items.map((item) => `  ${item.against}  ${WORDS[item.kind]}  ${displayPath(item.name)}`),
    ...(answer.more > 0 ? [`${plural(answer.more, 'more line')}: use --limit.`] : []),
  ];
}
