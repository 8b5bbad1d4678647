import { expect, onTestFinished, test } from 'vitest';
import { AppError } from '../../../src/shared/errors.ts';
import type { EditableRecord } from '../../../src/shared/model.ts';
import { createMemoryRemote, type MemoryOptions } from '../../support/memory-connector.ts';
import { auditVault } from '../../support/sync-audit.ts';
import { type DeviceOptions, openDevice, type SyncDevice } from '../../support/sync-device.ts';

const clock = { nowMs: 1_790_000_000_000 };
const tick = (ms = 1_000): number => (clock.nowMs += ms);
const nowMs = (): number => tick(1);

const memory = (options: Partial<MemoryOptions> = {}) => createMemoryRemote({ remote: 'supabase', nowMs, ...options });
function open(options: Partial<DeviceOptions> & Pick<DeviceOptions, 'remotes'>): SyncDevice {
  const device = openDevice({ nowMs, ...options });
  onTestFinished(() => device.close());
  return device;
}
const write = (device: SyncDevice, title: string, content = ''): EditableRecord =>
  device.records.create({ table: 'memories', fields: { title, content }, origin: 'cli' }).record;
const titles = (rows: readonly { readonly fields: Readonly<Record<string, unknown>> }[]): unknown[] =>
  rows.map((row) => row.fields.title).sort();
const listed = (device: SyncDevice): EditableRecord[] =>
  device.records.list({ table: 'memories', includeRetired: true, limit: 1_000 }).records;

test('what is written here is there, and what is written there is here; then nothing moves any more', async () => {
  const supabase = memory();
  const notion = memory({ remote: 'notion', tables: ['decision_vault', 'memories'] });
  const device = open({ remotes: [supabase, notion] });
  write(device, 'from here');
  supabase.create('memories', {
    title: 'from supabase',
    content: 'x',
    kind: 'note',
    category: 'g',
    status: 'active',
    tags: [],
  });
  notion.create('memories', {
    title: 'from notion',
    content: 'y',
    kind: 'note',
    category: 'g',
    status: 'active',
    tags: ['t'],
  });
  for (const remote of ['supabase', 'notion', 'supabase'] as const) {
    expect(await device.run(remote)).toMatchObject({ problem: null, hold: null });
  }
  const expected = ['from here', 'from notion', 'from supabase'];
  expect(titles(supabase.rows('memories'))).toEqual(expected);
  expect(titles(notion.rows('memories'))).toEqual(expected);
  expect(
    listed(device)
      .map((record) => record.title)
      .sort(),
  ).toEqual(expected);
  // A page that a person made got our id.
  expect(notion.rows('memories').every((row) => row.id !== null)).toBe(true);
  await device.run('notion');
  await device.run('supabase');
  const before = [supabase.stats(), notion.stats()];
  for (const remote of ['supabase', 'notion', 'supabase', 'notion'] as const) {
    expect((await device.run(remote)).tables).toEqual([]);
  }
  expect([supabase.stats(), notion.stats()]).toEqual(before);
});

test('how long a record waited is told when the remote has it, and not before', async () => {
  const supabase = memory();
  const waited: number[] = [];
  const device = open({ remotes: [supabase], onSent: (ms) => waited.push(...ms) });
  write(device, 'first');
  tick(60_000);
  write(device, 'second');
  expect(waited).toEqual([]);
  await device.run('supabase');
  expect(waited.length).toBeGreaterThanOrEqual(2);
  expect(Math.max(...waited)).toBeGreaterThanOrEqual(60_000);
  expect(Math.max(...waited)).toBeLessThan(62_000);
  expect(Math.min(...waited)).toBeLessThan(2_000);
});

test('different fields merge; the same field goes to the newer edit, and the other value is kept', async () => {
  const supabase = memory();
  const device = open({ remotes: [supabase] });
  const { id } = write(device, 'one', 'text');
  await device.run('supabase');
  device.records.edit({ table: 'memories', id, fields: { title: 'mine', category: 'here' }, origin: 'cli' });
  tick();
  supabase.edit(id, { title: 'theirs', content: 'there' });
  await device.run('supabase');
  const [record] = listed(device);
  expect(record).toMatchObject({ title: 'theirs', category: 'here', content: 'there' });
  expect(supabase.rows('memories')[0]?.fields).toMatchObject({ title: 'theirs', category: 'here', content: 'there' });
  expect(device.stores.conflicts.list({}).conflicts).toMatchObject([
    { field: 'title', kind: 'edit', mine: 'mine', theirs: 'theirs', base: 'one', winner: 'theirs', remote: 'supabase' },
  ]);
});

test('an answer that was lost after the write makes no second row, and no conflict', async () => {
  const notion = memory({ remote: 'notion', tables: ['memories'] });
  const device = open({ remotes: [notion] });
  for (let index = 0; index < 30; index += 1) write(device, `m${index}`);
  let calls = 0;
  notion.setFault((op) => (op === 'push' && ++calls % 2 === 1 ? 'lost' : null));
  for (let round = 0; round < 6; round += 1) await device.run('notion');
  expect(titles(notion.rows())).toEqual(Array.from({ length: 30 }, (_, index) => `m${index}`).sort());
  expect(device.stores.conflicts.countOpen()).toBe(0);
  expect(device.stores.outbox.summary().find((one) => one.remote === 'notion')).toMatchObject({
    pending: 0,
    leased: 0,
  });
});

test('after a lost answer, what this device sent itself is no edit of somebody else', async () => {
  const supabase = memory();
  const device = open({ remotes: [supabase] });
  const settle = async (): Promise<void> => {
    for (let round = 0; round < 3; round += 1) {
      tick(3_600_000);
      await device.run('supabase');
    }
  };
  const { id } = write(device, 'first');
  supabase.setFault((call) => (call === 'push' ? 'lost' : null));
  await device.run('supabase');
  device.records.edit({ table: 'memories', id, fields: { title: 'second' }, origin: 'cli' });
  await device.run('supabase');
  supabase.setFault(null);
  supabase.edit(id, { category: 'theirs' });
  device.records.edit({ table: 'memories', id, fields: { title: 'third' }, origin: 'cli' });
  await settle();
  expect(device.stores.conflicts.countOpen()).toBe(0);
  expect(supabase.rows('memories')).toMatchObject([{ fields: { title: 'third', category: 'theirs' } }]);
  expect(listed(device)).toMatchObject([{ title: 'third', category: 'theirs' }]);
  // What somebody else wrote there meanwhile is one.
  supabase.setFault((call) => (call === 'push' ? 'lost' : null));
  device.records.edit({ table: 'memories', id, fields: { title: 'fourth' }, origin: 'cli' });
  await device.run('supabase');
  supabase.setFault(null);
  supabase.edit(id, { title: 'theirs' });
  device.records.edit({ table: 'memories', id, fields: { title: 'fifth' }, origin: 'cli' });
  await settle();
  expect(device.stores.conflicts.countOpen()).toBe(1);
});

test('an edit beats a retirement on either side, and a row that is gone for good retires the record here', async () => {
  const supabase = memory();
  const device = open({ remotes: [supabase] });
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((title) => write(device, title).id);
  await device.run('supabase');
  if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error('no ids');
  device.records.retire({ table: 'memories', id: a, retired: true, origin: 'cli' });
  supabase.edit(a, { content: 'edited there' });
  supabase.edit(b, { deletedAtMs: nowMs() });
  device.records.edit({ table: 'memories', id: b, fields: { content: 'edited here' }, origin: 'cli' });
  supabase.remove(c);
  supabase.remove(d);
  device.records.edit({ table: 'memories', id: d, fields: { content: 'edited here' }, origin: 'cli' });
  await device.run('supabase');
  const state = Object.fromEntries(
    listed(device).map((one) => [one.title, [one.deletedAtMs === null, one.table === 'memories' && one.content]]),
  );
  expect(state).toEqual({
    a: [true, 'edited there'],
    b: [true, 'edited here'],
    c: [false, ''],
    d: [true, 'edited here'],
  });
  expect(titles(supabase.rows('memories'))).toEqual(['a', 'b', 'd']);
  expect(supabase.rows('memories').every((row) => (row.fields.deletedAtMs ?? null) === null)).toBe(true);
  expect(device.stores.conflicts.list({}).conflicts.map((one) => one.kind)).toEqual(['delete', 'delete']);
});

test('a value that makes no sense is told and left alone; the other fields go on in both directions', async () => {
  const supabase = memory();
  const device = open({ remotes: [supabase] });
  const { id } = write(device, 'one');
  await device.run('supabase');
  supabase.edit(id, { status: 'finished', content: 'there' }, [
    { field: 'status', value: 'finished', reason: 'No status.' },
  ]);
  await device.run('supabase');
  expect(listed(device)[0]).toMatchObject({ status: 'active', content: 'there' });
  device.records.edit({ table: 'memories', id, fields: { title: 'two', status: 'superseded' }, origin: 'cli' });
  await device.run('supabase');
  expect(supabase.rows('memories')[0]?.fields).toMatchObject({ title: 'two', status: 'finished' });
  expect(device.stores.conflicts.list({}).conflicts).toMatchObject([
    { kind: 'invalid', field: 'status', theirs: 'finished' },
  ]);
  supabase.edit(id, { status: 'active' });
  await device.run('supabase');
  expect(device.stores.conflicts.countOpen()).toBe(0);
  expect(device.stores.conflicts.list({ state: 'resolved' }).conflicts).toMatchObject([{ resolution: 'gone' }]);
});

test('many retirements over there are held; refusing brings them back over there, accepting retires them here', async () => {
  for (const decision of ['accept', 'refuse'] as const) {
    const supabase = memory();
    const device = open({ remotes: [supabase] });
    for (let index = 0; index < 40; index += 1) write(device, `m${index}`);
    await device.run('supabase');
    const rows = supabase.rows('memories');
    for (const row of rows.slice(0, 12)) supabase.edit(row.remoteId, { deletedAtMs: nowMs() });
    for (const row of rows.slice(12, 15)) supabase.remove(row.remoteId);
    supabase.edit(rows[20]?.remoteId ?? '', { content: 'goes on' });
    expect((await device.run('supabase')).hold).toMatchObject({ kind: 'pull', deletes: 15, overwrites: 0, total: 40 });
    expect(listed(device).filter((one) => one.deletedAtMs !== null)).toEqual([]);
    expect(listed(device).some((one) => one.table === 'memories' && one.content === 'goes on')).toBe(true);
    await device.session('supabase').decide(decision);
    await device.run('supabase');
    const alive = decision === 'accept' ? 25 : 40;
    expect(listed(device).filter((one) => one.deletedAtMs === null)).toHaveLength(alive);
    expect(supabase.rows('memories').filter((one) => (one.fields.deletedAtMs ?? null) === null)).toHaveLength(alive);
    expect((await device.run('supabase')).hold).toBeNull();
  }
});

test('many retirements here are not sent until a person says so', async () => {
  for (const decision of ['accept', 'refuse'] as const) {
    const supabase = memory({ batchSize: 10 });
    const device = open({ remotes: [supabase] });
    const ids = Array.from({ length: 40 }, (_, index) => write(device, `m${index}`).id);
    await device.run('supabase');
    for (const id of ids.slice(0, 15)) device.records.retire({ table: 'memories', id, retired: true, origin: 'cli' });
    write(device, 'goes on');
    expect((await device.run('supabase')).hold).toMatchObject({ kind: 'push', deletes: 15 });
    expect(supabase.rows('memories').filter((one) => (one.fields.deletedAtMs ?? null) !== null)).toEqual([]);
    expect(titles(supabase.rows('memories'))).toContain('goes on');
    await device.session('supabase').decide(decision);
    await device.run('supabase');
    const retired = decision === 'accept' ? 15 : 0;
    expect(supabase.rows('memories').filter((one) => (one.fields.deletedAtMs ?? null) !== null)).toHaveLength(retired);
    expect(listed(device).filter((one) => one.deletedAtMs !== null)).toHaveLength(retired);
    expect((await device.run('supabase')).hold).toBeNull();
  }
});

test('an older state of the remote, or another one, is noticed and not obeyed', async () => {
  for (const how of ['rolled back', 'recreated'] as const) {
    const supabase = memory();
    const device = open({ remotes: [supabase] });
    write(device, 'old');
    await device.run('supabase');
    const restore = supabase.snapshot();
    const { id } = write(device, 'new');
    device.records.edit({ table: 'memories', id, fields: { content: 'newer' }, origin: 'cli' });
    await device.run('supabase');
    if (how === 'recreated') supabase.recreate();
    else restore();
    write(device, 'waits');
    const opened = device.reopen();
    onTestFinished(() => opened.close());
    const report = await opened.run('supabase');
    expect(report).toMatchObject({ hold: { kind: 'replaced' }, problem: { code: 'remote.replaced', exitCode: 6 } });
    expect(listed(opened).filter((one) => one.deletedAtMs === null)).toHaveLength(3);
    await opened.session('supabase').decide('accept');
    await opened.run('supabase');
    expect(titles(supabase.rows('memories'))).toEqual(['new', 'old', 'waits']);
    expect(listed(opened)).toHaveLength(3);
    expect((await opened.run('supabase')).hold).toBeNull();
  }
});

test('one poisoned record is set aside with its reason; the other 999 land', async () => {
  const supabase = memory({ batchSize: 100 });
  const device = open({ remotes: [supabase] });
  const ids = Array.from({ length: 1_000 }, (_, index) => write(device, `m${index}`).id);
  supabase.setRefusal((record) =>
    record.id === ids[500] ? new AppError('remote.rejected', 'value too long for type') : null,
  );
  expect(await device.run('supabase')).toMatchObject({ problem: null });
  expect(supabase.rows('memories')).toHaveLength(999);
  expect(device.stores.outbox.parked('supabase', 9)).toMatchObject([
    { recordId: ids[500], errorCode: 'remote.rejected', errorMessage: 'value too long for type' },
  ]);
});

test('a wrong key is tried three times, then waits; a new one drains the queue', async () => {
  const supabase = memory();
  const device = open({ remotes: [supabase] });
  write(device, 'waits');
  let calls = 0;
  supabase.setFault(() => {
    calls += 1;
    return new AppError('remote.unauthorized', 'Invalid API key');
  });
  for (let round = 0; round < 8; round += 1) {
    tick(20 * 60_000);
    await device.run('supabase', { isAsked: false });
  }
  expect(calls).toBe(3);
  const summary = () => device.stores.outbox.summary()[0];
  const status = () => {
    const one = summary();
    if (one === undefined) throw new Error('no summary');
    return device.session('supabase').status(one);
  };
  expect(status()).toMatchObject({ state: 'needs_you', code: 'remote.unauthorized', pending: 2 });
  supabase.setFault(null);
  device.session('supabase').connect(supabase.connect());
  await device.run('supabase', { isAsked: false });
  expect(summary()).toMatchObject({ pending: 0, parked: 0 });
});

test('a person who asks is not left with what failed a moment ago, unless the remote asked for the wait', async () => {
  const supabase = memory();
  const device = open({ remotes: [supabase] });
  const [bad, limited] = [write(device, 'bad answer'), write(device, 'too many')];
  supabase.setRefusal((record) =>
    record.id === bad.id
      ? new AppError('remote.bad_answer', 'A page of HTML.')
      : record.id === limited.id
        ? new AppError('remote.rate_limited', 'Too many.', { retryAfterMs: 600_000 })
        : null,
  );
  await device.run('supabase');
  expect(titles(supabase.rows('memories'))).toEqual([]);
  supabase.setRefusal(null);
  await device.run('supabase', { isAsked: false });
  expect(titles(supabase.rows('memories'))).toEqual([]);
  expect(await device.run('supabase')).toMatchObject({ problem: null });
  expect(titles(supabase.rows('memories'))).toEqual(['bad answer']);
  tick(3_600_000);
  await device.run('supabase');
  expect(titles(supabase.rows('memories'))).toEqual(['bad answer', 'too many']);
});

test('a table that lost a column pauses by name; the other tables go on', async () => {
  const supabase = memory();
  const device = open({ remotes: [supabase] });
  write(device, 'memory');
  device.records.create({ table: 'decision_vault', fields: { title: 'decision' }, origin: 'cli' });
  supabase.setRefusal((record) =>
    record.table === 'memories' ? new AppError('remote.schema', 'The column "kind" is missing.') : null,
  );
  await device.run('supabase');
  const [summary] = device.stores.outbox.summary();
  if (summary === undefined) throw new Error('no summary');
  expect(device.session('supabase').status(summary)).toMatchObject({
    state: 'needs_you',
    code: 'remote.schema',
    paused: [{ table: 'memories', reason: 'The column "kind" is missing.' }],
    pending: 1,
  });
  expect(titles(supabase.rows('decision_vault'))).toEqual(['decision']);
  supabase.setRefusal(null);
  await device.run('supabase');
  expect(titles(supabase.rows('memories'))).toEqual(['memory']);
});

test('secrets leave as markers, come back as themselves, and an edit beside them does not lose them', async () => {
  const secret = ['sk', 'live', '4242'].join('-');
  const redact = (text: string) => {
    const parts = text.split(secret);
    return {
      text: parts.join('[REDACTED:test]'),
      redactions: parts.length - 1,
      kinds: parts.length > 1 ? ['test'] : [],
    };
  };
  const supabase = memory();
  const device = open({ remotes: [supabase], redact });
  const { id } = write(device, 'key', `The key is ${secret}.`);
  await device.run('supabase');
  expect(supabase.rows('memories')[0]?.fields.content).toBe('The key is [REDACTED:test].');
  expect((await device.run('supabase')).tables).toEqual([]);
  supabase.edit(id, { content: 'Our key is [REDACTED:test]; keep it.' });
  await device.run('supabase');
  expect(listed(device)[0]).toMatchObject({ content: `Our key is ${secret}; keep it.` });
  supabase.edit(id, { content: 'No key here.' });
  await device.run('supabase');
  expect(listed(device)[0]).toMatchObject({ content: 'No key here.' });
  expect(device.stores.conflicts.list({}).conflicts).toMatchObject([{ field: 'content', winner: 'theirs' }]);
  expect(JSON.stringify(supabase.rows())).not.toContain(secret);
});

test('with privacy.on_secret: hold a record with a secret stays here', async () => {
  const redact = (text: string) => ({
    text: text.replace('hidden', '[REDACTED:x]'),
    redactions: text.includes('hidden') ? 1 : 0,
    kinds: ['x'],
  });
  const supabase = memory();
  const device = open({ remotes: [supabase], redact, settings: { onSecret: 'hold' } });
  write(device, 'plain');
  write(device, 'secret', 'hidden');
  await device.run('supabase');
  expect(titles(supabase.rows('memories'))).toEqual(['plain']);
  expect(device.stores.outbox.parked('supabase', 9)).toMatchObject([{ table: 'memories', errorCode: 'remote.held' }]);
});

test('a page that was duplicated over there is another record', async () => {
  const notion = memory({ remote: 'notion', tables: ['memories'] });
  const device = open({ remotes: [notion] });
  const { id } = write(device, 'first');
  await device.run('notion');
  const fields = notion.rows()[0]?.fields ?? {};
  notion.create('memories', { ...fields, title: 'copy' }, id);
  await device.run('notion');
  await device.run('notion');
  expect(
    listed(device)
      .map((one) => one.title)
      .sort(),
  ).toEqual(['copy', 'first']);
  expect(new Set(notion.rows().map((row) => row.id)).size).toBe(2);
});

test('comparing everything finds a row that was deleted without a trace', async () => {
  const supabase = memory();
  const device = open({ remotes: [supabase] });
  const { id } = write(device, 'one');
  write(device, 'two');
  await device.run('supabase');
  supabase.forget(id);
  await device.run('supabase');
  expect(listed(device).filter((one) => one.deletedAtMs !== null)).toEqual([]);
  await device.run('supabase', { reconcile: true });
  expect(
    listed(device)
      .filter((one) => one.deletedAtMs !== null)
      .map((one) => one.title),
  ).toEqual(['one']);
});

test('a dry run tells what would happen, and changes nothing on any side', async () => {
  const supabase = memory();
  const device = open({ remotes: [supabase] });
  const { id } = write(device, 'one');
  await device.run('supabase');
  supabase.edit(id, { content: 'there' });
  supabase.create('memories', { title: 'new', content: '', kind: 'note', category: 'g', status: 'active', tags: [] });
  device.records.edit({ table: 'memories', id, fields: { category: 'c' }, origin: 'cli' });
  const before = JSON.stringify([
    supabase.rows(),
    listed(device),
    device.stores.states.read('supabase'),
    device.stores.outbox.summary(),
  ]);
  const plan = await device.session('supabase').plan({ pull: true });
  expect(plan.tables.find((one) => one.table === 'memories')).toMatchObject({ push: 1, pull: 2, pullCreates: 1 });
  expect(plan.sample).toContain('New here: "new"');
  expect(
    JSON.stringify([
      supabase.rows(),
      listed(device),
      device.stores.states.read('supabase'),
      device.stores.outbox.summary(),
    ]),
  ).toBe(before);
});

test('a record that another device put into a new page keeps its id, and the end of the old page says nothing of it', async () => {
  const supabase = memory();
  const notion = memory({ remote: 'notion', tables: ['memories'] });
  const first = open({ remotes: [supabase, notion] });
  const second = open({ remotes: [supabase, notion] });
  const { id } = write(first, 'moved', 'text');
  for (const remote of ['notion', 'supabase'] as const) await first.run(remote);
  await second.run('supabase');
  notion.remove(String(notion.rows('memories')[0]?.remoteId));
  // It never saw the old page: it makes one.
  await second.run('notion');
  notion.edit(String(notion.rows('memories')[0]?.remoteId), { content: 'edited in the new page' });
  for (let round = 0; round < 2; round += 1) {
    await first.run('notion');
    for (const device of [first, second, first]) await device.run('supabase');
    expect(notion.rows('memories')).toMatchObject([{ id, fields: { deletedAtMs: null } }]);
    for (const device of [first, second])
      expect(listed(device)).toMatchObject([{ id, content: 'edited in the new page', deletedAtMs: null }]);
  }
});

test('a hint that comes while a pull runs asks for another one', async () => {
  const supabase = memory();
  const gate: { hint: () => void; pulls: number } = { hint: () => undefined, pulls: 0 };
  let second = (): void => undefined;
  const again = new Promise<void>((resolve) => {
    second = resolve;
  });
  const device = open({
    remotes: [supabase],
    wrapConnector: (connector) => ({
      ...connector,
      listen: (onHint) => {
        gate.hint = onHint;
        return () => undefined;
      },
      pull: async (cursor, signal) => {
        const page = await connector.pull(cursor, signal);
        gate.pulls += 1;
        if (gate.pulls === 1) gate.hint();
        if (gate.pulls === 2) second();
        return page;
      },
    }),
  });
  device.session('supabase').start();
  await again;
  expect(gate.pulls).toBe(2);
  await device.session('supabase').stop();
});

test('a table that cannot be read pauses by name while the others go on, and goes on when it can be read again', async () => {
  const supabase = memory();
  let isBroken = true;
  const broken = () => new AppError('remote.schema', 'The table memories has lost its column title.');
  const device = open({
    remotes: [supabase],
    wrapConnector: (connector) => ({
      ...connector,
      pull: async (cursor, signal) => {
        if (!isBroken) return connector.pull(cursor, signal);
        const page = await connector.pull(cursor, signal);
        const records = page.records.filter(({ table }) => table !== 'memories');
        return { ...page, records, cursor: cursor ?? '', failed: [{ table: 'memories', error: broken() }] };
      },
      read: async (table, ids, signal) => {
        if (isBroken && table === 'memories') throw broken();
        return connector.read(table, ids, signal);
      },
    }),
  });
  const status = () =>
    device.session('supabase').status({
      remote: 'supabase',
      configured: true,
      pending: 0,
      leased: 0,
      parked: 0,
      oldestAtMs: null,
    });
  const fields = { title: 'from there', content: 'x', kind: 'note', category: 'g', status: 'active', tags: [] };
  supabase.create('memories', fields);
  supabase.create('decision_vault', {
    title: 'the others go on',
    decision: '',
    type: '',
    category: '',
    status: 'open',
    priority: 'low',
    tags: [],
    date: null,
  });
  expect((await device.run('supabase', { reconcile: true })).problem).toBeNull();
  expect(device.stores.records.count('decision_vault')).toBe(1);
  expect(listed(device)).toEqual([]);
  expect(status()).toMatchObject({
    state: 'needs_you',
    code: 'remote.schema',
    reason: 'memories pauses (the other tables go on): The table memories has lost its column title.',
    paused: [{ table: 'memories', code: 'remote.schema' }],
  });
  isBroken = false;
  await device.run('supabase');
  expect(titles(listed(device).map((record) => ({ fields: record })))).toEqual(['from there']);
  expect(status()).toMatchObject({ paused: [], code: null });
});

test('a value that a person writes once more at one service is accounted for at the other, and then all is quiet', async () => {
  const supabase = memory();
  const notion = memory({ remote: 'notion', tables: ['decision_vault', 'memories'] });
  const device = open({ remotes: [supabase, notion] });
  const { id } = write(device, 'first');
  await device.run('supabase');
  await device.run('notion');
  tick();
  device.records.edit({ table: 'memories', id, fields: { title: 'agreed' }, origin: 'cli' });
  await device.run('supabase');
  tick();
  notion.edit(notion.rows('memories')[0]?.remoteId ?? '', { title: 'agreed' });
  await device.run('notion');
  const { changeSeq: confirmed } = device.records.show({ table: 'memories', id }).record;
  expect(auditVault(device.store.dataFolder).problems).toEqual([]);
  await device.run('supabase');
  await device.run('notion');
  expect(auditVault(device.store.dataFolder).problems).toEqual([]);
  expect(confirmed).toBeGreaterThan(2);
  const before = [supabase.stats(), notion.stats()];
  await device.run('supabase');
  await device.run('notion');
  expect([supabase.stats().written, notion.stats().written]).toEqual(before.map(({ written }) => written));
});
