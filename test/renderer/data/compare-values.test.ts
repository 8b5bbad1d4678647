import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  compareLines,
  comparePieces,
  foldSame,
  isLongText,
  type Piece,
} from '../../../src/renderer/data/compare-values.ts';

const text = (pieces: readonly Piece[]): string => pieces.map((piece) => piece.text).join('');
const marked = (pieces: readonly Piece[]): string =>
  pieces.map((piece) => (piece.changed ? `[${piece.text}]` : piece.text)).join('');

test.each([
  ['Keep it', 'Keep it', 'Keep it', 'Keep it'],
  ['Keep it for ever', 'Keep it', 'Keep it[ for ever]', 'Keep it'],
  ['30 days', '90 days', '[30] days', '[90] days'],
  ['', 'new', '', '[new]'],
  ['', '', '', ''],
])('%j against %j marks only what differs', (mine, theirs, left, right) => {
  const pieces = comparePieces(mine, theirs);
  expect({ left: marked(pieces.mine), right: marked(pieces.theirs) }).toEqual({ left, right });
});

test('pieces and lines put together again are the texts, whatever they are', () => {
  const lines = fc.array(fc.constantFrom('', 'a', 'a b', 'b c d', '- x', '€ 1,20', '<b>'), { maxLength: 12 });
  fc.assert(
    fc.property(lines, lines, (left, right) => {
      const [mine, theirs] = [left.join('\n'), right.join('\n')];
      const pieces = comparePieces(mine, theirs);
      expect(text(pieces.mine)).toBe(mine);
      expect(text(pieces.theirs)).toBe(theirs);
      const rows = compareLines(mine, theirs);
      const side = (name: 'mine' | 'theirs'): string =>
        rows.flatMap((row) => (row.kind === 'gap' || row[name] === null ? [] : [text(row[name].pieces)])).join('\n');
      expect(side('mine')).toBe(mine);
      expect(side('theirs')).toBe(theirs);
      const numbers = rows.flatMap((row) => (row.kind === 'gap' || row.mine === null ? [] : [row.mine.number]));
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    }),
  );
});

test('lines that both have are left out away from a difference, and counted', () => {
  const mine = ['1', '2', '3', '4', '5', 'x', '7'].join('\n');
  const theirs = ['1', '2', '3', '4', '5', 'y', '7'].join('\n');
  expect(
    foldSame(compareLines(mine, theirs)).map((row) => (row.kind === 'gap' ? `gap ${row.lines}` : row.kind)),
  ).toEqual(['gap 3', 'same', 'same', 'changed', 'same']);
  expect(foldSame(compareLines('a\nb', 'a\nb'))).toEqual([{ kind: 'gap', lines: 2 }]);
});

test('two texts with nothing in common are compared at once', () => {
  const words = (seed: number): string =>
    Array.from({ length: 20_000 }, (_, index) => `w${(index * seed) % 9_973}`).join(' ');
  const before = performance.now();
  const pieces = comparePieces(words(7), words(11));
  expect(pieces.mine.every((piece) => piece.changed)).toBe(true);
  // Generous: the point is that it does not grow with the square of the length.
  expect(performance.now() - before).toBeLessThan(10_000);
});

test.each([
  ['short', 'also short', false],
  ['a\nb', 'a', true],
  ['x'.repeat(300), '', true],
])('%j and %j are read line by line: %s', (mine, theirs, long) => expect(isLongText(mine, theirs)).toBe(long));
