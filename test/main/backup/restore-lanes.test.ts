import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createRepository, openRepository } from '../../../src/main/backup/open-repository.ts';
import { openRepositorySource } from '../../../src/main/backup/repository-source.ts';
import { createRepositoryWriter } from '../../../src/main/backup/repository-writer.ts';
import type { BackupSource } from '../../../src/main/backup/source.ts';
import { describeTree } from '../../support/archive-vault.ts';
import { TEST_SECRET } from '../../support/backup-vault.ts';
import { needs } from '../../support/needs.ts';
import { createRandom, randomContent } from '../../support/random-tree.ts';
import { inPlace, newRestoreWorld, type RestoreWorld, toFolder } from '../../support/restore-world.ts';

/** More than one batch for each thread. */
const FILES = 400;
const LARGE_BYTES = 33 * 1_048_576;

let w: RestoreWorld;
let gitFolder: string;
beforeAll(async () => {
  w = newRestoreWorld({ lanesFrom: 1 });
  mkdirSync(join(w.dataFolder, 'backups'));
  gitFolder = join(w.dataFolder, 'backups', 'local.git');
  const random = createRandom(11);
  for (let index = 0; index < FILES; index += 1)
    w.put(`dir-${index % 7}/file ${index}.md`, randomContent(random), { mode: index % 3 === 0 ? 0o600 : 0o644 });
  for (const name of ['twin', 'other twin']) w.put(name, 'the same bytes');
  w.put('empty', '');
  w.put('new\nline ü', 'a name');
  w.put('large.bin', Buffer.alloc(LARGE_BYTES, 'large '), { mtimeMs: 1_600_000_000_123 });
  await w.capture();
  const writer = createRepositoryWriter(createRepository({ gitFolder, secret: TEST_SECRET, deviceId: 'd' }), {
    dataFolder: w.dataFolder,
    agentVersion: '0.0.0',
    settings: () => ({}),
    nowMs: () => w.clock.nowMs,
    branch: 'device/d',
  });
  await writer.backup({ reason: 'manual' });
  writer.close();
}, 60_000);
afterAll(() => w.remove());
afterEach(() => rmSync(join(w.base, 'restored'), { recursive: true, force: true }));

function open(from = gitFolder): BackupSource {
  const reader = openRepository({ gitFolder: from, secret: TEST_SECRET });
  onTestFinished(() => reader.close());
  return openRepositorySource(reader, reader.find('latest'));
}

async function outcomeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (cause: { code?: string }) => cause.code ?? String(cause),
  );
}

describe('a restore by several threads', () => {
  test('gives back every byte, mode and time, in a new folder and over another state, and can be undone', async () => {
    const source = open();
    const to = join(w.base, 'restored');
    const told: number[] = [];
    await w.restorer.apply(source, await w.restorer.prepare(source, toFolder(to)), {
      onProgress: ({ phase, done }) => {
        if (phase === 'writing') told.push(done);
      },
    });
    expect(describeTree(to)).toEqual(describeTree(w.root));
    expect(spawnSync('diff', ['-r', w.root, to]).status).toBe(0);
    expect(told.at(-1)).toBe(FILES + 5);
    expect(told).toEqual(told.toSorted((a, b) => a - b));

    writeFileSync(join(w.root, 'empty'), 'not any more');
    writeFileSync(join(w.root, 'large.bin'), 'small');
    const changed = describeTree(w.root);
    const { id } = await w.restorer.apply(source, await w.restorer.prepare(source, inPlace()));
    expect(describeTree(w.root)).toEqual(describeTree(to));
    await w.restorer.undo(id);
    expect(describeTree(w.root)).toEqual(changed);
    expect(readFileSync(join(w.root, 'empty'), 'utf8')).toBe('not any more');
  });

  test('of a damaged backup leaves the target as it was', async () => {
    const copy = join(w.base, 'damaged.git');
    spawnSync('cp', ['-a', gitFolder, copy]);
    const source = open(copy);
    const to = join(w.base, 'restored');
    const past = w.restorer.list().length;
    const prepared = await w.restorer.prepare(source, toFolder(to));
    const packs = join(copy, 'objects/pack');
    const [pack = ''] = readdirSync(packs).filter((name) => name.endsWith('.pack'));
    const bytes = readFileSync(join(packs, pack));
    // Nodes and contents alike: what is read again is refused, whichever it is.
    for (let at = 2_000; at < bytes.length / 2; at += 4_001) bytes[at] = (bytes[at] ?? 0) ^ 1;
    spawnSync('chmod', ['u+w', join(packs, pack)]);
    writeFileSync(join(packs, pack), bytes);
    expect(await outcomeOf(w.restorer.apply(source, prepared))).toBe('backup.damaged');
    expect(existsSync(to)).toBe(false);
    expect(w.restorer.list().length).toBe(past);
  });

  test('that is stopped half way leaves the target as it was', async () => {
    const source = open();
    const to = join(w.base, 'restored');
    const abort = new AbortController();
    const past = w.restorer.list().length;
    const prepared = await w.restorer.prepare(source, toFolder(to));
    const outcome = await outcomeOf(
      w.restorer.apply(source, prepared, {
        signal: abort.signal,
        onProgress: ({ phase, done }) => {
          if (phase === 'writing' && done > 100) abort.abort();
        },
      }),
    );
    expect(outcome).toBe('interrupted');
    expect(existsSync(to)).toBe(false);
    expect(w.restorer.list().length).toBe(past);
  });
});

describe('a restore by several threads onto a full disk', needs('mount'), () => {
  test('leaves the target as it was, and says that the disk is full', async () => {
    const disk = join(w.base, 'disk');
    mkdirSync(disk);
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'angles-test', disk]).status).toBe(0);
    onTestFinished(() => void spawnSync('umount', ['-l', disk]));
    const source = open();
    const prepared = await w.restorer.prepare(source, toFolder(join(disk, 'restored')));
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(44 * 1_048_576));
    expect(await outcomeOf(w.restorer.apply(source, prepared))).toBe('data.full');
    expect(readdirSync(disk)).toEqual(['ballast']);
  });
});
