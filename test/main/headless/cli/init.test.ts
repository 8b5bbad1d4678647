import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openAgent } from '../../../../src/main/agent.ts';
import { createFakeApi } from '../../../support/fake-api.ts';
import { type CliOptions, type CliRun, cli } from '../../../support/server-cli.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'angles-init-'));
  mkdirSync(join(home, 'notes'));
  writeFileSync(join(home, 'notes', 'first.md'), '# First\n');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** With a vault of its own and no agent that runs. */
const run = (argv: string[], options: CliOptions = {}): Promise<CliRun> =>
  cli(['init', ...argv], {
    env: { HOME: home },
    ...options,
    io: { cwd: home, homedir: home, nowMs: Date.now, ...options.io },
    parts: { dataFolder: join(home, 'data'), connect: async () => null, openAgent },
  });

test('without a question: the folder is captured, everything is checked, what comes next is said', async () => {
  const { code, stdout } = await run(['--yes', '--folder', 'notes']);
  expect([code, stdout]).toEqual([0, expect.stringContaining(`safe   ${join(home, 'notes')}: 1 file, 8 B`)]);
  expect(stdout).toContain('later  Everything works without: Sync with Supabase');
  expect(stdout).toContain('Next: `angles start`');
  const again = JSON.parse((await run(['--folder', 'notes', '--json'])).stdout) as {
    roots: { path: string; files: number }[];
    isRunning: boolean;
  };
  expect(again).toMatchObject({ roots: [{ path: join(home, 'notes'), files: 1 }], isRunning: false });
});

test('with a terminal it asks; --yes alone makes a first folder; nobody to ask is a usage error', async () => {
  expect((await run([], { tty: true, answers: ['~/notes'] })).stdout).toContain(`${join(home, 'notes')}: 1 file`);
  expect((await run(['--yes'])).stdout).toContain(join(home, 'Documents', 'Angles'));
  expect(await run([])).toMatchObject({ code: 64, stderr: expect.stringContaining('--folder PATH') });
  expect((await run(['--folder', 'nowhere'])).code).toBe(1);
});

test('a file that a program is still writing is said, and is no success', async () => {
  const api = createFakeApi();
  api.answerWith('doctor.run', { checks: [] });
  const io = { cwd: home, homedir: home };
  expect((await cli(['init', '--folder', 'notes'], { api, io })).code).toBe(0);
  api.answerWith('scan.run', { waiting: 1 });
  const { code, stdout } = await cli(['init', '--folder', 'notes'], { api, io });
  expect([code, stdout]).toEqual([1, expect.stringContaining('1 file still being written')]);
});
