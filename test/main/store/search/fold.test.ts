import Database from 'better-sqlite3';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { foldText, toIndexed } from '../../../../src/main/store/search/fold.ts';

test('case and accents do not matter, composed or not', () => {
  expect(foldText('ÉCOLE E\u0301cole ŞİŞLİ Straße ΣΊΣΥΦΟΣ Ёлка').text).toBe('ecole ecole sisli straße σίσυφοσ ёлка');
});

test('every position leads back to the original', () => {
  const { text, at } = foldText('xe\u0301\u0302y e\u0301z');
  expect(text).toBe('xey ez');
  expect([...text].map((_, index) => at(index))).toEqual([0, 1, 4, 5, 6, 8]);
  expect(at(text.length)).toBe(9);
});

test('folding never loses its place, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (original) => {
      const { text, at } = foldText(original);
      for (let index = 0; index < text.length; index += 1) {
        expect(at(index)).toBeLessThan(at(index + 1));
        const character = original[at(index)] ?? '';
        if (/[a-z0-9 ]/.test(character)) expect(text[index]).toBe(character);
      }
      expect(at(text.length)).toBe(original.length);
    }),
    { numRuns: 2_000 },
  );
});

test('folds the letters of Europe as the index does', () => {
  const db = new Database(':memory:');
  db.exec("CREATE VIRTUAL TABLE t USING fts5 (body, tokenize = 'unicode61 remove_diacritics 2')");
  db.exec("CREATE VIRTUAL TABLE v USING fts5vocab (t, 'instance')");
  const letters: string[] = [];
  for (let code = 0xc0; code < 0x530; code += 1) {
    const letter = String.fromCharCode(code);
    if (/\p{L}/u.test(letter)) letters.push(letter);
  }
  db.prepare('INSERT INTO t VALUES (?)').run(letters.join(' '));
  const terms = db.prepare<[], { term: string; offset: number }>('SELECT term, offset FROM v ORDER BY offset').all();
  const differing = letters.filter((letter, index) => terms[index]?.term !== foldText(letter).text);
  expect(terms.length).toBe(letters.length);
  // Variant forms of Greek letters, two double accents, and letters younger than SQLite's tables.
  expect(differing.join('')).toBe('ǠǡͿϐϑϕϖϰϱϵԨԪԬԮ');
  db.close();
});

test('letters are indexed composed, scripts without spaces one word per character', () => {
  expect(toIndexed('и\u0306')).toBe('й');
  expect(toIndexed('a 知識 b')).toBe('a  知  識  b');
  expect(toIndexed('plain')).toBe('plain');
});
