/** Keys of services from the command line: where they end up, and where they never are. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { AppError } from '../../../../src/shared/errors.ts';
import { createFakeApi, type FakeApi } from '../../../support/fake-api.ts';
import { needs } from '../../../support/needs.ts';
import { type CliOptions, type CliRun, cli } from '../../../support/server-cli.ts';

const ROOT = join(import.meta.dirname, '../../../..');
const KEY = ['ntn', 'of-a-test-that-is-long-enough-0123456789'].join('_');

let api: FakeApi;
beforeEach(() => {
  api = createFakeApi();
});
const run = (line: string, options: CliOptions = {}): Promise<CliRun> => cli(line.split(' '), { api, ...options });
const kept = (): unknown[] =>
  api.calls.flatMap(({ method, input }) =>
    method === 'environment.set' ? [(input as { values: unknown }).values] : [],
  );

describe('angles config set of a service', () => {
  test('reads a secret from standard input, says where it is and how to test it, and never prints it', async () => {
    const { code, stdout, stderr } = await run('config set NOTION_API_KEY', { stdin: `${KEY}\n` });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(kept()).toEqual([{ NOTION_API_KEY: KEY }]);
    expect(stdout).toBe(
      'NOTION_API_KEY is kept in the keychain of this system.\nTest the connection: angles sync --test\n',
    );
    const again = await run('config set NOTION_API_KEY --json', { stdin: KEY });
    expect(JSON.parse(again.stdout)).toEqual({ schema: 1, name: 'NOTION_API_KEY', in: 'keychain' });
    expect((await run('config get NOTION_API_KEY')).stdout).toBe('set (keychain)\n');
  });

  test('asks a person for it without showing it, and for what is no secret as for anything else', async () => {
    const { code, stdout, stderr } = await run('config set NOTION_API_KEY', { tty: true, answers: [KEY] });
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'Value of NOTION_API_KEY: (not shown) ' });
    expect(stdout).not.toContain(KEY);
    await run('config set NOTION_DATABASE_ID', { tty: true, answers: [' abc '] });
    expect(kept()).toEqual([{ NOTION_API_KEY: KEY }, { NOTION_DATABASE_ID: 'abc' }]);
  });

  test('takes what is no secret as an argument, too, and an alias for its name', async () => {
    const { stdout } = await run('config set REPO_URL owner/name');
    expect(stdout).toBe('GITHUB_REPO is kept in .env in the data folder, readable for you only.\n');
    expect(kept()).toEqual([{ GITHUB_REPO: 'owner/name' }]);
    expect((await run('config get REPO_URL')).stdout).toBe('owner/name\n');
    expect((await run('config get SUPABASE_URL')).stdout).toBe('not set\n');
  });

  test('forgets it again', async () => {
    await run('config set NOTION_TOKEN', { stdin: KEY });
    expect((await run('config reset NOTION_API_KEY')).stdout).toBe('NOTION_API_KEY is not set any more.\n');
    expect(kept()).toEqual([{ NOTION_API_KEY: KEY }, { NOTION_API_KEY: null }]);
  });

  test.each<[string, string, CliOptions, RegExp]>([
    ['a secret as an argument', `config set NOTION_API_KEY ${KEY}`, {}, /never an argument[\s\S]*replace this key/],
    ['nothing', 'config set NOTION_API_KEY', { stdin: ' \n' }, /There is no value for NOTION_API_KEY/],
    ['two lines', 'config set NOTION_API_KEY', { stdin: 'a\nb' }, /has to be one line/],
    [
      'a person who may not be asked',
      'config set SUPABASE_KEY --no-input',
      { tty: true },
      /config set SUPABASE_KEY < FILE/,
    ],
    ['a name that is none', 'config set NOTION_API_KYE', { stdin: KEY }, /Did you mean NOTION_API_KEY\?/],
    ['the key of the backups', 'config set BACKUP_ENCRYPTION_KEY', { stdin: KEY }, /angles key rotate/],
    ['a setting without a value', 'config set dashboard.theme', {}, /dashboard\.theme needs a value/],
  ])('%s: refused with 64, and nothing is kept', async (_, line, options, message) => {
    const { code, stdout, stderr } = await run(line, options);
    expect({ code, stdout, kept: kept() }).toEqual({ code: 64, stdout: '', kept: [] });
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain(KEY);
  });

  test('who gives up changes nothing', async () => {
    const { code, stderr } = await run('config set NOTION_API_KEY', { tty: true, answers: [] });
    expect({ code, kept: kept() }).toEqual({ code: 1, kept: [] });
    expect(stderr).toContain('Nothing was changed.');
  });

  test('what the environment of the agent sets stays, and it says so', async () => {
    api.failWith('environment.set', new AppError('config.overridden', 'NOTION_API_KEY is set elsewhere.'));
    const { code, stderr } = await run('config set NOTION_API_KEY', { stdin: KEY });
    expect(code).not.toBe(0);
    expect(stderr).toContain('what the environment says wins');
  });
});

test(
  'in a terminal what is typed is not shown, and .env of the data folder has it, for its owner only',
  needs('script'),
  async () => {
    const home = mkdtempSync(join(tmpdir(), 'angles-config-'));
    onTestFinished(() => rmSync(home, { recursive: true, force: true }));
    const main = join(ROOT, 'src/main/headless/main.ts');
    const command = `'${process.execPath}' --no-warnings '${main}' config set NOTION_API_KEY`;
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      env: { PATH: process.env.PATH, HOME: home, ANGLES_HOME: join(home, 'data'), TERM: 'xterm' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let screen = '';
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    let isTyped = false;
    for await (const piece of child.stdout) {
      screen += String(piece);
      if (isTyped || !screen.includes('(not shown)')) continue;
      isTyped = true;
      child.stdin.write(`${KEY}\r`);
    }
    expect([await ended, screen]).toEqual([0, expect.stringContaining('.env in the data folder')]);
    expect(screen).not.toContain(KEY);
    const file = join(home, 'data', '.env');
    expect(readFileSync(file, 'utf8')).toContain(`NOTION_API_KEY=${KEY}`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  },
);
