import { spawn } from 'node:child_process';
import { app } from 'electron';

/**
 * Starts this program once more, beside this one, with sample data: another data folder, so another lock. It lives on
 * by itself. Rejects when it cannot be started.
 */
export function openDemo(onProblem: (error: Error) => void): Promise<void> {
  // In a package the executable is the program; else it is given the folder of the program.
  const program = app.isPackaged ? [] : process.argv.slice(1, 2);
  const child = spawn(process.execPath, [...process.execArgv, ...program, '--demo'], {
    detached: true,
    stdio: 'ignore',
  });
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      onProblem(error);
      reject(error);
    });
    child.once('spawn', () => {
      child.unref();
      resolve();
    });
  });
}
