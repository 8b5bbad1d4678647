/**
 * Two devices, a Supabase and a Notion in memory, and a person at each of them. A seed decides what everybody does and
 * what fails; the end is the same on all sides, and nothing that was ever written is lost.
 */

import { type Connector, type Fields, MERGED_FIELDS, type MergedTable } from '../../src/main/sync/connector.ts';
import { isSame } from '../../src/main/sync/merge.ts';
import type { SyncStores } from '../../src/main/sync/parts.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { EditableRecord, Remote } from '../../src/shared/model.ts';
import { createMemoryRemote, type MemoryRemote } from './memory-connector.ts';
import { openDevice, type SyncDevice } from './sync-device.ts';

export type WorldOptions = {
  readonly seed: number;
  readonly steps: number;
  /** Plants a fault into the parts of each device. */
  readonly wrap?: (stores: SyncStores) => SyncStores;
  readonly wrapConnector?: (connector: Connector) => Connector;
};

/** What is wrong at the end; empty when all is well. */
export async function runWorld(options: WorldOptions): Promise<string[]> {
  const world = createWorld(options);
  try {
    for (let step = 0; step < options.steps; step += 1) await world.step();
    return await world.settle();
  } finally {
    world.close();
  }
}

const TABLES: readonly MergedTable[] = ['decision_vault', 'memories'];
const MOST_ROUNDS = 12;

function createWorld({ seed, wrap, wrapConnector }: WorldOptions) {
  const random = mulberry32(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const chance = (share: number): boolean => random() < share;
  const pick = <T>(items: readonly T[]): T | undefined => items[below(items.length)];
  const clock = { nowMs: 1_790_000_000_000 };
  const nowMs = (): number => (clock.nowMs += 1);
  const remotes: Readonly<Record<Remote, MemoryRemote>> = {
    supabase: createMemoryRemote({ remote: 'supabase', nowMs, pageSize: 7, batchSize: 9, parallelPushes: 2 }),
    notion: createMemoryRemote({ remote: 'notion', tables: TABLES, nowMs, pageSize: 5, batchSize: 4 }),
  };
  const settings = { limits: { over: 1_000_000, share: 1 } };
  const all = [remotes.supabase, remotes.notion];
  const common = {
    remotes: all,
    nowMs,
    random,
    settings,
    ...(wrap && { wrap }),
    ...(wrapConnector && { wrapConnector }),
  };
  let devices: [SyncDevice, SyncDevice] = [openDevice(common), openDevice(common)];
  /** Only one device talks to Notion. */
  let leader: 0 | 1 = 0;
  let faulty = 0;
  /** Every text that somebody wrote, and the ones that the same hand replaced before anybody could see them. */
  const written = new Set<string>();
  const excused = new Set<string>();
  let texts = 0;
  let created = 0;
  const text = (): string => {
    const value = `t${++texts}`;
    written.add(value);
    return value;
  };

  const fields = (table: MergedTable): Fields => ({
    title: text(),
    ...(table === 'memories' ? { content: text(), kind: 'note', status: 'active' } : {}),
    ...(table === 'decision_vault'
      ? { decision: text(), type: 'decision', status: 'proposed', priority: 'medium', date: null }
      : {}),
    category: pick(['a', 'b', 'c']) ?? 'a',
    tags: ['x', 'y', 'z'].filter(() => chance(0.4)),
    sourcePath: null,
    sourceSha256: null,
    supersedes: null,
    deletedAtMs: null,
  });
  const change = (table: MergedTable): Fields => {
    const full = fields(table);
    const names = Object.keys(full).filter((name) =>
      ['title', 'content', 'decision', 'category', 'tags', 'status'].includes(name),
    );
    const chosen = names.filter(() => chance(0.4));
    const kept = chosen.length === 0 ? ['title'] : chosen;
    for (const name of ['title', 'content', 'decision'] as const)
      if (!kept.includes(name) && typeof full[name] === 'string') written.delete(full[name]);
    return Object.fromEntries(kept.map((name) => [name, full[name] ?? null]));
  };
  const recordsOf = (device: SyncDevice, table: MergedTable): readonly EditableRecord[] =>
    device.records.list({ table, includeRetired: true, limit: 1_000 }).records;

  const localStep = (device: SyncDevice): void => {
    const table = pick(TABLES) ?? 'memories';
    const record = pick(recordsOf(device, table));
    const origin = 'cli' as const;
    if (record === undefined || chance(0.35)) {
      created += 1;
      device.records.create({ table, fields: fields(table), origin } as Parameters<SyncDevice['records']['create']>[0]);
    } else if (chance(0.2)) {
      device.records.retire({ table, id: record.id, retired: record.deletedAtMs === null, origin });
    } else {
      const edit = { table, id: record.id, fields: change(table), origin };
      device.records.edit(edit as Parameters<SyncDevice['records']['edit']>[0]);
    }
  };
  const excuse = (values: Fields): void => {
    for (const value of Object.values(values)) if (typeof value === 'string' && written.has(value)) excused.add(value);
  };
  const handStep = (remote: MemoryRemote): void => {
    const table = pick(TABLES) ?? 'memories';
    const row = pick(remote.rows(table));
    if (row === undefined || chance(0.3)) {
      created += 1;
      const made = fields(table);
      remote.create(table, { ...made, createdAtMs: nowMs(), updatedAtMs: nowMs() });
    } else if (chance(0.1)) {
      excuse(row.fields);
      remote.remove(row.remoteId);
    } else if (chance(0.2)) {
      remote.edit(row.remoteId, { deletedAtMs: (row.fields.deletedAtMs ?? null) === null ? nowMs() : null });
    } else {
      const edit = change(table);
      excuse(Object.fromEntries(Object.keys(edit).map((name) => [name, row.fields[name] ?? null])));
      remote.edit(row.remoteId, edit);
    }
  };
  const setFaults = (share: number): void => {
    faulty = share;
  };
  /** People do not wait for a run to end: they edit on any side, at any boundary between two requests. */
  const interfere = (remote: MemoryRemote): void => {
    remote.setFault(() => {
      if (chance(0.15)) handStep(remote);
      if (chance(0.1)) localStep(devices[below(2) as 0 | 1]);
      return chance(faulty) ? fault() : null;
    });
  };
  const fault = () =>
    pick([
      'down' as const,
      'lost' as const,
      new AppError('remote.unavailable', '503'),
      new AppError('remote.rate_limited', '429', { retryAfterMs: 50 }),
      new AppError('remote.bad_answer', '<html>'),
    ]) ?? null;
  const runOnce = async (index: 0 | 1, remote: Remote) => {
    if (remote === 'notion' && index !== leader) return null;
    clock.nowMs += 1_000;
    return devices[index].run(remote);
  };

  for (const remote of all) interfere(remote);

  return {
    step: async (): Promise<void> => {
      clock.nowMs += below(5_000);
      const kind = below(100);
      if (kind < 30) localStep(devices[below(2) as 0 | 1]);
      else if (kind < 52) handStep(all[below(2)] ?? remotes.supabase);
      else if (kind < 88) await runOnce(below(2) as 0 | 1, pick(['supabase', 'notion'] as const) ?? 'supabase');
      else if (kind < 92) setFaults(faulty === 0 ? random() * 0.6 : 0);
      else if (kind < 96) {
        const index = below(2) as 0 | 1;
        const opened = devices[index].reopen();
        devices = index === 0 ? [opened, devices[1]] : [devices[0], opened];
      } else if (kind < 98) leader = leader === 0 ? 1 : 0;
      else clock.nowMs += below(2) === 0 ? 600_000 : -400_000;
    },
    settle: async (): Promise<string[]> => {
      for (const remote of all) remote.setFault(null);
      clock.nowMs += 3_600_000;
      const problems: string[] = [];
      let isQuiet = false;
      for (let round = 0; round < MOST_ROUNDS && !isQuiet; round += 1) {
        const before = all.map((remote) => remote.stats().written).join();
        let moved = 0;
        for (const [index, remote] of [
          [0, 'supabase'],
          [1, 'supabase'],
          [leader, 'notion'],
          [0, 'supabase'],
          [1, 'supabase'],
        ] as const) {
          const plan = await runOnce(index, remote);
          if (plan !== null && plan.problem !== null) problems.push(`${remote}: ${plan.problem.message}`);
          moved += plan?.tables.reduce((sum, table) => sum + table.pull + table.push, 0) ?? 0;
        }
        isQuiet = moved === 0 && before === all.map((remote) => remote.stats().written).join();
      }
      if (!isQuiet) problems.push(`it does not come to rest in ${MOST_ROUNDS} rounds`);
      return [...problems, ...compare(), ...lost(), ...leftovers(), ...duplicates()];
    },
    close: () => {
      for (const device of devices) device.close();
    },
  };

  function compare(): string[] {
    const problems: string[] = [];
    for (const table of TABLES) {
      const first = new Map(recordsOf(devices[0], table).map((record) => [record.id, record as unknown as Fields]));
      const meeting = new Set(remotes.supabase.rows(table).map((row) => row.id));
      const others: [string, Map<string, Fields>][] = [
        [
          'the other device',
          new Map(recordsOf(devices[1], table).map((record) => [record.id, record as unknown as Fields])),
        ],
        ...all.map((remote): [string, Map<string, Fields>] => [
          remote.remote,
          new Map(remote.rows(table).map((row) => [row.id ?? row.remoteId, row.fields])),
        ]),
      ];
      for (const [name, records] of others) {
        for (const [id, record] of first) {
          const other = records.get(id);
          if (other === undefined) {
            if (record.deletedAtMs === null) problems.push(`${name} has no ${table} ${id}`);
            continue;
          }
          // The row in which the devices meet is gone for good: what is retired keeps what each of them knew last.
          const isApart = record.deletedAtMs !== null && (other.deletedAtMs ?? null) !== null && !meeting.has(id);
          if (isApart) continue;
          for (const field of MERGED_FIELDS[table]) {
            if (field === 'deletedAtMs' && record[field] !== null && (other[field] ?? null) !== null) continue;
            if (!isSame(field, record[field], other[field]))
              problems.push(
                `${field} of ${table} ${id} is ${JSON.stringify(record[field])}, in ${name} ${JSON.stringify(other[field])}`,
              );
          }
        }
        // A row that was deleted for good before a device saw it is retired where it was known, and nowhere else.
        for (const [id, record] of records)
          if (!first.has(id) && (record.deletedAtMs ?? null) === null) problems.push(`only ${name} has ${table} ${id}`);
      }
    }
    return problems;
  }

  function lost(): string[] {
    const kept = devices
      .map((device) =>
        JSON.stringify([
          ...TABLES.map((table) => recordsOf(device, table)),
          device.store.db.prepare('SELECT before_json, after_json FROM record_history').all(),
          device.store.db.prepare('SELECT mine_json, theirs_json FROM conflicts').all(),
        ]),
      )
      .join()
      .concat(JSON.stringify(all.map((remote) => remote.rows())));
    const found = new Set(kept.match(/t\d+/g));
    return [...written].filter((value) => !found.has(value) && !excused.has(value)).map((value) => `${value} is lost`);
  }

  function duplicates(): string[] {
    const records = TABLES.reduce((sum, table) => sum + recordsOf(devices[0], table).length, 0);
    return records > created ? [`${created} records were written, there are ${records}`] : [];
  }

  function leftovers(): string[] {
    return devices.flatMap((device, index) =>
      device.stores.outbox
        .summary()
        .filter((one) => one.remote === 'supabase' || index === leader)
        .filter((one) => one.pending + one.leased + one.parked > 0)
        .map((one) => `device ${index} has ${one.pending + one.leased + one.parked} entries left for ${one.remote}`),
    );
  }
}

/** A small generator whose whole state is its seed. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
