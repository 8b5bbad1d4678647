import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Fields, MERGED_FIELDS } from '../../../src/main/sync/connector.ts';
import { isSame, type Merge, type MergeInput, mergeRecord } from '../../../src/main/sync/merge.ts';

const BASE: Fields = {
  title: 'Use SQLite',
  content: 'Because it is there.',
  kind: 'note',
  category: 'general',
  status: 'active',
  tags: ['db', 'old'],
  sourcePath: null,
  sourceSha256: null,
  supersedes: null,
  deletedAtMs: null,
};

function merge(local: Fields, remote: Fields, more: Partial<MergeInput> = {}): Merge {
  return mergeRecord({
    table: 'memories',
    base: BASE,
    local: { ...BASE, ...local },
    remote: { ...BASE, ...remote },
    localEditedAtMs: () => 100,
    remoteEditedAtMs: 200,
    ...more,
  });
}

describe('a field', () => {
  test.each([
    ['nobody changed stays', {}, {}, {}, {}, []],
    ['changed here is pushed', { title: 'A' }, {}, {}, { title: 'A' }, []],
    ['changed there is applied', {}, { title: 'B' }, { title: 'B' }, {}, []],
    ['changed to the same value on both sides is agreed', { title: 'C' }, { title: 'C' }, {}, {}, []],
    ['changed on both sides goes to the newer edit', { title: 'A' }, { title: 'B' }, { title: 'B' }, {}, ['theirs']],
    [
      'of one side and another field of the other side merge',
      { title: 'A' },
      { category: 'x' },
      { category: 'x' },
      { title: 'A' },
      [],
    ],
    [
      'of tags merges as a set',
      { tags: ['db', 'new'] },
      { tags: ['old', 'db', 'x'] },
      { tags: ['db', 'new', 'x'] },
      { tags: ['db', 'new', 'x'] },
      [],
    ],
    ['of tags in another order is no change', { tags: ['old', 'db'] }, {}, {}, {}, []],
  ] as const)('%s', (_name, local, remote, toApply, toPush, winners) => {
    const result = merge(local, remote);
    expect({
      toApply: result.toApply,
      toPush: result.toPush,
      winners: result.conflicts.map((one) => one.winner),
    }).toEqual({
      toApply,
      toPush,
      winners,
    });
  });

  test('changed here later than there keeps the value of here, and the other one as a conflict', () => {
    const result = merge({ title: 'A' }, { title: 'B' }, { localEditedAtMs: () => 300 });
    expect(result.toPush).toEqual({ title: 'A' });
    expect(result.conflicts).toEqual([
      {
        field: 'title',
        kind: 'edit',
        mine: 'A',
        theirs: 'B',
        base: 'Use SQLite',
        mineEditedAtMs: 300,
        theirsEditedAtMs: 200,
        winner: 'mine',
      },
    ]);
  });

  test('changed at the same time goes to the greater value, whichever side has it', () => {
    const same = { localEditedAtMs: () => 200 };
    expect(merge({ title: 'A' }, { title: 'B' }, same).merged.title).toBe('B');
    expect(merge({ title: 'B' }, { title: 'A' }, same).merged.title).toBe('B');
  });

  test('that could not be read over there is left alone on both sides, and its base stays', () => {
    const { title: _title, ...remote } = BASE;
    const result = mergeRecord({
      table: 'memories',
      base: BASE,
      local: { ...BASE, title: 'Mine' },
      remote: { ...remote, category: 'x' },
      localEditedAtMs: () => 100,
      remoteEditedAtMs: 200,
    });
    expect(result).toMatchObject({ toApply: { category: 'x' }, toPush: {}, conflicts: [] });
    expect(result.nextBase.title).toBe('Use SQLite');
    expect(result.merged.title).toBe('Mine');
  });

  test('is remembered as the remote has it until the remote has taken what we push', () => {
    expect(merge({ title: 'A' }, { category: 'x' }).nextBase).toEqual({ ...BASE, category: 'x' });
  });
});

describe('retiring', () => {
  const T = 150;
  test.each([
    ['here is pushed when nothing changed there', { deletedAtMs: T }, {}, {}, { deletedAtMs: T }, 0],
    ['there is applied when nothing changed here', {}, { deletedAtMs: T }, { deletedAtMs: T }, {}, 0],
    ['here loses to an edit there', { deletedAtMs: T }, { title: 'B' }, { title: 'B', deletedAtMs: null }, {}, 1],
    ['there loses to an edit here', { title: 'A' }, { deletedAtMs: T }, {}, { title: 'A', deletedAtMs: null }, 1],
    ['on both sides is agreed', { deletedAtMs: T }, { deletedAtMs: 300 }, { deletedAtMs: 300 }, {}, 0],
  ] as const)('%s', (_name, local, remote, toApply, toPush, conflicts) => {
    const result = merge(local, remote);
    expect({ toApply: result.toApply, toPush: result.toPush, conflicts: result.conflicts.length }).toEqual({
      toApply,
      toPush,
      conflicts,
    });
  });

  test('that one side took back stays taken back', () => {
    const retired = { ...BASE, deletedAtMs: 50 };
    const result = mergeRecord({
      table: 'memories',
      base: retired,
      local: BASE,
      remote: { ...retired, deletedAtMs: 300 },
      localEditedAtMs: () => 100,
      remoteEditedAtMs: 200,
    });
    expect(result.merged.deletedAtMs).toBeNull();
  });

  test.each([
    ['later than the last edit over there counts', 300, 300],
    ['earlier than the last edit over there does not', 150, null],
  ])('a record that the two sides never agreed on, %s', (_name, deletedAtMs, expected) => {
    expect(merge({ deletedAtMs }, {}, { base: null }).merged.deletedAtMs).toBe(expected);
  });
});

describe('records that never met', () => {
  test('link silently when they are equal', () => {
    expect(merge({}, {}, { base: null })).toMatchObject({ toApply: {}, toPush: {}, conflicts: [], nextBase: BASE });
  });
  test('give each other what the other one lacks', () => {
    const result = merge({ category: '', sourcePath: 'a.md' }, { sourcePath: null, tags: ['x'] }, { base: null });
    expect(result).toMatchObject({ toApply: { category: 'general' }, toPush: { sourcePath: 'a.md' }, conflicts: [] });
    expect(result.merged.tags).toEqual(['db', 'old', 'x']);
  });
});

// ---- Properties ----------------------------------------------------------------------------------

const RUNS = Number(process.env.MERGE_RUNS ?? 5_000);
const LONG = { timeout: 30_000 + 2 * RUNS };
const text = fc.constantFrom('a', 'b', 'c', '');
const fieldsOf = fc.record({
  title: text,
  content: text,
  kind: fc.constantFrom('note', 'fact'),
  category: text,
  status: fc.constantFrom('active', 'superseded'),
  tags: fc.uniqueArray(fc.constantFrom('x', 'y', 'z')),
  sourcePath: fc.constantFrom(null, 'p.md'),
  sourceSha256: fc.constant(null),
  supersedes: fc.constantFrom(null, 'r1'),
  deletedAtMs: fc.constantFrom(null, 5, 9),
});
const time = fc.integer({ min: 0, max: 4 });

type Side = { fields: Fields; atMs: number };
/** One step of the hub with one remote, as the engine does it: both sides take the result, then the base advances. */
function meet(base: Fields | null, hub: Side, times: Map<string, number>, remote: Side): Fields {
  const result = mergeRecord({
    table: 'memories',
    base,
    local: hub.fields,
    remote: remote.fields,
    localEditedAtMs: (field) => times.get(field) ?? null,
    remoteEditedAtMs: remote.atMs,
  });
  hub.fields = { ...hub.fields, ...result.toApply };
  for (const field of [...Object.keys(result.toApply), ...result.confirmed]) times.set(field, remote.atMs);
  remote.fields = { ...remote.fields, ...result.toPush };
  return { ...result.nextBase, ...result.toPush };
}

const changesNothing = (result: Merge): boolean =>
  Object.keys(result.toApply).length + Object.keys(result.toPush).length + result.conflicts.length === 0;

test(`merging again after both sides took the result changes nothing, in ${RUNS} random triples`, LONG, () => {
  fc.assert(
    fc.property(fc.option(fieldsOf), fieldsOf, fieldsOf, time, time, (base, local, remote, localAtMs, remoteAtMs) => {
      const times = { localEditedAtMs: () => localAtMs, remoteEditedAtMs: remoteAtMs };
      const first = mergeRecord({ table: 'memories', base, local, remote, ...times });
      const here = { ...local, ...first.toApply };
      const there = { ...remote, ...first.toPush };
      for (const field of MERGED_FIELDS.memories) if (!isSame(field, here[field], there[field])) return false;
      const settled = { ...first.nextBase, ...first.toPush };
      // Also when the answer of the push was lost, and the base is still the one before it.
      return [settled, first.nextBase].every((next) =>
        changesNothing(mergeRecord({ table: 'memories', base: next, local: here, remote: there, ...times })),
      );
    }),
    { numRuns: RUNS },
  );
});

test(
  `nothing is lost: each value that differs from the base is in force or in a conflict, in ${RUNS} triples`,
  LONG,
  () => {
    fc.assert(
      fc.property(fc.option(fieldsOf), fieldsOf, fieldsOf, time, time, (base, local, remote, localAtMs, remoteAtMs) => {
        const result = mergeRecord({
          table: 'memories',
          base,
          local,
          remote,
          localEditedAtMs: () => localAtMs,
          remoteEditedAtMs: remoteAtMs,
        });
        return MERGED_FIELDS.memories.every((field) => {
          if (field === 'tags' || field === 'deletedAtMs') return true;
          return [local[field], remote[field]].every(
            (value) =>
              isSame(field, value, base?.[field]) ||
              value === null ||
              value === '' ||
              isSame(field, value, result.merged[field]) ||
              result.conflicts.some((one) => one.field === field && (one.mine === value || one.theirs === value)),
          );
        });
      }),
      { numRuns: RUNS },
    );
  },
);

/** Two remotes that started from the same record: the hub may hear of them in any order. */
test(`any order of meeting the remotes gives the same end, in ${RUNS} random changes`, LONG, () => {
  fc.assert(
    fc.property(
      fieldsOf,
      fieldsOf,
      fieldsOf,
      fieldsOf,
      fc.array(time, { minLength: 3, maxLength: 3 }),
      (base, hub, one, two, at) => {
        const end = (order: readonly (0 | 1)[]): Fields[] => {
          const local: Side = { fields: hub, atMs: at[0] ?? 0 };
          const times = new Map<string, number>(
            MERGED_FIELDS.memories
              .filter((field) => !isSame(field, hub[field], base[field]))
              .map((field) => [field, at[0] ?? 0]),
          );
          const remotes: Side[] = [
            { fields: one, atMs: at[1] ?? 0 },
            { fields: two, atMs: at[2] ?? 0 },
          ];
          const bases: Fields[] = [base, base];
          for (const index of [...order, ...order]) {
            const remote = remotes[index];
            if (remote !== undefined) bases[index] = meet(bases[index] ?? null, local, times, remote);
          }
          return [local.fields, ...remotes.map((remote) => remote.fields)];
        };
        const ends = [end([0, 1]), end([1, 0])].flat();
        const first = ends[0] ?? {};
        return ends.every((other) =>
          MERGED_FIELDS.memories.every((field) =>
            field === 'deletedAtMs'
              ? (other[field] === null) === (first[field] === null)
              : isSame(field, other[field], first[field]),
          ),
        );
      },
    ),
    { numRuns: RUNS },
  );
});
