import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { OutgoingRecord, PushOutcome } from '../../../../src/main/sync/connector.ts';
import { AppError } from '../../../../src/shared/errors.ts';
import type { Fault } from '../../../support/notion/faults.ts';
import { type Notion, startNotion } from '../../../support/notion/start.ts';
import {
  change,
  connect,
  create,
  decision,
  done,
  dump,
  edit,
  freshDatabase,
  outgoing,
  pullAll,
  pushOne,
  settled,
  signal,
} from './notion-harness.ts';

const LOST = Number(process.env.NOTION_LOST ?? 40);
let notion: Notion;
beforeAll(async () => {
  notion = await startNotion();
});
afterAll(() => notion.stop());

const codeOf = async (work: Promise<unknown>): Promise<AppError> => {
  try {
    await work;
  } catch (cause) {
    if (cause instanceof AppError) return cause;
    throw cause;
  }
  throw new Error('it did not fail');
};

/** Pushes again until it is done, as the engine does; a run that knows nothing takes over after each failure. */
async function insist(databaseId: string, record: OutgoingRecord): Promise<{ outcome: PushOutcome; tries: number }> {
  for (let tries = 1; tries < 20; tries += 1) {
    const connector = connect(notion, { decision_vault: databaseId });
    try {
      const outcome = await pushOne(connector, record);
      if (outcome.kind !== 'failed') return { outcome, tries };
    } catch (cause) {
      if (!(cause instanceof AppError)) throw cause;
    }
  }
  throw new Error('it was never done');
}

describe('an answer that is lost after the work was done', () => {
  test(`makes no second page, ${LOST} times`, async () => {
    const { database } = await freshDatabase(notion);
    const kinds = ['cut-after', 'truncate'] as const;
    for (let index = 0; index < LOST; index += 1) {
      const record = outgoing(decision({ title: `T${index}`, decision: `Text ${index}` }));
      await notion.fault({
        kind: kinds[index % 2] ?? 'cut-after',
        method: 'POST',
        path: '/v1/pages$',
        times: 1 + (index % 2),
      });
      const { outcome, tries } = await insist(database.databaseId, record);
      expect(outcome.kind).toBe('done');
      expect(tries).toBe(2);
      await notion.call('clearFaults');
    }
    const pages = await dump(notion, database);
    expect(pages).toHaveLength(LOST);
  }, 120_000);

  test('of any request of a long text leaves neither less nor more than the text', async () => {
    const { connector, database } = await freshDatabase(notion);
    const long = (mark: string) => Array.from({ length: 104 }, (_, index) => `Paragraph ${index} ${mark}`).join('\n\n');
    let record = await create(connector, decision({ decision: long('a') }));
    // Each write of the rewrite in turn: the mark, the two additions, some of the removals, the end.
    for (const [round, skip] of [0, 1, 2, 50].entries()) {
      const text = long(`b${round}`).slice(0, 2000 + round);
      await notion.fault({ kind: 'cut-after', method: skip > 2 ? 'DELETE' : 'PATCH', skip });
      const next = edit(record, { decision: text, priority: round % 2 === 0 ? 'high' : 'low' });
      const { outcome } = await insist(database.databaseId, next);
      record = settled(next, outcome);
      await notion.call('clearFaults');
      const [read] = await connector.read('decision_vault', [record.id], signal);
      expect(read?.fields.decision).toBe(text);
      expect(read?.version).toBe(record.baseVersion);
    }
  }, 120_000);

  test('while a text is half written, a pull says so instead of giving the mixture, and a later text finishes it', async () => {
    const { connector, database } = await freshDatabase(notion);
    const record = await create(connector, decision({ decision: 'one\n\ntwo\n\nthree' }));
    await notion.fault({ kind: 'cut-before', method: 'DELETE', times: 99 });
    await expect(pushOne(connector, edit(record, { decision: 'a\n\nb\n\nc\n\nd' }))).rejects.toMatchObject({
      code: 'remote.unreachable',
    });
    await notion.call('clearFaults');
    const [half] = (await pullAll(connect(notion, { decision_vault: database.databaseId }))).records;
    expect(half?.fields).not.toHaveProperty('decision');
    expect(half).toMatchObject({
      version: record.baseVersion,
      problems: [{ field: 'decision', reason: expect.stringContaining('half written') }],
    });
    const other = edit(record, { decision: 'quite\n\nother\n\nwords' });
    const fresh = connect(notion, { decision_vault: database.databaseId });
    const finished = settled(other, await pushOne(fresh, other));
    const [read] = (await pullAll(fresh)).records;
    expect(read).toMatchObject({
      version: finished.baseVersion,
      problems: [],
      fields: { decision: 'quite\n\nother\n\nwords' },
    });
  });

  test("a person's paragraph in a half-written text is not taken away", async () => {
    const { connector, database } = await freshDatabase(notion);
    const record = await create(connector, decision({ decision: 'one\n\ntwo\n\nthree' }));
    await notion.fault({ kind: 'cut-before', method: 'DELETE', times: 99 });
    await expect(pushOne(connector, edit(record, { decision: 'a\n\nb\n\nc\n\nd' }))).rejects.toBeInstanceOf(AppError);
    await notion.call('clearFaults');
    await notion.call('append', {
      pageId: record.remoteId,
      blocks: [{ paragraph: { rich_text: [{ text: { content: 'mine' } }] } }],
    });
    expect(await pushOne(connector, edit(record, { decision: 'a\n\nb\n\nc\n\nd' }))).toMatchObject({ kind: 'changed' });
    expect((await dump(notion, database))[0]?.blocks).toHaveLength(8);
  });
});

describe('the class of a failure', () => {
  const cases: readonly (readonly [string, Fault, string, Partial<AppError>])[] = [
    [
      '429',
      { kind: 'status', status: 429, retryAfterS: 7 },
      'remote.rate_limited',
      { retryAfterMs: 7000, retryable: true },
    ],
    ['529', { kind: 'status', status: 529, retryAfterS: 3 }, 'remote.unavailable', { retryAfterMs: 3000 }],
    ['401', { kind: 'status', status: 401 }, 'remote.unauthorized', {}],
    ['403', { kind: 'status', status: 403, code: 'restricted_resource' }, 'remote.forbidden', {}],
    ['409', { kind: 'status', status: 409 }, 'remote.unavailable', { retryable: true }],
    ['500', { kind: 'status', status: 500 }, 'remote.unavailable', {}],
    ['502 in HTML', { kind: 'html', status: 502 }, 'remote.unavailable', {}],
    ['503', { kind: 'status', status: 503 }, 'remote.unavailable', {}],
    ['a sign-in page', { kind: 'html', status: 200 }, 'remote.bad_answer', {}],
    ['a forbidden page of a proxy', { kind: 'html', status: 403 }, 'remote.bad_answer', {}],
    ['JSON of somebody else', { kind: 'foreign' }, 'remote.bad_answer', {}],
    ['half of the JSON', { kind: 'truncate' }, 'remote.bad_answer', {}],
    ['a cut', { kind: 'cut-before' }, 'remote.unreachable', {}],
    [
      'no answer',
      { kind: 'hang' },
      'remote.unreachable',
      { message: expect.stringContaining('did not answer within') as never },
    ],
    ['an answer that never ends', { kind: 'drip' }, 'remote.unreachable', {}],
  ];
  test.each(cases)('%s', async (_name, fault, code, more) => {
    const { connector } = await freshDatabase(notion, { timeoutMs: 700 });
    await notion.fault(fault);
    expect(await codeOf(connector.identity(signal))).toMatchObject({ code, ...more });
  });

  test('nobody there, an address that is none, a caller that gives up', async () => {
    const { database } = await freshDatabase(notion);
    const at = (baseUrl: string) =>
      connect(notion, { decision_vault: database.databaseId }, { baseUrl }).identity(signal);
    expect(await codeOf(at('http://127.0.0.1:9'))).toMatchObject({ code: 'remote.unreachable' });
    expect(await codeOf(at('http://no-such-host.invalid'))).toMatchObject({ code: 'remote.unreachable' });
    const caller = new AbortController();
    await notion.fault({ kind: 'hang' });
    const waiting = codeOf(connect(notion, { decision_vault: database.databaseId }).identity(caller.signal));
    setTimeout(() => caller.abort(), 50);
    expect(await waiting).toMatchObject({ code: 'interrupted' });
  });

  test('a token that is revoked in the middle stops the rest and keeps what was done', async () => {
    const { connector } = await freshDatabase(notion);
    const records = Array.from({ length: 22 }, (_, index) => outgoing(decision({ title: `R${index}` })));
    await notion.fault({ kind: 'status', status: 401, method: 'POST', path: '/v1/pages$', skip: 5, times: 99 });
    const outcomes = await connector.push(records, signal);
    await notion.call('clearFaults');
    expect(outcomes.filter(({ kind }) => kind === 'done')).toHaveLength(5);
    const failed = outcomes.filter((outcome) => outcome.kind === 'failed');
    expect(new Set(failed.map(({ error }) => error.code))).toEqual(new Set(['remote.unauthorized']));
    const asked = (await notion.log()).filter(({ status }) => status === 401);
    // Those that were under way together; none of the rest is tried.
    expect(asked.length).toBeLessThanOrEqual(6);
    const again = await connector.push(records, signal);
    expect(again.every(({ kind }) => kind === 'done')).toBe(true);
    await notion.call('token', { token: notion.token, valid: false });
    await expect(connector.push(records, signal)).rejects.toMatchObject({ code: 'remote.unauthorized' });
    await notion.call('token', { token: notion.token, valid: true });
  });

  test('a record that is never taken does not stop the others', async () => {
    const { connector } = await freshDatabase(notion);
    const records = Array.from({ length: 30 }, (_, index) => outgoing(decision({ title: `R${index}` })));
    records[7] = outgoing(decision({ date: 'soon' }));
    const outcomes = await connector.push(records, signal);
    const bad = outcomes.filter(({ kind }) => kind !== 'done');
    expect(bad).toMatchObject([
      {
        id: records[7]?.id,
        kind: 'failed',
        error: { code: 'remote.rejected', message: expect.stringContaining('ISO 8601') },
      },
    ]);
    expect((await pullAll(connector)).records).toHaveLength(29);
  });

  test('a workspace without room for more takes edits, and says what is full for new ones', async () => {
    const { connector } = await freshDatabase(notion);
    const record = await create(connector, decision());
    await notion.call('blocksLeft', { count: 0 });
    const outcomes = await connector.push([outgoing(decision()), edit(record, { title: 'Edited' })], signal);
    await notion.call('blocksLeft', { count: null });
    expect(outcomes.find(({ id }) => id === record.id)).toMatchObject({ kind: 'done' });
    expect(outcomes.find(({ id }) => id !== record.id)).toMatchObject({
      kind: 'failed',
      error: { code: 'remote.quota' },
    });
  });

  test('a token that may only read', async () => {
    const { connector } = await freshDatabase(notion);
    const record = await create(connector, decision());
    await notion.call('token', { token: notion.token, capabilities: { insert: false, update: false } });
    const outcome = await pushOne(connector, edit(record, { title: 'x' }));
    expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'remote.forbidden' } });
    expect((await connector.check(signal)).at(-1)).toMatchObject({
      id: 'permission.decision_vault',
      verdict: 'failed',
      code: 'remote.forbidden',
    });
    await notion.call('token', { token: notion.token });
  });
});

describe('the rate', () => {
  test('no request leaves in the time that a Retry-After asked for, whoever asks', async () => {
    const { connector, database } = await freshDatabase(notion);
    // Seen from this side: what had left before the answer came cannot be called back.
    const left: number[] = [];
    const windows: { readonly from: number; readonly to: number }[] = [];
    const send = globalThis.fetch;
    const watch = vi.spyOn(globalThis, 'fetch').mockImplementation(async (url, init) => {
      if (String(url).includes('/_control')) return send(url, init);
      left.push(performance.now());
      const response = await send(url, init);
      const from = performance.now();
      const seconds = response.headers.get('retry-after');
      if (seconds !== null) windows.push({ from, to: from + Number(seconds) * 1000 });
      return response;
    });
    try {
      const records = Array.from({ length: 8 }, (_, index) => outgoing(decision({ title: `R${index}` })));
      for (const [index, status] of [429, 529, 429].entries()) {
        await notion.fault({ kind: 'status', status, retryAfterS: 1, skip: 3 + index });
        let outcomes: readonly PushOutcome[] = [];
        try {
          outcomes = await connector.push(records, signal);
        } catch (cause) {
          expect(cause).toMatchObject({ retryAfterMs: expect.any(Number) });
        }
        const failed = outcomes.find((outcome) => outcome.kind === 'failed');
        if (failed?.kind === 'failed') expect(failed.error.retryAfterMs).toBeLessThanOrEqual(1000);
        // The engine waits for as long as it is told, whatever is tried before.
        for (;;) {
          const refused = await connector.pull(null, signal).then(
            () => null,
            (cause: unknown) => cause as AppError,
          );
          if (refused === null) break;
          expect(refused.code).toBe('remote.rate_limited');
          await new Promise((resolve) => setTimeout(resolve, (refused.retryAfterMs ?? 0) / 2 + 1));
        }
      }
      expect((await connector.push(records, signal)).every(({ kind }) => kind === 'done')).toBe(true);
    } finally {
      watch.mockRestore();
    }
    expect(windows).toHaveLength(3);
    expect(left.filter((at) => windows.some(({ from, to }) => at > from && at < to - 2))).toEqual([]);
    expect(connector.ratePerSecond()).toBeLessThan(1000);
    expect(await dump(notion, database)).toHaveLength(8);
  });

  test('three a second are never too many for a service that allows three', async () => {
    const { connector } = await freshDatabase(notion, { perSecond: 3 });
    await notion.rate({ kind: 'average', perSecond: 3, burst: 6, retryAfterS: 1 });
    const outcomes = await connector.push(
      Array.from({ length: 9 }, () => outgoing(decision())),
      signal,
    );
    await notion.rate({ kind: 'none' });
    expect(outcomes.every(({ kind }) => kind === 'done')).toBe(true);
    const log = await notion.log();
    expect(log.filter(({ status }) => status === 429)).toEqual([]);
    const span = ((log.at(-1)?.startedMs ?? 0) - (log[0]?.startedMs ?? 0)) / 1000;
    expect((log.length - 1) / span).toBeGreaterThan(2.5);
  }, 30_000);

  test('a budget per window that is used up says how long', async () => {
    const { connector } = await freshDatabase(notion);
    await notion.rate({ kind: 'window', budget: 6, windowMs: 60_000 });
    const records = Array.from({ length: 6 }, () => outgoing(decision()));
    const outcomes = await connector.push(records, signal);
    await notion.rate({ kind: 'none' });
    expect(outcomes.filter(({ kind }) => kind === 'failed').length).toBeGreaterThan(0);
    const failed = outcomes.find((outcome) => outcome.kind === 'failed');
    expect(failed?.kind === 'failed' && failed.error.retryAfterMs).toBeGreaterThan(50_000);
  });
});

describe('the connection test', () => {
  test('names each step, and the fix of the one that fails', async () => {
    const { connector, database } = await freshDatabase(notion);
    const steps = await connector.check(signal);
    expect(steps.slice(0, 6).map(({ id, verdict }) => `${id} ${verdict}`)).toEqual([
      'dns ok',
      'tcp ok',
      'tls skipped',
      'key ok',
      'shared.decision_vault ok',
      'permission.decision_vault ok',
    ]);
    expect(steps.slice(6, 18).every(({ verdict }) => verdict === 'ok')).toBe(true);
    expect(steps.slice(18).map(({ id, verdict }) => `${id} ${verdict}`)).toEqual([
      'shared.memories skipped',
      'shared.activities skipped',
    ]);
    const last = async (more: Parameters<typeof connect>[2] = {}, id = database.databaseId) =>
      (await connect(notion, { decision_vault: id }, more).check(signal)).at(-1);
    expect(await last({ baseUrl: 'https://no-such-host.invalid' })).toMatchObject({
      id: 'dns',
      verdict: 'failed',
      code: 'remote.unreachable',
    });
    expect(await last({ baseUrl: 'http://127.0.0.1:9' })).toMatchObject({ id: 'tcp', verdict: 'failed' });
    expect(await last({ baseUrl: notion.baseUrl.replace('http:', 'https:') })).toMatchObject({
      id: 'tls',
      verdict: 'failed',
    });
    expect(await last({ baseUrl: 'nonsense' })).toMatchObject({ id: 'address', verdict: 'failed' });
    expect(await last({ token: 'wrong' })).toMatchObject({ id: 'key', verdict: 'failed', code: 'remote.unauthorized' });
    expect(await last({}, '0'.repeat(32))).toMatchObject({
      id: 'shared.decision_vault',
      verdict: 'failed',
      code: 'remote.not_shared',
      fix: expect.stringContaining('Share'),
    });
    expect(await last({}, 'my database')).toMatchObject({
      id: 'shared.decision_vault',
      verdict: 'failed',
      detail: expect.stringContaining('not the id of a database'),
    });
  });

  test('a database of a person gets what is missing, and nothing of it is changed', async () => {
    const made = await notion.call<{ databaseId: string; dataSourceId: string }>('database', {
      title: 'Mine',
      properties: { Decision: { title: {} }, Category: { rich_text: {} } },
    });
    await notion.call('addProperty', { dataSourceId: made.dataSourceId, name: 'Status', type: 'status' });
    const connector = connect(notion, { decision_vault: made.databaseId });
    const before = await connector.check(signal);
    expect(before.filter(({ canPrepare }) => canPrepare).map(({ id }) => id)).toContain(
      'schema.decision_vault.Priority',
    );
    await expect(pushOne(connector, outgoing(decision()))).rejects.toMatchObject({ code: 'remote.schema' });
    const plan = await connector.prepare(signal);
    expect(plan.steps).toContain('Add the property "Angles status" (select) to Decisions in Notion');
    await plan.apply(signal);
    await plan.apply(signal);
    expect((await connector.prepare(signal)).steps).toEqual([]);
    expect((await connector.check(signal)).every(({ verdict }) => verdict !== 'failed')).toBe(true);
    const record = await create(connector, decision({ category: 'x, y'.repeat(40).trim() }));
    const changed = await change(connector, record, { status: 'open' });
    const [read] = (await pullAll(connector)).records;
    expect(read).toMatchObject({
      version: changed.baseVersion,
      fields: { category: 'x, y'.repeat(40).trim(), status: 'open' },
    });
    expect(done({ ...(await pushOne(connector, changed)) }).remoteId).toBe(record.remoteId);
  });
});
