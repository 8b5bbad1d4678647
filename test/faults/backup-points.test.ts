import { spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createArchiveFolder } from '../../src/main/backup/archive-folder.ts';
import { parseArchiveName } from '../../src/main/backup/archive-format.ts';
import { openArchive } from '../../src/main/backup/archive-read.ts';
import { openRepository } from '../../src/main/backup/open-repository.ts';
import { testArchiveKey } from '../support/archive-key.ts';
import { runStep, STEPS, type Step } from '../support/backup-step.ts';
import { TEST_SECRET } from '../support/backup-vault.ts';
import { type Bundle, bundleChild } from '../support/bundle.ts';
import { plain } from '../support/crash-order.ts';
import { CHANGING_CALLS, inPairs } from '../support/crash-points.ts';
import { needs } from '../support/needs.ts';
import { newRestoreWorld, type RestoreWorld } from '../support/restore-world.ts';
import {
  countCalls,
  faultArgs,
  nodeArgs,
  type ProcessEnd,
  parseTrace,
  run,
  type TraceEvent,
  wasKilled,
} from '../support/strace.ts';

const CHILD = join(import.meta.dirname, '../support/backup-step-child.ts');
/** Each run takes other points; what fails is printed with the command that replays it. */
const PER_CALL = process.env.FAULTS === 'all' ? Number.POSITIVE_INFINITY : 1;
/** Calls that ask the disk for space. Not `write`: libuv wakes its threads by it, and ends the process when that fails. */
const FILLING_CALLS = ['pwrite64', 'ftruncate', 'mkdir', 'rename', 'fsync'];
const only = process.env.POINT;
const DAY_MS = 86_400_000;

let w: RestoreWorld;
let bundle: Bundle;
let nowMs: number;
/** What lies there before any step. */
let before: { readonly archives: readonly string[]; readonly commits: readonly string[] };
/** What a whole clearing leaves. */
let afterPrune: readonly string[];
const totals = { killed: 0, full: 0 };

beforeAll(async () => {
  bundle = await bundleChild(CHILD);
  w = newRestoreWorld();
  for (const name of ['a.md', 'b.md', 'dir/c.md']) w.put(name, `first ${name}`);
  w.put('large.bin', Buffer.alloc(1_500_000, 'large'));
  await w.capture();
  nowMs = w.clock.nowMs;
  // Forty days of archives and of commits.
  for (const day of [40, 30, 20, 10, 1]) {
    w.put('a.md', `day ${day}`);
    await w.capture();
    for (const step of ['archive', 'commit'] as const) await runStep(step, w.dataFolder, nowMs - day * DAY_MS);
  }
  w.put('b.md', 'what the next backup has');
  await w.capture();
  w.store.db.pragma('wal_checkpoint(TRUNCATE)');
  before = await stateOf(w.dataFolder);
  expect([before.archives.length, before.commits.length]).toEqual([5, 5]);
  const pruned = scene('whole', 'prune');
  await runStep('prune', pruned, nowMs);
  afterPrune = (await stateOf(pruned)).archives;
  expect(afterPrune.length).toBe(2);
  rmSync(pruned, { recursive: true });
}, 120_000);

afterAll(() => {
  w?.remove();
  bundle?.remove();
  if (totals.killed + totals.full > 0)
    process.stdout.write(
      `backups killed at ${totals.killed} points and without space at ${totals.full}: nothing that was there is lost. ` +
        'Replay one: POINT=archive:rename:1:kill npx vitest run test/faults/backup-points.test.ts; all: FAULTS=all\n',
    );
});

function scene(name: string, step: string): string {
  const folder = join(w.base, `scene-${step}-${name.replaceAll(/[^a-z0-9]/gi, '-')}`);
  expect(spawnSync('cp', ['-a', w.dataFolder, folder]).status).toBe(0);
  return folder;
}

function child(dataFolder: string, step: Step, strace: readonly string[] = []): Promise<ProcessEnd> {
  const command = nodeArgs(bundle.file, [step, dataFolder, String(nowMs)]);
  const [program = '', ...args] = strace.length === 0 ? command : ['strace', ...strace, ...command];
  return run(program, args);
}

/** SHA-256 of archives that were proven: the same bytes need no second proof. */
const proven = new Set<string>();

/** Everything that counts as a backup there, each proven. Throws for one that cannot be restored. */
async function stateOf(dataFolder: string): Promise<{ archives: string[]; commits: string[] }> {
  const folder = join(dataFolder, 'backups', 'archives');
  const archives = existsSync(folder) ? readdirSync(folder).filter((name) => parseArchiveName(name) !== null) : [];
  for (const name of archives) {
    const sha256 = hash('sha256', readFileSync(join(folder, name)), 'hex');
    if (proven.has(sha256)) continue;
    const source = await openArchive(join(folder, name), {
      key: testArchiveKey(),
      fernetKey: null,
      dataFolder: w.dataFolder,
      verify: 'all',
    });
    await source.close();
    proven.add(sha256);
  }
  const gitFolder = join(dataFolder, 'backups', 'local.git');
  if (!existsSync(gitFolder)) return { archives: archives.sort(), commits: [] };
  const fsck = spawnSync('git', ['--git-dir', gitFolder, 'fsck', '--strict', '--full'], { encoding: 'utf8' });
  if (fsck.status !== 0) throw new Error(`git fsck: ${fsck.stderr}`);
  const reader = openRepository({ gitFolder, secret: TEST_SECRET });
  try {
    const commits = reader.listBackups().map(({ commit }) => commit);
    for (const commit of commits) await reader.verify(commit);
    return { archives: archives.sort(), commits };
  } finally {
    reader.close();
  }
}

const traces = new Map<Step, Promise<TraceEvent[]>>();

/** The calls of a step that nothing strikes, with their paths. */
function trace(step: Step): Promise<TraceEvent[]> {
  const known = traces.get(step);
  if (known !== undefined) return known;
  const made = traceAnew(step);
  traces.set(step, made);
  return made;
}

async function traceAnew(step: Step): Promise<TraceEvent[]> {
  const of = scene('trace', step);
  const output = join(w.base, `trace-${step}`);
  const how = ['-f', '--seccomp-bpf', '-qq', '-y', '-xx', '-s', '4096', '-o', output];
  const end = await child(of, step, [...how, '-e', `trace=${CHANGING_CALLS.join(',')}`]);
  expect([end.code, end.stderr]).toEqual([0, '']);
  rmSync(of, { recursive: true });
  return parseTrace(readFileSync(output, 'latin1'));
}

async function pointsOf(step: Step): Promise<string[]> {
  const counts = countCalls(await trace(step));
  return [...counts].flatMap(([call, count]) => {
    const strata = Math.min(count, PER_CALL);
    const step_ = count / strata;
    const chosen = Array.from({ length: strata }, (_, index) =>
      Math.min(count, Math.floor((index + (PER_CALL === 1 ? Math.random() : 0)) * step_) + 1),
    );
    const how = FILLING_CALLS.includes(call) ? ['kill', 'full'] : ['kill'];
    return [...new Set(chosen)].flatMap((when) => how.map((fault) => `${step}:${call}:${when}:${fault}`));
  });
}

async function prove(name: string): Promise<string[]> {
  const [step, call = '', when = '', how = ''] = name.split(':') as [Step, string, string, string];
  const of = scene(name, step);
  const problems: string[] = [];
  try {
    const fault = how === 'kill' ? ({ signal: 'SIGKILL' } as const) : { error: 'ENOSPC' };
    // A disk that is full stays full.
    const end = await child(of, step, faultArgs({ call, when: how === 'kill' ? when : `${when}+` }, fault));
    if (how === 'kill' && !wasKilled(end)) return [];
    if (how === 'full') {
      totals.full += 1;
      if (![0, 10, 11].includes(end.code ?? -1)) problems.push(`ended with ${end.code}: ${end.stderr}`);
      if (end.code === 11 && !/^(data|file|backup)\./.test(end.stderr)) problems.push(`said ${end.stderr}`);
    } else totals.killed += 1;
    await runStep('tidy', of, nowMs);
    problems.push(...(await compare(of, step, 'after the fault')));
    await runStep(step, of, nowMs);
    problems.push(...(await compare(of, step, 'after the next try')));
    problems.push(...leftOver(of).map((left) => `${left} was left behind`));
  } catch (cause) {
    problems.push(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause));
  } finally {
    rmSync(of, { recursive: true, force: true });
  }
  return problems.map((problem) => `${name}: ${problem}`);
}

/** Nothing that was there is gone, but what a clearing may take; after a whole try it is as it should be. */
async function compare(of: string, step: Step, moment: string): Promise<string[]> {
  const now = await stateOf(of);
  const isOver = moment === 'after the next try';
  const mustBeThere = step === 'prune' ? afterPrune : before.archives;
  const lost = [
    ...mustBeThere.filter((name) => !now.archives.includes(name)),
    ...before.commits.filter((commit) => !now.commits.includes(commit)),
  ];
  const problems = lost.map((each) => `${moment} ${each} is lost`);
  const verified = createArchiveFolder(join(of, 'backups', 'archives'))
    .archives()
    .filter((each) => each.isVerified);
  if (verified.length === 0) problems.push(`${moment} no archive counts as proven`);
  if (step === 'prune' && isOver && now.archives.length !== afterPrune.length)
    problems.push(`${moment} there are ${now.archives.length} archives`);
  if (step === 'archive' && isOver && now.archives.length <= before.archives.length)
    problems.push(`${moment} there is no new archive`);
  if (step === 'commit' && isOver && now.commits.length !== before.commits.length + 1)
    problems.push(`${moment} there are ${now.commits.length} commits`);
  return problems;
}

function leftOver(of: string): string[] {
  const archives = join(of, 'backups', 'archives');
  const names = readdirSync(archives);
  const packs = readdirSync(join(of, 'backups', 'local.git', 'objects', 'pack'));
  return [
    ...names.filter((name) => name.endsWith('.partial') || name.endsWith('.new')),
    ...names.filter((name) => /^\..*\.json$/.test(name) && !names.includes(name.slice(1, -'.json'.length))),
    ...(existsSync(join(of, 'backup', 'tmp')) ? readdirSync(join(of, 'backup', 'tmp')) : []),
    ...packs.filter((name) => name.startsWith('tmp_')),
  ];
}

describe('An archive, the clearing of old ones, a commit and the joining of packs', needs('strace'), () => {
  test('that are killed or meet a full disk at any call lose nothing that was there, and succeed at the next try', {
    timeout: 3_600_000,
  }, async () => {
    const points: string[] = [];
    if (only !== undefined) points.push(only);
    else for (const step of STEPS) points.push(...(await pointsOf(step)));
    const problems: string[] = [];
    await inPairs(points, async (name) => {
      const found = await prove(name);
      for (const problem of found) process.stderr.write(`POINT=${name} ${problem}\n`);
      problems.push(...found);
    });
    expect(problems).toEqual([]);
    expect(totals.killed + totals.full).toBeGreaterThan(points.length / 2);
  });
});

describe('A disk that is really full', needs('mount'), () => {
  test.each((['archive', 'commit'] as const).flatMap((step) => [0, 30_000, 400_000].map((left) => ({ step, left }))))(
    'at a $step, with $left bytes left: nothing is lost, and it succeeds when there is space',
    {
      timeout: 120_000,
    },
    async ({ step, left }) => {
      const disk = join(w.base, `disk-${step}-${left}`);
      mkdirSync(disk);
      expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'angles-test', disk]).status).toBe(0);
      try {
        const of = join(disk, 'data');
        expect(spawnSync('cp', ['-a', w.dataFolder, of]).status).toBe(0);
        const { bavail, bsize } = statfsSync(disk);
        writeFileSync(join(disk, 'ballast'), Buffer.alloc(bavail * bsize - left));
        const end = await child(of, step);
        expect([end.code === 0 || end.code === 10 ? 'as expected' : end.code, end.stderr]).toEqual([
          'as expected',
          expect.any(String),
        ]);
        if (left === 0) expect(end.code).toBe(10);
        unlinkSync(join(disk, 'ballast'));
        await runStep('tidy', of, nowMs);
        expect(await compare(of, step, 'after the fault')).toEqual([]);
        await runStep(step, of, nowMs);
        expect([await compare(of, step, 'after the next try'), leftOver(of)]).toEqual([[], []]);
      } finally {
        spawnSync('umount', ['-l', disk]);
      }
    },
  );
});

/** A file gets its name after its bytes are synced, and whoever relies on the name waits for the sync of its folder. */
function checkPublished(events: readonly TraceEvent[], isMeant: (target: string) => boolean): string[] {
  const paths = (event: TraceEvent): string[] =>
    [...event.args.matchAll(/"([^"]*)"/g)].map(([, path = '']) => plain(path));
  const fileOf = (event: TraceEvent): string => plain(/^\d+<([^>]*)>/.exec(event.args)?.[1] ?? '');
  const isSync = ({ call, failed }: TraceEvent): boolean => !failed && /^f(data)?sync$/.test(call);
  const problems: string[] = [];
  let met = 0;
  for (const event of events) {
    const [from = '', to = ''] = paths(event);
    if (event.call !== 'rename' || event.failed || !isMeant(to)) continue;
    met += 1;
    const written = events.findLast(
      (each) => /write/.test(each.call) && fileOf(each) === from && each.begin < event.begin,
    );
    const synced = events.some(
      (each) => isSync(each) && fileOf(each) === from && each.begin > (written?.end ?? 0) && each.end < event.begin,
    );
    if (written === undefined || !synced) problems.push(`${to} got its name before its bytes were synced`);
    const folder = to.slice(0, to.lastIndexOf('/'));
    if (!events.some((each) => isSync(each) && fileOf(each) === folder && each.begin > event.end))
      problems.push(`${to}: its folder was not synced`);
  }
  return met === 0 ? ['nothing was published'] : problems;
}

describe('What is on the disk before what, when a backup is published', needs('strace'), () => {
  test.each([
    ['archive', /\/archives\/memory_backup_[^/]*$/],
    ['archive', /\/archives\/\.memory_backup_[^/]*\.json$/],
    ['commit', /\/objects\/pack\/pack-[^/]*\.pack$/],
    ['commit', /\/objects\/pack\/pack-[^/]*\.idx$/],
    ['commit', /\/refs\/heads\/device\/d$/],
    ['repack', /\/objects\/pack\/pack-[^/]*\.idx$/],
  ] as const)('%s: bytes before the name, the name before the end (%s)', async (step, target) => {
    const events = await trace(step);
    const check = (of: readonly TraceEvent[]) => checkPublished(of, (path) => target.test(path));
    expect(check(events)).toEqual([]);
    // The checker sees what is missing.
    const isSync = ({ call }: TraceEvent): boolean => /^f(data)?sync$/.test(call);
    expect(check(events.filter((event) => !isSync(event)))).not.toEqual([]);
  });
});
