import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changeParams, formatRoute, parseRoute, VIEWS } from '../../../src/renderer/data/route.ts';

test.each([
  ['', { view: 'overview', params: {} }],
  ['#/', { view: 'overview', params: {} }],
  ['#/no-such-view?x=1', { view: 'overview', params: { x: '1' } }],
  ['#/search?q=one%20two', { view: 'search', params: { q: 'one two' } }],
  ['#/file?path=%2Fa%2Fb%3Fc.md', { view: 'file', params: { path: '/a/b?c.md' } }],
])('reads %j', (hash, expected) => {
  expect(parseRoute(hash)).toEqual(expected);
});

test('leaves out what is empty', () => {
  expect(formatRoute('overview')).toBe('#/');
  expect(formatRoute('search', { q: '', root: undefined, glob: '*.md' })).toBe('#/search?glob=*.md');
});

test('changes some parameters and keeps the others', () => {
  const route = parseRoute('#/files?root=2&glob=a');
  expect(changeParams(route, { glob: undefined, order: 'newest' })).toBe('#/files?root=2&order=newest');
});

test('any place, with any file name in it, comes back as it was', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...VIEWS),
      fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.string({ minLength: 1, unit: 'grapheme' })),
      (view, params) => {
        expect(parseRoute(formatRoute(view, params))).toEqual({ view, params: { ...params } });
      },
    ),
  );
});
