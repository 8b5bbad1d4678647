/**
 * `npm test`: gets what the tests need, builds, runs everything, and ends with one line of counts.
 * Arguments go to the runner: `npm test -- test/main/watch`.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installTools } from './tools.mjs';

const root = join(import.meta.dirname, '..');
const summaryFile = join(root, 'out', 'test-results.json');

function run(command, args, env = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
  if (result.error) throw result.error;
  return result.status ?? 1;
}

installTools();
mkdirSync(join(root, 'out'), { recursive: true });
rmSync(summaryFile, { force: true });
if (run(process.execPath, [join(root, 'scripts', 'build.mjs')]) !== 0) process.exit(1);
const status = run(
  process.execPath,
  [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...process.argv.slice(2)],
  {
    ANGLES_TEST_SUMMARY: summaryFile,
  },
);
const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(summaryFile, 'utf8'));
// A file that cannot even be loaded has no failed test of its own.
const failed = Math.max(numFailedTests, status === 0 ? 0 : 1);
const line = `${numPassedTests} passed, ${failed} failed${numPendingTests > 0 ? `, ${numPendingTests} skipped` : ''}`;
writeFileSync(join(root, 'out', 'test-summary.txt'), `${line}\n`);
console.log(line);
process.exit(status);
