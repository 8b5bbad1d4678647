import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRepository } from '../../src/main/backup/open-repository.ts';
import { createRepositoryWriter } from '../../src/main/backup/repository-writer.ts';
import { describeTree, listFiles } from '../support/archive-vault.ts';
import { TEST_SECRET } from '../support/backup-vault.ts';
import { type Bundle, bundleChild } from '../support/bundle.ts';
import { inPairs } from '../support/crash-points.ts';
import { needs } from '../support/needs.ts';
import { newRestoreWorld, type RestoreWorld } from '../support/restore-world.ts';
import { countCalls, type FaultPoint, faultArgs, nodeArgs, parseTrace, run, wasKilled } from '../support/strace.ts';

const CHILD = join(import.meta.dirname, '../support/restore-child.ts');
const CALLS = [
  'write',
  'pwrite64',
  'fsync',
  'rename',
  'unlink',
  'unlinkat',
  'link',
  'mkdir',
  'rmdir',
  'symlink',
  'fchmod',
  'utimensat',
  'ftruncate',
];
/** Each run takes other ones; what fails is printed with the command that replays it. */
const PER_CALL = process.env.FAULTS === 'all' ? Number.POSITIVE_INFINITY : 1;
const only = process.env.POINT;

type Scene = { readonly base: string; readonly dataFolder: string; readonly root: string };

let w: RestoreWorld;
let bundle: Bundle;
let file: string;
let gitFolder: string;
let before: string;
let after: string;
const totals = { tried: 0, completed: 0, back: 0 };

/** The tree as the backup has it, and as it was when the restore began. */
beforeAll(async () => {
  bundle = await bundleChild(CHILD, { 'restore-worker': 'src/main/backup/restore-worker.ts' });
  w = newRestoreWorld();
  for (const name of ['same.md', 'changed.md', 'gone.md', 'dir/gone.md', 'dir/deep/changed.md', 'touched.md'])
    w.put(name, `backed up ${name}`);
  // Two folders that will be missing as a whole, one of which nobody may write into.
  for (const name of ['fresh/one.md', 'fresh/deep/er/two.md', 'closed/three.md']) w.put(name, `backed up ${name}`);
  chmodSync(join(w.root, 'closed'), 0o500);
  w.put('large.bin', Buffer.alloc(300_000, 'x'));
  await w.capture();
  file = (await w.archive()).file;
  gitFolder = join(w.dataFolder, 'backups', 'local.git');
  mkdirSync(dirname(gitFolder), { recursive: true });
  const writer = createRepositoryWriter(createRepository({ gitFolder, secret: TEST_SECRET, deviceId: 'd' }), {
    dataFolder: w.dataFolder,
    agentVersion: '0.0.0',
    settings: () => ({}),
    nowMs: () => w.clock.nowMs,
    branch: 'device/d',
  });
  await writer.backup({ reason: 'manual' });
  writer.close();
  after = copy('after');
  w.put('changed.md', 'newer', { mode: 0o600, mtimeMs: 1_700_000_000_000 });
  w.put('dir/deep/changed.md', 'newer too');
  w.put('large.bin', 'small now');
  chmodSync(join(w.root, 'touched.md'), 0o600);
  for (const name of ['gone.md', 'dir/gone.md']) unlinkSync(join(w.root, name));
  for (const name of ['fresh', 'closed']) rmSync(join(w.root, name), { recursive: true });
  before = copy('before');
});

afterAll(() => {
  w?.remove();
  bundle?.remove();
  if (totals.tried > 0)
    process.stdout.write(
      `restore killed at ${totals.tried} points: ${totals.completed} completed, ${totals.back} taken back, 0 in between. ` +
        'Replay one: POINT=restore:rename:1 npx vitest run test/faults/restore-kill.test.ts; all: FAULTS=all\n',
    );
});

function copy(name: string): string {
  expect(spawnSync('cp', ['-a', w.root, join(w.base, name)]).status).toBe(0);
  return join(w.base, name);
}

/** A root at the one place that the archive knows, in a mount namespace of its own: many can run side by side. */
function scene(name: string, tree: string): Scene {
  const base = join(w.base, `scene-${name.replaceAll(':', '-')}`);
  mkdirSync(base);
  spawnSync('cp', ['-a', tree, join(base, 'root')]);
  return { base, dataFolder: join(base, 'data'), root: join(base, 'root') };
}

/** The command in a mount namespace in which the root of the scene lies where the archive says. */
function inScene({ root, dataFolder }: Scene, args: readonly string[]): readonly string[] {
  mkdirSync(dataFolder, { recursive: true });
  return ['-m', 'sh', '-c', `mount --bind "$0" "$1" && shift && exec "$@"`, root, w.root, ...args];
}

function child(of: Scene, what: string, strace: readonly string[] = []) {
  const command = nodeArgs(bundle.file, [what, of.dataFolder, what === 'lanes' ? gitFolder : file]);
  return run('unshare', inScene(of, strace.length === 0 ? command : ['strace', ...strace, ...command]));
}

function sameTree(a: string, b: string): boolean {
  const describe_ = (folder: string) => JSON.stringify([...describeTree(folder)]);
  return describe_(a) === describe_(b) && spawnSync('diff', ['-r', a, b]).status === 0;
}

async function pointsOf(what: 'restore' | 'lanes' | 'undo'): Promise<string[]> {
  const traced = scene(`trace-${what}`, before);
  if (what === 'undo') await child(traced, 'restore');
  const output = join(traced.base, 'trace');
  const end = await child(traced, what, ['-f', '--seccomp-bpf', '-qq', '-o', output, '-e', `trace=${CALLS.join(',')}`]);
  expect([end.code, end.stdout]).toEqual([0, expect.not.stringContaining('code')]);
  const counts = countCalls(parseTrace(readFileSync(output, 'latin1')));
  rmSync(traced.base, { recursive: true });
  return [...counts].flatMap(([call, count]) => {
    const step = Math.max(1, count / PER_CALL);
    const chosen = new Set(
      Array.from({ length: Math.min(count, PER_CALL) }, (_, index) =>
        Math.min(count, Math.floor((index + Math.random()) * step) + 1),
      ),
    );
    return [...chosen].map((when) => `${what}:${call}:${when}`);
  });
}

async function prove(name: string): Promise<string[]> {
  const [what = '', call = '', when = ''] = name.split(':');
  const of = scene(name, before);
  try {
    if (what === 'undo') expect((await child(of, 'restore')).code).toBe(0);
    const point: FaultPoint = { call, when };
    if (!wasKilled(await child(of, what, faultArgs(point, { signal: 'SIGKILL' })))) return [];
    totals.tried += 1;
    const recovered = await child(of, 'recover');
    const problems: string[] = [];
    if (recovered.code !== 0 || recovered.stdout.includes('failed'))
      problems.push(`${name}: recovery said ${recovered.stdout}${recovered.stderr}`);
    const isAfter = sameTree(of.root, after);
    const isBefore = sameTree(of.root, before);
    if (!isAfter && !isBefore)
      problems.push(`${name}: the tree is neither as before nor as after: ${listFiles(of.root).join(', ')}`);
    if (readdirSync(of.root).some((each) => each.startsWith('.angles')))
      problems.push(`${name}: something was left behind`);
    if (isAfter) totals.completed += 1;
    else totals.back += 1;
    // An interrupted undo may also be one that never began.
    if (isAfter) {
      const undone = await child(of, 'undo');
      if (undone.code !== 0 || !sameTree(of.root, before)) problems.push(`${name}: undoing said ${undone.stdout}`);
    } else {
      const again = await child(of, 'restore');
      if (again.code !== 0 || !sameTree(of.root, after)) problems.push(`${name}: restoring again said ${again.stdout}`);
    }
    return problems;
  } finally {
    rmSync(of.base, { recursive: true, force: true });
  }
}

describe('A restore that is killed', needs('strace', 'mount'), () => {
  test('at any point is completed or taken back by the next start, and can still be undone', {
    timeout: 3_600_000,
  }, async () => {
    const points =
      only === undefined
        ? [...(await pointsOf('restore')), ...(await pointsOf('lanes')), ...(await pointsOf('undo'))]
        : [only];
    const problems: string[] = [];
    await inPairs(points, async (name) => {
      const found = await prove(name);
      for (const problem of found) process.stderr.write(`POINT=${name} ${problem}\n`);
      problems.push(...found);
    });
    expect(problems).toEqual([]);
    expect(totals.tried).toBeGreaterThan(points.length / 2);
  });
});

describe('A dry run', needs('strace', 'mount'), () => {
  test('makes no call that changes anything below the target', { timeout: 300_000 }, async () => {
    const of = scene('dry', before);
    const output = join(of.base, 'trace');
    const changing = [
      '-y',
      '-f',
      '-qq',
      '-o',
      output,
      '-e',
      'trace=%file,write,pwrite64,fchmod,fchown,ftruncate,fsync,utimensat',
    ];
    const end = await child(of, 'plan', changing);
    expect([end.code, JSON.parse(end.stdout)]).toEqual([
      0,
      expect.objectContaining({ create: { files: 5, bytes: expect.any(Number) } }),
    ]);
    const calls = parseTrace(readFileSync(output, 'latin1')).filter(
      ({ args }) => args.includes(w.root) || args.includes(of.root),
    );
    const isChanging = ({ call, args }: { call: string; args: string }): boolean =>
      call === 'openat' || call === 'open'
        ? /O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)/.test(args)
        : !/^(.*stat.*|access|faccessat2?|readlink(at)?|getdents64|execve|getcwd|chdir|l?getxattr)$/.test(call);
    expect(calls.length).toBeGreaterThan(10);
    // The shell of the test binds the root itself.
    expect(
      calls.filter((event) => isChanging(event) && event.call !== 'mount').map(({ call, args }) => `${call}(${args})`),
    ).toEqual([]);
    expect(sameTree(of.root, before)).toBe(true);
    expect(existsSync(join(of.dataFolder, 'restores'))).toBe(false);
  });
});
