import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createSettings, type SettingsSource } from '../../../src/main/settings/settings.ts';
import { agentMethods } from '../../../src/shared/contract.ts';
import { AppError } from '../../../src/shared/errors.ts';

let folder: string;
const started: SettingsSource[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'angles-settings-'));
});
afterEach(async () => {
  for (const settings of started.splice(0)) await settings.stop();
  rmSync(folder, { recursive: true, force: true });
});

function create(environment: Record<string, string> = {}): SettingsSource {
  const settings = createSettings({
    dataFolder: folder,
    environment,
    nowMs: () => 0,
    platform: 'linux',
    homedir: '/home/ada',
  });
  started.push(settings);
  return settings;
}

function config(text: string): void {
  writeFileSync(join(folder, 'config.json'), text, { mode: 0o600 });
}

function dotenv(text: string): void {
  writeFileSync(join(folder, '.env'), text, { mode: 0o600 });
}

const file = (): string => readFileSync(join(folder, 'config.json'), 'utf8');

function failure(work: () => unknown): { code: string; message: string } {
  try {
    work();
  } catch (error) {
    if (error instanceof AppError) return { code: error.code, message: error.message.replaceAll(folder, 'DATA') };
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('loading', () => {
  test('without files everything has its default', () => {
    const settings = create();
    expect(settings.current().watch.quiet_ms).toBe(300);
    expect(settings.show().values.every((value) => value.source === 'default')).toBe(true);
    expect(settings.configuredRemotes()).toEqual([]);
  });

  test('a byte order mark and CRLF do no harm', () => {
    config('\uFEFF{\r\n  "watch": { "quiet_ms": 500 }\r\n}\r\n');
    expect(create().current().watch.quiet_ms).toBe(500);
  });

  test('paths of roots come out absolute', () => {
    config('{"roots":[{"path":"~/notes/"},{"path":"/srv/a/../b"}]}');
    expect(
      create()
        .current()
        .roots.map((root) => root.path),
    ).toEqual(['/home/ada/notes', '/srv/b']);
  });

  test.each([
    ['{"a":1,}', 'config.syntax', 'DATA/config.json, line 1, column 7: the comma before "}" must go.'],
    ['', 'config.syntax', 'DATA/config.json is empty.'],
    ['[]', 'config.invalid', 'DATA/config.json holds a list; settings are an object: { ... }.'],
    ['"x"', 'config.invalid', 'DATA/config.json holds a string; settings are an object: { ... }.'],
    ['null', 'config.invalid', 'DATA/config.json holds null; settings are an object: { ... }.'],
    ['['.repeat(100_000), 'config.syntax', 'DATA/config.json, line 1, column 33: is nested deeper than 32 levels.'],
    [
      `{"a":"${'x'.repeat(10_000_000)}"}`,
      'config.invalid',
      'DATA/config.json is larger than 1 MB; that cannot be what it is for.',
    ],
    ['{"wach":{}}', 'config.unknown_key', 'DATA/config.json: wach does not exist (did you mean watch?).'],
    ['{"__proto__":{}}', 'config.unknown_key', 'DATA/config.json: __proto__ does not exist.'],
    ['{"watch":null}', 'config.invalid', 'DATA/config.json: watch: expected object, received null.'],
    [
      '{"roots":[{"path":"notes"}]}',
      'config.invalid',
      'DATA/config.json: roots.0.path: must be an absolute path, or start with ~/.',
    ],
    [
      '{"SUPABASE_KEY":"sb_secret_0123456789"}',
      'config.unknown_key',
      'DATA/config.json: SUPABASE_KEY does not belong here, but into the environment or the .env file beside it.',
    ],
    ['{"\\u001b[31m\\nx":1}', 'config.unknown_key', 'DATA/config.json: \\e[31m\\nx does not exist.'],
  ])('%#: refuses what it cannot use', (text, code, message) => {
    config(text);
    expect(failure(() => create())).toEqual({ code, message });
  });

  test('all problems are told at once, and no value', () => {
    config('{"watch":{"quite_ms":1,"max_file_mb":"hunter2"},"logs":{"level":"hunter2"},"roots":[{"pth":"/x"}]}');
    const { code, message } = failure(() => create());
    expect(code).toBe('config.invalid');
    expect(message.split('\n').slice(1).sort()).toEqual([
      '- logs.level: expected one of "debug"|"info"|"warn"|"error"',
      '- roots.0.path: expected string, received undefined',
      '- roots.0.pth does not exist (did you mean roots.0.path?)',
      '- watch.max_file_mb: expected number, received string',
      '- watch.quite_ms does not exist (did you mean watch.quiet_ms?)',
    ]);
  });

  test('text that is not UTF-8 is refused by name', () => {
    writeFileSync(join(folder, 'config.json'), Buffer.from('\ufeff{}', 'utf16le'));
    expect(failure(() => create())).toEqual({
      code: 'config.invalid',
      message: 'DATA/config.json is not UTF-8 text, but UTF-16.',
    });
  });

  test('a folder in the place of the file is refused', () => {
    mkdirSync(join(folder, 'config.json'));
    expect(failure(() => create()).code).toBe('config.unreadable');
  });
});

describe('the environment', () => {
  test('wins over .env, accepts aliases and tells the winner, never a secret', () => {
    dotenv(
      'SUPABASE_URL=https://file.example\nNOTION_TOKEN=ntn_fromfile0123456789\nNOTION_DATABASE_ID=abc\nSUPABASE_KEY=k-from-file\n',
    );
    const settings = create({
      SUPABASE_URL: ' https://env.example ',
      SUPABASE_KEY: '',
      OPENAI_API_KEY: 'sk-canary-0123456789',
    });
    expect(settings.environment('SUPABASE_URL')).toBe('https://env.example');
    expect(settings.environment('NOTION_API_KEY')).toBe('ntn_fromfile0123456789');
    expect(settings.environment('SUPABASE_KEY')).toBe('k-from-file');
    expect(settings.environment('SMTP_SERVER')).toBeUndefined();
    expect(settings.configuredRemotes()).toEqual(['supabase', 'notion']);

    const shown = agentMethods['settings.show'].out.parse(settings.show());
    const of = (name: string) => shown.environment.find((one) => one.name === name);
    expect(of('SUPABASE_URL')).toMatchObject({
      foundAs: 'SUPABASE_URL',
      source: 'environment',
      value: 'https://env.example',
    });
    expect(of('NOTION_API_KEY')).toMatchObject({ foundAs: 'NOTION_TOKEN', source: '.env', value: null, secret: true });
    expect(JSON.stringify(shown)).not.toMatch(/ntn_fromfile|canary|k-from-file/);
    expect(shown.warnings.map((warning) => warning.message)).toEqual([
      'SUPABASE_URL in .env is ignored: SUPABASE_URL in the environment has another value and wins.',
    ]);
  });

  test('a password in a value that is no secret by name is not shown', () => {
    const shown = create({
      GITHUB_REPO: 'https://ada:hunter2hunter2@github.com/ada/backup.git',
      SUPABASE_URL: 'sb_secret_0123456789',
    }).show();
    expect(JSON.stringify(shown)).not.toMatch(/hunter2|sb_secret_0/);
  });

  test('a remote that is switched off is not configured, and the list says what would switch it on', () => {
    config('{"sync":{"notion_enabled":false}}');
    const settings = create({ NOTION_API_KEY: 'x', NOTION_DATABASE_ID: 'y' });
    expect(settings.configuredRemotes()).toEqual([]);
    const off = settings.show().off;
    expect(off.map(({ part, missing }) => [part, missing])).toEqual([
      ['Sync with Supabase', ['SUPABASE_URL', 'SUPABASE_KEY']],
      ['Sync with Notion', ['sync.notion_enabled = true']],
      ['Creating the Supabase tables', ['SUPABASE_DB_URL']],
      ['Pushing backups to GitHub', ['GITHUB_TOKEN', 'GITHUB_REPO']],
      ['AI analysis', ['OPENAI_API_KEY']],
      ['Alerts in Slack', ['SLACK_WEBHOOK_URL']],
      ['Alerts by e-mail', ['SMTP_SERVER', 'EMAIL_RECIPIENT', 'notifications.email_enabled = true']],
    ]);
  });

  test.each([
    ['sb_secret_0123456789abcdef', true],
    [`eyJhbGciOiJIUzI1NiJ9.${Buffer.from('{"role":"service_role"}').toString('base64url')}.sig`, true],
    [`eyJhbGciOiJIUzI1NiJ9.${Buffer.from('{"role":"anon"}').toString('base64url')}.sig`, false],
    ['sb_publishable_0123456789', false],
  ])('%#: a key that passes row level security is warned about', (key, warned) => {
    const warnings = create({ SUPABASE_KEY: key }).show().warnings;
    expect(warnings.map((warning) => warning.message.slice(0, 30))).toEqual(
      warned ? ['SUPABASE_KEY is a service key:'] : [],
    );
  });

  test('odd lines, near misses and plain http are warnings without content', () => {
    dotenv('garbage hunter2\nSUPABSE_KEY=hunter2\nSUPABASE_URL=http://example.com/hunter2\nOTHER_PROGRAM=1\n');
    const warnings = create().show().warnings;
    expect(warnings.map((warning) => warning.message.replaceAll(folder, 'DATA'))).toEqual([
      'Line 1 of DATA/.env: it is not of the form NAME=value.',
      'SUPABSE_KEY in .env is no name that Angles reads.',
      'SUPABASE_URL is not an https address.',
    ]);
    expect(warnings[1]?.fix).toBe('Rename it to SUPABASE_KEY, if that is what it is.');
  });

  test('a .env that is not text is a warning', () => {
    writeFileSync(join(folder, '.env'), Buffer.from([0x41, 0x3d, 0xff, 0xfe, 0x0a]), { mode: 0o600 });
    expect(
      create()
        .show()
        .warnings.map((warning) => warning.message.replaceAll(folder, 'DATA')),
    ).toEqual(['None of .env is used. DATA/.env is not UTF-8 text.']);
  });

  test('loose modes are warned about with the command that mends them, until it was run', () => {
    config('{}');
    dotenv('SUPABASE_KEY=x');
    chmodSync(folder, 0o755);
    chmodSync(join(folder, 'config.json'), 0o644);
    chmodSync(join(folder, '.env'), 0o640);
    const settings = create();
    expect(settings.show().warnings.map((warning) => warning.fix.replaceAll(folder, 'DATA'))).toEqual([
      'chmod 700 DATA',
      'chmod 600 DATA/config.json',
      'chmod 600 DATA/.env',
    ]);
    chmodSync(folder, 0o700);
    chmodSync(join(folder, 'config.json'), 0o600);
    chmodSync(join(folder, '.env'), 0o600);
    expect(settings.show().warnings).toEqual([]);
  });
});

describe('set', () => {
  test('changes one key and leaves the rest of the file as it was', () => {
    config(
      '{\n    "logs": { "level": "debug" },\n    "watch": { "max_wait_ms": 4000, "quiet_ms": 100 },\n    "roots": []\n}\n',
    );
    const settings = create();
    const changes: number[] = [];
    settings.onChange((next) => changes.push(next.watch.quiet_ms));
    expect(settings.set('watch.quiet_ms', 200)).toEqual({ restartNeeded: false });
    expect(settings.current().watch.quiet_ms).toBe(200);
    expect(changes).toEqual([200]);
    expect(file()).toBe(
      '{\n    "logs": {\n        "level": "debug"\n    },\n    "watch": {\n        "max_wait_ms": 4000,\n        "quiet_ms": 200\n    },\n    "roots": []\n}\n',
    );
    expect(settings.show().values.find((value) => value.key === 'watch.quiet_ms')).toEqual({
      key: 'watch.quiet_ms',
      value: 200,
      default: 300,
      source: 'file',
    });
  });

  test('null resets a key or a section', () => {
    config('{"watch":{"quiet_ms":100},"logs":{"level":"debug","max_total_mb":10}}');
    const settings = create();
    settings.set('watch.quiet_ms', null);
    settings.set('logs', null);
    expect(JSON.parse(file())).toEqual({});
    expect(settings.current().logs.level).toBe('info');
  });

  test.each([
    ['watch.quiet_ms', 5, 'config.invalid', 'DATA/config.json: watch.quiet_ms: too small: expected number to be >=20.'],
    ['watch.quite_ms', 100, 'config.unknown_key', 'watch.quite_ms does not exist (did you mean watch.quiet_ms?).'],
    ['__proto__.polluted', 1, 'config.unknown_key', '__proto__.polluted does not exist.'],
    ['ai', { enabled: false }, 'config.unknown_key', 'ai is a section. Set one of its keys: ai.enabled.'],
    [
      'roots',
      [{ path: 'relative' }],
      'config.invalid',
      'DATA/config.json: roots.0.path: must be an absolute path, or start with ~/.',
    ],
  ])('refuses %s = %j and writes nothing', (key, value, code, message) => {
    config('{"watch":{"quiet_ms":100}}');
    const settings = create();
    expect(failure(() => settings.set(key, value))).toEqual({ code, message });
    expect(file()).toBe('{"watch":{"quiet_ms":100}}');
    expect(settings.current().watch.quiet_ms).toBe(100);
  });

  test('refuses to write over a file that was broken by hand', () => {
    const settings = create();
    config('{"watch": ');
    expect(failure(() => settings.set('watch.quiet_ms', 100)).code).toBe('config.syntax');
    expect(file()).toBe('{"watch": ');
  });

  test('keeps what was edited by hand a moment ago', () => {
    const settings = create();
    config('{"logs":{"level":"warn"}}');
    settings.set('watch.quiet_ms', 100);
    expect(settings.current()).toMatchObject({ logs: { level: 'warn' }, watch: { quiet_ms: 100 } });
  });

  test('only the port needs a restart, and only when it changes', () => {
    const settings = create();
    expect([
      settings.set('dashboard.port', 5_000),
      settings.set('dashboard.port', 5_001),
      settings.set('dashboard.theme', 'dark'),
      settings.set('dashboard', null),
    ]).toEqual([{ restartNeeded: false }, { restartNeeded: true }, { restartNeeded: false }, { restartNeeded: true }]);
  });

  test('writes mode 0600, creates a missing data folder with 0700 and leaves nothing else behind', () => {
    const inner = join(folder, 'deep', 'data');
    const settings = createSettings({ dataFolder: inner, environment: {}, nowMs: () => 0 });
    settings.set('watch.quiet_ms', 100);
    expect(readdirSync(inner)).toEqual(['config.json']);
    expect([statSync(inner).mode & 0o777, statSync(join(inner, 'config.json')).mode & 0o777]).toEqual([0o700, 0o600]);
  });

  test('a config.json that is a link stays one', () => {
    const target = join(folder, 'dotfiles.json');
    writeFileSync(target, '{}');
    symlinkSync(target, join(folder, 'config.json'));
    create().set('watch.quiet_ms', 100);
    expect(lstatSync(join(folder, 'config.json')).isSymbolicLink()).toBe(true);
    expect(JSON.parse(readFileSync(target, 'utf8'))).toEqual({ watch: { quiet_ms: 100 } });
  });

  test('a file that cannot be written keeps the settings in force', () => {
    const settings = create();
    // Its own temporary file cannot be made where a folder with content lies (also for root, whom modes do not stop).
    mkdirSync(join(folder, 'config.json.new', 'inner'), { recursive: true });
    expect(failure(() => settings.set('watch.quiet_ms', 100)).code).toBe('config.unwritable');
    expect([settings.current().watch.quiet_ms, existsSync(join(folder, 'config.json'))]).toEqual([300, false]);
  });
});

describe('roots', () => {
  test('are added once and removed by any spelling, and what a person wrote stays', () => {
    config('{"roots":[{"path":"~/notes","exclude":["*.tmp"]}]}');
    const settings = create();
    settings.addRoot('/srv/docs/');
    expect(JSON.parse(file())).toEqual({ roots: [{ path: '~/notes', exclude: ['*.tmp'] }, { path: '/srv/docs' }] });
    expect(failure(() => settings.addRoot('/home/ada/notes/')).code).toBe('root.duplicate');
    expect(failure(() => settings.removeRoot('/elsewhere')).code).toBe('not_found.root');
    settings.removeRoot('~/notes');
    expect(settings.current().roots).toEqual([{ path: '/srv/docs', exclude: [], respect_gitignore: true }]);
  });
});

describe('edits while running', () => {
  test('take effect, and an invalid one keeps what is in force and is told once', async () => {
    config('{"watch":{"quiet_ms":100}}');
    const settings = create();
    const problems: string[] = [];
    const seen: number[] = [];
    settings.onProblem((error) => problems.push((error as AppError).code));
    settings.onChange((next) => seen.push(next.watch.quiet_ms));
    await settings.start();

    config('{"watch":{"quiet_ms":200}}');
    await vi.waitFor(() => expect(seen).toEqual([200]), 5_000);
    config('{"watch":{"quiet_ms":');
    await vi.waitFor(() => expect(problems).toEqual(['config.syntax']), 5_000);
    expect(settings.current().watch.quiet_ms).toBe(200);
    expect(settings.show().warnings.map((warning) => warning.message)).toEqual([
      expect.stringMatching(
        /^The settings before the last edit are in force since 1970-01-01T00:00:00\.000Z\. .*line 1/,
      ),
    ]);
    settings.reload();
    expect(problems).toEqual(['config.syntax']);

    config('{"watch":{"quiet_ms":250}}');
    await vi.waitFor(() => expect(seen).toEqual([200, 250]), 5_000);
    expect(settings.show().warnings).toEqual([]);
  });

  test('of .env configure a remote', async () => {
    const settings = create();
    let changes = 0;
    settings.onChange(() => {
      changes += 1;
    });
    await settings.start();
    dotenv('NOTION_TOKEN=t\nNOTION_DATABASE_ID=d\n');
    await vi.waitFor(() => expect(changes).toBe(1), 5_000);
    expect(settings.configuredRemotes()).toEqual(['notion']);
  });

  test('a config.json that vanishes stops nothing, and the next change writes it whole again', () => {
    config('{"roots":[{"path":"/srv/docs"}]}');
    const settings = create();
    const problems: string[] = [];
    settings.onProblem((error) => problems.push((error as AppError).code));
    rmSync(join(folder, 'config.json'));
    settings.reload();
    expect([problems, settings.current().roots.length]).toEqual([['config.unreadable'], 1]);
    settings.set('watch.quiet_ms', 100);
    expect(JSON.parse(file())).toEqual({ roots: [{ path: '/srv/docs' }], watch: { quiet_ms: 100 } });
  });

  test('a listener that throws is told about and hinders no other', () => {
    const settings = create();
    const problems: unknown[] = [];
    let heard = 0;
    settings.onProblem((error) => problems.push(error));
    settings.onChange(() => {
      throw new Error('listener');
    });
    const stop = settings.onChange(() => {
      heard += 1;
    });
    settings.onChange(() => {
      heard += 10;
    });
    settings.set('watch.quiet_ms', 100);
    stop();
    settings.set('watch.quiet_ms', 200);
    expect([heard, problems.length]).toEqual([21, 2]);
  });

  test('stopping while starting leaves nothing open', async () => {
    const settings = create();
    const starting = settings.start();
    await settings.stop();
    await starting;
    config('{"watch":{"quiet_ms":100}}');
    expect(settings.current().watch.quiet_ms).toBe(300);
  });
});
