import { expect, test } from 'vitest';
import { describeError, splitCommands } from '../../../src/renderer/data/describe-error.ts';
import { actOfKey } from '../../../src/renderer/data/keys.ts';
import { matchCommands } from '../../../src/renderer/data/match-commands.ts';
import { absolutePath, folderOf, suggestedCopyPath, trailOf } from '../../../src/renderer/data/paths.ts';
import { dayKey, formatAgo, formatDay, formatEta, formatWhen } from '../../../src/renderer/data/time.ts';
import { AppError } from '../../../src/shared/errors.ts';

const NOW = Date.UTC(2026, 10, 20, 9, 30);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test.each([
  [0, 'just now'],
  [59_000, 'just now'],
  [4 * MINUTE + 59_000, '4 min ago'],
  [3 * HOUR + 50 * MINUTE, '3 h ago'],
  [47 * HOUR, '47 h ago'],
  [5 * DAY, '5 d ago'],
  [-20 * MINUTE, 'in 20 min'],
  [-30_000, 'within a minute'],
])('%i ms ago is "%s"', (ago, expected) => {
  expect(formatAgo(NOW - ago, NOW)).toBe(expected);
});

test('days have names while they are near, and a year when it is another', () => {
  expect(formatDay(NOW, NOW, 'UTC')).toBe('Today');
  expect(formatDay(NOW - DAY, NOW, 'UTC')).toBe('Yesterday');
  expect(formatDay(NOW - 3 * DAY, NOW, 'UTC')).toBe('Tuesday 17 November');
  expect(formatDay(NOW - 400 * DAY, NOW, 'UTC')).toBe('16 October 2025');
  expect(formatWhen(NOW, NOW, 'UTC')).toBe('09:30');
  expect(formatWhen(NOW - DAY, NOW, 'UTC', true)).toBe('Yesterday, 09:30:00');
  expect(formatWhen(NOW - DAY, NOW, 'UTC')).toBe('Yesterday, 09:30');
  expect(formatWhen(NOW - 3 * DAY, NOW, 'UTC')).toBe('17 Nov, 09:30');
  expect(formatWhen(NOW - 400 * DAY, NOW, 'UTC')).toBe('16 Oct 2025, 09:30');
});

test('the day is the day of the time zone', () => {
  const late = Date.UTC(2026, 10, 20, 23, 30);
  expect(dayKey(late, 'UTC')).toBe('2026-11-20');
  expect(dayKey(late, 'Asia/Tokyo')).toBe('2026-11-21');
});

test('an estimate is never precise', () => {
  expect(formatEta(12_000)).toBe('less than a minute left');
  expect(formatEta(170_000)).toBe('about 3 min left');
});

test('paths come apart and together again', () => {
  expect(folderOf('a/b/c.md')).toBe('a/b');
  expect(folderOf('c.md')).toBe('');
  expect(absolutePath({ root: '/', path: 'a.md' })).toBe('/a.md');
  expect(trailOf('a/b')).toEqual([
    { name: 'a', path: 'a' },
    { name: 'b', path: 'a/b' },
  ]);
});

test.each([
  ['/n/plan.md', '/n/plan.restored-2026-11-20T09-30-00.md'],
  ['/n/Makefile', '/n/Makefile.restored-2026-11-20T09-30-00'],
  ['/n/.env', '/n/.env.restored-2026-11-20T09-30-00'],
  ['/n.d/plan', '/n.d/plan.restored-2026-11-20T09-30-00'],
])('a copy of %s goes to %s', (original, expected) => {
  expect(suggestedCopyPath(original, NOW)).toBe(expected);
});

test('commands are found by the beginnings of their words, in any order', () => {
  const commands = [{ label: 'New decision' }, { label: 'New memory' }, { label: 'Décisions' }];
  const labels = (query: string): string[] => matchCommands(commands, query).map((command) => command.label);
  expect(labels('')).toHaveLength(3);
  expect(labels('dec new')).toEqual(['New decision']);
  expect(labels('ew')).toEqual([]);
  expect(labels('déc')).toEqual(['Décisions']);
});

test('an error says what happened, what it means and what to do', () => {
  expect(describeError(new AppError('file.exists', '/a is there'))).toEqual({
    code: 'file.exists',
    title: 'There is a file at the target already.',
    message: '/a is there',
    meaning: 'It was not touched.',
    fix: 'Choose another target.',
  });
  expect(describeError(new TypeError('x is undefined'))).toMatchObject({ code: 'page', message: null });
  const fromNewerAgent = new AppError('internal', 'x');
  Object.assign(fromNewerAgent, { code: 'code.of.the.future' });
  expect(describeError(fromNewerAgent).code).toBe('page');
});

test('commands in a sentence are told apart', () => {
  expect(splitCommands('Run `angles open` now.')).toEqual([
    { text: 'Run ', command: false },
    { text: 'angles open', command: true },
    { text: ' now.', command: false },
  ]);
  expect(splitCommands('chmod 700 /home/mira/vault')).toEqual([{ text: 'chmod 700 /home/mira/vault', command: true }]);
  expect(splitCommands('angles is up to date.')).toEqual([{ text: 'angles is up to date.', command: false }]);
});

const press = { ctrlOrMeta: false, alt: false, typing: false, modal: false, afterG: false };
test.each([
  ['opens the palette', { key: 'k', ctrlOrMeta: true }, { act: 'palette' }],
  ['opens the palette from a field, too', { key: 'K', ctrlOrMeta: true, typing: true }, { act: 'palette' }],
  ['leaves Ctrl-C alone', { key: 'c', ctrlOrMeta: true }, { act: 'none' }],
  ['leaves a slash in a field', { key: '/', typing: true }, { act: 'none' }],
  ['focuses search', { key: '/' }, { act: 'search' }],
  ['lists the shortcuts', { key: '?' }, { act: 'shortcuts' }],
  ['does nothing behind a dialog', { key: '?', modal: true }, { act: 'none' }],
  ['waits after g', { key: 'g' }, { act: 'wait' }],
  ['goes to files', { key: 'f', afterG: true }, { act: 'go', view: 'files' }],
  ['goes nowhere without g', { key: 'f' }, { act: 'none' }],
  ['is not fooled by names of objects', { key: 'constructor', afterG: true }, { act: 'none' }],
])('the keyboard %s', (_, given, expected) => {
  expect(actOfKey({ ...press, ...given })).toEqual(expected);
});
