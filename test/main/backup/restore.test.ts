import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fsPath } from '../../../src/main/path-names.ts';
import { describeTree, listFiles } from '../../support/archive-vault.ts';
import { createRandom, randomContent, randomTree } from '../../support/random-tree.ts';
import { inPlace, newRestoreWorld, type RestoreWorld, toFolder } from '../../support/restore-world.ts';

const TREES = Number(process.env.TREES ?? 12);
const FIRST_SEED = Number(process.env.SEED ?? 1);
const FILES = 60;

function world(...more: Parameters<typeof newRestoreWorld>): RestoreWorld {
  const made = newRestoreWorld(...more);
  onTestFinished(made.remove);
  return made;
}

/** diff(1) as a second opinion on names and bytes. */
function diff(a: string, b: string): string {
  const { stdout, stderr } = spawnSync('diff', ['-r', '--no-dereference', a, b], { encoding: 'latin1' });
  return stdout + stderr;
}

/** The tree as it is now, with modes and times. */
function copyOf(w: RestoreWorld, name: string): string {
  const to = join(w.base, name);
  expect(spawnSync('cp', ['-a', w.root, to]).status).toBe(0);
  return to;
}

async function restore(w: RestoreWorld, file: string, request: Parameters<typeof w.restorer.prepare>[1]) {
  const source = await w.open(file);
  try {
    return await w.restorer.apply(source, await w.restorer.prepare(source, request));
  } finally {
    await source.close();
  }
}

describe('Restoring what was backed up', () => {
  test.each(Array.from({ length: TREES }, (_, index) => FIRST_SEED + index))(
    'a tree comes back byte for byte, with modes and times (SEED=%i TREES=1)',
    async (seed) => {
      const w = world();
      const random = createRandom(seed);
      for (const file of randomTree(random, FILES)) w.put(file.path, file.content, file);
      await w.capture();
      const { file } = await w.archive({ isEncrypted: seed % 3 === 0, compressionLevel: seed % 10 });
      const to = join(w.base, 'restored');
      await restore(w, file, toFolder(to));
      expect(describeTree(to)).toEqual(describeTree(w.root));
      expect(diff(w.root, to)).toBe('');
    },
  );

  test.each(Array.from({ length: TREES }, (_, index) => FIRST_SEED + index))(
    'in place over a tree that went on, and undone again (SEED=%i TREES=1)',
    async (seed) => {
      const w = world();
      const random = createRandom(seed);
      for (const file of randomTree(random, FILES)) w.put(file.path, file.content, file);
      await w.capture();
      const { file } = await w.archive();
      const backedUp = copyOf(w, 'backed-up');
      const paths = listFiles(w.root);
      for (const path of paths) {
        const fate = random.below(5);
        const full = fsPath(`${w.root}/${path}`);
        if (fate === 0) unlinkSync(full);
        if (fate === 1) w.put(path, randomContent(random), { mode: 0o640 });
        if (fate === 2) chmodSync(full, 0o604);
      }
      w.put('new after the backup.md', 'stays');
      const before = copyOf(w, 'before');
      const result = await restore(w, file, inPlace());
      unlinkSync(join(w.root, 'new after the backup.md'));
      expect(describeTree(w.root)).toEqual(describeTree(backedUp));
      expect(diff(w.root, backedUp)).toBe('');
      w.put('new after the backup.md', 'stays');

      expect((await w.restorer.undo()).id).toBe(result.id);
      utimesSync(join(w.root, 'new after the backup.md'), 1, 1);
      utimesSync(join(before, 'new after the backup.md'), 1, 1);
      expect(describeTree(w.root)).toEqual(describeTree(before));
      expect(diff(w.root, before)).toBe('');
      await expect(w.restorer.undo()).rejects.toMatchObject({ code: 'restore.nothing_to_undo' });
    },
  );

  test('the plan is what is done, and a second restore finds nothing to do', async () => {
    const w = world();
    for (const file of randomTree(createRandom(99), 30)) w.put(file.path, file.content, file);
    await w.capture();
    const { file } = await w.archive();
    for (const path of listFiles(w.root).slice(0, 7)) unlinkSync(fsPath(`${w.root}/${path}`));
    w.put(listFiles(w.root)[0] ?? '', 'changed');
    w.put('extra.md', 'extra');
    const source = await w.open(file);
    const prepared = await w.restorer.prepare(source, inPlace());
    expect(prepared.plan.counts).toMatchObject({
      create: { files: 7 },
      overwrite: { files: 1 },
      same: { files: 22 },
      extra: { files: 1 },
    });
    expect(prepared.plan.extra.map(({ path }) => path)).toEqual(['extra.md']);
    expect(await w.restorer.apply(source, prepared)).toMatchObject({ files: 8 });
    expect(w.kept).toHaveLength(1);
    expect(w.pauses).toEqual(['paused', 'resumed']);
    const again = await w.restorer.prepare(source, inPlace());
    await source.close();
    expect(again.plan.counts).toMatchObject({
      create: { files: 0 },
      overwrite: { files: 0 },
      touch: { files: 0 },
      same: { files: 30 },
    });
    expect(existsSync(join(w.root, 'extra.md'))).toBe(true);
  });

  test('only what was asked for, by folder, path and glob; a pattern without a match names what is near', async () => {
    const w = world();
    for (const path of ['a/one.md', 'a/b/two.md', 'c/three.md', 'four.txt']) w.put(path, path);
    await w.capture();
    const { file } = await w.archive();
    const to = join(w.base, 'some');
    await restore(w, file, toFolder(to, { only: ['a', '*.txt', `${w.root}/c/three.md`] }));
    expect(listFiles(to)).toEqual(['a/b/two.md', 'a/one.md', 'c/three.md', 'four.txt']);
    await expect(restore(w, file, toFolder(to, { only: ['a/thre.md'] }))).rejects.toMatchObject({
      code: 'usage.bad_argument',
      hint: expect.stringContaining('c/three.md'),
    });
  });
});

describe('A restore that must not happen', () => {
  async function simple() {
    const w = world();
    for (const path of ['a.md', 'dir/b.md']) w.put(path, `first ${path}`);
    await w.capture();
    const { file } = await w.archive();
    return { w, file };
  }

  test('when the files changed since the plan: nothing is written', async () => {
    const { w, file } = await simple();
    w.put('a.md', 'second');
    unlinkSync(join(w.root, 'dir/b.md'));
    const source = await w.open(file);
    const prepared = await w.restorer.prepare(source, inPlace());
    w.put('a.md', 'third');
    await expect(w.restorer.apply(source, prepared)).rejects.toMatchObject({ code: 'restore.plan_changed' });
    await source.close();
    expect(listFiles(w.root)).toEqual(['a.md']);
    expect(readFileSync(join(w.root, 'a.md'), 'utf8')).toBe('third');
    expect(w.restorer.list()).toEqual([]);
  });

  test('over a file that appeared since the plan: it stays, and everything else is as it was', async () => {
    const { w, file } = await simple();
    rmSync(join(w.root, 'dir'), { recursive: true });
    w.put('a.md', 'second');
    const source = await w.open(file);
    const prepared = await w.restorer.prepare(source, inPlace());
    w.put('dir/b.md', 'mine');
    await expect(w.restorer.apply(source, prepared)).rejects.toMatchObject({ code: 'restore.plan_changed' });
    await source.close();
    expect(readFileSync(join(w.root, 'dir/b.md'), 'utf8')).toBe('mine');
    expect(readFileSync(join(w.root, 'a.md'), 'utf8')).toBe('second');
    expect(listFiles(w.root)).toEqual(['a.md', 'dir/b.md']);
  });

  test('through a link that lies in the target, whether before the plan or after it', async () => {
    const { w, file } = await simple();
    const outside = join(w.base, 'outside');
    mkdirSync(outside);
    rmSync(join(w.root, 'dir'), { recursive: true });
    symlinkSync(outside, join(w.root, 'dir'));
    await expect(restore(w, file, inPlace())).rejects.toMatchObject({ code: 'restore.target' });
    unlinkSync(join(w.root, 'dir'));
    const source = await w.open(file);
    const prepared = await w.restorer.prepare(source, inPlace());
    symlinkSync(outside, join(w.root, 'dir'));
    await expect(w.restorer.apply(source, prepared)).rejects.toMatchObject({ code: 'restore.target' });
    await source.close();
    expect(listFiles(outside)).toEqual([]);
  });

  test('onto a folder that has the name of a file, into the data folder, or while another one runs', async () => {
    const { w, file } = await simple();
    unlinkSync(join(w.root, 'a.md'));
    mkdirSync(join(w.root, 'a.md'));
    await expect(restore(w, file, inPlace())).rejects.toMatchObject({ code: 'file.exists' });
    await expect(restore(w, file, toFolder(join(w.dataFolder, 'x')))).rejects.toMatchObject({ code: 'restore.target' });
    const source = await w.open(file);
    const [one, two] = await Promise.all(
      ['one', 'two'].map((name) => w.restorer.prepare(source, toFolder(join(w.base, name)))),
    );
    if (one === undefined || two === undefined) throw new Error('no plan');
    const running = w.restorer.apply(source, one);
    await expect(w.restorer.apply(source, two)).rejects.toMatchObject({ code: 'backup.busy' });
    await running;
    await source.close();
  });

  test('when what it replaces cannot be kept, or it is stopped: nothing is written', async () => {
    const failing = world({ keepSafe: () => Promise.reject(new Error('no space for safety')) });
    failing.put('a.md', 'first');
    await failing.capture();
    const { file } = await failing.archive();
    failing.put('a.md', 'second');
    await expect(restore(failing, file, inPlace())).rejects.toThrow('no space for safety');
    const source = await failing.open(file);
    const prepared = await failing.restorer.prepare(source, toFolder(join(failing.base, 'x')));
    await expect(failing.restorer.apply(source, prepared, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'interrupted',
    });
    await source.close();
    expect(existsSync(join(failing.base, 'x'))).toBe(false);
    expect(readFileSync(join(failing.root, 'a.md'), 'utf8')).toBe('second');
    expect(failing.pauses).toEqual(['paused', 'resumed', 'paused', 'resumed']);
  });
});

describe('Undo', () => {
  test('keeps what was written after the restore, and moves away what the restore made', async () => {
    const w = world();
    w.put('a.md', 'first');
    w.put('sub/b.md', 'first b');
    await w.capture();
    const { file } = await w.archive();
    w.put('a.md', 'second');
    rmSync(join(w.root, 'sub'), { recursive: true });
    const { id } = await restore(w, file, inPlace());
    writeFileSync(join(w.root, 'a.md'), 'edited after the restore');
    await w.restorer.undo(id);
    expect(listFiles(w.root)).toEqual(['a.md']);
    expect(existsSync(join(w.root, 'sub'))).toBe(false);
    expect(readFileSync(join(w.root, 'a.md'), 'utf8')).toBe('second');
    const moved = join(w.dataFolder, 'restores', id, 'moved');
    expect(
      listFiles(moved)
        .map((name) => readFileSync(join(moved, name), 'utf8'))
        .sort(),
    ).toEqual(['edited after the restore', 'first b']);
  });

  test('is possible for 30 days, then the copies go', async () => {
    const w = world();
    w.put('a.md', 'first');
    await w.capture();
    const { file } = await w.archive();
    w.put('a.md', 'second');
    await restore(w, file, inPlace());
    w.clock.nowMs += 29 * 86_400_000;
    await w.restorer.recover();
    expect(w.restorer.list()).toHaveLength(1);
    w.clock.nowMs += 2 * 86_400_000;
    await w.restorer.recover();
    expect(w.restorer.list()).toEqual([]);
  });
});
