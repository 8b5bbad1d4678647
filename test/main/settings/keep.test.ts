import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SecretStore } from '../../../src/main/host.ts';
import { parseDotenv } from '../../../src/main/settings/dotenv.ts';
import { setInDotenv } from '../../../src/main/settings/dotenv-edit.ts';
import { createSettings, type SettingsSource } from '../../../src/main/settings/settings.ts';
import { AppError } from '../../../src/shared/errors.ts';

describe('the text of .env', () => {
  test.each<[string, string, string | null, string]>([
    ['', 'NOTION_API_KEY', 'abc', 'NOTION_API_KEY=abc\n'],
    ['# mine\nX=1', 'NOTION_API_KEY', 'abc', '# mine\nX=1\nNOTION_API_KEY=abc\n'],
    ['A=1\r\nexport NOTION_TOKEN=old\r\nB=2\r\n', 'NOTION_API_KEY', 'new', 'A=1\r\nNOTION_API_KEY=new\r\nB=2\r\n'],
    ['NOTION_API_KEY=1\nA=2\nNOTION_API_KEY=3\n', 'NOTION_API_KEY', 'x y', "NOTION_API_KEY='x y'\nA=2\n"],
    ['A=1\nNOTION_API_KEY=1\n', 'NOTION_API_KEY', null, 'A=1\n'],
    ['#NOTION_API_KEY=1\n', 'NOTION_API_KEY', null, '#NOTION_API_KEY=1\n'],
  ])('%j with %s = %j', (text, name, value, expected) =>
    expect(setInDotenv(text, name, value, ['NOTION_TOKEN'])).toBe(expected),
  );

  test('whatever is in the file and in the value, the value is read back and every other line stays', () => {
    const value = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
      .map((text) => text.replace(/\p{Cc}|\u2028|\u2029/gu, '').trim())
      .filter((text) => text !== '');
    const line = fc.oneof(
      fc.constantFrom('# a comment', '', 'OTHER="a b"', "QUOTED='x'", 'export LAST=1', 'no assignment'),
      fc.constantFrom('NAME=old', 'ALIAS=older', '  NAME = "spaced"'),
    );
    const text = fc
      .tuple(fc.array(line, { maxLength: 6 }), fc.constantFrom('\n', '\r\n'), fc.boolean())
      .map(([lines, end, closed]) => lines.join(end) + (closed && lines.length > 0 ? end : ''));
    fc.assert(
      fc.property(text, value, (before, wanted) => {
        const after = setInDotenv(before, 'NAME', wanted, ['ALIAS']);
        const read = parseDotenv(after).values;
        expect([read.get('NAME'), read.has('ALIAS')]).toEqual([wanted, false]);
        const others = (all: string): string[] =>
          all.split(/\r?\n/).filter((one) => !/^\s*(NAME|ALIAS)\s*=/.test(one) && one !== '');
        expect(others(after)).toEqual(others(before));
        expect(setInDotenv(after, 'NAME', null, ['ALIAS']).includes('NAME=')).toBe(false);
      }),
      { numRuns: Number(process.env.RUNS ?? 300) },
    );
  });
});

describe('outside names that a face sets', () => {
  let folder: string;
  let settings: SettingsSource | null = null;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'angles-keep-'));
  });
  afterEach(async () => {
    await settings?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const dotenv = (): string => (existsSync(join(folder, '.env')) ? readFileSync(join(folder, '.env'), 'utf8') : '');
  const open = async (secrets?: SecretStore, environment: Record<string, string> = {}): Promise<SettingsSource> => {
    settings = createSettings({ dataFolder: folder, environment, nowMs: () => 0, secrets });
    await settings.loadKept();
    return settings;
  };
  const KEY = ['ntn', 'of', 'tests'].join('_');

  /** A keychain that works, has nothing safe, or is locked. */
  function keychain(how: 'works' | 'missing' | 'locked' = 'works') {
    const values = new Map<string, string>();
    const state = { how };
    const store: SecretStore = {
      get: async (name) => {
        if (state.how === 'locked' && values.has(name)) throw new AppError('keychain.locked', 'It is locked.');
        return values.get(name) ?? null;
      },
      set: async (name, value) => {
        if (state.how === 'missing') throw new AppError('keychain.missing', 'There is none.');
        if (state.how === 'locked') throw new AppError('keychain.locked', 'It is locked.');
        values.set(name, value);
      },
      remove: async (name) => void values.delete(name),
    };
    return { values, state, store };
  }

  test('a secret goes to the keychain and nothing of it to the disk; the rest goes to .env; both are in force at once', async () => {
    const { values, store } = keychain();
    const source = await open(store);
    const told: string[] = [];
    source.onChange(() => told.push(source.configuredRemotes().join()));
    expect(await source.keep({ NOTION_API_KEY: KEY, NOTION_DATABASE_ID: 'abc123' })).toEqual([
      { name: 'NOTION_API_KEY', in: 'keychain' },
      { name: 'NOTION_DATABASE_ID', in: '.env' },
    ]);
    expect([values.get('NOTION_API_KEY'), dotenv()]).toEqual([KEY, 'NOTION_DATABASE_ID=abc123\n']);
    expect(told).toEqual(['notion']);
    const shown = source.show().environment.filter((one) => one.name.startsWith('NOTION') && one.source !== null);
    expect(shown).toMatchObject([
      { source: 'keychain', value: null },
      { source: '.env', value: 'abc123' },
    ]);
    await source.stop();

    const again = await open(store);
    expect([again.environment('NOTION_API_KEY'), again.configuredRemotes()]).toEqual([KEY, ['notion']]);
    await again.keep({ NOTION_API_KEY: null });
    expect([values.size, again.configuredRemotes()]).toEqual([0, []]);
  });

  test.each(['missing', undefined] as const)(
    'without a safe keychain (%s) a secret goes to .env, readable for its owner only',
    async (how) => {
      const source = await open(how === undefined ? undefined : keychain(how).store);
      expect(await source.keep({ GITHUB_TOKEN: KEY })).toEqual([{ name: 'GITHUB_TOKEN', in: '.env' }]);
      expect([dotenv(), statSync(join(folder, '.env')).mode & 0o777]).toEqual([`GITHUB_TOKEN=${KEY}\n`, 0o600]);
      expect(source.environment('GITHUB_TOKEN')).toBe(KEY);
    },
  );

  test('a secret that moves to the keychain leaves .env, also under its other name', async () => {
    writeFileSync(join(folder, '.env'), 'A=1\nNOTION_TOKEN=old\n', { mode: 0o600 });
    const source = await open(keychain().store);
    await source.keep({ NOTION_API_KEY: KEY });
    expect([dotenv(), source.environment('NOTION_API_KEY')]).toEqual(['A=1\n', KEY]);
  });

  test('what the environment sets is not set here, and then nothing of the call happens', async () => {
    const { values, store } = keychain();
    const source = await open(store, { NOTION_TOKEN: 'theirs' });
    await expect(source.keep({ NOTION_DATABASE_ID: 'x', NOTION_API_KEY: KEY })).rejects.toMatchObject({
      code: 'config.overridden',
    });
    expect([values.size, dotenv()]).toEqual([0, '']);
  });

  test('when .env cannot be written the keychain is as it was', async () => {
    const { values, store } = keychain();
    const source = await open(store);
    await source.keep({ GITHUB_TOKEN: 'first' });
    mkdirSync(join(folder, '.env.new'));
    writeFileSync(join(folder, '.env.new', 'in the way'), '');
    await expect(source.keep({ GITHUB_TOKEN: 'second', GITHUB_REPO: 'a/b' })).rejects.toMatchObject({
      code: 'config.unwritable',
    });
    expect([values.get('GITHUB_TOKEN'), source.environment('GITHUB_TOKEN'), dotenv()]).toEqual(['first', 'first', '']);
  });

  test('a keychain that is locked at the start is a warning by name, and the agent goes on without it', async () => {
    const { values, state, store } = keychain();
    values.set('SUPABASE_KEY', KEY);
    state.how = 'locked';
    const source = await open(store);
    expect(source.environment('SUPABASE_KEY')).toBeUndefined();
    const { warnings } = source.show();
    expect(warnings.map(({ message }) => message)).toEqual(['SUPABASE_KEY: It is locked.']);
    expect(JSON.stringify(source.show())).not.toContain(KEY);
  });

  test('when the store opens, what was locked is in force, and secrets that lay in .env move into it', async () => {
    const { values, state, store } = keychain();
    values.set('SUPABASE_KEY', KEY);
    state.how = 'locked';
    writeFileSync(join(folder, '.env'), 'A=1\nNOTION_TOKEN=plain\nNOTION_DATABASE_ID=abc\n', { mode: 0o600 });
    const source = await open(store, { GITHUB_TOKEN: 'theirs' });
    expect(source.locked().map(({ name }) => name)).toEqual(['SUPABASE_KEY']);
    state.how = 'works';
    await source.openKept();
    expect(source.locked()).toEqual([]);
    expect([source.environment('SUPABASE_KEY'), source.environment('NOTION_API_KEY')]).toEqual([KEY, 'plain']);
    expect([...values]).toEqual([
      ['SUPABASE_KEY', KEY],
      ['NOTION_API_KEY', 'plain'],
    ]);
    expect(dotenv()).toBe('A=1\nNOTION_DATABASE_ID=abc\n');

    values.delete('SUPABASE_KEY');
    await source.openKept();
    expect(source.environment('SUPABASE_KEY')).toBeUndefined();
  });
});
