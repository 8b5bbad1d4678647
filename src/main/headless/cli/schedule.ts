import type { Command } from 'commander';
import type { ScheduleEntry } from '../../../shared/contract-ops.ts';
import { rhythmOf, rhythmText, scheduleNames, scheduleStates, waitsFor } from '../../../shared/schedule-words.ts';
import type { Context } from './context.ts';
import { define, type Runner } from './define.ts';
import { oneLine, whenShort } from './format.ts';

/** `angles schedule`: what the agent does by itself, how often, when last and when next. */
export function addSchedule(program: Command, runner: Runner): void {
  define(
    program,
    runner,
    {
      usage: 'schedule',
      summary: 'What runs by itself: how often, when last and how it went, when next',
      examples: ['angles schedule', 'angles schedule --json'],
      notes:
        'Times are those of this machine. The daily time is set by `angles config set scheduler.run_time 04:30`, its zone by scheduler.timezone.',
    },
    (context) =>
      context.withAgent(async (client) => {
        const answer = await client.call('schedule.list', {});
        context.answer(answer, () => lines(context, answer));
      }),
  );
}

type Answer = { readonly nowMs: number; readonly entries: readonly ScheduleEntry[] };

function lines(context: Context, { entries, nowMs }: Answer): string[] {
  const table = context.table(
    [{ title: 'WHAT' }, { title: 'HOW OFTEN' }, { title: 'STATE' }, { title: 'LAST' }, { title: 'NEXT', cut: 'end' }],
    entries.map((entry) => [
      scheduleNames[entry.id].name,
      rhythmText(rhythmOf(entry)),
      scheduleStates[entry.state],
      lastText(context, entry),
      nextText(context, entry, nowMs),
    ]),
  );
  const reasons = entries.flatMap(({ id, reason }) =>
    reason === null ? [] : [`${scheduleNames[id].name}: ${oneLine(reason)}`],
  );
  return reasons.length === 0 ? table : [...table, '', ...reasons];
}

function lastText(context: Context, { lastAtMs, lastOutcome }: ScheduleEntry): string {
  if (lastAtMs === null) return 'not yet';
  return `${whenShort(context, lastAtMs)}${lastOutcome === 'failed' ? ' (failed)' : ''}`;
}

function nextText(context: Context, entry: ScheduleEntry, nowMs: number): string {
  const waits = waitsFor(entry);
  if (waits === 'change') return 'after your next change';
  if (waits === 'first_backup') return 'a day after the first backup';
  if (entry.nextAtMs.length === 0) return '-';
  return entry.nextAtMs.map((atMs) => (atMs <= nowMs ? 'now' : whenShort(context, atMs))).join(', ');
}
