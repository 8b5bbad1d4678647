import { expect, test } from 'vitest';
import { editDistance, nearestOf, nearestSome } from '../../src/shared/near.ts';

test('a swap of neighbours is one edit', () => {
  expect([editDistance('quite', 'quiet'), editDistance('', 'abc'), editDistance('same', 'same')]).toEqual([1, 3, 0]);
});

test('the one that is meant, whatever its case and hyphens; none when nothing is close', () => {
  expect(nearestOf('SUPABSE_URL', ['SUPABASE_KEY', 'SUPABASE_URL'])).toBe('SUPABASE_URL');
  expect(nearestOf('quiet-ms', ['maxWaitMs', 'quietMs'])).toBe('quietMs');
  expect(nearestOf('hello', ['SUPABASE_URL'])).toBeNull();
});

test('some that are alike, the nearest first', () => {
  const names = ['weekly-2', 'first', 'weekly-1', 'something else entirely', 'Weekly'];
  expect(nearestSome('weekl-1', names)).toEqual(['weekly-1', 'weekly-2', 'Weekly']);
  expect(nearestSome('weekl-1', names, 1)).toEqual(['weekly-1']);
  expect(nearestSome('qqqqqqqqqq', names)).toEqual([]);
});
