/**
 * Two agents as processes of their own with one Supabase project and one database of Notion, each behind a network of
 * its own, and people who write everywhere. A seed decides what happens and when; what came of it is compared from
 * outside.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Fields, MergedTable } from '../../src/main/sync/connector.ts';
import type { EditableRecord } from '../../src/shared/model.ts';
import { type CutProxy, startCutProxy } from './cut-proxy.ts';
import type { DaemonPlace } from './daemon.ts';
import type { Notion } from './notion/start.ts';
import type { LocalSupabase } from './supabase/start-supabase.ts';
import { auditVault, missingThere, type RowsThere } from './sync-audit.ts';
import { isWrite, makeDatabases, notionRemote, orderTrouble, supabaseRemote } from './sync-real-remotes.ts';
import { type Device, makePlace, startDevice, until } from './sync-whole.ts';
import { differences, mulberry32, type Side, sideOf, sideOfRows, type WorldRemote } from './sync-world.ts';

export type Services = {
  readonly supabase: LocalSupabase;
  readonly notion: Notion;
  readonly user: { readonly id: string; readonly email: string; readonly password: string };
};
export type ProcessWorldOptions = { readonly seed: number; readonly steps: number };

const TABLES: readonly MergedTable[] = ['decision_vault', 'memories'];
const MOST_ROUNDS = 14;
/** A lease that its holder left is free after 40 s, and asked for every 15 s. */
const LEADER_MS = 75_000;

type Machine = { readonly place: DaemonPlace; readonly proxy: CutProxy; device: Device | null; kills: number };

/** What is wrong at the end; empty when all is well. */
export async function runProcessWorld(services: Services, { seed, steps }: ProcessWorldOptions): Promise<string[]> {
  const world = await createWorld(services, seed);
  try {
    for (let step = 0; step < steps; step += 1) await world.step();
    return await world.settle();
  } finally {
    await world.close();
  }
}

async function startMachine(services: Services, databaseId: string): Promise<Machine> {
  const { supabase, notion, user } = services;
  const portOf = (url: string): number => Number(new URL(url).port);
  const proxy = await startCutProxy(portOf(supabase.url), portOf(notion.baseUrl));
  const place = makePlace({
    SUPABASE_URL: `http://127.0.0.1:${proxy.ports[0]}`,
    SUPABASE_KEY: supabase.keys.publishable,
    SUPABASE_EMAIL: user.email,
    SUPABASE_PASSWORD: user.password,
    NOTION_API_KEY: notion.token,
    NOTION_DATABASE_ID: databaseId,
    NOTION_BASE_URL: `http://127.0.0.1:${proxy.ports[1]}`,
    NOTION_PER_SECOND: '1000',
  });
  return { place, proxy, device: await startDevice(place), kills: 0 };
}

async function createWorld(services: Services, seed: number) {
  const { supabase, notion } = services;
  const random = mulberry32(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const chance = (share: number): boolean => random() < share;
  const pick = <T>(items: readonly T[]): T | undefined => items[below(items.length)];
  await supabase.clear();
  await supabase.query('TRUNCATE decision_vault, memories, activities, file_snapshots');
  await supabase.query('TRUNCATE devices, leases');
  await notion.call('clearFaults');
  const databases = await makeDatabases(notion);
  const clock = { nowMs: Date.now, monotonicMs: () => performance.now() };
  const remotes: readonly WorldRemote[] = [supabaseRemote(supabase, clock), notionRemote(notion, databases, null)];
  const machines = [
    await startMachine(services, databases.decision_vault.databaseId),
    await startMachine(services, databases.decision_vault.databaseId),
  ] as const;
  // What is held for a person would end the schedule; there are tests of it.
  for (const { device } of machines)
    for (const [key, value] of [
      ['sync.hold_changes_over', '1000000'],
      ['sync.hold_changes_share', '1'],
    ] as const)
      await device?.cli('config', 'set', key, value);

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
    [table === 'memories' ? 'content' : 'decision']: text(),
    category: pick(['a', 'b', 'c']) ?? 'a',
    tags: ['x', 'y'].filter(() => chance(0.4)),
  });
  const change = (table: MergedTable): Fields => {
    const body = table === 'memories' ? 'content' : 'decision';
    if (chance(0.3)) return { category: pick(['a', 'b', 'c', 'd']) ?? 'a' };
    return chance(0.5) ? { title: text() } : chance(0.5) ? { [body]: text() } : { title: text(), [body]: text() };
  };
  const recordsOf = async ({ device }: Machine, table: MergedTable): Promise<readonly EditableRecord[]> =>
    (await running(device).client.call('records.list', { table, includeRetired: true, limit: 200 })).records;
  const byTitle = <T>(items: readonly T[], title: (item: T) => unknown): readonly T[] =>
    [...items].sort((a, b) => (String(title(a)) < String(title(b)) ? -1 : 1));

  const localStep = async (machine: Machine): Promise<void> => {
    if (machine.device === null) return;
    const { client } = machine.device;
    const table = pick(TABLES) ?? 'memories';
    const record = pick(byTitle(await recordsOf(machine, table), ({ title }) => title));
    const origin = 'cli' as const;
    if (record === undefined || chance(0.3)) {
      created += 1;
      await client.call('records.create', { table, fields: fields(table), origin } as never);
    } else if (chance(0.2)) {
      await client.call('records.retire', { table, id: record.id, retired: record.deletedAtMs === null, origin });
    } else {
      await client.call('records.edit', { table, id: record.id, fields: change(table), origin } as never);
    }
  };
  const handStep = async (remote: WorldRemote): Promise<void> => {
    const table = remote.remote === 'notion' ? 'decision_vault' : (pick(TABLES) ?? 'memories');
    const row = pick(byTitle(await remote.rows(table), (one) => one.fields.title));
    const excuse = (values: Fields): void => {
      for (const value of Object.values(values))
        if (typeof value === 'string' && written.has(value)) excused.add(value);
    };
    if (row === undefined || chance(0.3)) {
      created += 1;
      const given = table === 'memories' ? { kind: 'note', status: 'active' } : { status: 'open', priority: 'medium' };
      await remote.create(table, { ...fields(table), ...given });
    } else if (chance(0.1)) {
      excuse(row.fields);
      removed.add(row.remoteId);
      await remote.remove(row.remoteId);
    } else if (chance(0.2)) {
      await remote.edit(row.remoteId, { deletedAtMs: (row.fields.deletedAtMs ?? null) === null ? Date.now() : null });
    } else {
      const edit = change(table);
      excuse(Object.fromEntries(Object.keys(edit).map((name) => [name, row.fields[name] ?? null])));
      await remote.edit(row.remoteId, edit);
    }
  };
  const fileStep = (machine: Machine): void => {
    // A name of its own each time: a file that is saved again before anybody looked has one version only.
    writeFileSync(join(machine.place.root, `note-${texts}.md`), `# ${text()}\n`);
  };
  const killOrStart = async (machine: Machine): Promise<void> => {
    if (machine.device === null) machine.device = await startDevice(machine.place);
    else if (machine.kills < 2) {
      machine.kills += 1;
      await machine.device.daemon.kill();
      machine.device.client.close();
      machine.device = null;
    }
  };
  const networkStep = async ({ proxy }: Machine): Promise<void> => {
    const kind = below(4);
    if (kind === 0) await proxy.set({ kind: 'down' });
    else if (kind === 1) await proxy.set({ kind: 'cut-after', share: 0.4, seed: below(1_000) });
    else if (kind === 2) await proxy.set({ kind: 'truncate', bytes: 30, share: 0.4, seed: below(1_000) });
    else await proxy.set({ kind: 'pass' });
  };

  /** What somebody deleted for good: it was there once. */
  const removed = new Set<string>();
  const problemsMet: string[] = [];

  return {
    step: async (): Promise<void> => {
      const machine = machines[below(2)] ?? machines[0];
      const kind = below(100);
      if (kind < 34) await localStep(machine);
      else if (kind < 56) await handStep(remotes[below(2)] as WorldRemote);
      else if (kind < 64) fileStep(machine);
      else if (kind < 72) await killOrStart(machine);
      else if (kind < 84) await networkStep(machine);
      else if (kind < 90) await orderTrouble(pick(remotes)?.remote ?? 'notion', services, random);
      // Part of the schedule, not a wait for something: a moment in which nobody writes.
      else await new Promise((resolve) => setTimeout(resolve, below(1_500)));
      problemsMet.push(...(await accounts()));
    },
    settle,
    close: async (): Promise<void> => {
      for (const machine of machines) {
        await machine.device?.stop();
        rmSync(machine.place.home, { recursive: true, force: true });
        await machine.proxy.stop();
      }
    },
  };

  async function settle(): Promise<string[]> {
    await notion.call('clearFaults');
    await supabase.clear();
    for (const machine of machines) {
      await machine.proxy.set({ kind: 'pass' });
      machine.device ??= await startDevice(machine.place);
      await machine.device.client.call('scan.run', {});
    }
    await until(async () => {
      for (const { device } of machines) {
        const { plans } = await running(device).client.call('sync.run', { remote: 'notion' });
        if (plans.every(({ problem }) => problem === null)) return true;
      }
      return false;
    }, LEADER_MS);
    let last: string[] = [];
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      last = await quietRound();
      if (last.length === 0) break;
    }
    problemsMet.push(...(await accounts()));
    return [...problemsMet, ...last, ...(await compare()), ...(await lost()), ...(await versionsMissing())];
  }

  /** At any moment each change of each device, running or killed, is acknowledged, waiting or set aside. */
  async function accounts(): Promise<string[]> {
    const audits = machines.map(({ place }) => auditVault(place.dataFolder));
    const there: RowsThere[] = [];
    for (const remote of remotes)
      for (const table of remote.remote === 'notion' ? (['decision_vault'] as const) : TABLES)
        there.push({
          remote: remote.remote,
          table,
          ids: new Set([...removed, ...(await remote.rows(table)).map(({ remoteId }) => remoteId)]),
        });
    for (const table of ['file_snapshots', 'activities']) {
      const rows = await supabase.query(`SELECT id::text FROM ${table}`);
      there.push({ remote: 'supabase', table, ids: new Set(rows.map(({ id }) => String(id))) });
    }
    return audits.flatMap((audit) => [...audit.problems, ...missingThere(audit, there)]);
  }

  /** One round of everything; what it moved, by the plans and by the logs of the services. */
  async function quietRound(): Promise<string[]> {
    await supabase.clear();
    await notion.call('clearLog');
    const moved: string[] = [];
    for (const { device } of machines) {
      const { plans } = await running(device).client.call('sync.run', {});
      for (const { remote, problem, hold, tables } of plans) {
        // Only one device talks to Notion, and the other one says so.
        const isOther = remote === 'notion' && problem?.message.includes('Another device') === true;
        if (problem !== null && !isOther) moved.push(`${remote}: ${problem.message}`);
        if (hold !== null) moved.push(`${remote} holds ${JSON.stringify(hold)}`);
        for (const table of tables) moved.push(`${remote} moved ${JSON.stringify(table)}`);
      }
    }
    const pushes = (await supabase.requests()).filter(({ path }) => path.includes('angles_push')).length;
    const writes = (await notion.log()).filter(isWrite);
    if (pushes > 0) moved.push(`${pushes} pushes to supabase`);
    for (const { method, path } of writes) moved.push(`${method} ${path} to notion`);
    return moved;
  }

  async function compare(): Promise<string[]> {
    const problems: string[] = [];
    for (const table of TABLES) {
      const [first, second] = (await Promise.all(
        machines.map(async (machine) => sideOf(await recordsOf(machine, table))),
      )) as [Side, Side];
      const others: [string, Side][] = [['the other device', second]];
      for (const remote of remotes.filter((one) => table === 'decision_vault' || one.remote === 'supabase'))
        others.push([remote.remote, sideOfRows(await remote.rows(table))]);
      const meeting = new Set((await (remotes[0] as WorldRemote).rows(table)).map((row) => row.id ?? ''));
      problems.push(...differences(table, first, others, meeting));
    }
    const records = (await Promise.all(TABLES.map((table) => recordsOf(machines[0], table)))).flat().length;
    if (records > created) problems.push(`${created} records were written, there are ${records}`);
    return problems;
  }

  async function lost(): Promise<string[]> {
    const kept: unknown[] = [];
    for (const machine of machines) {
      const db = new Database(join(machine.place.dataFolder, 'vault.db'), { readonly: true });
      kept.push(
        db.prepare('SELECT before_json, after_json FROM record_history').all(),
        db.prepare('SELECT mine_json, theirs_json FROM conflicts').all(),
      );
      db.close();
      for (const table of TABLES) kept.push(await recordsOf(machine, table));
    }
    for (const remote of remotes) for (const table of TABLES) kept.push(await remote.rows(table));
    kept.push(await supabase.query('SELECT content FROM file_snapshots'));
    const found = new Set(JSON.stringify(kept).match(/t\d+/g));
    return [...written].filter((value) => !found.has(value) && !excused.has(value)).map((value) => `${value} is lost`);
  }

  /** Every version that a device has captured is a row, once. */
  async function versionsMissing(): Promise<string[]> {
    const rows = (await supabase.query('SELECT id::text FROM file_snapshots')).map(({ id }) => String(id));
    const known = machines.flatMap(({ place }) => {
      const db = new Database(join(place.dataFolder, 'vault.db'), { readonly: true });
      const ids = db.prepare<[], { id: string }>('SELECT id FROM file_snapshots').all();
      db.close();
      return ids.map(({ id }) => id);
    });
    const problems = known.filter((id) => !rows.includes(id)).map((id) => `the version ${id} is not in supabase`);
    if (rows.length !== known.length) problems.push(`${known.length} versions, ${rows.length} rows`);
    return problems;
  }
}

function running(device: Device | null): Device {
  if (device === null) throw new Error('this device does not run');
  return device;
}
