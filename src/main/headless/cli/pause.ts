import type { Command } from 'commander';
import { AppError } from '../../../shared/errors.ts';
import { define, type Runner } from './define.ts';
import { when } from './format.ts';

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `angles pause 2h` and `angles resume`: sending and backing up rest; capturing goes on. */
export function addPause(program: Command, runner: Runner): void {
  define(
    program,
    runner,
    {
      usage: 'pause [duration]',
      summary: 'Let sending and backing up rest for a while; saves are still captured',
      examples: ['angles pause', 'angles pause 2h', 'angles pause 1d'],
      notes: 'A duration is a number and m, h or d: 30m (the default), 2h, 1d. 14d at most.',
    },
    (context, [argument]) =>
      context.withAgent(async (client) => {
        const untilMs = context.io.nowMs() + readDuration(argument ?? '30m');
        const answer = await client.call('agent.pause', { untilMs });
        context.answer(answer, () => [
          `Sending and backing up rest until ${when(context, answer.pausedUntilMs)}. Saves are still captured.`,
        ]);
      }),
  );
  define(program, runner, { usage: 'resume', summary: 'End a pause', examples: ['angles resume'] }, (context) =>
    context.withAgent(async (client) => {
      await client.call('agent.resume', {});
      context.answer({ resumed: true }, () => ['Nothing rests any more.']);
    }),
  );
}

function readDuration(text: string): number {
  const match = /^(\d{1,5})\s*([mhd])$/.exec(text.trim());
  const unit = UNITS[match?.[2] ?? ''];
  if (match === null || unit === undefined)
    throw new AppError('usage.bad_argument', `"${text}" is not a duration like 30m, 2h or 1d.`);
  return Number(match[1]) * unit;
}
