/**
 * Two devices, a Supabase and a Notion (in memory, or the real connectors to real servers), and a person at each of
 * them. A seed decides what everybody does and what fails, also while a device is reading or sending; the end is the
 * same on all sides, and nothing that was ever written is lost.
 */

import { type Connector, type Fields, MERGED_FIELDS, type MergedTable } from '../../src/main/sync/connector.ts';
import { isSame } from '../../src/main/sync/merge.ts';
import type { SyncStores } from '../../src/main/sync/parts.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { EditableRecord, Remote } from '../../src/shared/model.ts';
import { createMemoryRemote, type MemoryOptions } from './memory-connector.ts';
import { openDevice, type SyncDevice } from './sync-device.ts';

/** What the world needs of a remote: its connections, what a person does there by hand, and its trouble. */
export type WorldRemote = {
  readonly remote: Remote;
  readonly connect: () => Connector;
  /** Everything that it holds, as it is over there. */
  readonly rows: (table: MergedTable) => Awaitable<readonly WorldRow[]>;
  readonly create: (table: MergedTable, fields: Fields) => Awaitable<unknown>;
  readonly edit: (remoteId: string, fields: Fields) => Awaitable<void>;
  /** Gone for good. */
  readonly remove: (remoteId: string) => Awaitable<void>;
  /** Before each run: this share of its calls fails, as `random` says; 0 ends all trouble. */
  readonly trouble: (share: number, random: () => number) => Awaitable<void>;
  /** Grows with each request that may have written something. */
  readonly writes: () => Awaitable<number>;
};
export type WorldRow = { readonly id: string | null; readonly remoteId: string; readonly fields: Fields };
/** The time of the world, and one that never goes back. */
export type WorldClock = { readonly nowMs: () => number; readonly monotonicMs: () => number };
type Awaitable<T> = T | Promise<T>;

export type WorldOptions = {
  readonly seed: number;
  readonly steps: number;
  /** In memory unless told. */
  readonly remotes?: (clock: WorldClock) => Promise<Readonly<Record<Remote, WorldRemote>>>;
  /** The time at which it begins. */
  readonly startMs?: number;
  /** Plants a fault into the parts of each device. */
  readonly wrap?: (stores: SyncStores) => SyncStores;
  readonly wrapConnector?: (connector: Connector) => Connector;
};

/** What is wrong at the end; empty when all is well. */
export async function runWorld(options: WorldOptions): Promise<string[]> {
  const world = await createWorld(options);
  try {
    for (let step = 0; step < options.steps; step += 1) await world.step();
    return await world.settle();
  } finally {
    world.close();
  }
}

const TABLES: readonly MergedTable[] = ['decision_vault', 'memories'];
const MOST_ROUNDS = 12;

/** Of calls of a connector, so many meet a person who writes at that moment, at either end. */
const MEANWHILE = 0.12;

async function createWorld({ seed, wrap, wrapConnector, ...options }: WorldOptions) {
  const random = mulberry32(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const chance = (share: number): boolean => random() < share;
  const pick = <T>(items: readonly T[]): T | undefined => items[below(items.length)];
  const clock = { nowMs: options.startMs ?? 1_790_000_000_000, backMs: 0 };
  const nowMs = (): number => (clock.nowMs += 1);
  const monotonicMs = (): number => clock.nowMs + clock.backMs;
  const remotes = await (options.remotes ?? memoryRemotes)({ nowMs, monotonicMs });
  const settings = { limits: { over: 1_000_000, share: 1 } };
  const all = [remotes.supabase, remotes.notion];
  /** Only one device talks to Notion. */
  let leader: 0 | 1 = 0;
  let faulty = 0;
  let isSettling = false;
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
  // Ids are made by chance, titles by the seed.
  const byTitle = <T>(items: readonly T[], title: (item: T) => unknown): readonly T[] =>
    [...items].sort((a, b) => (String(title(a)) < String(title(b)) ? -1 : 1));

  const localStep = (device: SyncDevice): void => {
    const table = pick(TABLES) ?? 'memories';
    const record = pick(byTitle(recordsOf(device, table), ({ title }) => title));
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
  const handStep = async (remote: WorldRemote, inFlight: ReadonlySet<string> = new Set()): Promise<void> => {
    const table = pick(TABLES) ?? 'memories';
    const rows = byTitle(await remote.rows(table), (one) => one.fields.title);
    const same = pick(rows.filter((one) => one.id !== null && inFlight.has(one.id)));
    const row = same ?? pick(rows);
    const isRetired = (row?.fields.deletedAtMs ?? null) !== null;
    if (row === undefined || (same === undefined && chance(0.3))) {
      created += 1;
      const made = fields(table);
      await remote.create(table, { ...made, createdAtMs: nowMs(), updatedAtMs: nowMs() });
    } else if (chance(0.1)) {
      excuse(row.fields);
      await remote.remove(row.remoteId);
    } else if (chance(0.2)) {
      await remote.edit(row.remoteId, { deletedAtMs: isRetired ? null : nowMs() });
    } else {
      const edit = change(table);
      excuse(Object.fromEntries(Object.keys(edit).map((name) => [name, row.fields[name] ?? null])));
      await remote.edit(row.remoteId, edit);
    }
  };
  /** Before a call or after it, somebody writes: at the same remote, to what is being sent if there is any; or here. */
  const meanwhile = async (remote: Remote, inFlight?: ReadonlySet<string>): Promise<void> => {
    if (isSettling || !chance(MEANWHILE)) return;
    if (chance(0.7)) await handStep(remotes[remote], inFlight);
    else localStep(devices[below(2) as 0 | 1]);
  };
  const withPeople = (connector: Connector): Connector => {
    const around = async <T>(work: () => Promise<T>, inFlight?: ReadonlySet<string>): Promise<T> => {
      await meanwhile(connector.remote, inFlight);
      const result = await work();
      await meanwhile(connector.remote, inFlight);
      return result;
    };
    return {
      ...connector,
      push: (records, signal) =>
        around(() => connector.push(records, signal), new Set(records.map((record) => record.id))),
      pull: (cursor, signal) => around(() => connector.pull(cursor, signal)),
    };
  };
  const setFaults = async (share: number): Promise<void> => {
    faulty = share;
    for (const remote of all) await remote.trouble(share, random);
  };
  const runOnce = async (index: 0 | 1, remote: Remote) => {
    if (remote === 'notion' && index !== leader) return null;
    clock.nowMs += 1_000;
    if (faulty > 0) await remotes[remote].trouble(faulty, random);
    return devices[index].run(remote);
  };
  const writesOfAll = async (): Promise<string> => (await Promise.all(all.map((remote) => remote.writes()))).join();

  const common = {
    remotes: all,
    nowMs,
    monotonicMs,
    random,
    settings,
    ...(wrap && { wrap }),
    wrapConnector: (connector: Connector): Connector => withPeople(wrapConnector?.(connector) ?? connector),
  };
  let devices: [SyncDevice, SyncDevice] = [openDevice(common), openDevice(common)];

  return {
    step: async (): Promise<void> => {
      clock.nowMs += below(5_000);
      const kind = below(100);
      if (kind < 30) localStep(devices[below(2) as 0 | 1]);
      else if (kind < 52) await handStep(all[below(2)] ?? remotes.supabase);
      else if (kind < 88) await runOnce(below(2) as 0 | 1, pick(['supabase', 'notion'] as const) ?? 'supabase');
      else if (kind < 92) await setFaults(faulty === 0 ? random() * 0.6 : 0);
      else if (kind < 96) {
        const index = below(2) as 0 | 1;
        const opened = devices[index].reopen();
        devices = index === 0 ? [opened, devices[1]] : [devices[0], opened];
      } else if (kind < 98) leader = leader === 0 ? 1 : 0;
      else if (below(2) === 0) clock.nowMs += 600_000;
      else {
        clock.nowMs -= 400_000;
        clock.backMs += 400_000;
      }
    },
    settle: async (): Promise<string[]> => {
      isSettling = true;
      await setFaults(0);
      clock.nowMs += 3_600_000;
      const problems: string[] = [];
      let isQuiet = false;
      for (let round = 0; round < MOST_ROUNDS && !isQuiet; round += 1) {
        const before = await writesOfAll();
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
        isQuiet = moved === 0 && before === (await writesOfAll());
      }
      if (!isQuiet) problems.push(`it does not come to rest in ${MOST_ROUNDS} rounds`);
      return [...problems, ...(await compare()), ...(await lost()), ...leftovers(), ...duplicates()];
    },
    close: () => {
      for (const device of devices) device.close();
    },
  };

  async function compare(): Promise<string[]> {
    const problems: string[] = [];
    for (const table of TABLES) {
      const [first, second] = devices.map((device) => sideOf(recordsOf(device, table))) as [Side, Side];
      const sides: [string, Side][] = [['the other device', second]];
      for (const remote of all) sides.push([remote.remote, sideOfRows(await remote.rows(table))]);
      const meeting = new Set((await remotes.supabase.rows(table)).map((row) => row.id ?? ''));
      problems.push(...differences(table, first, sides, meeting));
    }
    return problems;
  }

  async function lost(): Promise<string[]> {
    const over = await Promise.all(all.flatMap((remote) => TABLES.map((table) => remote.rows(table))));
    const kept = devices
      .map((device) =>
        JSON.stringify([
          ...TABLES.map((table) => recordsOf(device, table)),
          device.store.db.prepare('SELECT before_json, after_json FROM record_history').all(),
          device.store.db.prepare('SELECT mine_json, theirs_json FROM conflicts').all(),
        ]),
      )
      .join()
      .concat(JSON.stringify(over));
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

/** The records of one table as one side has them, by our ids. */
export type Side = ReadonlyMap<string, Fields>;
export const sideOf = (records: readonly EditableRecord[]): Side =>
  new Map(records.map((record) => [record.id, record as unknown as Fields]));
export const sideOfRows = (rows: readonly WorldRow[]): Side =>
  new Map(rows.map((row) => [row.id ?? row.remoteId, row.fields]));

/** In what the others differ from the first; `meeting` are the rows of the place in which devices meet. */
export function differences(
  table: MergedTable,
  first: Side,
  others: readonly (readonly [string, Side])[],
  meeting: ReadonlySet<string>,
): string[] {
  const problems: string[] = [];
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
  return problems;
}

async function memoryRemotes({ nowMs }: WorldClock): Promise<Readonly<Record<Remote, WorldRemote>>> {
  return {
    supabase: inMemory({ remote: 'supabase', nowMs, pageSize: 7, batchSize: 9, parallelPushes: 2 }),
    notion: inMemory({ remote: 'notion', tables: TABLES, nowMs, pageSize: 5, batchSize: 4 }),
  };
}

function inMemory(options: MemoryOptions): WorldRemote {
  const memory = createMemoryRemote(options);
  const faults = [
    'down' as const,
    'lost' as const,
    new AppError('remote.unavailable', '503'),
    new AppError('remote.rate_limited', '429', { retryAfterMs: 50 }),
    new AppError('remote.bad_answer', '<html>'),
  ];
  return {
    ...memory,
    create: (table, fields) => memory.create(table, fields),
    edit: (remoteId, fields) => memory.edit(remoteId, fields),
    trouble: (share, random) =>
      memory.setFault(
        share === 0 ? null : () => (random() < share ? (faults[Math.floor(random() * faults.length)] ?? null) : null),
      ),
    writes: () => memory.stats().written,
  };
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
