import { afterAll, describe, expect, test } from 'vitest';
import type { Problem } from '../support/crash-check.ts';
import { toLedger } from '../support/crash-ledger.ts';
import { allPoints, inPairs, type NamedPoint, namePoint, spread, traceScenario } from '../support/crash-points.ts';
import { checkAfterRestart, checkAsLeft, createSandbox, runStruck, type Sandbox } from '../support/crash-run.ts';
import { needs } from '../support/needs.ts';
import type { ProcessEnd } from '../support/strace.ts';

const isAll = process.env.FAULTS === 'all';
const only = process.env.POINT;
const PER_CALL = 3;
/** Calls that ask the disk for space. Of `write` only those into the journal: its other uses are pipes of Node. */
const ASKING = /^(pwrite64|ftruncate):|^(mkdir|rename):\d+@objects$/;
const JOURNAL = ['write:1@journal', 'write:2@journal', 'write:3@journal', 'fsync:1@journal', 'fsync:3@journal'];
/** What the agent may say; `data.io_error` where SQLite gives every failure of a call the same name. */
const EXPECTED = ['data.full', 'data.io_error', 'data.unwritable'];

let tried = 0;
const problemsFound: string[] = [];

afterAll(() => {
  if (tried === 0) return;
  process.stdout.write(
    `disk full at ${tried} points: ${problemsFound.length} problems. ` +
      'Replay one: POINT=pwrite64:17+ npx vitest run test/faults/disk-full-calls.test.ts; all: FAULTS=all\n',
  );
});

async function choosePoints(): Promise<NamedPoint[]> {
  if (only !== undefined) return [namePoint(only)];
  const { events, sandbox } = await traceScenario();
  sandbox.remove();
  const points = [...allPoints(events).filter(({ name }) => ASKING.test(name)), ...JOURNAL.map(namePoint)];
  const once = isAll ? points : spread(points, PER_CALL);
  // A disk that is full for one call, and one that stays full.
  return once.flatMap((point) => [point, namePoint(point.name.replace(/:(\d+)/, ':$1+'))]);
}

describe('A disk that has no space at any point', needs('strace', 'sqlite3'), () => {
  test('harms nothing, is said by name, and loses nothing that was acknowledged', {
    timeout: isAll ? 3_600_000 : 180_000,
  }, async () => {
    await inPairs(await choosePoints(), async ({ name, at }) => {
      const sandbox = createSandbox();
      try {
        const { end, lines } = await runStruck(sandbox, at(sandbox), { error: 'ENOSPC' });
        const ledger = toLedger(lines);
        const problems = [
          ...unexpected(end, ledger.failures),
          ...(await checkAsLeft(sandbox, ledger)),
          ...(await resume(sandbox, ledger)),
        ];
        problemsFound.push(...problems.map(({ kind, what }) => `POINT=${name} ${kind}: ${what}`));
        tried += 1;
      } finally {
        sandbox.remove();
      }
    });
    expect(problemsFound).toEqual([]);
  });
});

function unexpected(end: ProcessEnd, failures: ReturnType<typeof toLedger>['failures']): Problem[] {
  const ended: Problem[] =
    end.code === 0 ? [] : [{ kind: 'inconsistent', what: `it ended with ${end.code} ${end.signal} ${end.stderr}` }];
  const unnamed = failures.filter(({ code }) => !EXPECTED.includes(code));
  return [
    ...ended,
    ...unnamed.map(({ step, message }): Problem => ({ kind: 'inconsistent', what: `${step}: ${message}` })),
  ];
}

/** There is space again. */
function resume(sandbox: Sandbox, ledger: Parameters<typeof checkAsLeft>[1]): Promise<Problem[]> {
  return checkAfterRestart(sandbox, ledger).catch((cause: unknown): Problem[] => [
    { kind: 'inconsistent', what: `the next start failed: ${cause instanceof Error ? cause.stack : String(cause)}` },
  ]);
}
