import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ScanFindings } from '../../../src/main/watch/scan.ts';
import { type ScanThreadsOptions, scanInThreads } from '../../../src/main/watch/scan-threads.ts';
import { mulberry32 } from '../../support/sync-world.ts';
import { createWatchHarness, type WatchHarness } from '../../support/watch-harness.ts';

const ROUNDS = Number(process.env.ANGLES_RUNS ?? 5);
const DIRS = 60;

/** A tree of folders that are deep, wide or both, some ignored. */
function makeFolders(random: () => number): string[] {
  const dirs = [''];
  while (dirs.length < DIRS) {
    const above = dirs[Math.floor(random() * dirs.length)] ?? '';
    const name = random() < 0.05 ? 'node_modules' : `d${dirs.length}`;
    dirs.push(above === '' ? name : `${above}/${name}`);
  }
  return [...new Set(dirs)];
}

async function listed(h: WatchHarness, threads: 1 | 2, extra: Partial<ScanThreadsOptions> = {}) {
  const all: ScanFindings[] = [];
  const job = {
    dataFolder: h.dataFolder,
    request: { rootId: h.rootId, rootPath: h.root, dirs: [''], deep: true, maxBytes: 10_000_000 },
    ignore: { rootPath: h.root, exclude: [], respectGitignore: true },
  };
  const { folders, unreadable } = await scanInThreads(job, {
    threads,
    report: (findings) => void all.push(findings),
    signal: new AbortController().signal,
    ...extra,
  });
  return {
    folders,
    unreadable: [...unreadable].sort(),
    changed: all.flatMap(({ changed }) => changed.map(({ path }) => path)).sort(),
    skipped: all.flatMap(({ skipped }) => skipped.map(({ dir, name, reason }) => `${dir}/${name} ${reason}`)).sort(),
    gone: all.flatMap(({ gone }) => gone.map(({ path, why }) => `${path} ${why}`)).sort(),
    unchanged: all.reduce((sum, { unchangedFiles }) => sum + unchangedFiles, 0),
  };
}

test('two threads find what one finds, once, in random trees that changed', { timeout: 120_000 }, async () => {
  const random = mulberry32(Number(process.env.SEED ?? 7));
  let withWork = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const h = createWatchHarness({ isWatching: false });
    const dirs = makeFolders(random);
    for (const dir of dirs) mkdirSync(join(h.root, dir), { recursive: true });
    for (const dir of dirs)
      for (let file = 0; file < 5; file += 1) writeFileSync(join(h.root, dir, `f${file}.md`), `${dir} ${file}`);
    await h.start();
    await h.scan();
    for (const dir of dirs.slice(1)) {
      const what = random();
      if (what < 0.1) rmSync(join(h.root, dir), { recursive: true, force: true });
      else if (what < 0.2) rmSync(join(h.root, dir, 'f1.md'), { force: true });
      else if (what < 0.25 && existsSync(join(h.root, dir)))
        renameSync(join(h.root, dir, 'f2.md'), join(h.root, dir, 'g2.md'));
      else if (what < 0.4) mkdirSync(join(h.root, dir, 'new'), { recursive: true });
      if (what > 0.3 && what < 0.4) writeFileSync(join(h.root, dir, 'new', 'in.md'), 'new');
    }
    const one = await listed(h, 1);
    expect(await listed(h, 2), `SEED=${process.env.SEED ?? 7}, round ${round}`).toEqual(one);
    if (one.changed.length > 0 && one.gone.length > 0) withWork += 1;
    await h.stop();
  }
  expect(withWork).toBeGreaterThan(ROUNDS / 2);
});

test('an empty folder, and one that cannot be read, end both threads', async () => {
  const h = createWatchHarness({ isWatching: false });
  await h.start();
  expect(await listed(h, 2)).toMatchObject({ folders: 1, changed: [], gone: [] });
  rmSync(h.root, { recursive: true });
  expect(await listed(h, 2)).toEqual(await listed(h, 1));
  await h.stop();
});

test('a listener that throws, a stop and a failed start leave no thread waiting', async () => {
  const h = createWatchHarness({ isWatching: false });
  for (let dir = 0; dir < 30; dir += 1) {
    mkdirSync(join(h.root, `d${dir}`));
    for (let file = 0; file < 40; file += 1) writeFileSync(join(h.root, `d${dir}`, `${file}.md`), 'text');
  }
  const thrown = (message: string) => () => {
    throw new Error(message);
  };
  await expect(listed(h, 2, { report: thrown('no space') })).rejects.toThrow('no space');
  await expect(listed(h, 2, { beforeListing: thrown('no watch') })).rejects.toThrow('no watch');
  await expect(listed(h, 2, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'interrupted' });
  expect((await listed(h, 2)).changed).toHaveLength(1_200);
  await h.stop();
});
