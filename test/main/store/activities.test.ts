import { expect, test } from 'vitest';
import type { NewActivity } from '../../../src/main/store/activities.ts';
import { AppError } from '../../../src/shared/errors.ts';
import { activityKind, activityRecord } from '../../../src/shared/model.ts';
import { newVault, START_MS, type TestVault } from './test-vault.ts';

const file = (path: string, over: Partial<NewActivity> = {}): NewActivity => ({
  kind: 'file.created',
  summary: null,
  rootId: 1,
  path,
  snapshotId: null,
  recordTable: null,
  recordId: null,
  origin: 'watch',
  ...over,
});
const append = (vault: TestVault, ...activities: NewActivity[]) =>
  vault.store.write((tx) => {
    for (const activity of activities) vault.activities.append(tx, activity);
  });
const summaries = (vault: TestVault, query = {}) =>
  vault.activities.list(query).activities.map((activity) => activity.summary);

test('activities are listed newest first, whole', () => {
  const vault = newVault();
  append(vault, file('a.md'), file('b.md', { kind: 'file.modified', snapshotId: 's1' }));
  const [newest] = vault.activities.list({ limit: 1 }).activities;
  expect(newest).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    kind: 'file.modified',
    summary: 'b.md was saved',
    rootId: 1,
    path: 'b.md',
    snapshotId: 's1',
    recordTable: null,
    recordId: null,
    origin: 'watch',
    occurredAtMs: START_MS,
    deviceId: vault.store.deviceId,
    changeSeq: 2,
  });
  expect(vault.activities.count()).toBe(2);
});

test('a rename names both paths', () => {
  const vault = newVault();
  vault.store.db.prepare("INSERT INTO roots (id, path, added_at_ms) VALUES (1, '/r', 0)").run();
  vault.store.db
    .prepare(
      `INSERT INTO file_snapshots (change_seq, id, device_id, root_id, path, previous_path, change, size_bytes,
         captured_at_ms, clock) VALUES (90, 's1', 'd', 1, 'new.md', 'old.md', 'renamed', 0, 0, 0)`,
    )
    .run();
  append(vault, file('new.md', { kind: 'file.renamed', snapshotId: 's1' }));
  expect(summaries(vault)).toEqual(['old.md was renamed to new.md']);
});

test('a path cannot forge a line of the summary', () => {
  const vault = newVault();
  append(vault, file('a\n\u001b[31m\u202eb.md'));
  expect(summaries(vault)).toEqual(['a\\n\\e[31m\\u202eb.md was added']);
});

test('every kind has a sentence of its own when none was given', () => {
  const vault = newVault();
  append(vault, ...activityKind.options.map((kind) => file('x', { kind })));
  const { activities } = vault.activities.list({});
  expect(activities.map((activity) => activityRecord.parse(activity).kind).toReversed()).toEqual(activityKind.options);
  expect(new Set(activities.map((activity) => activity.summary)).size).toBe(activityKind.options.length);
});

test('pages join without a gap or a repetition while new activities arrive', () => {
  const vault = newVault();
  append(vault, ...Array.from({ length: 25 }, (_, index) => file(`${index}`)));
  const seen: (string | null)[] = [];
  let cursor: string | null = null;
  do {
    const page = vault.activities.list({ limit: 10, cursor });
    seen.push(...page.activities.map((activity) => activity.path));
    append(vault, file('later'));
    cursor = page.next;
  } while (cursor !== null);
  expect(seen).toEqual(Array.from({ length: 25 }, (_, index) => `${24 - index}`));
});

test('a page that ends exactly at the last activity is the last page', () => {
  const vault = newVault();
  append(vault, file('a'), file('b'));
  expect(vault.activities.list({ limit: 2 }).next).toBeNull();
});

test('filters by kind, root, text of the path in any case, and time', () => {
  const vault = newVault();
  append(vault, file('Notes/100%.md'), file('notes/other.md', { kind: 'file.deleted', rootId: 2 }));
  vault.clock.nowMs += 1_000;
  append(vault, file('late.md'));
  expect(summaries(vault, { kinds: ['file.deleted', 'file.renamed'] })).toEqual(['notes/other.md was deleted']);
  expect(summaries(vault, { kinds: [] })).toEqual([]);
  expect(summaries(vault, { rootId: 2 })).toEqual(['notes/other.md was deleted']);
  expect(summaries(vault, { path: 'notes/' })).toHaveLength(2);
  expect(summaries(vault, { path: '0%' })).toEqual(['Notes/100%.md was added']);
  expect(summaries(vault, { path: '%' })).toHaveLength(1);
  expect(summaries(vault, { sinceMs: START_MS + 1_000 })).toEqual(['late.md was added']);
});

test('a cursor that is not ours is refused', () => {
  const { activities } = newVault();
  expect(() => activities.list({ cursor: "1' OR 1" })).toThrow(AppError);
});

test('an activity is heard by a configured remote', () => {
  const vault = newVault();
  vault.outbox.setConfigured(['supabase']);
  append(vault, file('a.md'));
  const [activity] = vault.activities.list({}).activities;
  expect(vault.outbox.lease('supabase', 9, 1_000)).toMatchObject([
    { table: 'activities', recordId: activity?.id, changeSeq: activity?.changeSeq },
  ]);
});

test('each activity of a first capture costs as much as the one before: four times as many are no sixteen times the work', () => {
  const work = (count: number): number => {
    const vault = newVault();
    const before = process.cpuUsage();
    append(vault, ...Array.from({ length: count }, (_, index) => file(`folder/file-${index}.md`)));
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  work(1_000);
  const few = work(5_000);
  // Processor time against the same in this run: whoever else is busy here slows down both.
  expect(work(20_000)).toBeLessThan(8 * few);
});
