import fc from 'fast-check';
import { expect, test } from 'vitest';
import { globToRegExp } from '../../src/shared/glob.ts';

const matching = (glob: string, paths: readonly string[]): string[] => paths.filter((p) => globToRegExp(glob).test(p));

test('a star stays within a name, two stars cross folders, a question mark is one character', () => {
  const paths = ['a.md', 'b.txt', 'docs/a.md', 'docs/deep/a.md', 'docs/deep/ab.md', 'other/docs/a.md'];
  expect({
    '*.md': matching('*.md', paths),
    '**/*.md': matching('**/*.md', paths),
    '**/a.md': matching('**/a.md', paths),
    'docs/*': matching('docs/*', paths),
    'docs/**': matching('docs/**', paths),
    '**/docs/**': matching('**/docs/**', paths),
    'docs/**/a?.md': matching('docs/**/a?.md', paths),
    '**': matching('**', paths).length,
    '': matching('', paths),
  }).toEqual({
    '*.md': ['a.md'],
    '**/*.md': ['a.md', 'docs/a.md', 'docs/deep/a.md', 'docs/deep/ab.md', 'other/docs/a.md'],
    '**/a.md': ['a.md', 'docs/a.md', 'docs/deep/a.md', 'other/docs/a.md'],
    'docs/*': ['docs/a.md'],
    'docs/**': ['docs/a.md', 'docs/deep/a.md', 'docs/deep/ab.md'],
    '**/docs/**': ['docs/a.md', 'docs/deep/a.md', 'docs/deep/ab.md', 'other/docs/a.md'],
    'docs/**/a?.md': ['docs/deep/ab.md'],
    '**': 6,
    '': [],
  });
});

test('letters match in their own case only', () => {
  expect(matching('Docs/*.MD', ['Docs/a.MD', 'docs/a.md', 'Docs/a.md'])).toEqual(['Docs/a.MD']);
});

test('brackets, dots, backslashes and line breaks are ordinary characters', () => {
  expect(matching('[a](b)+{c}|^$.x', ['[a](b)+{c}|^$.x', '[a](b)+{c}|^$,x'])).toEqual(['[a](b)+{c}|^$.x']);
  expect(matching('a\\b*', ['a\\bc'])).toEqual(['a\\bc']);
  expect(matching('*/two\n*', ['one\n/two\nlines'])).toEqual(['one\n/two\nlines']);
  expect(matching('?.txt', ['😀.txt'])).toEqual(['😀.txt']);
});

test('agrees with a plain recursive matcher on random globs and paths', () => {
  const letter = fc.constantFrom('a', 'b');
  const name = fc.array(letter, { minLength: 1, maxLength: 5 }).map((c) => c.join(''));
  const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((n) => n.join('/'));
  const globPart = fc.oneof(
    fc.constant('**'),
    fc
      .array(fc.constantFrom('a', 'b', '*', '?'), { minLength: 1, maxLength: 6 })
      .map((c) => c.join('').replace(/\*+/g, '*')),
  );
  const glob = fc.array(globPart, { minLength: 1, maxLength: 5 }).map((p) => p.join('/'));
  fc.assert(
    fc.property(glob, path, (g, p) => {
      expect(globToRegExp(g).test(p)).toBe(matchParts(g.split('/'), p.split('/')));
    }),
    { numRuns: 5_000 },
  );
});

test('a hostile glob takes milliseconds, not years', () => {
  const started = performance.now();
  expect(globToRegExp(`${'*a'.repeat(40)}*b`).test('a'.repeat(255))).toBe(false);
  expect(globToRegExp(`${'**/a*a*a/'.repeat(20)}b`).test(Array(400).fill('aaaaaaaa').join('/'))).toBe(false);
  expect(performance.now() - started).toBeLessThan(1_000);
});

/** The meaning in its plainest form; exponential, which small inputs forgive. */
function matchParts(glob: readonly string[], path: readonly string[]): boolean {
  const [part, ...rest] = glob;
  if (part === undefined) return path.length === 0;
  if (part === '**') {
    if (rest.length === 0) return path.length > 0;
    return path.some((_, index) => matchParts(rest, path.slice(index)));
  }
  return path[0] !== undefined && matchName(part, path[0]) && matchParts(rest, path.slice(1));
}

function matchName(glob: string, name: string): boolean {
  if (glob === '') return name === '';
  if (glob[0] === '*') return matchName(glob.slice(1), name) || (name !== '' && matchName(glob, name.slice(1)));
  return name !== '' && (glob[0] === '?' || glob[0] === name[0]) && matchName(glob.slice(1), name.slice(1));
}
