import { expect, test } from 'vitest';
import { openJournal } from '../../../src/main/store/journal.ts';
import { createRecordStore } from '../../../src/main/store/records.ts';
import { AppError, type ErrorCode } from '../../../src/shared/errors.ts';
import { editableRecord } from '../../../src/shared/model.ts';
import { newVault, START_MS } from './test-vault.ts';

function newRecords() {
  const vault = newVault();
  const journal = openJournal(vault.store);
  return { ...vault, journal, records: createRecordStore(vault.store, { ...vault, journal }) };
}
type Setup = ReturnType<typeof newRecords>;

const addDecision = ({ records }: Setup, title: string, fields = {}) =>
  records.create({ table: 'decision_vault', fields: { title, ...fields }, origin: 'cli' }).record;
const addMemory = ({ records }: Setup, title: string, fields = {}) =>
  records.create({ table: 'memories', fields: { title, ...fields }, origin: 'cli' }).record;
const titles = ({ records }: Setup, query: object) =>
  records.list({ table: 'decision_vault', ...query }).records.map((record) => record.title);

function failure(work: () => unknown): { code: ErrorCode; message: string; hint: string } | undefined {
  try {
    work();
  } catch (error) {
    if (error instanceof AppError) return { code: error.code, message: error.message, hint: error.hint };
    throw error;
  }
}

test('a decision has sensible defaults and comes back as it was written', () => {
  const setup = newRecords();
  const record = addDecision(setup, 'Use SQLite');
  expect(editableRecord.parse(record)).toEqual({
    table: 'decision_vault',
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    title: 'Use SQLite',
    decision: '',
    type: 'decision',
    category: 'general',
    status: 'proposed',
    priority: 'medium',
    tags: [],
    date: null,
    sourcePath: null,
    sourceSha256: null,
    supersedes: null,
    origin: 'cli',
    createdAtMs: START_MS,
    updatedAtMs: START_MS,
    deletedAtMs: null,
    deviceId: setup.store.deviceId,
    ownerId: null,
    changeSeq: 1,
  });
  expect(setup.records.show({ table: 'decision_vault', id: record.id }).record).toEqual(record);
});

test('a memory has sensible defaults and comes back as it was written', () => {
  const setup = newRecords();
  const record = addMemory(setup, 'Short answers', { tags: ['style', 'tone', 'style'] });
  expect(editableRecord.parse(record)).toMatchObject({
    table: 'memories',
    content: '',
    kind: 'note',
    category: 'general',
    status: 'active',
    tags: ['style', 'tone'],
  });
  expect(setup.records.show({ table: 'memories', id: record.id }).record).toEqual(record);
  expect([setup.records.count('memories'), setup.records.count('decision_vault')]).toEqual([1, 0]);
});

test('the history tells who set which field from what to what, newest first, from the creation on', () => {
  const setup = newRecords();
  const { id } = addMemory(setup, 'First');
  setup.clock.nowMs += 5_000;
  setup.records.edit({ table: 'memories', id, fields: { title: 'Second', content: '' }, origin: 'dashboard' });
  const { history } = setup.records.show({ table: 'memories', id });
  expect(history[0]).toEqual({
    seq: 3,
    field: 'title',
    before: 'First',
    after: 'Second',
    changedAtMs: START_MS + 5_000,
    origin: 'dashboard',
    deviceId: setup.store.deviceId,
  });
  const created = history.slice(1).map((change) => [change.field, change.before, change.after]);
  expect(Object.fromEntries(created.map(([field, , after]) => [field, after]))).toEqual({
    title: 'First',
    content: '',
    kind: 'note',
    category: 'general',
    status: 'active',
    tags: [],
  });
  expect(created.every(([, before]) => before === null)).toBe(true);
});

test('an edit to equal values changes nothing at all', () => {
  const setup = newRecords();
  const record = addDecision(setup, 'Same', { tags: ['a'] });
  const size = setup.journal.state().sizeBytes;
  const fields = { title: 'Same', tags: ['a'], decision: undefined };
  const { record: after } = setup.records.edit({ table: 'decision_vault', id: record.id, fields, origin: 'cli' });
  expect(after).toEqual(record);
  expect(setup.activities.count()).toBe(1);
  expect(setup.journal.state().sizeBytes).toBe(size);
});

test('an edit made from an older state is refused, and the newer state stays', () => {
  const setup = newRecords();
  const { id, changeSeq } = addDecision(setup, 'One');
  const edit = (title: string) =>
    setup.records.edit({ table: 'decision_vault', id, fields: { title }, ifChangeSeq: changeSeq, origin: 'dashboard' });
  edit('Two');
  expect(failure(() => edit('Three'))?.code).toBe('record.changed');
  expect(titles(setup, {})).toEqual(['Two']);
});

test('a retired record leaves the list, stays readable, and comes back', () => {
  const setup = newRecords();
  const { id } = addDecision(setup, 'Old');
  const retire = (retired: boolean) => setup.records.retire({ table: 'decision_vault', id, retired, origin: 'cli' });
  expect(retire(true).record.deletedAtMs).toBe(START_MS);
  const { changeSeq } = retire(true).record;
  expect(retire(true).record.changeSeq).toBe(changeSeq);
  expect([titles(setup, {}), titles(setup, { includeRetired: true })]).toEqual([[], ['Old']]);
  expect(setup.records.count('decision_vault')).toBe(0);
  expect(retire(false).record.deletedAtMs).toBeNull();
  const { history } = setup.records.show({ table: 'decision_vault', id });
  expect(history.filter((change) => change.field === 'deletedAtMs').map((change) => change.after)).toEqual([
    null,
    START_MS,
  ]);
});

test('superseding writes a new record from the old one and marks the old one, both or none', () => {
  const setup = newRecords();
  const old = addDecision(setup, 'Use Redis', { status: 'accepted', tags: ['cache'], date: '2026-11-20' });
  const { record, superseded } = setup.records.supersede({
    table: 'decision_vault',
    id: old.id,
    fields: { title: 'Use SQLite' },
    origin: 'cli',
  });
  expect(record).toMatchObject({
    title: 'Use SQLite',
    status: 'accepted',
    tags: ['cache'],
    date: '2026-11-20',
    supersedes: old.id,
  });
  expect(superseded).toMatchObject({ id: old.id, title: 'Use Redis', status: 'superseded' });
  expect(setup.records.show({ table: 'decision_vault', id: old.id }).supersededBy).toBe(record.id);
  expect(setup.records.show({ table: 'decision_vault', id: record.id }).supersededBy).toBeNull();
});

test('what was superseded or retired is not superseded again, and the error says what to do', () => {
  const setup = newRecords();
  const old = addMemory(setup, 'A');
  const supersede = (id: string) => setup.records.supersede({ table: 'memories', id, fields: {}, origin: 'cli' });
  const { record } = supersede(old.id);
  expect(failure(() => supersede(old.id))).toEqual({
    code: 'record.not_current',
    message: `The memory "A" was superseded by ${record.id}.`,
    hint: `Supersede or edit ${record.id} instead.`,
  });
  setup.records.retire({ table: 'memories', id: record.id, retired: true, origin: 'cli' });
  expect(failure(() => supersede(record.id))?.code).toBe('record.not_current');
  const marked = addMemory(setup, 'B', { status: 'superseded' });
  expect(failure(() => supersede(marked.id))?.code).toBe('record.not_current');
});

test('every write is an activity, and pending for each remote', () => {
  const setup = newRecords();
  setup.outbox.setConfigured(['notion']);
  const { id } = addDecision(setup, 'Use\nRedis');
  setup.records.edit({ table: 'decision_vault', id, fields: { status: 'open', tags: ['x'] }, origin: 'cli' });
  const retire = (retired: boolean) => setup.records.retire({ table: 'decision_vault', id, retired, origin: 'cli' });
  retire(true);
  retire(false);
  const fields = { title: 'T'.repeat(200) };
  const { record } = setup.records.supersede({ table: 'decision_vault', id, fields, origin: 'cli' });
  const { activities } = setup.activities.list({});
  expect(activities.map((activity) => [activity.kind, activity.summary, activity.recordId]).reverse()).toEqual([
    ['record.created', 'The decision "Use\\nRedis" was created', id],
    ['record.edited', 'The decision "Use\\nRedis" was edited: status, tags', id],
    ['record.retired', 'The decision "Use\\nRedis" was retired', id],
    ['record.restored', 'The decision "Use\\nRedis" was brought back', id],
    ['record.created', `The decision "${'T'.repeat(79)}…" was created`, record.id],
    ['record.superseded', `The decision "Use\\nRedis" was superseded by "${'T'.repeat(79)}…"`, id],
  ]);
  expect(activities.every((activity) => activity.recordTable === 'decision_vault')).toBe(true);
  const waiting = setup.outbox.lease('notion', 99, 1_000).filter((entry) => entry.table === 'decision_vault');
  expect(new Set(waiting.map((entry) => entry.recordId))).toEqual(new Set([id, record.id]));
});

test('a record is found by the beginning or the end of its id when that is unique', () => {
  const setup = newRecords();
  const first = addDecision(setup, 'First');
  setup.clock.nowMs += 86_400_000 * 365;
  const second = addDecision(setup, 'Second');
  const show = (id: string) => setup.records.show({ table: 'decision_vault', id }).record.title;
  expect([show(first.id.slice(0, 8)), show(second.id.slice(-6)), show(second.id.toUpperCase())]).toEqual([
    'First',
    'Second',
    'Second',
  ]);
  expect(failure(() => setup.records.show({ table: 'memories', id: first.id }))?.code).toBe('not_found.record');
  expect(failure(() => show('%_%_%_%'))?.code).toBe('not_found.record');
  expect(failure(() => show(second.id.slice(-5)))).toMatchObject({
    code: 'not_found.record',
    hint: 'Give at least 6 characters of the id.',
  });
});

test('a part that fits several ids is refused with the candidates', () => {
  const setup = newRecords();
  const all = ['One', 'Two\u001b[2J'].map((title) => addDecision(setup, title));
  const part = all[0]?.id.slice(0, 6) ?? '';
  const message = failure(() =>
    setup.records.retire({ table: 'decision_vault', id: part, retired: true, origin: 'cli' }),
  );
  expect(message).toMatchObject({ code: 'ambiguous.id' });
  expect(message?.message).toBe(
    `"${part}" may be ${all[1]?.id} (The decision "Two\\e[2J"), ${all[0]?.id} (The decision "One").`,
  );
});

test('lists filter by status, category and tag, newest change first', () => {
  const setup = newRecords();
  addDecision(setup, 'A', { status: 'accepted', category: 'storage', tags: ['sqlite', 'vault'] });
  const { id } = addDecision(setup, 'B', { status: 'open', category: 'storage', tags: ['sql'] });
  addDecision(setup, 'C', { status: 'accepted', tags: ['100%'] });
  setup.records.edit({ table: 'decision_vault', id, fields: { priority: 'high' }, origin: 'cli' });
  expect(titles(setup, {})).toEqual(['B', 'C', 'A']);
  expect(titles(setup, { status: 'accepted' })).toEqual(['C', 'A']);
  expect(titles(setup, { category: 'storage', status: 'accepted' })).toEqual(['A']);
  expect(titles(setup, { tag: 'sql' })).toEqual(['B']);
  expect(titles(setup, { tag: '100%' })).toEqual(['C']);
});

test('pages of a list join without a gap or a repetition', () => {
  const setup = newRecords();
  for (let index = 0; index < 25; index += 1) addDecision(setup, `${index}`);
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page = setup.records.list({ table: 'decision_vault', limit: 10, cursor });
    seen.push(...page.records.map((record) => record.title));
    cursor = page.next;
  } while (cursor !== null);
  expect(seen).toEqual(Array.from({ length: 25 }, (_, index) => `${24 - index}`));
  expect(failure(() => setup.records.list({ table: 'memories', cursor: 'x' }))?.code).toBe('usage.bad_argument');
});

test.each([
  ['title', 'a\u0000b', 'a NUL character'],
  ['decision', 'cut \ud83d emoji', 'half of a surrogate pair'],
  ['tags', ['fine', '\udc00'], 'half of a surrogate pair'],
])('text that a database could not give back is refused, with the name of the field: %s', (field, value, what) => {
  const setup = newRecords();
  const record = addDecision(setup, 'Fine');
  for (const work of [
    () => addDecision(setup, 'x', { [field]: value }),
    () => setup.records.edit({ table: 'decision_vault', id: record.id, fields: { [field]: value }, origin: 'cli' }),
    () =>
      setup.records.supersede({ table: 'decision_vault', id: record.id, fields: { [field]: value }, origin: 'cli' }),
  ]) {
    const error = failure(work);
    expect(error?.code).toBe('record.invalid');
    expect(error?.message).toContain(`The field ${field} contains ${what}`);
  }
  expect(titles(setup, { includeRetired: true })).toEqual(['Fine']);
  expect(setup.activities.count()).toBe(1);
});
