import fc from 'fast-check';
import { expect, test } from 'vitest';
import { activityRows, joinNewest } from '../../../src/renderer/data/group-activities.ts';
import { dayKey } from '../../../src/renderer/data/time.ts';
import type { ActivityKind, ActivityRecord } from '../../../src/shared/model.ts';

const NOON = Date.UTC(2026, 10, 20, 12);
const utcDay = (timeMs: number): string => dayKey(timeMs, 'UTC');

function activity(
  id: string,
  secondsBeforeNoon: number,
  kind: ActivityKind = 'file.modified',
  rootId = 1,
): ActivityRecord {
  return {
    id,
    kind,
    summary: id,
    rootId,
    path: `${id}.md`,
    snapshotId: null,
    recordTable: null,
    recordId: null,
    origin: 'watch',
    occurredAtMs: NOON - secondsBeforeNoon * 1_000,
    deviceId: 'device',
    changeSeq: 1,
  };
}
const shape = (activities: ActivityRecord[], open: string[] = []): string[] =>
  activityRows(activities, utcDay, new Set(open)).map((row) =>
    row.row === 'one' ? `${row.inBurst ? '. ' : ''}${row.activity.id}` : row.key,
  );

test('single activities stand alone under their day', () => {
  expect(shape([activity('a', 0), activity('b', 500), activity('c', 90_000)])).toEqual([
    'day 2026-11-20',
    'a',
    'b',
    'day 2026-11-19',
    'c',
  ]);
});

test('three saves of one root within a minute of each other are a burst, closed until it is opened', () => {
  const saves = [activity('a', 0), activity('b', 30), activity('c', 80), activity('d', 400)];
  expect(shape(saves)).toEqual(['day 2026-11-20', 'burst c', 'd']);
  expect(shape(saves, ['burst c'])).toEqual(['day 2026-11-20', 'burst c', '. a', '. b', '. c', 'd']);
});

test('two saves are no burst, nor are saves of different roots or other events', () => {
  expect(shape([activity('a', 0), activity('b', 1)])).toEqual(['day 2026-11-20', 'a', 'b']);
  expect(shape([activity('a', 0), activity('b', 1, 'file.modified', 2), activity('c', 2)])).toHaveLength(4);
  expect(shape([activity('a', 0), activity('b', 1, 'record.edited'), activity('c', 2)])).toHaveLength(4);
});

test('a burst ends at midnight', () => {
  const around = [activity('a', 43_199), activity('b', 43_200), activity('c', 43_201), activity('d', 43_202)];
  expect(shape(around)).toEqual(['day 2026-11-20', 'a', 'b', 'day 2026-11-19', 'c', 'd']);
});

test('a burst keeps its name while new saves join it', () => {
  const before = shape([activity('b', 10), activity('c', 20), activity('d', 30)]);
  const after = shape([activity('a', 0), activity('b', 10), activity('c', 20), activity('d', 30)]);
  expect(after).toEqual(before);
});

test('with every burst open no activity is lost, doubled or moved', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(200_000), { maxLength: 60 }), (seconds) => {
      const all = [...seconds].sort((a, b) => a - b).map((second, index) => activity(String(index), second));
      const closed = activityRows(all, utcDay, new Set());
      const keys = new Set(closed.filter((row) => row.row === 'burst').map((row) => row.key));
      const shown = activityRows(all, utcDay, keys).flatMap((row) => (row.row === 'one' ? [row.activity.id] : []));
      expect(shown).toEqual(all.map((one) => one.id));
    }),
  );
});

const join = (fresh: number[], loaded: number[]) => joinNewest(fresh, loaded, String);

test('fresh items go before the loaded ones, each once', () => {
  expect(join([5, 4, 3], [3, 2, 1])).toEqual({ items: [5, 4, 3, 2, 1], touched: true });
});

test('an unchanged listing stays the same object, so that nothing is drawn again', () => {
  const loaded = [3, 2, 1];
  expect(join([3, 2], loaded).items).toBe(loaded);
});

test('a gap between fresh and loaded drops the loaded ones, because what lies between is unknown', () => {
  expect(join([9, 8, 7], [3, 2, 1])).toEqual({ items: [9, 8, 7], touched: false });
});
