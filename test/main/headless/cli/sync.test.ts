import { beforeEach, describe, expect, test } from 'vitest';
import { createFakeApi, type FakeApi } from '../../../support/fake-api.ts';
import { type CliOptions, type CliRun, cli } from '../../../support/server-cli.ts';

let api: FakeApi;
beforeEach(() => {
  api = createFakeApi();
});
const run = (line: string, options: CliOptions = {}): Promise<CliRun> => cli(line.split(' '), { api, ...options });
const inputOf = (method: string): unknown => api.calls.filter((call) => call.method === method).at(-1)?.input;

describe('angles sync', () => {
  test('tells what was done, and that something waits for a person', async () => {
    const { code, stdout } = await run('sync');
    expect(code).toBe(6);
    expect(stdout).toContain('supabase:');
    expect(stdout).toContain('Held: 58 records would be retired and 2 overwritten here, of 212.');
    expect(inputOf('sync.run')).toEqual({});
  });

  test('hands over what was asked for', async () => {
    await run('sync --dry-run --only notion --export-only');
    expect(inputOf('sync.run')).toEqual({ remote: 'notion', dryRun: true, exportOnly: true });
    expect((await run('sync --only elsewhere')).code).toBe(64);
  });

  test('is calm with no service set up', async () => {
    api = createFakeApi({ empty: true });
    expect(await run('sync')).toMatchObject({ code: 0, stdout: expect.stringContaining('No service is set up') });
  });

  test('tests step by step, and ends with 3 when one fails', async () => {
    const { code, stdout } = await run('sync --test');
    expect(code).toBe(3);
    expect(stdout).toContain('failed Properties: The property "Angles ID" is missing');
    expect(stdout).toContain('angles sync --test --create');
  });

  test('decides what is held only with consent', async () => {
    expect((await run('sync --accept --no-input')).code).toBe(64);
    expect(inputOf('sync.decide')).toBeUndefined();
    expect((await run('sync --refuse --yes')).code).toBe(0);
    expect(inputOf('sync.decide')).toEqual({ remote: 'notion', decision: 'refuse' });
    expect((await run('sync --accept --yes')).code).toBe(1);
    expect((await run('sync --accept --refuse')).code).toBe(64);
  });
});

describe('angles conflicts', () => {
  test('lists and shows both sides', async () => {
    const list = await run('conflicts');
    const { conflicts } = JSON.parse((await run('conflicts --json')).stdout) as { conflicts: unknown[] };
    expect(conflicts.length).toBeGreaterThan(3);
    expect(list.stdout.split('\n').filter(Boolean)).toHaveLength(conflicts.length + 1);
    const [id = ''] = list.stdout.split('\n')[1]?.split(' ') ?? [];
    const { stdout } = await run(`conflicts show ${id}`);
    expect(stdout).toContain('Keep every version in SQLite, for ever');
    expect(stdout).toContain(`angles conflicts resolve ${id} --take mine | --take theirs`);
    expect((await run('conflicts show abcdef12')).code).toBe(1);
  });

  test('resolves some or all, and takes it back', async () => {
    const { conflicts } = JSON.parse((await run('conflicts --json')).stdout) as { conflicts: { id: string }[] };
    const [first, second] = conflicts;
    expect((await run(`conflicts resolve ${first?.id}`)).code).toBe(64);
    expect((await run(`conflicts resolve ${first?.id} --take mine`)).code).toBe(0);
    await run(`conflicts resolve ${second?.id} --value ["x"]`);
    expect(inputOf('conflicts.resolve')).toEqual({ ids: [second?.id], choice: 'edited', value: ['x'], origin: 'cli' });
    await run(`conflicts undo ${first?.id} ${second?.id}`);
    expect(inputOf('conflicts.undo')).toEqual({ ids: [first?.id, second?.id], origin: 'cli' });
    await run('conflicts resolve --all --take theirs');
    expect((await run('conflicts')).stdout).toBe('There are no conflicts.\n');
  });
});

describe('angles queue', () => {
  test('lists what waits, with the reason of what was set aside', async () => {
    const { stdout } = await run('queue --state parked');
    expect(stdout).toContain('value too long for type character varying(200)');
    expect(inputOf('queue.list')).toEqual({ state: 'parked', limit: 100 });
  });

  test('shows, tries again, and discards after an export', async () => {
    const { entries } = JSON.parse((await run('queue --state parked --json')).stdout) as {
      entries: { remote: string; table: string; recordId: string }[];
    };
    const [entry] = entries;
    if (entry === undefined) throw new Error('nothing is parked');
    const { remote, table, recordId } = entry;
    expect((await run(`queue show ${recordId}`)).stdout).toContain('1 secret taken out (openai)');
    expect((await run(`queue discard ${recordId} --no-input`)).code).toBe(64);
    const discarded = await run(`queue discard ${recordId} --yes --export out.json`);
    expect(discarded.code).toBe(0);
    expect(inputOf('queue.discard')).toMatchObject({
      keys: [{ remote, table, recordId }],
      exportTo: expect.stringMatching(/^\/.*out\.json$/),
    });
    expect((await run('queue retry')).stdout).toBe('1 entry will be tried again.\n');
  });
});

test('angles devices tells which one this is, and who talks to Notion', async () => {
  const { stdout } = await run('devices');
  expect(stdout).toMatch(/mira-desk \(this one\).*talks to it/);
  expect(stdout).toMatch(/server .* 41/);
});
