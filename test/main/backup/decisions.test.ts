import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compareSides,
  DRIFT_LIMITS,
  type Drift,
  type DriftItem,
  driftAlerts,
  findDrift,
  type SideValue,
} from '../../../src/main/backup/drift.ts';
import {
  type KeptBackup,
  type Listing,
  planRetention,
  prune,
  RETENTION_RULES,
} from '../../../src/main/backup/retention.ts';
import { createRandom } from '../../support/random-tree.ts';

const DAY = 86_400_000;
const NOW = 1_790_000_000_000;

function kept(id: string, ageDays: number, more: Partial<KeptBackup> = {}): KeptBackup {
  return {
    id,
    backupClass: 'daily',
    createdAtMs: NOW - ageDays * DAY,
    sizeBytes: 1,
    isVerified: true,
    isPinned: false,
    ...more,
  };
}

describe('Retention', () => {
  const removed = (listing: Listing): string[] =>
    planRetention(listing, RETENTION_RULES, NOW).remove.map(({ id }) => id);
  const complete = (...backups: KeptBackup[]): Listing => ({ kind: 'complete', backups });

  test('keeps 15 days of manual, 30 of daily backups, and ten versions of settings', () => {
    const manual = [1, 14.9, 15.1, 40].map((age) => kept(`m${age}`, age, { backupClass: 'manual' }));
    const daily = [1, 29.9, 30.1].map((age) => kept(`d${age}`, age));
    const config = Array.from({ length: 13 }, (_, index) => kept(`c${index}`, index * 100, { backupClass: 'config' }));
    expect(removed(complete(...manual, ...daily, ...config)).sort()).toEqual([
      'c10',
      'c11',
      'c12',
      'd30.1',
      'm15.1',
      'm40',
    ]);
  });

  test('never removes the newest verified one, whatever its age', () => {
    expect(removed(complete(kept('old', 400), kept('older', 500)))).toEqual(['older']);
    expect(removed(complete(kept('bad', 40, { isVerified: false }), kept('good', 400)))).toEqual(['bad']);
    expect(
      removed(
        complete(kept('bad', 1, { isVerified: false }), kept('good', 400), kept('worse', 300, { isVerified: false })),
      ),
    ).toEqual(['worse']);
  });

  test('removes nothing after a listing that failed or is empty, when none is verified, what is pinned, or what is from the future', () => {
    expect(planRetention({ kind: 'failed', reason: 'timeout' }, RETENTION_RULES, NOW)).toMatchObject({
      remove: [],
      refused: expect.stringContaining('timeout'),
    });
    expect(planRetention(complete(), RETENTION_RULES, NOW)).toMatchObject({
      remove: [],
      refused: 'the listing is empty',
    });
    expect(removed(complete(kept('a', 400, { isVerified: false }), kept('b', 500, { isVerified: false })))).toEqual([]);
    expect(removed(complete(kept('new', 1), kept('pinned', 500, { isPinned: true }), kept('future', -5)))).toEqual([]);
  });

  test('whatever is listed, a verified backup is left, and nothing young goes', () => {
    const backup = fc.record({
      id: fc.uuid(),
      backupClass: fc.constantFrom('manual' as const, 'daily' as const, 'config' as const),
      createdAtMs: fc.integer({ min: NOW - 900 * DAY, max: NOW + 30 * DAY }),
      sizeBytes: fc.nat(),
      isVerified: fc.boolean(),
      isPinned: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.uniqueArray(backup, { selector: ({ id }) => id, maxLength: 60 }), (backups) => {
        const plan = planRetention({ kind: 'complete', backups }, RETENTION_RULES, NOW);
        const left = plan.keep.map(({ backup: each }) => each);
        expect(left.length + plan.remove.length).toBe(backups.length);
        const past = backups.filter(({ isVerified, createdAtMs }) => isVerified && createdAtMs <= NOW);
        for (const each of ['manual', 'daily', 'config'] as const) {
          const newest = past
            .filter(({ backupClass }) => backupClass === each)
            .sort((a, b) => b.createdAtMs - a.createdAtMs)[0];
          if (newest !== undefined)
            expect(
              left.some(
                ({ backupClass, createdAtMs, isVerified }) =>
                  isVerified && backupClass === each && createdAtMs === newest.createdAtMs,
              ),
            ).toBe(true);
        }
        for (const gone of plan.remove) {
          expect(gone.isPinned).toBe(false);
          if (gone.backupClass !== 'config') expect(NOW - gone.createdAtMs).toBeGreaterThan(15 * DAY);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('pruning looks again before it removes, goes oldest first, and goes on after one that cannot be removed', async () => {
    const backups = [kept('a', 1), kept('b', 40), kept('c', 50), kept('d', 60)];
    const gone: string[] = [];
    const remote = {
      list: async () => backups,
      remove: async (id: string) => {
        if (id === 'c') throw new Error('locked');
        gone.push(id);
      },
    };
    const options = { rules: RETENTION_RULES, nowMs: NOW, isDryRun: false };
    expect(await prune(remote, { ...options, isDryRun: true })).toMatchObject({
      removed: [],
      remove: [{ id: 'b' }, { id: 'c' }, { id: 'd' }],
    });
    expect(await prune(remote, options)).toMatchObject({
      removed: ['d', 'b'],
      failed: [{ id: 'c', reason: 'locked' }],
    });
    expect(gone).toEqual(['d', 'b']);

    let listings = 0;
    const vanishing = { ...remote, list: async () => (++listings === 1 ? backups : backups.slice(1)) };
    await expect(prune(vanishing, options)).rejects.toMatchObject({ code: 'backup.unreadable' });
    const failing = { ...remote, list: () => Promise.reject(new Error('offline')) };
    expect(await prune(failing, options)).toMatchObject({ removed: [], refused: expect.stringContaining('offline') });
    expect(gone).toEqual(['d', 'b']);
  });
});

describe('Drift', () => {
  const DRIFTS = Number(process.env.DRIFTS ?? 1_000);
  const SEED = Number(process.env.SEED ?? 1);

  test(`each of ${DRIFTS} seeded drifts is found once, with the side that moved, and nothing else (SEED=${SEED})`, () => {
    const random = createRandom(SEED);
    const expected: Drift[] = [];
    const items: DriftItem[] = [];
    let next = 0;
    const value = (): string => `hash-${next++}`;
    const add = (
      here: SideValue,
      there: SideValue,
      base: SideValue | undefined,
      drift: Pick<Drift, 'drift' | 'moved'> | null,
    ): void => {
      const key = `item-${items.length}`;
      items.push({ kind: 'file', key, here, there: { vault: there }, base });
      if (drift !== null) expected.push({ kind: 'file', key, side: 'vault', ...drift });
    };
    while (expected.length < DRIFTS) {
      const [a, b, c] = [value(), value(), value()];
      switch (random.below(12)) {
        case 0:
          add(null, a, a, { drift: 'missing', moved: 'here' });
          break;
        case 1:
          add(null, a, null, { drift: 'missing', moved: 'there' });
          break;
        case 2:
          add(a, null, a, { drift: 'extra', moved: 'there' });
          break;
        case 3:
          add(a, null, null, { drift: 'extra', moved: 'here' });
          break;
        case 4:
          add(a, b, b, { drift: 'changed here', moved: 'here' });
          break;
        case 5:
          add(a, b, a, { drift: 'changed there', moved: 'there' });
          break;
        case 6:
          add(a, b, c, { drift: 'both', moved: 'both' });
          break;
        case 7:
          add(null, b, c, { drift: 'missing', moved: 'both' });
          break;
        case 8:
          add(a, b, undefined, { drift: 'unknown', moved: 'unknown' });
          break;
        // The same on both sides is no drift, however far both moved.
        case 9:
          add(a, a, b, null);
          break;
        case 10:
          add(null, null, a, null);
          break;
        default:
          add(a, a, a, null);
      }
    }
    const report = findDrift(items);
    expect(report.drifts).toEqual(expected);
    expect(report.bySide.vault).toMatchObject({ compared: items.length, drifted: expected.length });
  });

  test('a side that could not be read is named, and nothing is said about it', () => {
    const report = findDrift([
      { kind: 'row', key: 'memories/1', here: 'a', there: { supabase: undefined, notion: 'b' }, base: 'a' },
    ]);
    expect(report).toMatchObject({
      unread: ['supabase'],
      drifts: [{ side: 'notion', drift: 'changed there' }],
      bySide: { notion: { compared: 1 } },
    });
    expect(report.bySide.supabase).toBeUndefined();
  });

  test('alerts when more drifted than the limit allows, by number or by share', () => {
    const of = (drifted: number, all: number) =>
      driftAlerts(
        findDrift(
          Array.from(
            { length: all },
            (_, index): DriftItem => ({
              kind: 'file',
              key: `${index}`,
              here: 'a',
              there: { vault: index < drifted ? 'b' : 'a' },
              base: 'a',
            }),
          ),
        ),
        DRIFT_LIMITS,
      );
    expect(of(51, 10_000)).toEqual([
      { side: 'vault', drifted: 51, compared: 10_000, reason: '51 of 10000 differ from vault' },
    ]);
    expect(of(50, 10_000)).toEqual([]);
    expect(of(3, 12)).toHaveLength(1);
    expect(of(2, 3)).toEqual([]);
  });

  test('sides are compared by value alone', () => {
    expect(compareSides('a', 'a', undefined)).toBeNull();
    expect(compareSides(null, null, 'a')).toBeNull();
  });
});
