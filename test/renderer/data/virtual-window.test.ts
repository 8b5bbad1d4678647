import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rowAfterKey, scrollToShow, virtualWindow } from '../../../src/renderer/data/virtual-window.ts';

const ROW = 40;

test.each([
  ['the top of a long list', 100_000, 0, 400, { start: 0, end: 18 }],
  ['the middle', 100_000, 40_000, 400, { start: 992, end: 1_018 }],
  ['the very end', 100_000, 100_000 * ROW - 400, 400, { start: 99_982, end: 100_000 }],
  ['a list shorter than the view', 3, 0, 400, { start: 0, end: 3 }],
  ['an empty list', 0, 0, 400, { start: 0, end: 0 }],
  ['a list that shrank below the scroll position', 5, 9_000, 400, { start: 5, end: 5 }],
  ['a view without height', 100, 0, 0, { start: 0, end: 8 }],
])('draws the rows around %s', (_, count, scrollTop, height, expected) => {
  expect(virtualWindow(count, ROW, scrollTop, height)).toEqual(expected);
});

test('draws every row that is in sight, and never many more', () => {
  fc.assert(
    fc.property(fc.nat(200_000), fc.nat(8_000_000), fc.integer({ min: 0, max: 2_000 }), (count, scrollTop, height) => {
      const { start, end } = virtualWindow(count, ROW, scrollTop, height);
      const firstSeen = Math.min(count, Math.floor(scrollTop / ROW));
      const lastSeen = Math.min(count, Math.ceil((scrollTop + height) / ROW));
      expect(start).toBeGreaterThanOrEqual(0);
      expect(end).toBeLessThanOrEqual(count);
      expect(start).toBeLessThanOrEqual(firstSeen);
      expect(end).toBeGreaterThanOrEqual(lastSeen);
      expect(end - start).toBeLessThanOrEqual(Math.ceil(height / ROW) + 18);
    }),
  );
});

test('showing a row moves the list as little as possible, and then the row is whole', () => {
  expect(scrollToShow(3, ROW, 0, 400)).toBe(0);
  expect(scrollToShow(10, ROW, 0, 400)).toBe(40);
  expect(scrollToShow(2, ROW, 400, 400)).toBe(80);
  fc.assert(
    fc.property(fc.nat(100_000), fc.nat(4_000_000), fc.integer({ min: ROW, max: 2_000 }), (index, before, height) => {
      const after = scrollToShow(index, ROW, before, height);
      expect(index * ROW).toBeGreaterThanOrEqual(after);
      expect((index + 1) * ROW).toBeLessThanOrEqual(after + height);
    }),
  );
});

test.each([
  ['ArrowDown', 5, 6],
  ['ArrowDown', 99, 99],
  ['ArrowUp', 0, 0],
  ['ArrowUp', 5, 4],
  ['PageDown', 5, 14],
  ['PageDown', 95, 99],
  ['PageUp', 5, 0],
  ['Home', 50, 0],
  ['End', 50, 99],
  ['Enter', 50, null],
  ['a', 50, null],
])('%s on row %i of a hundred leads to %s', (key, from, expected) => {
  expect(rowAfterKey(key, from, 100, 10)).toBe(expected);
});

test('no key moves in an empty list', () => {
  expect(rowAfterKey('ArrowDown', 0, 0, 10)).toBeNull();
});
