/**
 * What waits while there is no network: how long a change takes until it is durable with its place in the queue, what
 * the agent needs for a long queue, and how soon it goes on when the network returns. Against a bare `INSERT` of the same
 * content with one fsync, in turns on the same disk. Needs `unshare -n` and `ip`: the network goes away for real.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { percentile } from './measure.mjs';

const CHANGES = 100_000;

const row = (name, value, unit, limit) => ({
  name,
  value,
  unit,
  ...(limit === undefined ? {} : { limit, ok: value <= limit }),
});

/** Rows for bench/run.mjs. */
export async function syncQueue(changes = CHANGES) {
  const script = join(import.meta.dirname, 'queue-offline.ts');
  const output = await runAlone([process.execPath, '--no-warnings', script, String(changes)]);
  const { took, bareTook, records, offlineMb, resumedMs, drainedMs, drainMb, twice } = JSON.parse(output);
  if (twice > 0) throw new Error(`${twice} records arrived twice`);
  const of = (list, share) => percentile(list, share);
  return [
    row('queue: changes while offline', changes, 'changes'),
    row('queue: bare INSERT with one fsync, median', of(bareTook, 0.5), 'ms'),
    row('queue: bare INSERT with one fsync, p99', of(bareTook, 0.99), 'ms'),
    row('queue: a change, durable and queued, median', of(took, 0.5), 'ms'),
    row('queue: a change, durable and queued, p99', of(took, 0.99), 'ms', 5),
    row('queue: a change, longest', of(took, 1), 'ms'),
    row('queue: a change / bare INSERT, median', of(took, 0.5) / of(bareTook, 0.5), 'x'),
    row('queue: a change / bare INSERT, p99', of(took, 0.99) / of(bareTook, 0.99), 'x'),
    row('queue: peak RSS while offline', offlineMb, 'MB', 250),
    row('queue: network returns until the first row is there', resumedMs / 1_000, 's', 2),
    row('queue: drained', records / (drainedMs / 1_000), 'records/s'),
    row('queue: peak RSS after the drain', drainMb, 'MB', 250),
  ];
}

function runAlone(command) {
  return new Promise((resolve, reject) => {
    const child = spawn('unshare', ['-n', ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (piece) => (output += piece));
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`the offline agent ended with ${code}`)),
    );
  });
}
