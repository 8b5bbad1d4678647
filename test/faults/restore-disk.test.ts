import { spawnSync } from 'node:child_process';
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
import { describe, expect, onTestFinished, test } from 'vitest';
import { describeTree, listFiles } from '../support/archive-vault.ts';
import { needs } from '../support/needs.ts';
import { createRandom, randomContent } from '../support/random-tree.ts';
import { inPlace, newRestoreWorld, type RestoreWorld, toFolder } from '../support/restore-world.ts';

const FILES = 40;

function mountTmpfs(folder: string, options: string): void {
  mkdirSync(folder, { recursive: true });
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'angles-test', folder], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
}

/** Cleaning up goes in the order in which it was asked for, last first: disks before folders. */
function world(): RestoreWorld & { readonly mount: (name: string, options: string) => string } {
  const w = newRestoreWorld();
  const mounted: string[] = [];
  onTestFinished(() => {
    for (const folder of mounted) spawnSync('umount', ['-l', folder]);
    w.remove();
  });
  return {
    ...w,
    mount: (name, options) => {
      const folder = join(w.base, name);
      mountTmpfs(folder, options);
      mounted.push(folder);
      return folder;
    },
  };
}

async function filled() {
  const w = world();
  const random = createRandom(5);
  for (let index = 0; index < FILES; index += 1)
    w.put(`dir-${index % 4}/file-${index}.bin`, Buffer.concat([randomContent(random), Buffer.alloc(60_000, index)]));
  await w.capture();
  return { w, file: (await w.archive()).file };
}

/** Leaves so much space on a disk. */
function fillUp(folder: string, leaveBytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(join(folder, 'ballast'), Buffer.alloc(Math.max(0, bavail * bsize - leaveBytes)));
}

describe('A disk that is full', needs('mount'), () => {
  test('half way through a restore leaves the target as it was, at any place, and the restore works when there is space', async () => {
    const { w, file } = await filled();
    const disk = w.mount('disk', 'size=32m');
    const to = join(disk, 'restored');
    const source = await w.open(file);
    expect(describeTree(disk).size).toBe(0);
    let failed = 0;
    for (const leaveBytes of [0, 4_096, 100_000, 500_000, 1_000_000, 1_700_000, 2_300_000, 2_600_000]) {
      const prepared = await w.restorer.prepare(source, toFolder(to));
      expect(prepared.plan.problems).toEqual([]);
      fillUp(disk, leaveBytes);
      const outcome = await w.restorer.apply(source, prepared).then(
        () => 'done',
        (cause: { code?: string }) => cause.code,
      );
      unlinkSync(join(disk, 'ballast'));
      if (outcome === 'done') break;
      failed += 1;
      expect([leaveBytes, outcome, readdirSync(disk)]).toEqual([leaveBytes, 'data.full', []]);
      expect(w.restorer.list()).toEqual([]);
    }
    expect(failed).toBeGreaterThan(4);
    if (!existsSync(to)) await w.restorer.apply(source, await w.restorer.prepare(source, toFolder(to)));
    await source.close();
    expect(describeTree(to)).toEqual(describeTree(w.root));
  });

  test('is seen by the plan before anything is written', async () => {
    const { w, file } = await filled();
    const disk = w.mount('disk', 'size=1m');
    const source = await w.open(file);
    const prepared = await w.restorer.prepare(source, toFolder(join(disk, 'restored')));
    expect(prepared.plan.problems).toMatchObject([{ code: 'data.full', message: expect.stringContaining('are free') }]);
    await expect(w.restorer.apply(source, prepared)).rejects.toMatchObject({ code: 'data.full' });
    await source.close();
    expect(readdirSync(disk)).toEqual([]);
  });

  test('while an archive is written leaves nothing of it, and the ones before', async () => {
    const { w } = await filled();
    const folder = w.mount('small', 'size=4m');
    const first = await w.archive({ to: { folder }, compressionLevel: 0 });
    await expect(w.archive({ to: { folder }, compressionLevel: 0 })).rejects.toMatchObject({ code: 'data.full' });
    expect(readdirSync(folder)).toEqual([first.file.slice(folder.length + 1)]);
    const source = await w.open(first.file);
    await source.close();
  });
});

describe('A target on another disk', needs('mount'), () => {
  test('that may not be written is refused by the plan', async () => {
    const { w, file } = await filled();
    const disk = w.mount('read-only', 'size=8m,ro');
    const source = await w.open(file);
    await expect(
      w.restorer.apply(source, await w.restorer.prepare(source, toFolder(join(disk, 'x')))),
    ).rejects.toMatchObject({ code: 'restore.target' });
    await source.close();
    expect(w.restorer.list()).toEqual([]);
  });

  test('and one that begins below the root are written, and undone', async () => {
    const { w, file } = await filled();
    const before = listFiles(w.root);
    const kept = new Map(before.map((path) => [path, readFileSync(join(w.root, path))]));
    // A folder of the root becomes a disk of its own, with other contents than the backup.
    rmSync(join(w.root, 'dir-1'), { recursive: true });
    mountTmpfs(join(w.root, 'dir-1'), 'size=16m');
    onTestFinished(() => void spawnSync('umount', ['-l', join(w.root, 'dir-1')]));
    writeFileSync(join(w.root, 'dir-1', 'file-1.bin'), 'mine');
    const source = await w.open(file);
    await w.restorer.apply(source, await w.restorer.prepare(source, inPlace()));
    await source.close();
    expect(listFiles(w.root)).toEqual(before);
    for (const [path, bytes] of kept) expect(readFileSync(join(w.root, path)).equals(bytes), path).toBe(true);
    await w.restorer.undo();
    expect(listFiles(join(w.root, 'dir-1'))).toEqual(['file-1.bin']);
    expect(readFileSync(join(w.root, 'dir-1', 'file-1.bin'), 'utf8')).toBe('mine');
  });
});
