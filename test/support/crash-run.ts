/** A root and a data folder for one run of the crash scenario, and what is looked at after it. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAgent } from '../../src/main/agent.ts';
import { checkDisk, checkVault, type Problem } from './crash-check.ts';
import { crashHost } from './crash-child.ts';
import { type Ledger, type LedgerLine, readLedger, toLedger } from './crash-ledger.ts';
import {
  CRASH_CHILD,
  type Fault,
  type FaultPoint,
  faultArgs,
  nodeArgs,
  type ProcessEnd,
  run,
  wasKilled,
} from './strace.ts';

export type Sandbox = {
  readonly base: string;
  readonly root: string;
  readonly dataFolder: string;
  readonly remove: () => void;
};

export const REMOTES = ['supabase'] as const;
/** C1: a start after a crash is ready within this. */
export const READY_WITHIN_MS = 5_000;

export function createSandbox(disk = tmpdir()): Sandbox {
  const base = realpathSync(mkdtempSync(join(disk, 'angles-crash-')));
  const root = join(base, 'root');
  mkdirSync(root);
  return {
    base,
    root,
    dataFolder: join(base, 'data'),
    remove: () => rmSync(base, { recursive: true, force: true }),
  };
}

/** Runs the scenario in a process of its own, struck at a point. */
export async function runStruck(
  sandbox: Sandbox,
  point: FaultPoint,
  fault: Fault,
): Promise<{ readonly end: ProcessEnd; readonly lines: readonly LedgerLine[] }> {
  const child = nodeArgs(CRASH_CHILD, [sandbox.dataFolder, sandbox.root]);
  const end = await run('strace', [...faultArgs(point, fault), ...child]);
  return { end, lines: readLedger(end.stdout) };
}

/** What is wrong with the folder as the crash left it, looked at in a copy. */
export async function checkAsLeft(sandbox: Sandbox, ledger: Ledger): Promise<Problem[]> {
  if (!readdirSync(sandbox.base).includes('data') || !readdirSync(sandbox.dataFolder).includes('vault.db'))
    return ledger.captured.length + ledger.records.length === 0 ? [] : [{ kind: 'lost', what: 'there is no vault' }];
  const copy = join(sandbox.base, 'copy');
  cpSync(sandbox.dataFolder, copy, { recursive: true });
  const { stdout } = await run('sqlite3', [join(copy, 'vault.db'), 'PRAGMA integrity_check']);
  const verdict: Problem[] = stdout.trim() === 'ok' ? [] : [{ kind: 'half-written', what: `sqlite3 says ${stdout}` }];
  const isEmpty = ledger.captured.length + ledger.records.length === 0 && !(await hasTables(copy));
  const problems = isEmpty ? verdict : [...verdict, ...checkVault(copy, ledger, REMOTES)];
  rmSync(copy, { recursive: true });
  return problems;
}

/** A vault that was killed before its first migration committed. */
async function hasTables(dataFolder: string): Promise<boolean> {
  const { stdout } = await run('sqlite3', [join(dataFolder, 'vault.db'), 'SELECT count(*) FROM sqlite_schema']);
  return Number(stdout) > 0;
}

/** The next start, as any start is; then what the folder holds. */
export async function checkAfterRestart(sandbox: Sandbox, ledger: Ledger): Promise<Problem[]> {
  const beganMs = performance.now();
  const agent = await openAgent(crashHost(sandbox.dataFolder), 'offline');
  await agent.start();
  const tookMs = performance.now() - beganMs;
  const left = readdirSync(join(sandbox.dataFolder, 'objects', 'tmp'));
  const { methods } = agent.api;
  const { roots } = await methods['roots.list']({});
  if (roots.length === 0) await methods['roots.add']({ path: sandbox.root });
  const { results } = await methods['scan.run']({});
  await agent.stop();
  const problems = [...checkVault(sandbox.dataFolder, ledger, REMOTES), ...checkDisk(sandbox.dataFolder, sandbox.root)];
  if (tookMs > READY_WITHIN_MS) problems.push({ kind: 'inconsistent', what: `ready after ${Math.round(tookMs)} ms` });
  if (readdirSync(sandbox.dataFolder).includes('damaged'))
    problems.push({ kind: 'inconsistent', what: 'the crash was taken for damage and the vault was rebuilt' });
  if (left.length > 0) problems.push({ kind: 'half-written', what: `objects/tmp holds ${left.join(', ')}` });
  if (results.length !== 1) problems.push({ kind: 'lost', what: `${results.length} roots were scanned` });
  return problems;
}

/** Strikes a process at one point and says what is wrong afterwards. */
export async function proveKillPoint(
  sandbox: Sandbox,
  point: FaultPoint,
): Promise<{ reached: boolean; problems: readonly Problem[] }> {
  const { end, lines } = await runStruck(sandbox, point, { signal: 'SIGKILL' });
  const reached = wasKilled(end);
  const ledger = toLedger(lines);
  const bugs: Problem[] = ledger.failures.map((each) => ({
    kind: 'inconsistent',
    what: `${each.step}: ${each.message}`,
  }));
  if (!reached && (end.code !== 0 || !ledger.isDone))
    bugs.push({ kind: 'inconsistent', what: `the process ended with ${end.code} ${end.stderr}` });
  const asLeft = await checkAsLeft(sandbox, ledger);
  const afterwards = await checkAfterRestart(sandbox, ledger).catch((cause: unknown): Problem[] => [
    { kind: 'inconsistent', what: `the next start failed: ${cause instanceof Error ? cause.stack : String(cause)}` },
  ]);
  return { reached, problems: [...bugs, ...asLeft, ...afterwards] };
}
