/** Whatever is done to records in whatever order, every value that any field ever held can be read back, also from the journal alone. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VAULT_FILE } from '../../../src/main/store/database.ts';
import { openJournal } from '../../../src/main/store/journal.ts';
import { readJournal } from '../../../src/main/store/journal-lines.ts';
import { replayJournal } from '../../../src/main/store/journal-replay.ts';
import { createRecordStore, type RecordStore } from '../../../src/main/store/records.ts';
import { decisionStatus, type EditableRecord, type FieldChange, priority } from '../../../src/shared/model.ts';
import { newFolder, newVault } from './test-vault.ts';

const text = fc.oneof(
  fc.constantFrom('', 'same', "it's; DROP TABLE memories --", '{"json":[1]}', 'line\nline\u2028\ufeff', '👩‍🔬 é é'),
  fc.string({ unit: 'grapheme', maxLength: 12 }).filter((value) => !value.includes('\u0000') && value.isWellFormed()),
);
const fields = fc.record(
  {
    title: text,
    decision: text,
    category: text,
    status: fc.constantFrom(...decisionStatus.options),
    priority: fc.constantFrom(...priority.options),
    tags: fc.uniqueArray(text, { maxLength: 3 }),
    date: fc.constantFrom(null, '2026-11-20', '1999-12-31'),
  },
  { requiredKeys: [] },
);
const which = fc.nat(3);
const action = fc.oneof(
  fc.record({ do: fc.constant('create' as const), fields }),
  fc.record({ do: fc.constant('edit' as const), which, fields }),
  fc.record({ do: fc.constant('edit' as const), which, fields }),
  fc.record({ do: fc.constant('retire' as const), which, retired: fc.boolean() }),
  fc.record({ do: fc.constant('supersede' as const), which, fields }),
);
type Action = (typeof action extends fc.Arbitrary<infer T> ? T : never) & object;

const table = 'decision_vault';
const origin = 'cli';

/** Does it, and gives every record that was written, as it then was. */
function perform(records: RecordStore, ids: readonly string[], next: Action): EditableRecord[] {
  if (next.do === 'create') return [records.create({ table, fields: { title: 't', ...next.fields }, origin }).record];
  const id = ids[next.which % Math.max(1, ids.length)];
  if (id === undefined) return [];
  if (next.do === 'edit') return [records.edit({ table, id, fields: next.fields, origin }).record];
  if (next.do === 'retire') return [records.retire({ table, id, retired: next.retired, origin }).record];
  const { record } = records.show({ table, id });
  if (record.deletedAtMs !== null || record.status === 'superseded') {
    expect(() => records.supersede({ table, id, fields: next.fields, origin })).toThrow(/superseded|retired/);
    return [];
  }
  return Object.values(records.supersede({ table, id, fields: next.fields, origin }));
}

/** What the history says that the fields were after a change. */
function valuesAt(history: readonly FieldChange[], seq: number): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const change of history.toReversed()) if (change.seq <= seq) values[change.field] = change.after;
  return values;
}

function writtenValues(record: EditableRecord): Record<string, unknown> {
  const {
    id,
    table: _table,
    origin: _origin,
    createdAtMs,
    updatedAtMs,
    deviceId,
    ownerId,
    changeSeq,
    ...rest
  } = record;
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
}

function check(records: RecordStore, states: readonly EditableRecord[]): void {
  const newest = new Map(states.map((state) => [state.id, state]));
  for (const [id, last] of newest) {
    const { record, history } = records.show({ table, id });
    expect({ ...record, changeSeq: 0 }).toEqual({ ...last, changeSeq: 0 });
    for (const state of states.filter((each) => each.id === id)) {
      const values = Object.entries(valuesAt(history, state.changeSeq)).filter(([, value]) => value !== null);
      expect(Object.fromEntries(values)).toEqual(writtenValues(state));
    }
    // Each value follows the one before it: nothing is missing in between.
    for (const field of new Set(history.map((change) => change.field))) {
      const chain = history.filter((change) => change.field === field).toReversed();
      expect(chain.map((change) => change.before)).toEqual([null, ...chain.slice(0, -1).map((change) => change.after)]);
    }
  }
}

test('every value that a field ever held can be read back, also from the journal alone', () => {
  fc.assert(
    fc.property(
      fc.array(action, { minLength: 1, maxLength: 25 }),
      fc.constantFrom(2_000, 8_000_000),
      (actions, size) => {
        const folder = newFolder();
        const vault = newVault(folder);
        const journal = openJournal(vault.store, { rewriteAboveBytes: size });
        const records = createRecordStore(vault.store, { ...vault, journal });
        const states: EditableRecord[] = [];
        for (const next of actions) {
          vault.clock.nowMs += 7;
          states.push(...perform(records, [...new Set(states.map((state) => state.id))], next));
        }
        check(records, states);

        journal.close();
        vault.store.close();
        for (const name of readdirSync(folder)) if (name.startsWith(VAULT_FILE)) rmSync(join(folder, name));
        const again = newVault(folder);
        const { entries, damaged } = readJournal(folder);
        expect(damaged).toBe(0);
        expect(replayJournal(again.store, entries).refused).toEqual([]);
        const journalAgain = openJournal(again.store);
        check(createRecordStore(again.store, { ...again, journal: journalAgain }), states);
        journalAgain.close();
        again.store.close();
        rmSync(folder, { recursive: true });
      },
    ),
    { numRuns: 60 },
  );
});
