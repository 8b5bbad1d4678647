import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { NODE, run } from '../support/strace.ts';
import { createWatchHarness } from '../support/watch-harness.ts';
import { seedOfRun } from '../support/writer-random.ts';

const isAll = process.env.FAULTS === 'all';
const SAVES = isAll ? 10_000 : 500;
const WRITER = join(import.meta.dirname, '../support/writer-saves.ts');
const seed = seedOfRun();
const totals = { saves: 0, captured: 0, half: 0 };

afterAll(() => {
  process.stdout.write(
    `${totals.saves} slow saves, ${totals.captured} versions captured, ${totals.half} half-written. ` +
      `Replay: SEED=${seed} npx vitest run test/faults/watch-half-written.test.ts; all: FAULTS=all\n`,
  );
});

describe('a program that saves slowly', () => {
  it('never finds a half-written version captured, and its last ones always', {
    timeout: isAll ? 900_000 : 90_000,
  }, async () => {
    const h = createWatchHarness({ limits: { openFileWaitMs: 60_000 } });
    const ledgerFolder = mkdtempSync(join(tmpdir(), 'angles-ledger-'));
    const ledger = join(ledgerFolder, 'ledger');
    await h.start();
    // A scan meets files that are being written as well as the events do.
    const timer = setInterval(() => void h.scan(), 1_500);
    const { code, stderr } = await run(NODE, ['--no-warnings', WRITER, h.root, ledger, seed, String(SAVES)]);
    clearInterval(timer);
    expect([code, stderr]).toEqual([0, '']);

    const written = readFileSync(ledger, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' '));
    const whole = new Set(written.map(([sha256]) => sha256));
    const last = Object.fromEntries(written.map(([sha256 = '', path = '']) => [path, sha256]));
    const newest = (): Record<string, string | null> =>
      Object.fromEntries(Object.keys(last).map((path) => [path, h.files.find(h.rootId, path)?.sha256 ?? null]));
    await h.until(() => JSON.stringify(newest()) === JSON.stringify(last), newest);

    const captured = h.store.db
      .prepare<[], { path: string; sha256: string; size: number }>(
        'SELECT path, lower(hex(sha256)) AS sha256, size_bytes AS size FROM file_snapshots WHERE sha256 IS NOT NULL',
      )
      .all();
    await h.stop();
    rmSync(ledgerFolder, { recursive: true });
    totals.saves = written.length;
    totals.captured = captured.length;
    const half = captured.filter(({ sha256 }) => !whole.has(sha256));
    totals.half = half.length;
    expect(half, `SEED=${seed}`).toEqual([]);
    expect(captured.length).toBeGreaterThan(written.length / 10);
  });
});
