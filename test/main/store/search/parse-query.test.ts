import Database from 'better-sqlite3';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_TERMS, parseQuery } from '../../../../src/main/store/search/parse-query.ts';

const expression = (query: string, shortestPrefix?: number): string => {
  const parsed = parseQuery(query, shortestPrefix);
  if (parsed.kind === 'match') return parsed.expression;
  return parsed.kind === 'newest' ? `newest without ${String(parsed.without)}` : 'nothing';
};

test.each([
  // words, phrases, beginnings, exclusions
  ['alpha beta ', '"alpha" AND "beta"'],
  ['"alpha beta"', '"alpha beta"'],
  ['alp* beta ', '"alp"* AND "beta"'],
  ['"alpha be"* x ', '"alpha be"* AND "x"'],
  ['alpha -beta ', '("alpha") NOT ("beta")'],
  ['alpha -"b c" -d', '("alpha") NOT ("b c" OR "d")'],
  ['alpha NOT beta ', '("alpha") NOT ("beta")'],
  ['-beta', 'newest without "beta"'],
  // OR joins its neighbours
  ['a OR b c ', '("a" OR "b") AND "c"'],
  ['a b OR c OR d ', '"a" AND ("b" OR "c" OR "d")'],
  ['OR a OR ', '"a"'],
  ['a AND b ', '"a" AND "b"'],
  ['a or b ', '"a" AND "or" AND "b"'],
  // the word that is being typed
  ['alpha be', '"alpha" AND "be"*'],
  ['alpha b', '"alpha" AND "b"'],
  ['-be', 'newest without "be"'],
  ['"be', '"be"'],
  ['a* ', '"a"'],
  // nothing to look for
  ['', 'newest without null'],
  [' \t', 'newest without null'],
  ['+++ --- *', 'nothing'],
  ['"" ""', 'nothing'],
  // nothing inside quotes is an operator
  ['foo-bar path/to.md ', '"foo-bar" AND "path/to.md"'],
  ['NEAR(a b) title:c ', '"NEAR(a" AND "b)" AND "title:c"'],
  ['a\0b ', '"a" AND "b"'],
  ['知識 ', '"知  識"'],
])('%j becomes %s', (query, expected) => {
  expect(expression(query)).toBe(expected);
});

test('the word being typed must be longer in a large index', () => {
  expect(expression('conf', 4)).toBe('"conf"*');
  expect(expression('con', 4)).toBe('"con"');
});

test('the terms to mark are the wanted ones', () => {
  const parsed = parseQuery('Alpha "b c" -d ef');
  expect(parsed.kind === 'match' && parsed.terms).toEqual([
    { text: 'Alpha', prefix: false },
    { text: 'b c', prefix: false },
    { text: 'ef', prefix: true },
  ]);
});

test('a query of a thousand words costs no more than one of its first words', () => {
  const parsed = parseQuery(Array.from({ length: 1_000 }, (_, index) => `w${index}`).join(' '));
  expect(parsed.kind === 'match' && parsed.terms.length).toBe(MAX_TERMS);
});

test('no text is an error of FTS5', () => {
  const db = new Database(':memory:');
  db.exec("CREATE VIRTUAL TABLE t USING fts5 (title, body, content = '', tokenize = 'unicode61 remove_diacritics 2')");
  db.prepare('INSERT INTO t (rowid, title, body) VALUES (1, ?, ?)').run('a title', 'some words OR not');
  const match = db.prepare('SELECT rowid FROM t WHERE t MATCH ?');
  const bits = [
    '"',
    '*',
    '-',
    ' ',
    '\0',
    'OR',
    'AND',
    'NOT',
    'NEAR(',
    ')',
    '(',
    ':',
    '^',
    '+',
    '{',
    '}',
    ',',
    'a',
    'word',
    '知',
    'é',
    "'",
    '\ud800',
    '𞤀',
    '\u0301',
  ];
  const query = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.array(fc.constantFrom(...bits), { maxLength: 30 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(query, (text) => {
      const parsed = parseQuery(text);
      if (parsed.kind === 'match') match.all(parsed.expression);
      if (parsed.kind === 'newest' && parsed.without !== null) match.all(parsed.without);
    }),
    { numRuns: 4_000 },
  );
  db.close();
});
