/** Runs whole processes and measures them from outside. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';

export const root = join(import.meta.dirname, '..');
export const program = join(root, 'bin', 'angles');

export function scratch(name) {
  return mkdtempSync(join(tmpdir(), `angles-bench-${name}-`));
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];
}

/** Wall seconds and peak resident MB of a process; throws when it fails. */
export function run(command, args, env = {}) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    let output = '';
    let errors = '';
    child.stdout.on('data', (piece) => (output += piece));
    child.stderr.on('data', (piece) => (errors += piece));
    let peakMb = 0;
    const sampler = setInterval(() => (peakMb = Math.max(peakMb, memoryMb(child.pid, 'VmHWM'))), 20);
    child.on('error', reject);
    child.on('exit', (code) => {
      clearInterval(sampler);
      const seconds = (performance.now() - started) / 1_000;
      if (code === 0) resolve({ seconds, peakMb, output });
      else reject(new Error(`${command} ${args.join(' ')} ended with ${code}: ${(output + errors).slice(-2_000)}`));
    });
  });
}

/** `VmRSS` (now) or `VmHWM` (peak) of a process; 0 when it is gone. */
export function memoryMb(pid, field) {
  try {
    return (
      Number(new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) /
      1_024
    );
  } catch {
    return 0;
  }
}

/** CPU seconds a process used so far (proc(5): utime and stime, in ticks of 10 ms). */
export function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** A running agent with a data folder of its own. */
export async function startAgent({ home, roots, env = {} }) {
  const started = performance.now();
  const args = ['start', '--no-progress', '--port', '0', ...roots.flatMap((path) => ['--root', path])];
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ANGLES_HOME: home, ...env },
  });
  let errors = '';
  child.stderr.on('data', (piece) => (errors += piece));
  const ended = new Promise((resolve) => child.on('exit', resolve));
  child.on('exit', (code) => {
    if (code !== 0 && code !== null) console.error(`the agent ended with ${code}: ${errors.slice(-2_000)}`);
  });
  const logFile = join(home, 'logs', 'angles.log');
  const ready = async () => {
    for (;;) {
      if (child.exitCode !== null) throw new Error(`the agent ended: ${errors.slice(-2_000)}`);
      if (existsSync(logFile)) {
        const line = readFileSync(logFile, 'utf8')
          .split('\n')
          .findLast((each) => each.includes('"Ready."') && each.includes(`"pid":${child.pid}`));
        if (line !== undefined)
          return {
            seconds: JSON.parse(line).data.sinceStartMs / 1_000,
            wallSeconds: (performance.now() - started) / 1_000,
          };
      }
      await sleep(10);
    }
  };
  return {
    pid: child.pid,
    ready,
    status: () =>
      JSON.parse(
        spawnSync(program, ['status', '--json'], { env: { ...process.env, ANGLES_HOME: home }, encoding: 'utf8' })
          .stdout,
      ),
    stop: async () => {
      child.kill('SIGCONT');
      child.kill('SIGINT');
      await ended;
    },
  };
}

/** Reads the vault of a running agent without disturbing it: what this sees is committed. */
export function openVault(home) {
  const db = new Database(join(home, 'vault.db'), { readonly: true });
  const versions = db.prepare('SELECT count(*) AS count FROM file_snapshots WHERE path = ?');
  const below = db.prepare("SELECT count(*) AS count FROM files WHERE state = 'present' AND dir = ?");
  return {
    versionsOf: (path) => versions.get(path).count,
    filesIn: (dir) => below.get(dir).count,
    close: () => db.close(),
  };
}

export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export function remove(...folders) {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}
