import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createProgressView } from '../../../../src/main/headless/cli/progress.ts';
import { renderTable, textWidth } from '../../../../src/main/headless/cli/table.ts';
import type { ScanProgress } from '../../../../src/shared/model.ts';

const progress = (change: Partial<ScanProgress>): ScanProgress => ({
  rootId: 1,
  root: '/notes',
  phase: 'capturing',
  doneFiles: 0,
  totalFiles: 1_000,
  doneBytes: 0,
  totalBytes: 10_000_000,
  filesPerSecond: 100,
  bytesPerSecond: 1_000_000,
  etaMs: null,
  ...change,
});
const at = (share: number, change: Partial<ScanProgress> = {}): ScanProgress =>
  progress({ doneFiles: Math.round(1_000 * share), doneBytes: Math.round(10_000_000 * share), ...change });

describe('progress', () => {
  test('a terminal sees phase, items, bytes, rate, and the estimate once there is one', () => {
    const view = createProgressView(120);
    expect(view.update(progress({ phase: 'listing', totalFiles: 1_234 }))).toBe('Listing files: 1,234 found');
    expect(view.update(at(0.25))).toBe(
      'Capturing [#####...............] 25 %  250 of 1,000 files, 2.5 MB of 10 MB, 1.0 MB/s',
    );
    expect(view.update(at(0.5, { etaMs: 180_000 }))).toBe(
      'Capturing [##########..........] 50 %  500 of 1,000 files, 5.0 MB of 10 MB, 1.0 MB/s, about 3 min left',
    );
  });

  test('it never goes back, and is 100 % only when all is done', () => {
    const shares = (line: string | null): number => Number(/(\d+) %/.exec(line ?? '')?.[1] ?? 0);
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            rootId: fc.integer({ min: 1, max: 3 }),
            done: fc.nat(2_000),
            total: fc.integer({ min: 1, max: 2_000 }),
          }),
          { maxLength: 30 },
        ),
        (steps) => {
          const view = createProgressView(200);
          let last = 0;
          for (const { rootId, done, total } of steps) {
            const shown = shares(
              view.update(progress({ rootId, doneFiles: Math.min(done, total), totalFiles: total, totalBytes: 0 })),
            );
            expect(shown).toBeGreaterThanOrEqual(last);
            expect(shown).toBeLessThan(100);
            last = shown;
          }
        },
      ),
    );
    const view = createProgressView(120);
    expect(view.update(at(1))).toContain('99 %');
    expect(view.isDone()).toBe(false);
    expect(view.update(at(1, { phase: 'done' }))).toContain('100 %');
    expect(view.isDone()).toBe(true);
  });

  test('without a terminal there is a line per tenth', () => {
    const view = createProgressView(null);
    const lines = Array.from({ length: 101 }, (_, index) => view.update(at(index / 100))).filter(
      (line) => line !== null,
    );
    expect(lines.map((line) => /: (\d+) %/.exec(line)?.[1])).toEqual([
      '0',
      '10',
      '20',
      '30',
      '40',
      '50',
      '60',
      '70',
      '80',
      '90',
    ]);
    expect(view.update(at(1, { phase: 'done' }))).toBe('Capturing: 100 % (1,000 of 1,000 files, 10 MB of 10 MB)');
  });

  test('a start that finds nothing new says nothing', () => {
    const view = createProgressView(null);
    expect(view.update(progress({ phase: 'done', totalFiles: 0, totalBytes: 0 }))).toBeNull();
    expect(view.isDone()).toBe(true);
  });

  test('a line is never wider than the terminal', () => {
    expect(createProgressView(40).update(at(0.5))?.length).toBeLessThan(40);
  });
});

describe('tables', () => {
  const columns = [
    { title: 'NAME', cut: 'end' },
    { title: 'N', align: 'right' },
  ] as const;

  test('columns align, wide and combining characters counted as a terminal shows them', () => {
    expect(
      renderTable(
        columns,
        [
          ['日本.md', '1'],
          ['re\u0301sume\u0301', '20'],
          ['\u001b[1mbold\u001b[22m', '3'],
        ],
        null,
      ),
    ).toEqual(['NAME      N', '日本.md   1', 're\u0301sume\u0301   20', '\u001b[1mbold\u001b[22m      3']);
  });

  test('no line is wider than the terminal while a column may be cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.nat(99_999)), { maxLength: 8 }),
        fc.integer({ min: 22, max: 100 }),
        (rows, width) => {
          const lines = renderTable(
            columns,
            rows.map(([name, count]) => [name.replace(/\p{C}/gu, ''), String(count)]),
            width,
          );
          for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(width);
        },
      ),
    );
  });
});
