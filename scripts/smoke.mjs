/** Starts the built program as `npm start` does, saves a file, sees its version, and stops it: what a first user does. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const home = mkdtempSync(join(tmpdir(), 'angles-smoke-'));
const env = { ...process.env, HOME: home, ANGLES_HOME: join(home, 'data') };
mkdirSync(join(home, 'notes'));

const agent = spawn(process.execPath, [join(root, 'bin', 'start.mjs'), '--root', join(home, 'notes'), '--port', '0'], {
  env,
  stdio: ['ignore', 'pipe', 'pipe'],
});
let output = '';
agent.stdout.on('data', (piece) => (output += piece));
agent.stderr.on('data', (piece) => (output += piece));
const ended = new Promise((resolve) => agent.on('exit', (code) => resolve(code)));

try {
  await until(() => output.includes('Ready after'), 'the agent is ready');
  writeFileSync(join(home, 'notes', 'first.md'), 'the first save\n');
  await until(() => command('history', join(home, 'notes', 'first.md')).status === 0, 'the save is a version');
  const shown = command('show', join(home, 'notes', 'first.md')).stdout;
  if (shown !== 'the first save\n') throw new Error(`the version reads ${JSON.stringify(shown)}`);
  agent.kill('SIGINT');
  const code = await ended;
  if (code !== 0) throw new Error(`the agent ended with ${code}`);
  console.log('The built program started, captured a save, and stopped cleanly.');
} catch (error) {
  console.error(output);
  console.error(error.message);
  process.exitCode = 1;
  agent.kill('SIGKILL');
} finally {
  rmSync(home, { recursive: true, force: true });
}

function command(...args) {
  return spawnSync(process.execPath, [join(root, 'bin', 'angles'), ...args], { env, encoding: 'utf8' });
}

async function until(test, what) {
  const endMs = performance.now() + 30_000;
  while (!test()) {
    if (performance.now() > endMs) throw new Error(`did not happen within 30 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
