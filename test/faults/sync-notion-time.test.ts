/**
 * Two things about time that cost other programs data at Notion: the time of an edit is rounded down to the minute, and
 * a service that asks to wait means it. Each is proved, and each proof goes red for a device that has the mistake.
 * `EDITS=n` writes so many in each minute, `WAITS=n` is refused so often.
 */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Connector, PushOutcome } from '../../src/main/sync/connector.ts';
import { OVERLAP_MS } from '../../src/main/sync/notion/cursor.ts';
import { createNotionConnector } from '../../src/main/sync/notion/notion-connector.ts';
import { AppError } from '../../src/shared/errors.ts';
import { type Notion, startNotion } from '../support/notion/start.ts';
import { openDevice, type SyncDevice } from '../support/sync-device.ts';
import { type Databases, makeDatabases, notionRemote, notionRows } from '../support/sync-real-remotes.ts';

const EDITS = Number(process.env.EDITS ?? 40);
const MINUTES = 4;
const WAITS = Number(process.env.WAITS ?? 3);
const TABLE = 'decision_vault';
type Mistake = (connect: () => Connector) => Connector;
const none: Mistake = (connect) => connect();

describe('time at Notion', () => {
  let notion: Notion;
  beforeAll(async () => {
    notion = await startNotion();
  });
  afterAll(() => notion.stop());

  const open = async (mistake: Mistake, nowMs: () => number): Promise<{ device: SyncDevice; databases: Databases }> => {
    const databases = await makeDatabases(notion);
    const connect = () =>
      createNotionConnector({
        token: notion.token,
        baseUrl: notion.baseUrl,
        databases: { decision_vault: databases.decision_vault.databaseId },
        perSecond: 1_000,
      });
    const device = openDevice({
      remotes: [{ remote: 'notion', connect: () => mistake(connect) }],
      nowMs,
      settings: { limits: { over: 1_000_000, share: 1 } },
    });
    onTestFinished(() => device.close());
    return { device, databases };
  };

  /** People edit while the device reads, again and again within one minute; gives what it has not seen in the end. */
  async function missed(mistake: Mistake): Promise<string[]> {
    const startMs = Date.UTC(2026, 10, 24, 12);
    const clock = { nowMs: startMs };
    const { device, databases } = await open(mistake, () => clock.nowMs);
    const remote = notionRemote(notion, databases, { nowMs: () => clock.nowMs, monotonicMs: () => clock.nowMs });
    onTestFinished(async () => void (await notion.call('clock', { fixedMs: null })));
    for (let index = 0; index < 8; index += 1)
      await remote.create(TABLE, { title: `P${index}`, decision: 'x', status: 'open', priority: 'low' });
    await device.run('notion');
    const pages = await notionRows(notion, databases[TABLE].dataSourceId, TABLE);
    for (let minute = 1; minute <= MINUTES; minute += 1) {
      for (let edit = 0; edit < EDITS; edit += 1) {
        clock.nowMs = startMs + minute * 60_000 + Math.floor((edit * 59_000) / EDITS);
        const page = pages[(edit * 5 + minute) % pages.length];
        await remote.edit(page?.remoteId ?? '', { title: `${edit} in minute ${minute}` });
        if (edit % 3 === 0) await notion.call('clock', { fixedMs: clock.nowMs }).then(() => device.run('notion'));
      }
      await device.run('notion');
    }
    const titles = device.records.list({ table: TABLE, limit: 100 }).records.map(({ title }) => title);
    const there = (await notionRows(notion, databases[TABLE].dataSourceId, TABLE)).map(({ fields }) => fields.title);
    return there.map(String).filter((title) => !titles.includes(title));
  }

  test('many edits in one minute: none is missed, whenever in it the device reads', { timeout: 120_000 }, async () => {
    expect(await missed(none)).toEqual([]);
    process.stdout.write(`${EDITS * MINUTES} edits in ${MINUTES} minutes: 0 missed\n`);
  });

  /** Lists only what is newer than the newest that it knows. */
  const trustsTimes: Mistake = (connect) => {
    const connector = connect();
    return {
      ...connector,
      pull: (cursor, signal) => {
        const at = JSON.parse(cursor ?? '{}') as { places?: Record<string, { sinceMs: number | null }> };
        for (const place of Object.values(at.places ?? {}))
          if (place.sinceMs !== null) place.sinceMs += OVERLAP_MS + 60_000;
        return connector.pull(cursor === null ? null : JSON.stringify(at), signal);
      },
    };
  };
  test('a device that skips the overlap is noticed', { timeout: 120_000 }, async () => {
    expect((await missed(trustsTimes)).length).toBeGreaterThan(0);
  });

  /** Requests that began while the service wanted none; what was on its way when it said so cannot be called back. */
  async function impatient(mistake: Mistake): Promise<{ readonly inside: number; readonly windows: number }> {
    const { device, databases } = await open(mistake, Date.now);
    await notion.call('clearLog');
    const count = WAITS * 4;
    for (let index = 0; index < count; index += 1)
      device.records.create({ table: TABLE, fields: { title: `R${index}`, decision: 'x' }, origin: 'cli' });
    for (let wait = 0; wait < WAITS; wait += 1)
      await notion.fault({ kind: 'status', status: wait % 2 === 0 ? 429 : 529, retryAfterS: 1, skip: 4 });
    const endMs = performance.now() + 60_000 + WAITS * 3_000;
    // A person who presses the button all the time.
    while ((await notionRows(notion, databases[TABLE].dataSourceId, TABLE)).length < count) {
      if (performance.now() > endMs) throw new Error('it never ends');
      await device.run('notion');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await notion.call('clearFaults');
    const log = await notion.log();
    const windows = log.flatMap(({ endedMs, retryAfterS }) =>
      retryAfterS === null ? [] : [{ from: endedMs + IN_FLIGHT_MS, to: endedMs + retryAfterS * 1_000 }],
    );
    const inside = log.filter(({ startedMs }) => windows.some(({ from, to }) => startedMs > from && startedMs < to));
    return { inside: inside.length, windows: windows.length };
  }
  const IN_FLIGHT_MS = 50;

  test('no request within the time that a service asked to wait, whoever asks', { timeout: 180_000 }, async () => {
    const { inside, windows } = await impatient(none);
    expect([inside, windows]).toEqual([0, WAITS]);
    process.stdout.write(`${windows} times a service asked to wait: ${inside} requests meanwhile\n`);
  });

  /** Knows that it was refused, and forgets for how long; asks by a connection of its own each time. */
  const forgetsWaits: Mistake = (connect) => {
    const forget = (error: AppError): AppError => new AppError('remote.unavailable', error.message);
    const forgetIn = (outcome: PushOutcome): PushOutcome =>
      outcome.kind === 'failed' ? { ...outcome, error: forget(outcome.error) } : outcome;
    const trying = <T>(work: Promise<T>): Promise<T> =>
      work.catch((cause: unknown) => {
        throw cause instanceof AppError ? forget(cause) : cause;
      });
    return {
      ...connect(),
      push: async (records, signal) => (await trying(connect().push(records, signal))).map(forgetIn),
      pull: (cursor, signal) => trying(connect().pull(cursor, signal)),
    };
  };
  test('a device that ignores Retry-After is noticed', { timeout: 180_000 }, async () => {
    expect((await impatient(forgetsWaits)).inside).toBeGreaterThan(0);
  });
});
