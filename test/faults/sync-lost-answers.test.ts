/**
 * Answers that never arrive although the work is done: a network between, in a process of its own, cuts them off.
 * `LOST=n` goes on until the answers of so many writes were cut at each service.
 */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createNotionConnector } from '../../src/main/sync/notion/notion-connector.ts';
import { applyMigrations } from '../../src/main/sync/supabase/migrate.ts';
import { createSupabaseConnector } from '../../src/main/sync/supabase/supabase-connector.ts';
import type { Remote } from '../../src/shared/model.ts';
import { startCutProxy } from '../support/cut-proxy.ts';
import { needs } from '../support/needs.ts';
import { type Notion, startNotion } from '../support/notion/start.ts';
import { type LocalSupabase, startSupabase } from '../support/supabase/start-supabase.ts';
import { type DeviceOptions, openDevice, type SyncDevice } from '../support/sync-device.ts';
import { makeDatabases, notionRows, supabaseRows } from '../support/sync-real-remotes.ts';

const LOST = Number(process.env.LOST ?? 40);
const SHARE = 0.5;
const MOST_ATTEMPTS = 6;

describe('answers that are lost after the work was done', needs('postgres and postgrest'), () => {
  let supabase: LocalSupabase;
  let notion: Notion;
  beforeAll(async () => {
    supabase = await startSupabase();
    notion = await startNotion();
    await applyMigrations(supabase.dbUrl);
    await supabase.addUser();
  });
  afterAll(async () => {
    await notion.stop();
    await supabase.stop();
  });

  const clock = { nowMs: Date.now() };
  const nowMs = (): number => (clock.nowMs += 1);
  const open = (remote: Remote, connect: DeviceOptions['remotes'][number]['connect']) => {
    // One record a request, so that each lost answer is one of its own.
    const device = openDevice({ remotes: [{ remote, connect }], nowMs, settings: { batchSize: 1 } });
    onTestFinished(() => device.close());
    return device;
  };

  async function loseAnswers(
    remote: Remote,
    behind: string,
    isWrite: RegExp,
    connect: (url: string) => ReturnType<DeviceOptions['remotes'][number]['connect']>,
  ) {
    const proxy = await startCutProxy(Number(new URL(behind).port));
    onTestFinished(() => proxy.stop());
    const device = open(remote, () => connect(`http://127.0.0.1:${proxy.ports[0]}`));
    const expected = new Map<string, string>();
    let cut = 0;
    for (let round = 0; cut < LOST; round += 1) {
      for (let index = 0; index < 8; index += 1) {
        const title = `round ${round}, ${index}`;
        const { record } = device.records.create({
          table: 'decision_vault',
          fields: { title, decision: `Text of ${title}` },
          origin: 'cli',
        });
        expected.set(record.id, title);
      }
      for (const id of [...expected.keys()].slice(-12, -6)) {
        const title = `${expected.get(id)}, edited`;
        device.records.edit({ table: 'decision_vault', id, fields: { title }, origin: 'cli' });
        expected.set(id, title);
      }
      // Now and then those of reads, too: how it is found out what became of a write.
      const of = round % 3 === 2 ? {} : { of: isWrite.source };
      await proxy.set({ kind: 'cut-after', share: SHARE, seed: round, ...of });
      for (let attempt = 0; attempt < MOST_ATTEMPTS && waits(device, remote); attempt += 1) {
        clock.nowMs += 3_600_000;
        await device.run(remote, { pull: attempt % 3 === 0 ? 'first' : 'if_needed' });
      }
      const { cutOf } = await proxy.set({ kind: 'pass' });
      cut = Object.entries(cutOf).reduce((sum, [asked, times]) => sum + (isWrite.test(asked) ? times : 0), 0);
    }
    for (let attempt = 0; attempt < 4; attempt += 1) {
      clock.nowMs += 3_600_000;
      const plan = await device.run(remote);
      expect(plan.problem).toBeNull();
    }
    return { cut, expected, device };
  }
  const waits = ({ stores }: SyncDevice, remote: Remote): boolean =>
    (stores.outbox.summary().find((one) => one.remote === remote)?.pending ?? 0) > 0;
  const titlesOf = (rows: readonly { readonly id: string | null; readonly fields: { readonly title?: unknown } }[]) =>
    rows.map(({ id, fields }) => [id, fields.title]).sort();
  const settled = (device: SyncDevice, remote: Remote) => {
    expect(device.stores.conflicts.countOpen()).toBe(0);
    expect(device.stores.outbox.summary().find((one) => one.remote === remote)).toMatchObject({
      pending: 0,
      leased: 0,
      parked: 0,
    });
  };

  test('make no second row in Postgres', { timeout: 60_000 + LOST * 2_000 }, async () => {
    const { cut, expected, device } = await loseAnswers('supabase', supabase.url, /angles_push/, (url) =>
      createSupabaseConnector({ url, key: supabase.keys.secret, signIn: null, nowMs, deviceId: 'one', dbUrl: null }),
    );
    expect(titlesOf(await supabaseRows(supabase, 'decision_vault'))).toEqual([...expected].sort());
    settled(device, 'supabase');
    process.stdout.write(`Postgres: ${cut} answers lost after the write, ${expected.size} records, 0 duplicates\n`);
  });

  test('make no second page in Notion', { timeout: 60_000 + LOST * 2_000 }, async () => {
    const { decision_vault: database } = await makeDatabases(notion);
    const { cut, expected, device } = await loseAnswers(
      'notion',
      notion.baseUrl,
      /^(POST|PATCH|DELETE)(?!.*query)/,
      (baseUrl) =>
        createNotionConnector({
          token: notion.token,
          baseUrl,
          databases: { decision_vault: database.databaseId },
          perSecond: 1_000,
        }),
    );
    expect(titlesOf(await notionRows(notion, database.dataSourceId, 'decision_vault'))).toEqual([...expected].sort());
    settled(device, 'notion');
    process.stdout.write(`Notion: ${cut} answers lost after the write, ${expected.size} records, 0 duplicates\n`);
  });
});
