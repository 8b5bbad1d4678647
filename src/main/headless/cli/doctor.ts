import type { Command } from 'commander';
import type { Check } from '../../../shared/model.ts';
import type { Context } from './context.ts';
import { define, type Runner } from './define.ts';
import { oneLine, plural } from './format.ts';

export function addDoctor(program: Command, runner: Runner): void {
  define(
    program,
    runner,
    {
      usage: 'doctor',
      summary: 'Check everything, and say how to mend what is wrong',
      examples: ['angles doctor', 'angles doctor --json'],
      notes: 'Exit code 0: nothing is broken (there may be warnings); 1: something is.',
    },
    (context) =>
      context.withAgent(async (client) => {
        const answer = await client.call('doctor.run', {});
        context.answer(answer, () => answer.checks.flatMap((check) => describeCheck(context, check)));
        const broken = answer.checks.filter((check) => check.verdict === 'error').length;
        const warned = answer.checks.filter((check) => check.verdict === 'warn').length;
        context.say(
          broken + warned === 0 ? 'All is well.' : `${plural(broken, 'error')}, ${plural(warned, 'warning')}.`,
        );
        return broken > 0 ? 1 : 0;
      }),
  );
}

export function describeCheck(context: Context, check: Check): string[] {
  const { style } = context;
  const word = {
    ok: style.green('ok   '),
    warn: style.yellow('warn '),
    error: style.red('error'),
    off: style.dim('off  '),
  }[check.verdict];
  const line = `${word}  ${style.bold(oneLine(check.title))}: ${oneLine(check.reason)}`;
  return check.fix === null ? [line] : [line, `       ${oneLine(check.fix)}`];
}
