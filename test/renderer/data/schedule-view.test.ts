import { expect, test } from 'vitest';
import { upcomingOf } from '../../../src/renderer/data/schedule-view.ts';
import { scheduleEntry as entry } from '../../support/schedule-entry.ts';

test('what comes next, in the order of time; what is off or waits is not in it', () => {
  const entries = [
    entry('scan', { nextAtMs: [30, 60] }),
    entry('drill', { nextAtMs: [10] }),
    entry('sync_notion', { state: 'off', nextAtMs: [1] }),
    entry('backup_changes', { state: 'waiting' }),
    entry('tidy', { nextAtMs: [20] }),
  ];
  expect(upcomingOf(entries, 2)).toEqual([
    { id: 'drill', atMs: 10 },
    { id: 'tidy', atMs: 20 },
  ]);
});
