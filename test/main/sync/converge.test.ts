import { describe, expect, test } from 'vitest';
import { isMerged } from '../../../src/main/sync/record-check.ts';
import { runWorld, type WorldOptions } from '../../support/sync-world.ts';

const SEEDS = Number(process.env.SEEDS ?? 200);
const FIRST = Number(process.env.FIRST_SEED ?? 1);
const STEPS = Number(process.env.STEPS ?? 60);
const SECONDS = Number(process.env.SECONDS_LIMIT ?? 600);

test(`${SEEDS} random worlds of two devices, two remotes, faults, restarts and people come to rest, equal and without a loss`, {
  timeout: SECONDS * 1_000,
}, async () => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
    const problems = await runWorld({ seed, steps: STEPS });
    const replay = `FIRST_SEED=${seed} SEEDS=1 STEPS=${STEPS} npx vitest run test/main/sync/converge.test.ts`;
    expect(problems.slice(0, 5), `seed ${seed}; replay it with: ${replay}`).toEqual([]);
  }
});

/** A checker that cannot go red proves nothing: each of these faults has to be found within a few worlds. */
describe('the worlds notice', () => {
  const PLANTED_SEEDS = 40;
  const isNoticed = async (planted: Partial<WorldOptions>): Promise<boolean> => {
    for (let seed = 1; seed <= PLANTED_SEEDS; seed += 1) {
      const problems = await runWorld({ seed, steps: 60, ...planted }).catch((cause: unknown) => [String(cause)]);
      if (problems.length > 0) return true;
    }
    return false;
  };
  let count = 0;

  test.each<[string, Partial<WorldOptions>]>([
    [
      'an entry of the outbox that is dropped',
      {
        wrap: (stores) => ({
          ...stores,
          outbox: {
            ...stores.outbox,
            lease: (...order) => {
              const entries = stores.outbox.lease(...order);
              const dropped = entries.filter(() => ++count % 9 === 0);
              const nothing = { remoteId: null, baseJson: null, baseVersion: null };
              stores.outbox.complete(dropped.map((entry) => ({ entry, ...nothing })));
              return entries.filter((entry) => !dropped.includes(entry));
            },
          },
        }),
      },
    ],
    [
      'a base that is advanced before the remote has taken what is sent',
      {
        wrap: (stores) => ({
          ...stores,
          links: {
            ...stores.links,
            save: (tx, link) => {
              const record = isMerged(link.table) ? stores.records.get(link.table, link.recordId) : undefined;
              const early = record === undefined || link.baseJson === null ? {} : { baseJson: JSON.stringify(record) };
              stores.links.save(tx, { ...link, ...early });
            },
          },
        }),
      },
    ],
    [
      'a new record that is pushed twice',
      {
        wrapConnector: (connector) => ({
          ...connector,
          push: async (records, signal) => {
            const outcomes = await connector.push(records, signal);
            const fresh = records.filter((record) => isMerged(record.table) && record.base === null);
            const twins = fresh.filter(() => ++count % 4 === 0);
            const unknown = { remoteId: null, baseVersion: null };
            if (twins.length > 0)
              await connector.push(
                twins.map((record) => ({ ...record, ...unknown, id: crypto.randomUUID() })),
                signal,
              );
            return outcomes;
          },
        }),
      },
    ],
    [
      'a page of which one record is skipped',
      {
        wrapConnector: (connector) => ({
          ...connector,
          pull: async (cursor, signal) => {
            const page = await connector.pull(cursor, signal);
            return ++count % 3 === 0 ? { ...page, records: page.records.slice(1) } : page;
          },
        }),
      },
    ],
    [
      'an edit over there that a push overwrites without having seen it',
      {
        wrapConnector: (connector) => ({
          ...connector,
          push: async (records, signal) => {
            const seen = await Promise.all(
              records.map((record) => connector.read(record.table, [record.id], signal).catch(() => [])),
            );
            return connector.push(
              records.map((record, index) => ({
                ...record,
                baseVersion: seen[index]?.[0]?.version ?? record.baseVersion,
              })),
              signal,
            );
          },
        }),
      },
    ],
  ])('%s', { timeout: 120_000 }, async (_name, planted) => {
    expect(await isNoticed(planted)).toBe(true);
  });
});
