import { type Command, Option } from 'commander';
import type { ActivityKind } from '../../../shared/model.ts';
import { ACTIVITY_KINDS } from './choices.ts';
import { count, define, list, type Runner } from './define.ts';
import { oneLine, when } from './format.ts';
import { findRoot } from './paths.ts';
import { requireTime } from './time.ts';

type ActivityOptions = { kind: ActivityKind[]; root?: string; path?: string; since?: string; limit: number };

export function addActivities(program: Command, runner: Runner): void {
  define<ActivityOptions>(
    program,
    runner,
    {
      usage: 'activities',
      summary: 'List what happened, newest first',
      examples: [
        'angles activities',
        'angles activities --since yesterday --kind file.deleted',
        'angles activities --path journal --json',
      ],
      options: [
        list('--kind <kind>', 'only this kind, such as file.created; may be repeated', ACTIVITY_KINDS),
        new Option('--root <path>', 'only of this watched folder'),
        new Option('--path <text>', 'only of paths with this text'),
        new Option('--since <time>', 'only since'),
        count('--limit <n>', 'at most so many (up to 1000)', 30),
      ],
    },
    (context, _, options) =>
      context.withAgent(async (client) => {
        const root = options.root === undefined ? undefined : await findRoot(client, context, options.root);
        const answer = await client.call('activities.list', {
          limit: Math.min(options.limit, 1_000),
          ...(options.kind.length === 0 ? {} : { kinds: options.kind }),
          ...(root === undefined ? {} : { rootId: root.rootId }),
          ...(options.path === undefined ? {} : { path: options.path }),
          ...(options.since === undefined ? {} : { sinceMs: requireTime(options.since, context.time('start')) }),
        });
        context.answer(answer, () =>
          answer.activities.length === 0
            ? ['Nothing happened that matches.']
            : answer.activities.map(
                (one) => `${context.style.dim(when(context, one.occurredAtMs))}  ${oneLine(one.summary)}`,
              ),
        );
      }),
  );
}
