import Database from 'better-sqlite3';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { roughGlob } from '../../../../src/main/store/search/matches.ts';
import { globToRegExp } from '../../../../src/shared/glob.ts';

test('the rough pattern for SQLite lets through everything that the glob matches', () => {
  const db = new Database(':memory:');
  const rough = db.prepare<[string, string], { passes: number }>('SELECT ? GLOB ? AS passes');
  const part = fc.oneof(
    fc.constant('**'),
    fc
      .array(fc.constantFrom('a', 'b', '*', '?', '[', ']', '**', '^'), { minLength: 1, maxLength: 5 })
      .map((c) => c.join('')),
  );
  const name = fc
    .array(fc.constantFrom('a', 'b', '[', ']', '^'), { minLength: 1, maxLength: 4 })
    .map((c) => c.join(''));
  const glob = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
  let matched = 0;
  fc.assert(
    fc.property(glob, path, (g, p) => {
      if (!globToRegExp(g).test(p)) return;
      matched += 1;
      expect(rough.get(p, roughGlob(g))?.passes).toBe(1);
    }),
    { numRuns: 5_000 },
  );
  expect(matched).toBeGreaterThan(100);
  db.close();
});
