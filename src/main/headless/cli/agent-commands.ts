import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import type { AgentStatus } from '../../../shared/contract.ts';
import { AppError } from '../../../shared/errors.ts';
import { isAlive } from '../../is-alive.ts';
import { define, type Runner } from './define.ts';
import { plural } from './format.ts';
import { requireRunning } from './session.ts';

const STOP_WAIT_MS = 30_000;
const LOOK_EVERY_MS = 50;

/** Commands to a running agent as a whole: `stop` and `open`. */
export function addAgentCommands(program: Command, runner: Runner): void {
  define(
    program,
    runner,
    {
      usage: 'stop',
      summary: 'Stop the running agent, and wait until it has ended',
      examples: ['angles stop'],
      notes: 'What was captured is durable; saves of the time in between are found at the next start.',
    },
    async (context) => {
      const connection = await context.parts.connect(context.parts.dataFolder);
      if (connection === null) {
        context.answer({ stopped: false, queued: null }, () => ['No agent is running.']);
        return;
      }
      const { client, endpoint } = connection;
      const status = await client.call('agent.status', {});
      await client.call('agent.stop', {});
      client.close();
      for (let waitedMs = 0; isAlive(endpoint.pid); waitedMs += LOOK_EVERY_MS) {
        if (waitedMs >= STOP_WAIT_MS) {
          throw new AppError(
            'agent.not_answering',
            `The agent (process ${endpoint.pid}) is still stopping after ${STOP_WAIT_MS / 1_000} s.`,
          );
        }
        await delay(LOOK_EVERY_MS);
      }
      const queued = status.outbox.reduce((sum, one) => sum + one.pending + one.leased + one.parked, 0);
      context.answer({ stopped: true, pid: endpoint.pid, queued, waiting: status.waiting }, () => [
        stoppedLine(queued, status),
      ]);
    },
  );
  define<{ print?: boolean }>(
    program,
    runner,
    {
      usage: 'open',
      summary: 'Open the dashboard, signed in by a link that works once',
      examples: ['angles open', 'angles open --print'],
      options: [new Option('--print', 'only print the link')],
    },
    async (context, _, options) => {
      const { client } = await requireRunning(context.parts);
      try {
        const { url } = await client.call('agent.link', {});
        const opened = !options.print && !context.global.json && context.io.stdout.isTTY && context.io.openBrowser(url);
        context.answer({ url, opened }, () => [url]);
        context.say(
          opened
            ? 'The dashboard opens in your browser.'
            : 'Open this link in a browser on this machine. It works once, within ten minutes.',
        );
      } finally {
        client.close();
      }
    },
  );
}

/** What a stopped agent leaves for its next start, in one line. */
export function stoppedLine(queued: number, status: Pick<AgentStatus, 'waiting'>): string {
  const left = [
    status.waiting.capture > 0 ? `${plural(status.waiting.capture, 'changed file')} to capture` : '',
    status.waiting.index > 0 ? `${plural(status.waiting.index, 'entry', 'entries')} to index` : '',
    queued > 0 ? `${plural(queued, 'change')} to send` : '',
  ].filter(Boolean);
  return `The agent has stopped. ${left.length === 0 ? 'Nothing was left to do.' : `Kept for its next start: ${left.join(', ')}.`}`;
}
