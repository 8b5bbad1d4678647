import { afterAll, describe, expect, test } from 'vitest';
import type { Problem } from '../support/crash-check.ts';
import { allPoints, inPairs, type NamedPoint, namePoint, spread, traceScenario } from '../support/crash-points.ts';
import { createSandbox, proveKillPoint } from '../support/crash-run.ts';
import { needs } from '../support/needs.ts';

const isAll = process.env.FAULTS === 'all';
const only = process.env.POINT;
const PER_CALL = 4;

const totals = { tried: 0, lost: 0, duplicated: 0, 'half-written': 0, inconsistent: 0 };

afterAll(() => {
  if (totals.tried === 0) return;
  const { tried, lost, duplicated, inconsistent } = totals;
  process.stdout.write(
    `kill -9 at ${tried} points: ${lost} lost, ${duplicated} duplicated, ${totals['half-written']} half-written, ${inconsistent} inconsistent. ` +
      'Replay one: POINT=fsync:17 npx vitest run test/faults/crash-kill.test.ts; all: FAULTS=all\n',
  );
});

async function choosePoints(): Promise<NamedPoint[]> {
  if (only !== undefined) return [namePoint(only)];
  const { events, sandbox } = await traceScenario();
  sandbox.remove();
  const points = allPoints(events);
  return isAll ? points : spread(points, PER_CALL);
}

describe('A process that is killed at any point', needs('strace', 'sqlite3'), () => {
  test('loses nothing that was acknowledged, repeats nothing and leaves nothing half-written', {
    timeout: isAll ? 4 * 3_600_000 : 180_000,
  }, async () => {
    const failures: string[] = [];
    let clean = 0;
    await inPairs(await choosePoints(), async ({ name, at }) => {
      const { reached, problems } = await proveAt(at);
      if (!reached) clean += 1;
      else totals.tried += 1;
      for (const { kind, what } of problems) {
        totals[kind] += 1;
        failures.push(`POINT=${name} ${kind}: ${what}`);
        // At once: the run over all points takes long, and what it found must outlive it.
        process.stderr.write(`POINT=${name} ${kind}: ${what}\n`);
      }
    });
    expect(failures).toEqual([]);
    // The number of calls differs a little from run to run; most points must be met or the sweep proves nothing.
    expect(clean).toBeLessThan(Math.max(1, totals.tried / 4));
  });
});

async function proveAt(at: NamedPoint['at']): Promise<{ reached: boolean; problems: readonly Problem[] }> {
  const sandbox = createSandbox();
  try {
    return await proveKillPoint(sandbox, at(sandbox));
  } finally {
    sandbox.remove();
  }
}
