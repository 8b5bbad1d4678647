/** Sample data to look around in: no account, no network, nothing of it stays. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../src/main/headless/client.ts';
import { packageRoot } from '../../src/main/package-root.ts';
import { type Desktop, isReal, makePlace, type Place, startDesktop } from '../support/desktop.ts';

const ALLOWED_MS = 60_000;
const MAIN = join(packageRoot(), 'out', 'main', 'main.js');
let place: Place;
/** Where the sample is made: inside of the place, so that a test that fails leaves nothing either. */
let temporary: string;
beforeEach(() => {
  place = makePlace();
  temporary = join(place.home, 'tmp');
  mkdirSync(temporary);
});
afterEach(() => place.remove());

const samples = (): string[] => readdirSync(temporary).filter((name) => name.startsWith('angles-sample-'));
const dataFolder = (): string => join(temporary, samples()[0] ?? '', 'data');
const until = async (what: string, isSo: () => boolean): Promise<void> => {
  for (const endMs = performance.now() + ALLOWED_MS; !isSo(); ) {
    if (performance.now() > endMs) throw new Error(`did not become so: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

test('angles start --demo shows a week of work within a minute, tells no service, and leaves nothing behind', async () => {
  const beganMs = performance.now();
  const agent = spawn(process.execPath, [MAIN, 'start', '--demo', '--port', '0'], {
    env: {
      PATH: process.env.PATH ?? '',
      HOME: place.home,
      TMPDIR: temporary,
      ANGLES_HOME: place.dataFolder,
      SUPABASE_URL: 'http://127.0.0.1:9',
      SUPABASE_KEY: 'a key of the person',
      GITHUB_REPO: 'http://127.0.0.1:9/a/b',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((resolve) => agent.once('exit', resolve));
  let output = '';
  for (const stream of [agent.stdout, agent.stderr])
    stream.on('data', (piece) => {
      output += String(piece);
    });
  await until('it is ready', () => output.includes('Ready after'));
  const tookMs = performance.now() - beganMs;
  process.stdout.write(`sample data ready after ${Math.round(tookMs)} ms\n`);
  expect(tookMs).toBeLessThan(ALLOWED_MS);
  expect(output).toContain(`export ANGLES_HOME='${dataFolder()}'`);

  const connection = await connect(dataFolder());
  const client = connection?.client;
  if (client === undefined) throw new Error('the agent of the sample does not answer');
  const status = await client.call('agent.status', {});
  expect(status).toMatchObject({
    isSample: true,
    dataFolder: dataFolder(),
    sync: { conflicts: 3, remotes: [{ configured: false }, { configured: false }] },
  });
  expect(status.roots).toHaveLength(2);
  const { files } = await client.call('files.list', {});
  const plan = files.find(({ path }) => path === 'release-plan.md');
  const { snapshots } = await client.call('files.history', { path: `${plan?.root}/release-plan.md` });
  expect(snapshots).toHaveLength(4);
  expect((await client.call('records.list', { table: 'decision_vault' })).records).toHaveLength(4);
  expect((await client.call('backups.list', {})).backups.length).toBeGreaterThan(0);
  expect((await client.call('backups.test', {})).configured).toBe(false);
  client.close();

  agent.kill('SIGINT');
  expect(await ended).toBe(0);
  expect(samples()).toEqual([]);
  expect(existsSync(place.dataFolder)).toBe(false);
});

describe.skipIf(isReal)('in the desktop app', () => {
  let desktop: Desktop | null = null;
  afterEach(async () => {
    await desktop?.kill();
  });

  test('the first run opens it in one click, in a window of its own that says what it is', async () => {
    desktop = await startDesktop({ place, environment: { TMPDIR: temporary } });
    const page = await desktop.page();
    const beganMs = performance.now();
    await page.getByRole('button', { name: 'Open sample data' }).click();
    await page.getByText('A window of its own opens').waitFor();
    await until('the other program runs', () => samples().length === 1 && existsSync(join(dataFolder(), 'agent.json')));
    const sample = await desktop.otherPage();
    await sample.getByText('nothing here is yours').waitFor();
    await sample.getByText('release-plan.md was saved').first().waitFor();
    process.stdout.write(`sample window after ${Math.round(performance.now() - beganMs)} ms and 1 click\n`);
    expect(performance.now() - beganMs).toBeLessThan(ALLOWED_MS);
    expect(await page.getByRole('heading', { name: 'Which folder should be safe?' }).isVisible()).toBe(true);

    const { pid } = JSON.parse(readFileSync(join(dataFolder(), 'agent.json'), 'utf8')) as { pid: number };
    process.kill(pid, 'SIGTERM');
    await until('nothing of it is left', () => samples().length === 0);
  });
});
