import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FAKETIME_LIBRARY, needs } from '../support/needs.ts';
import { NODE, run } from '../support/strace.ts';

const CHILD = join(import.meta.dirname, '../support/hostile-clock.ts');
const base = realpathSync(mkdtempSync(join(tmpdir(), 'angles-clock-')));
afterAll(() => rmSync(base, { recursive: true, force: true }));

describe('a wall clock that jumps by hours and years, forth and back', needs('faketime'), () => {
  it('loses, repeats and reorders nothing, delays no save and starts no scan', async () => {
    const offsetFile = join(base, 'offset');
    writeFileSync(offsetFile, '+0\n');
    const { code, stderr, stdout } = await run(NODE, ['--no-warnings', CHILD, offsetFile, base], {
      env: {
        ...process.env,
        LD_PRELOAD: FAKETIME_LIBRARY,
        FAKETIME_TIMESTAMP_FILE: offsetFile,
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      },
    });
    expect([code, stderr]).toEqual([0, '']);
    const { slowestMs, ...outcome } = JSON.parse(stdout) as { slowestMs: number };
    const jumps = ['+0', '-2h', '+3650d', '+3649d', '-3650d', '-2h', '+0'];
    expect(outcome).toEqual({
      // The oracle: the clock of the process did jump.
      hours: [0, -2, 87_600, 87_576, -87_600, -2, 0],
      isInOrder: true,
      versions: 14,
      rows: 14 + jumps.length,
      clockGoesBack: 0,
      idsGoBack: 0,
      scansByThemselves: 0,
      scans: jumps.map((offset, index) => ({ offset, changes: 0, unchanged: 1 + index })),
    });
    // A wait by the wall clock would be hours long; this one is quiet time and a busy machine.
    expect(slowestMs).toBeLessThan(5_000);
  });
});
