import { spawnSync } from 'node:child_process';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Io } from '../../../../src/main/headless/cli/io.ts';
import { createProgram } from '../../../../src/main/headless/cli/program.ts';
import { AppError } from '../../../../src/shared/errors.ts';
import { createFakeApi, type FakeApi } from '../../../support/fake-api.ts';
import { type CliOptions, type CliRun, cli, createFakeAgent } from '../../../support/server-cli.ts';

let api: FakeApi;
beforeEach(() => {
  api = createFakeApi();
});
const run = (line: string | readonly string[], options: CliOptions = {}): Promise<CliRun> =>
  cli(typeof line === 'string' ? line.split(' ') : line, { api, ...options });
const ESCAPE = '\u001b';

const READING = [
  'status',
  'roots',
  'roots list',
  'files',
  'files adr/*',
  'history inbox.md',
  'show inbox.md',
  'diff inbox.md 3d 1d',
  'search writer',
  'decisions',
  'decisions list --all',
  'decisions show 22b88c4f',
  'memories',
  'activities',
  'logs',
  'config check',
  'config show',
  'config get logs.level',
  'version',
] as const;

describe('every command', () => {
  test('has help with its examples first', async () => {
    const program = await run('--help');
    const names = [...program.stdout.matchAll(/^ {2}([a-z-]+) .*\S/gm)]
      .map((match) => match[1] ?? '')
      .filter((name) => !['help', 'angles'].includes(name));
    expect(names.length).toBeGreaterThanOrEqual(20);
    for (const name of names) {
      const help = await run([name, '--help']);
      expect({ name, code: help.code, stderr: help.stderr }).toEqual({ name, code: 0, stderr: '' });
      expect(help.stdout.startsWith('Examples:\n  angles '), name).toBe(true);
    }
  });

  test('is found when it alone is made, and is the same as in the whole tree', () => {
    const io = { stdout: { isTTY: false, columns: 80 }, stderr: { isTTY: false, columns: 80 } } as Io;
    const make = (only?: string) => createProgram(io, { version: '1.2.3' }, async () => undefined, only).commands;
    const whole = make();
    for (const command of whole) {
      const alone = make(command.name());
      const same = alone.find((one) => one.name() === command.name());
      expect(same?.helpInformation(), command.name()).toBe(command.helpInformation());
      if (command.name() !== 'completion') expect(alone.length, command.name()).toBeLessThan(5);
    }
    expect(make('no-such-command')).toHaveLength(whole.length);
  });

  test.each(READING)('%s --json prints one schema-versioned document and nothing else', async (line) => {
    const { code, stdout } = await run(`${line} --json`);
    expect(code).toBe(0);
    expect(stdout.endsWith('}\n')).toBe(true);
    expect(JSON.parse(stdout)).toMatchObject({ schema: 1 });
  });

  test.each(READING)(
    '%s prints no colours into a pipe, with NO_COLOR, with TERM=dumb and with --no-color',
    async (line) => {
      const plain = await run(line);
      expect(plain.stdout).not.toContain(ESCAPE);
      for (const [extra, env] of [
        ['', { NO_COLOR: '1' }],
        ['', { TERM: 'dumb' }],
        [' --no-color', {}],
      ] as const) {
        expect((await run(`${line}${extra}`, { tty: true, env })).stdout).not.toContain(ESCAPE);
      }
    },
  );

  test('colours a terminal', async () => {
    expect((await run('status', { tty: true })).stdout).toContain(`${ESCAPE}[1m`);
  });

  test('fits its tables into a terminal and cuts nothing in a pipe', async () => {
    const narrow = await run('files', { tty: true, columns: 60, env: { NO_COLOR: '1' } });
    expect(Math.max(...narrow.stdout.split('\n').map((line) => [...line].length))).toBeLessThanOrEqual(60);
    expect(narrow.stdout).toContain('…');
    expect((await run('files', { columns: 60 })).stdout).not.toContain('…');
  });

  test('shows hostile names as text', async () => {
    const hostile = createFakeApi({ hostile: true });
    for (const line of ['files', 'activities --limit 60', 'status', 'logs']) {
      const { stdout } = await run(line, { api: hostile, tty: true, env: { NO_COLOR: '1' }, columns: 300 });
      for (const character of [ESCAPE, '\u202e']) expect(stdout).not.toContain(character);
    }
    expect((await run('files', { api: hostile })).stdout).toContain('line\\nbreak.md');
  });
});

describe('mistakes', () => {
  test.each([
    ['statsu', 'There is no command `statsu`. Did you mean `status`?'],
    ['roots ad /x', 'There is no command `roots ad`. Did you mean `roots add`?'],
    ['memories lst', 'There is no command `memories lst`. Did you mean `memories list`?'],
    ['xyzzy', 'There is no command `xyzzy`.'],
    ['status --jsno', "Unknown option '--jsno'. Did you mean `--json`?"],
    ['files --newst', "Unknown option '--newst'. Did you mean `--newest`?"],
    ['status now', 'Too many arguments'],
    ['show', "Missing required argument 'path'"],
    ['restore-file inbox.md', "Required option '--at <version>' not specified"],
    ['restore-file inbox.md --at 1d --to /x --in-place', 'cannot be used with'],
    ['logs --level loud', 'Allowed choices are debug, info, warn, error'],
    ['search x --kind song', '"song" is not one of file, decision, memory.'],
    ['files --limit 0', '"0" is not a whole number above 0.'],
    ['decisions show plan', '"plan" is not an id.'],
    ['show inbox.md --at soon', '"soon" is neither a time nor the id of a version.'],
    ['logs --since soon', '"soon" is not a time.'],
    ['start --port 99999', '"99999" is not a port.'],
    ['config get dashboard.prt', 'There is no setting dashboard.prt. Did you mean dashboard.port?'],
    ['config set dashboard.prt 1', 'dashboard.prt is not a setting.'],
    ['decisions add x --date 20.11.2026', 'fields.date: '],
    ['decisions add x --file /nonexistent', '/nonexistent cannot be read as text'],
    ['completion tcsh', 'Allowed choices are bash, zsh, fish'],
    ['', 'Usage: angles'],
  ])('%j ends with 64 and says what is wrong', async (line, message) => {
    const { code, stdout, stderr } = await run(line === '' ? [] : line);
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    expect(stderr).toContain(message);
  });

  test('an error says what happened, what it means and what to do', async () => {
    api.failWith('scan.run', new AppError('data.full', 'No space is left for /vault.db.'));
    expect(await run('scan')).toMatchObject({
      code: 1,
      stdout: '',
      stderr:
        'Error: No space is left for /vault.db.\nThe disk is full.\nNothing that was captured is lost; new saves wait and are captured when there is space.\nWhat to do: Free some space on the disk of the data folder.\n',
    });
  });

  test('with --json the error is the document', async () => {
    const { code, stdout } = await run('history nowhere.md --json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 1,
      error: { code: 'not_found.file', message: 'The vault knows no nowhere.md.' },
    });
  });

  test.each([
    [new AppError('data.held', 'x'), 8],
    [new AppError('content.damaged', 'x'), 7],
    [new AppError('record.changed', 'x'), 6],
    [new AppError('data.corrupt', 'x'), 2],
    [new AppError('config.syntax', 'x'), 64],
    [new Error('a bug'), 1],
  ])('%s has its exit code', async (error, code) => {
    api.failWith('agent.status', error);
    expect((await run('status')).code).toBe(code);
  });

  test('an error cannot steer the terminal', async () => {
    api.failWith('agent.status', new AppError('internal', `bad ${ESCAPE}[2J name`));
    expect((await run('status', { tty: true, env: { NO_COLOR: '1' } })).stderr).not.toContain(ESCAPE);
  });
});

describe('without a running agent', () => {
  test('a command opens the vault, works, and closes it again', async () => {
    const agent = createFakeAgent(api);
    const { code } = await run('roots', { parts: { openAgent: async () => agent } });
    expect({ code, events: agent.events }).toEqual({ code: 0, events: ['start', 'stop'] });
  });

  test('it closes the vault after a failure too', async () => {
    const agent = createFakeAgent(api);
    await run('history nowhere.md', { parts: { openAgent: async () => agent } });
    expect(agent.events).toEqual(['start', 'stop']);
  });

  test('a folder that another process holds without answering is named, with exit code 8', async () => {
    const openAgent = async (): Promise<never> => {
      throw new AppError('data.held', 'The agent with process id 77 holds /vault.');
    };
    const { code, stderr } = await run('status', { parts: { openAgent } });
    expect(code).toBe(8);
    expect(stderr).toContain('process id 77');
    expect(stderr).toContain('The agent holds the data folder but does not answer.');
  });

  test('open and logs --follow need one', async () => {
    for (const line of ['open', 'logs --follow']) {
      const { code, stderr } = await run(line);
      expect(code).toBe(1);
      expect(stderr).toContain('angles start');
    }
    expect(await run('stop')).toMatchObject({ code: 0, stdout: 'No agent is running.\n' });
  });
});

describe('questions', () => {
  const accept = 'roots accept /home/mira/assistant-exports';
  const decided = (): boolean => api.calls.some((call) => call.method === 'roots.decide');

  test('a person is asked, and no is no', async () => {
    const { code, stderr } = await run(accept, { tty: true, answers: ['n'] });
    expect({ code, decided: decided() }).toEqual({ code: 1, decided: false });
    expect(stderr).toContain('Record 64 deletions in /home/mira/assistant-exports?');
  });

  test('yes does it', async () => {
    expect((await run(accept, { tty: true, answers: ['y'] })).code).toBe(0);
    expect(decided()).toBe(true);
  });

  test.each([
    ['into a pipe', accept, {}],
    ['with --no-input', `${accept} --no-input`, { tty: true }],
    ['with --json', `${accept} --json`, { tty: true }],
  ])('%s nobody is asked: it fails and names --yes', async (_, line, options) => {
    const { code, stderr } = await run(line, options);
    expect({ code, decided: decided() }).toEqual({ code: 64, decided: false });
    expect(stderr).toContain('--yes');
  });

  test('--yes asks nobody', async () => {
    expect((await run(`${accept} --yes`)).code).toBe(0);
    expect(decided()).toBe(true);
  });

  test('replacing a file asks, writing beside it does not', async () => {
    expect((await run('restore-file inbox.md --at 30d')).code).toBe(1);
    expect((await run('restore-file inbox.md --at 1d')).stdout).toMatch(
      /^Wrote \/home\/mira\/notes\/inbox\.restored-\w+\.md \(.*\)\.\n$/,
    );
    expect((await run('restore-file inbox.md --at 1d --in-place')).code).toBe(64);
    expect((await run('restore-file inbox.md --at 1d --in-place --yes')).stdout).toContain(
      'What was there is kept as version',
    );
  });
});

describe('show', () => {
  test('gives the exact bytes to a pipe', async () => {
    const bytes = Buffer.from([0, 255, 10, 13, 27]);
    const binary = createFakeApi();
    const { snapshot } = await binary.methods['files.show']({ path: 'inbox.md' });
    const show = async () => ({
      snapshot,
      encoding: 'base64' as const,
      content: bytes.toString('base64'),
      truncatedAtBytes: null,
    });
    const patched: FakeApi = { ...binary, methods: { ...binary.methods, 'files.show': show } };
    expect((await run('show inbox.md', { api: patched })).bytes).toEqual(bytes);
    const onTerminal = await run('show inbox.md', { api: patched, tty: true });
    expect({ code: onTerminal.code, stdout: onTerminal.stdout }).toEqual({ code: 64, stdout: '' });
    expect(onTerminal.stderr).toContain('angles show PATH > FILE');
  });

  test('text on a terminal cannot steer it', async () => {
    const { snapshot } = await api.methods['files.show']({ path: 'inbox.md' });
    const show = async () => ({
      snapshot,
      encoding: 'text' as const,
      content: `a${ESCAPE}[2Jb\n`,
      truncatedAtBytes: null,
    });
    const patched: FakeApi = { ...api, methods: { ...api.methods, 'files.show': show } };
    expect((await run('show inbox.md', { api: patched, tty: true })).stdout).toBe('a\\e[2Jb\n');
    expect((await run('show inbox.md', { api: patched })).stdout).toBe(`a${ESCAPE}[2Jb\n`);
  });
});

describe('paths', () => {
  const asked = (): unknown[] =>
    api.calls.filter((call) => call.method === 'files.history').map((call) => (call.input as { path: string }).path);

  test('a relative path is one inside a watched folder, or one here', async () => {
    expect((await run('history inbox.md')).code).toBe(0);
    expect((await run('history ./notes/inbox.md')).code).toBe(0);
    expect((await run('history notes/inbox.md')).code).toBe(0);
    expect(asked()).toEqual(['inbox.md', '/home/mira/notes/inbox.md', 'notes/inbox.md', '/home/mira/notes/inbox.md']);
  });

  test('folders are made absolute', async () => {
    await run('roots remove notes');
    expect(api.calls.at(-1)).toEqual({ method: 'roots.remove', input: { path: '/home/mira/notes' } });
  });
});

describe('records', () => {
  test('are written with all their fields, text from the standard input too', async () => {
    const added = await run(
      [
        'decisions',
        'add',
        'Use tabs',
        '--file',
        '-',
        '--tag',
        'a',
        '--tag',
        'b',
        '--status',
        'accepted',
        '--priority',
        'high',
        '--type',
        'style',
        '--category',
        'code',
        '--date',
        '2026-11-20',
        '--json',
      ],
      { stdin: 'Because.\n' },
    );
    const { record } = JSON.parse(added.stdout);
    expect(record).toMatchObject({
      title: 'Use tabs',
      decision: 'Because.\n',
      tags: ['a', 'b'],
      status: 'accepted',
      priority: 'high',
      type: 'style',
      category: 'code',
      date: '2026-11-20',
      origin: 'cli',
    });
    expect((await run(`decisions show ${record.id}`)).stdout).toContain('Because.');
  });

  test('an edit changes only what is given, and keeps what was there', async () => {
    const { record } = JSON.parse((await run('memories add Tea --kind preference --text green --json')).stdout);
    expect((await run(`memories edit ${record.id} --text black`)).stdout).toMatch(/^Saved memory \w{8}: Tea\n$/);
    const shown = await run(`memories show ${record.id}`);
    expect(shown.stdout).toContain('content: green -> black');
    expect(shown.stdout).toContain('preference');
  });

  test('an edit with nothing to change opens the editor, and never overwrites what came meanwhile', async () => {
    const { record } = JSON.parse((await run('memories add Tea --text green --json')).stdout);
    const editText = async (text: string): Promise<string> => {
      await run(`memories edit ${record.id} --text meanwhile`);
      return `${text} and mine`;
    };
    const { code, stderr } = await run(`memories edit ${record.id}`, { io: { editText } });
    expect(code).toBe(6);
    expect(stderr).toContain('changed in the meantime');
    expect((await run(`memories edit ${record.id}`)).code).toBe(64);
  });

  test('retired ones leave the list and come back', async () => {
    const { record } = JSON.parse((await run('memories add Gone --json')).stdout);
    await run(`memories retire ${record.id}`);
    expect((await run('memories')).stdout).not.toContain('Gone');
    expect((await run('memories list --all')).stdout).toContain('retired');
    await run(`memories restore ${record.id}`);
    expect((await run('memories')).stdout).toContain('Gone');
  });

  test('a new one takes the place of an old one', async () => {
    const { record } = JSON.parse((await run('decisions add Old --json')).stdout);
    const { stdout } = await run(`decisions supersede ${record.id} --title New --json`);
    expect(JSON.parse(stdout)).toMatchObject({
      record: { title: 'New', supersedes: record.id },
      superseded: { status: 'superseded' },
    });
  });
});

describe('lists', () => {
  test('files are read page by page up to the limit, and what is left is said on stderr', async () => {
    const { stdout, stderr } = await run('files --limit 5 --json');
    expect(JSON.parse(stdout)).toMatchObject({ schema: 1, total: 36 });
    expect(JSON.parse(stdout).files).toHaveLength(5);
    expect(stderr).toBe('31 more files: use --limit 36 to see all.\n');
  });

  test('skipped and deleted files come with the reason', async () => {
    const { stdout } = await run('files --skipped --deleted');
    expect(stdout).toMatch(/standup\.m4a .* file\.too_large/);
    expect(stdout).toMatch(/old-intro\.md .* deleted/);
    expect(stdout).not.toContain('inbox.md');
  });

  test('search says how much matched on stderr and passes its filters on', async () => {
    const { stderr } = await run(
      'search one writer --kind decision --root notes --since 7d --until 2026-11-20 --limit 3',
    );
    expect(api.calls.at(-1)).toMatchObject({
      method: 'search.query',
      input: {
        query: 'one writer',
        kinds: ['decision'],
        rootId: 1,
        sinceMs: Date.UTC(2026, 10, 13, 9, 30),
        untilMs: Date.UTC(2026, 10, 21) - 1,
        limit: 3,
      },
    });
    expect(stderr).toBe('3 matches in 7 ms. 2 captures are not searchable yet.\n');
  });

  test('a scan with held deletions ends with 6', async () => {
    expect((await run('scan --once')).code).toBe(6);
    expect((await run('scan notes')).code).toBe(0);
  });

  test('a scan that a writer keeps from a file ends with 1 and says so', async () => {
    api.answerWith('scan.run', { waiting: 1 });
    const { code, stdout } = await run('scan notes');
    expect(code).toBe(1);
    expect(stdout).toContain('1 file still being written: captured when closed, if an agent runs');
  });

  test('doctor ends with 1 when something is broken', async () => {
    const { code, stdout, stderr } = await run('doctor');
    expect(code).toBe(1);
    expect(stdout).toContain('sudo sysctl fs.inotify.max_user_watches=524288');
    expect(stderr).toBe('1 error, 1 warning.\n');
  });
});

describe('completion', () => {
  test('bash completes commands, verbs, options and their values', async () => {
    const { stdout: script } = await run('completion bash');
    const complete = (...words: string[]): string[] => {
      const test = `${script}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _angles; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const done = spawnSync('bash', ['-c', test], { encoding: 'utf8', cwd: '/nonexistent-is-fine'.slice(0, 1) });
      expect(done.stderr).toBe('');
      return done.stdout.trim().split('\n');
    };
    expect(complete('angles', 'sta')).toEqual(['start', 'status']);
    expect(complete('angles', 'roots', 'ac')).toEqual(['accept']);
    expect(complete('angles', 'logs', '--lev')).toEqual(['--level']);
    expect(complete('angles', 'logs', '--level', 'w')).toEqual(['warn']);
    expect(complete('angles', 'decisions', 'add', '--json', '--status', 'acc')).toEqual(['accepted']);
  });

  test('zsh and fish scripts name every command', async () => {
    for (const shell of ['zsh', 'fish']) {
      const { stdout } = await run(`completion ${shell}`);
      for (const name of ['start', 'restore-file', 'supersede', '--level'])
        expect(stdout).toContain(name.replace('--', shell === 'fish' ? '-l ' : '--'));
    }
  });
});
