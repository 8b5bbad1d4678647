import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';

/**
 * Electron's executable, or null when there is none. Its package holds only a note of where the executable lies; the
 * executable itself is fetched by `npx install-electron`. ELECTRON_OVERRIDE_DIST_PATH names another folder, as for
 * Electron's own command.
 */
export function findElectron(root, environment) {
  const folder = join(root, 'node_modules', 'electron');
  const note = join(folder, 'path.txt');
  const name = existsSync(note) ? readFileSync(note, 'utf8').trim() : null;
  const override = environment.ELECTRON_OVERRIDE_DIST_PATH;
  const path = override ? join(override, name ?? 'electron') : name === null ? null : join(folder, 'dist', name);
  return path !== null && existsSync(path) ? path : null;
}

/** Runs it in this terminal; a signal to this process reaches it. Resolves with its exit code. */
export function runDesktop(binary, args) {
  const child = spawn(binary, args, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}
