import { expect, test } from 'vitest';
import {
  answersForAll,
  defaultAnswer,
  editedValue,
  inPortions,
  valueText,
} from '../../../src/renderer/data/conflict-view.ts';

test.each([
  ['title', 'Keep it', 'Keep it'],
  ['tags', ['a', 'b'], 'a, b'],
  ['tags', [], ''],
  ['date', null, ''],
  ['status', undefined, ''],
  ['fields', { a: 1 }, '{"a":1}'],
])('the field %s with %j reads "%s"', (field, value, expected) => expect(valueText(field, value)).toBe(expected));

test('a retirement reads as its time', () => {
  expect(valueText('deletedAtMs', Date.UTC(2026, 10, 20, 12))).toContain('20 Nov 2026');
  expect(valueText('deletedAtMs', null)).toBe('');
});

test.each([
  ['theirs', ['mine', 'theirs', 'both', 'edited'], 'theirs'],
  ['mine', ['mine', 'edited'], 'mine'],
  ['theirs', ['mine', 'edited'], 'mine'],
] as const)('when %s is in force and the choices are %j, %s is marked', (winner, choices, expected) => {
  expect(defaultAnswer({ winner, choices: [...choices] })).toBe(expected);
});

test.each([
  ['tags', ' a, b ,, a', ['a', 'b']],
  ['date', ' ', null],
  ['date', '2026-11-20', '2026-11-20'],
  ['title', ' as typed ', ' as typed '],
])('a text for %s, %j, becomes %j', (field, typed, expected) => expect(editedValue(field, typed)).toEqual(expected));

test('together only answers are offered that every conflict takes', () => {
  const all = { choices: ['mine', 'theirs', 'both', 'edited'] as const };
  const retired = { choices: ['mine', 'theirs'] as const };
  const invalid = { choices: ['mine', 'edited'] as const };
  const of = (...list: readonly { choices: readonly string[] }[]) =>
    answersForAll(list.map(({ choices }) => ({ choices: [...choices] as (typeof all.choices)[number][] })));
  expect(of()).toEqual([]);
  expect(of(all)).toEqual(['mine', 'theirs', 'both']);
  expect(of(all, retired)).toEqual(['mine', 'theirs']);
  expect(of(all, retired, invalid)).toEqual(['mine']);
});

test('portions keep the order and lose nothing', () => {
  expect(inPortions([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
  expect(inPortions([], 2)).toEqual([]);
});
