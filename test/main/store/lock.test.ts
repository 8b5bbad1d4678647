import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { acquireLock } from '../../../src/main/store/lock.ts';
import { newFolder } from './test-vault.ts';

const MODULE = pathToFileURL(join(import.meta.dirname, '../../../src/main/store/lock.ts')).href;

/** Another process that holds the lock until it is killed. */
async function holdElsewhere(folder: string) {
  const code = `const { acquireLock } = await import('${MODULE}');
    acquireLock(${JSON.stringify(folder)}, 0); console.log('held'); setInterval(() => {}, 1_000)`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return {
    killAndWait: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

test('a folder that another process holds is refused with the name of the holder, and free when that one is killed', async () => {
  const folder = newFolder();
  const holder = await holdElsewhere(folder);
  expect(() => acquireLock(folder, 0)).toThrow(
    expect.objectContaining({ code: 'data.held', message: `Another process holds ${folder}.`, retryable: true }),
  );
  writeFileSync(join(folder, 'agent.json'), JSON.stringify({ pid: 4711, url: 'http://127.0.0.1:5000' }));
  expect(() => acquireLock(folder, 0)).toThrow(/process id 4711 \(http:\/\/127\.0\.0\.1:5000\)/);
  await holder.killAndWait();
  acquireLock(folder, 0).release();
});

test('a lock that was released can be taken again, any number of times', () => {
  const folder = join(newFolder(), 'not', 'there', 'yet');
  for (let time = 0; time < 3; time += 1) acquireLock(folder, 0).release();
  expect(existsSync(folder)).toBe(true);
});

test('a folder that cannot be made is named as such', () => {
  const file = join(newFolder(), 'file');
  writeFileSync(file, '');
  expect(() => acquireLock(join(file, 'folder'), 0)).toThrow(expect.objectContaining({ code: 'data.unwritable' }));
});
