/** Every command that the README shows, run by a shell as it stands there, with a home of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAgent } from '../../src/main/agent.ts';
import { codeOf, fencedBlocks, load, ROOT, readDocument, tableRows } from './documents.ts';

const readme = readDocument('README.md');
const home = realpathSync(mkdtempSync(join(tmpdir(), 'angles-readme-')));
const notes = join(home, 'notes');
const environment = {
  HOME: home,
  ANGLES_HOME: join(home, 'data'),
  PATH: [join(ROOT, 'bin'), dirname(process.execPath), process.env.PATH ?? ''].join(delimiter),
};
const DAY_MS = 86_400_000;
let agent: ChildProcess | null = null;

type Ran = { readonly code: number | null; readonly output: string };

function shell(script: string, env: Record<string, string> = environment): Ran {
  const { status, stdout, stderr } = spawnSync('sh', ['-euc', script], { cwd: ROOT, env, encoding: 'utf8' });
  return { code: status, output: `${stdout}${stderr}` };
}

beforeAll(async () => {
  const { builtFrom, fingerprint } =
    await load<Record<'builtFrom' | 'fingerprint', (root: string) => string | null>>('scripts/sources.mjs');
  if (builtFrom(ROOT) !== fingerprint(ROOT)) {
    const built = spawnSync(process.execPath, [join(ROOT, 'scripts/build.mjs')], { encoding: 'utf8' });
    expect(built.status, built.stderr).toBe(0);
  }
  mkdirSync(join(home, 'projects'));
  mkdirSync(notes);
  writeFileSync(join(notes, 'plan.md'), '# Release plan\n\n- write it\n');
  await captureThreeDaysAgo();
  writeFileSync(join(notes, 'plan.md'), '# Release plan\n\n- write it\n- ship it\n');
  agent = await startAgent();
});

afterAll(async () => {
  if (agent !== null && agent.exitCode === null) {
    const ended = new Promise((resolve) => agent?.once('exit', resolve));
    agent.kill('SIGTERM');
    await ended;
  }
  rmSync(home, { recursive: true, force: true });
});

/** The README asks for the version of yesterday, so there is one. */
async function captureThreeDaysAgo(): Promise<void> {
  const past = await openAgent(
    {
      dataFolder: environment.ANGLES_HOME,
      environment,
      version: '0.0.0',
      shell: 'test',
      nowMs: () => Date.now() - 3 * DAY_MS,
      notify: () => undefined,
      onPower: () => () => undefined,
    },
    'offline',
  );
  await past.start();
  await past.api.methods['roots.add']({ path: notes });
  await past.api.methods['scan.run']({});
  await past.stop();
}

/** `npm start` with the arguments that the README gives it, and any free port. */
function startAgent(): Promise<ChildProcess> {
  const shown = /npm start -- (.*)$/m.exec(fencedBlocks(readme, 'sh')[0] ?? '')?.[1] ?? '';
  const child = spawn('sh', ['-c', `exec node bin/start.mjs ${shown} --port 0 --no-progress`], {
    cwd: ROOT,
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr.on('data', (piece: Buffer) => {
      text += piece.toString();
      if (text.includes('Ready after')) resolve(child);
    });
    child.once('exit', (code) => reject(new Error(`the agent ended with ${code}: ${text}`)));
  });
}

describe('the commands of the README', () => {
  // npm ci, npm test and the steps of .ci/run are run by that script; npm start is what runs beside this test.
  const blocks = fencedBlocks(readme, 'sh').filter((block) => !/^npm /m.test(block));

  test.each(blocks.map((block, index) => [index + 1, block] as const))('block %i runs as it stands', (_, block) => {
    const { code, output } = shell(block);
    expect(code, output).toBe(0);
    expect(output).not.toContain('Warning');
  });

  test('there are some, and the tour did what it says', () => {
    expect(blocks.length).toBeGreaterThanOrEqual(5);
    expect(readFileSync(join(home, 'plan-of-yesterday.md'), 'utf8')).toBe('# Release plan\n\n- write it\n');
    expect(shell('angles search SQLite --json').output).toContain('Use SQLite for the vault');
    expect(shell('angles open --print').output).toMatch(/http:\/\/127\.0\.0\.1:\d+\/open\//);
  });

  test('every command that is named exists, and every command is in the table', () => {
    const known = commandsOf('');
    const named = codeOf(readme).flatMap((code) => [...code.matchAll(/\bangles ([a-z-]+)(?: ([a-z][a-z-]*))?/g)]);
    const table = tableRows(readme, 'Command').map(([command = '']) => command.replace('angles ', ''));
    expect(table.toSorted()).toEqual(known.filter((name) => name !== 'help').toSorted());
    expect(named.flatMap(([, name]) => name ?? []).filter((name) => !known.includes(name))).toEqual([]);
    for (const group of ['roots', 'decisions', 'memories', 'config', 'backup', 'restore', 'key']) {
      const verbs = named.flatMap(([, name, verb]) => (name === group && verb !== undefined ? [verb] : []));
      const unknown = verbs.filter((verb) => !commandsOf(group).includes(verb));
      expect(unknown, group).toEqual([]);
    }
  });
});

/** As `--help` lists them: two spaces, the name, its form, its summary. */
function commandsOf(group: string): string[] {
  const { output } = shell(`angles ${group} --help`);
  const list = output.split('\nCommands:\n')[1] ?? '';
  return [...list.matchAll(/^ {2}([a-z-]+)/gm)].flatMap(([, name]) => name ?? []);
}

describe('the exit codes of the README', () => {
  const other = { ...environment, ANGLES_HOME: join(home, 'other-data') };
  const folder = join(home, 'other');

  test.each([
    ['0', 'angles status', environment],
    ['1', 'angles history no-such-file.md', environment],
    ['2', 'angles status', { ...environment, ANGLES_HOME: '/dev/null/data' }],
    ['8', 'angles start', environment],
    ['64', 'angles statsu', environment],
    ['64', 'angles files --limit many', environment],
  ])('%s: %s', (code, command, env) => {
    const ran = shell(command, env);
    expect(`${ran.code}`, ran.output).toBe(code);
  });

  test('6: many deletions wait for a decision', () => {
    mkdirSync(folder);
    for (let index = 0; index < 20; index += 1) writeFileSync(join(folder, `${index}.md`), `note ${index}`);
    writeFileSync(join(folder, 'large.bin'), Buffer.alloc(2_000_000, 'not repeated for ever'));
    expect(shell(`angles roots add ${folder} && angles scan`, other).code).toBe(0);
    for (let index = 0; index < 15; index += 1) rmSync(join(folder, `${index}.md`));
    const held = shell('angles scan', other);
    expect(held.code, held.output).toBe(6);
  });

  test('7: a damaged content is not given out', () => {
    const damaged = shell('for file in "$ANGLES_HOME"/objects/??/*; do echo damaged > "$file"; done', other);
    expect(damaged.code, damaged.output).toBe(0);
    const shown = shell(`angles show ${folder}/large.bin`, other);
    expect(shown.code, shown.output).toBe(7);
  });
});
