import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mustHold } from '../../../src/main/watch/hold.ts';
import { createProgressMeter } from '../../../src/main/watch/progress.ts';
import { EMPTY_SHA256, matchRenames } from '../../../src/main/watch/renames.ts';

const file = (path: string, sha256: string, inode = 0) => ({ path, sha256, inode });

describe('renames', () => {
  it.each([
    ['one file of the same content', [file('a.md', 's1')], [file('b.md', 's1')], [{ from: 'a.md', to: 'b.md' }]],
    ['not files of other content', [file('a.md', 's1')], [file('b.md', 's2')], []],
    [
      'the same inode before the same name',
      [file('x/a.md', 's', 1), file('y/b.md', 's', 2)],
      [file('z/a.md', 's', 2)],
      [{ from: 'y/b.md', to: 'z/a.md' }],
    ],
    [
      'the same name before any other',
      [file('x/a.md', 's', 1), file('y/b.md', 's', 2)],
      [file('z/b.md', 's', 9)],
      [{ from: 'y/b.md', to: 'z/b.md' }],
    ],
    [
      'empty files only by inode',
      [file('a', EMPTY_SHA256, 1)],
      [file('b', EMPTY_SHA256, 2), file('c', EMPTY_SHA256, 1)],
      [{ from: 'a', to: 'c' }],
    ],
    ['one source once', [file('a', 's')], [file('b', 's'), file('c', 's')], [{ from: 'a', to: 'b' }]],
  ])('pairs %s', (_, gone, appeared, expected) => {
    expect(matchRenames(gone, appeared)).toEqual(expected);
  });

  it('uses each side at most once and only pairs equal contents', () => {
    const files = fc.uniqueArray(
      fc.record({
        path: fc.string(),
        sha256: fc.constantFrom('s1', 's2', EMPTY_SHA256),
        inode: fc.integer({ min: 0, max: 5 }),
      }),
      { selector: (each) => each.path },
    );
    fc.assert(
      fc.property(files, files, (gone, appeared) => {
        const renames = matchRenames(gone, appeared);
        expect(new Set(renames.map((each) => each.from)).size).toBe(renames.length);
        expect(new Set(renames.map((each) => each.to)).size).toBe(renames.length);
        const contentOf = (list: typeof gone, path: string) => list.find((each) => each.path === path)?.sha256;
        for (const { from, to } of renames) expect(contentOf(gone, from)).toBe(contentOf(appeared, to));
      }),
    );
  });
});

describe('holding deletions', () => {
  const limits = { over: 50, share: 0.2 };
  it.each([
    [{ deletes: 0, total: 100, identityChanged: true }, false],
    [{ deletes: 1, total: 1, identityChanged: false }, false],
    [{ deletes: 9, total: 9, identityChanged: false }, false],
    [{ deletes: 10, total: 49, identityChanged: false }, true],
    [{ deletes: 10, total: 50, identityChanged: false }, false],
    [{ deletes: 50, total: 10_000, identityChanged: false }, false],
    [{ deletes: 51, total: 10_000, identityChanged: false }, true],
    [{ deletes: 1, total: 10_000, identityChanged: true }, true],
  ])('%j is held: %s', (facts, expected) => {
    expect(mustHold(facts, limits)).toBe(expected);
  });
});

describe('progress', () => {
  it('never goes back, gives no estimate early, and a plausible one later', () => {
    const meter = createProgressMeter(1, '/r', 0);
    meter.list(1_000, 1_000_000);
    const early = meter.at(100);
    meter.add(40, 40_000);
    const tooSoon = meter.at(4_000);
    meter.add(460, 460_000);
    const half = meter.at(10_000);
    meter.add(500, 500_000);
    meter.finish();
    const end = meter.at(20_000);
    expect({
      early: early.etaMs,
      tooSoon: tooSoon.etaMs,
      half: half.etaMs,
      phases: [early.phase, half.phase, end.phase],
      done: [early, tooSoon, half, end].map((each) => each.doneFiles),
    }).toEqual({
      early: null,
      tooSoon: null,
      half: 10_000,
      phases: ['listing', 'capturing', 'done'],
      done: [0, 40, 500, 1_000],
    });
  });

  it('lets the total grow with what was not listed', () => {
    const meter = createProgressMeter(1, '/r', 0);
    meter.add(3, 30);
    expect(meter.at(1)).toMatchObject({ doneFiles: 3, totalFiles: 3, doneBytes: 30, totalBytes: 30 });
  });
});
