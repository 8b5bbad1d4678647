import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { inPairs } from '../support/crash-points.ts';
import { createSandbox, READY_WITHIN_MS } from '../support/crash-run.ts';
import { save } from '../support/crash-scenario.ts';
import { angles, type DaemonPlace, endOf, spawnDaemon, startDaemon } from '../support/daemon.ts';
import { nodeArgs } from '../support/strace.ts';

const LOCK_CHILD = join(import.meta.dirname, '../support/crash-lock.ts');
const KILLS = 100;
const STARTS = 5;

function newPlace(): DaemonPlace {
  const { base, root, dataFolder, remove } = createSandbox();
  onTestFinished(remove);
  return { dataFolder, root, home: base };
}

/** Whether a process takes the lock at once; it is killed while it holds it. */
async function takeAndDie(dataFolder: string): Promise<boolean> {
  const [command = '', ...args] = nodeArgs(LOCK_CHILD, [dataFolder]);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = endOf(child);
  const held = await Promise.race([once(child.stdout, 'data').then(() => true), ended.then(() => false)]);
  child.kill('SIGKILL');
  await ended;
  return held;
}

test(`after kill -9 of its holder the lock is free, ${KILLS} of ${KILLS}`, async () => {
  const folders = [newPlace().dataFolder, newPlace().dataFolder];
  let taken = 0;
  await inPairs(folders, async (folder) => {
    for (let kill = 0; kill < KILLS / 2; kill += 1) if (await takeAndDie(folder)) taken += 1;
  });
  expect(taken).toBe(KILLS);
});

test(`after kill -9 the agent starts again with nothing to unlock, ${STARTS} of ${STARTS}`, async () => {
  const place = newPlace();
  save(place.root, 'note.md', Buffer.from('a note'));
  for (let start = 0; start < STARTS; start += 1) {
    const daemon = await startDaemon(place);
    expect(daemon.readyMs).toBeLessThan(READY_WITHIN_MS);
    await daemon.kill();
  }
});

test('a second agent on one data folder ends with 8 and names the first, which goes on', async () => {
  const place = newPlace();
  const first = await startDaemon(place);
  onTestFinished(first.kill);
  const second = spawnDaemon(place);
  let said = '';
  second.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  expect(await endOf(second)).toBe(8);
  expect(said).toContain(String(first.pid));
  save(place.root, 'after.md', Buffer.from('saved after the second one gave up'), null);
  expect(await angles(place, 'scan')).toMatchObject({ code: 0 });
  expect((await angles(place, 'show', join(place.root, 'after.md'))).stdout).toBe('saved after the second one gave up');
  expect(await first.stop()).toBe(0);
});
