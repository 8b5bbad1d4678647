import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VAULT_FILE } from '../../../src/main/store/database.ts';
import { type Journal, openJournal } from '../../../src/main/store/journal.ts';
import { inJournal } from '../../../src/main/store/journal-file.ts';
import {
  decodeJournal,
  encodeLine,
  type JournalEntry,
  journalPath,
  readJournal,
} from '../../../src/main/store/journal-lines.ts';
import { isBehindJournal, replayJournal } from '../../../src/main/store/journal-replay.ts';
import { createRecordStore } from '../../../src/main/store/records.ts';
import { AppError } from '../../../src/shared/errors.ts';
import { newFolder, newVault, type TestVault } from './test-vault.ts';

function open(folder = newFolder(), options = {}) {
  const vault = newVault(folder);
  const journal = openJournal(vault.store, options);
  return { ...vault, journal, records: createRecordStore(vault.store, { ...vault, journal }) };
}
type Setup = ReturnType<typeof open>;

const add = (setup: Setup, title: string, content = '') =>
  setup.records.create({ table: 'memories', fields: { title, content }, origin: 'cli' }).record;
const rename = (setup: Setup, id: string, title: string) =>
  setup.records.edit({ table: 'memories', id, fields: { title }, origin: 'cli' }).record;
const titles = ({ records }: Setup) =>
  records.list({ table: 'memories', includeRetired: true }).records.map((record) => record.title);
const historyOf = ({ records }: Setup, id: string) => records.show({ table: 'memories', id }).history;
const close = ({ journal, store }: { journal: Journal } & TestVault) => {
  journal.close();
  store.close();
};
function loseVault(folder: string): void {
  for (const name of readdirSync(folder)) if (name.startsWith(VAULT_FILE)) rmSync(join(folder, name));
}
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
};

test('each write of a record is a line, and its file is for its owner only', () => {
  const setup = open();
  const { id } = add(setup, 'One');
  rename(setup, id, 'Two');
  const { entries, damaged, torn } = readJournal(setup.folder);
  expect({ damaged, torn }).toEqual({ damaged: 0, torn: false });
  expect(entries.map((entry) => [entry.table, entry.id, entry.record?.title])).toEqual([
    ['memories', id, 'One'],
    ['memories', id, 'Two'],
  ]);
  expect(statSync(journalPath(setup.folder)).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(journalPath(setup.folder))).mode & 0o777).toBe(0o700);
});

test('records survive the loss of the vault, with every value they held, and reach the remotes again', () => {
  const before = open();
  const { id } = add(before, 'One', 'text');
  rename(before, id, 'Two');
  add(before, 'Gone');
  before.records.retire({ table: 'memories', id: add(before, 'Retired').id, retired: true, origin: 'cli' });
  const expected = { titles: titles(before), history: historyOf(before, id) };
  close(before);
  loseVault(before.folder);

  const { store } = newVault(before.folder);
  expect(isBehindJournal(store)).toBe(true);
  expect(replayJournal(store, readJournal(before.folder).entries)).toEqual({ records: 3, changes: 20, refused: [] });
  expect(isBehindJournal(store)).toBe(false);
  store.close();
  const after = open(before.folder);
  expect({ titles: titles(after), history: historyOf(after, id) }).toEqual(expected);
  after.outbox.setConfigured(['supabase']);
  while (after.outbox.fillBacklog(100));
  expect(after.outbox.lease('supabase', 99, 1_000)).toHaveLength(3);
});

test('a replay that is repeated changes nothing', () => {
  const setup = open();
  add(setup, 'One');
  close(setup);
  loseVault(setup.folder);
  const { store } = newVault(setup.folder);
  const { entries } = readJournal(setup.folder);
  replayJournal(store, entries);
  expect(replayJournal(store, entries)).toEqual({ records: 0, changes: 0, refused: [] });
});

test('a vault that fell back to an older state gets the newer one, under change numbers that were never used', () => {
  const setup = open();
  const { id } = add(setup, 'One');
  setup.store.db.pragma('wal_checkpoint(TRUNCATE)');
  const older = readFileSync(join(setup.folder, VAULT_FILE));
  const last = rename(setup, id, 'Two').changeSeq;
  expect(isBehindJournal(setup.store)).toBe(false);
  close(setup);
  loseVault(setup.folder);
  writeFileSync(join(setup.folder, VAULT_FILE), older);

  const again = open(setup.folder);
  again.outbox.setConfigured(['supabase']);
  expect([titles(again), isBehindJournal(again.store)]).toEqual([['One'], true]);
  expect(replayJournal(again.store, readJournal(again.folder).entries).records).toBe(1);
  expect(titles(again)).toEqual(['Two']);
  expect(historyOf(again, id)[0]).toMatchObject({ field: 'title', before: 'One', after: 'Two', seq: last });
  expect(again.records.show({ table: 'memories', id }).record.changeSeq).toBeGreaterThan(last);
  expect(again.outbox.lease('supabase', 9, 1_000).map((entry) => entry.recordId)).toContain(id);
});

test('a record that the vault has as new or newer is left as it is', () => {
  const setup = open();
  const { id } = add(setup, 'One');
  const old = readJournal(setup.folder).entries;
  const record = rename(setup, id, 'Two');
  for (const entries of [old, readJournal(setup.folder).entries]) {
    expect(replayJournal(setup.store, entries)).toEqual({ records: 0, changes: 0, refused: [] });
    expect(setup.records.show({ table: 'memories', id }).record).toEqual(record);
  }
});

test('a record that the vault cannot take is named and keeps no other one out', () => {
  const setup = open();
  add(setup, 'Good');
  const [good] = readJournal(setup.folder).entries;
  const bad = {
    ...good,
    id: 'bad',
    record: { ...good?.record, id: 'bad', kind: 'of the future' },
  } as unknown as JournalEntry;
  close(setup);
  loseVault(setup.folder);
  const again = open(setup.folder);
  const result = replayJournal(again.store, [bad, ...readJournal(setup.folder).entries]);
  expect(result).toMatchObject({ records: 1, refused: [{ id: 'bad', reason: expect.stringContaining('CHECK') }] });
  expect(titles(again)).toEqual(['Good']);
});

test('a line of a transaction that failed is taken back', async () => {
  const setup = open();
  add(setup, 'Kept');
  const failing = () =>
    setup.store.write(() => {
      add(setup, 'Lost 1');
      add(setup, 'Lost 2');
      throw new AppError('data.full', 'No space.');
    });
  expect(codeOf(failing)).toBe('data.full');
  expect(readJournal(setup.folder).entries).toHaveLength(3);
  await nextTurn();
  expect(readJournal(setup.folder).entries.map((entry) => entry.record?.title)).toEqual(['Kept']);
  // And at once, when the next write comes before that.
  expect(codeOf(failing)).toBe('data.full');
  add(setup, 'Next');
  expect(readJournal(setup.folder).entries.map((entry) => entry.record?.title)).toEqual(['Kept', 'Next']);
  expect(titles(setup)).toEqual(['Next', 'Kept']);
});

test('a record is not written when its line cannot be', () => {
  const setup = open();
  const journal: Journal = {
    ...setup.journal,
    append: () =>
      inJournal(() => {
        throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      }),
  };
  const records = createRecordStore(setup.store, { ...setup, journal });
  const create = () => records.create({ table: 'memories', fields: { title: 'x' }, origin: 'cli' });
  expect(codeOf(create)).toBe('data.full');
  setup.journal.close();
  expect(codeOf(() => add(setup, 'y'))).toBe('data.io_error');
  expect([titles(setup), setup.activities.count()]).toEqual([[], 0]);
});

test('whatever the length at which a crash cut the file, whole lines count and the next write is readable', () => {
  const setup = open();
  for (const title of ['One', 'Two', 'Three — ✓']) add(setup, title);
  close(setup);
  const bytes = readFileSync(journalPath(setup.folder));
  const all = readJournal(setup.folder).entries;
  const ends = all.map((_, index) => Buffer.concat(all.slice(0, index + 1).map(encodeLine)).length);
  const { store } = newVault(setup.folder);
  for (let length = 0; length <= bytes.length; length += 17) {
    writeFileSync(journalPath(setup.folder), bytes.subarray(0, length));
    // A line that lacks only its line break is whole.
    const whole = all.slice(0, ends.filter((end) => end - 1 <= length).length);
    const isTorn = length > 0 && !ends.includes(length) && !ends.includes(length + 1);
    expect(readJournal(setup.folder)).toEqual({ entries: whole, damaged: 0, torn: isTorn });
    const journal = openJournal(store);
    store.write(() => journal.append(all.slice(0, 1)));
    journal.close();
    expect(readJournal(setup.folder)).toEqual({ entries: [...whole, all[0]], damaged: 0, torn: false });
  }
});

const sample = (index: number): JournalEntry => ({
  table: 'memories',
  id: `m${index}`,
  record: null,
  changes: [
    {
      seq: index,
      field: 'title',
      before: null,
      after: `t\n${index}`,
      changedAtMs: 0,
      clock: 0,
      origin: 'cli',
      deviceId: 'd',
    },
  ],
});

test('damaged lines are counted and never pass for real ones, wherever the bytes were changed', () => {
  const entries = Array.from({ length: 20 }, (_, index) => sample(index));
  const bytes = Buffer.concat(entries.map(encodeLine));
  const flip = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }));
  fc.assert(
    fc.property(fc.uniqueArray(flip, { maxLength: 8, selector: ([offset]) => offset }), (flips) => {
      const changed = Buffer.from(bytes);
      for (const [offset, mask] of flips) changed[offset] = (changed[offset] ?? 0) ^ mask;
      const read = decodeJournal(changed);
      const known = new Set(entries.map((entry) => JSON.stringify(entry)));
      expect(read.entries.every((entry) => known.has(JSON.stringify(entry)))).toBe(true);
      // A changed line break damages the two lines around it.
      expect(read.entries.length).toBeGreaterThanOrEqual(entries.length - 2 * flips.length);
      if (flips.length > 0) expect(read.damaged + (read.torn ? 1 : 0)).toBeGreaterThan(0);
      else expect(read).toEqual({ entries, damaged: 0, torn: false });
    }),
    { numRuns: 500 },
  );
});

test('a journal that grew is rewritten smaller and still holds every value', async () => {
  const setup = open(newFolder(), { rewriteAboveBytes: 20_000 });
  const { id } = add(setup, 'v0', 'x'.repeat(400));
  const other = setup.records.create({ table: 'decision_vault', fields: { title: 'D' }, origin: 'cli' }).record;
  let largest = 0;
  for (let round = 1; round <= 300; round += 1) {
    rename(setup, id, `v${round}`);
    await Promise.resolve();
    largest = Math.max(largest, setup.journal.state().sizeBytes);
  }
  const written = 300 * 1_100;
  expect(largest).toBeLessThan(written / 2);
  expect(setup.journal.state().problem).toBeNull();
  expect(statSync(journalPath(setup.folder)).mode & 0o777).toBe(0o600);
  expect(existsSync(`${journalPath(setup.folder)}.new`)).toBe(false);
  const history = historyOf(setup, id);
  close(setup);
  loseVault(setup.folder);
  const again = open(setup.folder);
  expect(isBehindJournal(again.store)).toBe(true);
  expect(replayJournal(again.store, readJournal(setup.folder).entries).records).toBe(2);
  expect(historyOf(again, id)).toEqual(history);
  expect(again.records.show({ table: 'decision_vault', id: other.id }).record.title).toBe('D');
});

test('a rewrite keeps what the vault does not have, and a copy of a journal with damaged lines', async () => {
  const setup = open();
  add(setup, 'Only in the journal');
  close(setup);
  loseVault(setup.folder);
  writeFileSync(journalPath(setup.folder), 'damaged\n', { flag: 'a' });
  const again = open(setup.folder, { rewriteAboveBytes: 1 });
  add(again, 'New');
  await nextTurn();
  const { entries, damaged } = readJournal(setup.folder);
  expect([damaged, entries.map((entry) => entry.record?.title)]).toEqual([0, ['Only in the journal', 'New']]);
  const kept = readdirSync(dirname(journalPath(setup.folder))).filter((name) => name.includes('.damaged-'));
  expect(kept).toHaveLength(1);
});

test('a journal that cannot be rewritten says why, goes on growing, and is rewritten when it can be', async () => {
  const setup = open(newFolder(), { rewriteAboveBytes: 3_000 });
  const blocker = `${journalPath(setup.folder)}.new`;
  mkdirSync(join(blocker, 'x'), { recursive: true });
  const { id } = add(setup, 'v0');
  for (let round = 1; round <= 10; round += 1) {
    rename(setup, id, `v${round}`);
    await Promise.resolve();
  }
  expect(setup.journal.state().problem).toContain('EISDIR');
  expect(readJournal(setup.folder).entries).toHaveLength(11);
  rmSync(blocker, { recursive: true });
  for (let round = 11; round <= 20; round += 1) {
    rename(setup, id, `v${round}`);
    await Promise.resolve();
  }
  expect(setup.journal.state().problem).toBeNull();
  expect(historyOf(setup, id).filter((change) => change.field === 'title')).toHaveLength(21);
});

test('a journal that is missing is written from the vault', () => {
  const setup = open();
  const { id } = add(setup, 'One');
  rename(setup, id, 'Two');
  setup.journal.close();
  rmSync(journalPath(setup.folder));
  openJournal(setup.store).close();
  const { entries } = readJournal(setup.folder);
  expect(entries.map((entry) => [entry.record?.title, entry.changes.length])).toEqual([
    [undefined, 6],
    ['Two', 1],
  ]);
});
