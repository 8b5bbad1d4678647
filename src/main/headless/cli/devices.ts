import type { Command } from 'commander';
import { define, type Runner } from './define.ts';
import { ago, oneLine } from './format.ts';

export function addDevices(program: Command, runner: Runner): void {
  define(
    program,
    runner,
    {
      usage: 'devices',
      summary: 'List the devices that share the Supabase project',
      examples: ['angles devices', 'angles devices --json'],
    },
    (context) =>
      context.withAgent(async (client) => {
        const answer = await client.call('devices.list', {});
        context.answer(answer, () =>
          context.table(
            [
              { title: 'DEVICE' },
              { title: 'NAME', cut: 'end' },
              { title: 'SEEN' },
              { title: 'UNSENT', align: 'right' },
              { title: 'NOTION' },
            ],
            answer.devices.map((device) => [
              device.deviceId,
              `${oneLine(device.name)}${device.isThis ? ' (this one)' : ''}`,
              ago(context, device.lastSeenAtMs),
              device.unsent === null ? '-' : String(device.unsent),
              device.isLeader ? 'talks to it' : '-',
            ]),
          ),
        );
        if (answer.problem === null) return 0;
        context.say(`The other devices are not known just now: ${oneLine(answer.problem.message)}`);
        return answer.problem.exitCode;
      }),
  );
}
