import { existsSync, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { clearDrills, lastProvenRestore, runDrill } from '../../../src/main/backup/drill.ts';
import { openRepositorySource } from '../../../src/main/backup/repository-source.ts';
import type { BackupSource, SourceEntry } from '../../../src/main/backup/source.ts';
import { streamContent } from '../../../src/main/store/content-stream.ts';
import { createRunStore } from '../../../src/main/store/runs.ts';
import { createRandom, randomTree } from '../../support/random-tree.ts';
import { newRestoreWorld, type RestoreWorld } from '../../support/restore-world.ts';

async function world() {
  const w = newRestoreWorld();
  onTestFinished(w.remove);
  for (const file of randomTree(createRandom(3), 20)) w.put(file.path, file.content, file);
  w.put('large.bin', Buffer.alloc(2_000_000, 'x'));
  await w.capture();
  const runs = createRunStore(w.store);
  const deps = {
    dataFolder: w.dataFolder,
    nowMs: () => w.clock.nowMs,
    runs,
    vaultContent: (sha256: string, sizeBytes: number) =>
      streamContent(w.store.db, w.dataFolder, { sha256: Buffer.from(sha256, 'hex'), sizeBytes }),
    scratchFolder: null,
  };
  return { w, runs, deps };
}

async function openNew(w: RestoreWorld): Promise<BackupSource> {
  return w.open((await w.archive({ isEncrypted: true })).file);
}

/** The same backup with something wrong in it. */
function spoiled(source: BackupSource, change: (entry: SourceEntry, content: Buffer) => Buffer): BackupSource {
  return {
    ...source,
    contents: async function* (wanted) {
      for await (const { entry, content } of source.contents(wanted))
        yield { entry, content: content === null ? null : change(entry, content) };
    },
  };
}

describe('A drill', () => {
  test('restores a backup, compares every byte with the vault, notes a receipt and cleans up', async () => {
    const { w, runs, deps } = await world();
    const source = await openNew(w);
    expect(lastProvenRestore(runs)).toBeNull();
    const receipt = await runDrill(source, deps);
    expect(receipt).toMatchObject({
      outcome: 'ok',
      files: 21,
      comparedWithVault: 21,
      backupId: source.info.id,
      problems: [],
    });
    expect(receipt.rows).toBeGreaterThan(20);
    const proven = lastProvenRestore(runs);
    expect(proven?.receipt.runId).toBe(receipt.runId);
    // From its beginning by the clock, and as long as it took.
    expect((proven?.atMs ?? 0) - w.clock.nowMs).toBeLessThan(60_000);
    expect(proven?.atMs).toBeGreaterThanOrEqual(w.clock.nowMs);
    expect(readdirSync(join(w.dataFolder, 'drill'))).toEqual([]);
    expect((await runDrill(source, deps)).contentSha256).toBe(receipt.contentSha256);
    await source.close();
    expect(existsSync(join(w.dataFolder, 'restores'))).toBe(false);
  });

  test('of a backup that does not come back fails with a reason, and the last proven restore stays the one before', async () => {
    const { w, runs, deps } = await world();
    const source = await openNew(w);
    const good = await runDrill(source, deps);
    const bad = await runDrill(
      spoiled(source, (entry, content) => (entry.path === 'large.bin' ? Buffer.alloc(content.length) : content)),
      deps,
    );
    expect(bad).toMatchObject({ outcome: 'failed', problems: [expect.stringContaining('large.bin')] });
    const missing = { ...source, contents: () => [] };
    expect(await runDrill(missing, deps)).toMatchObject({ outcome: 'failed' });
    const fewer = { ...source, tables: [{ name: 'activities', recordCount: 1, schemaVersion: '1.0' }] };
    expect(await runDrill(fewer, deps)).toMatchObject({
      outcome: 'failed',
      problems: [expect.stringContaining('activities')],
    });
    await source.close();
    expect(lastProvenRestore(runs)?.receipt.runId).toBe(good.runId);
    expect(runs.list('drill', 10).map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'failed', 'ok']);
    clearDrills(w.dataFolder);
    expect(existsSync(join(w.dataFolder, 'drill'))).toBe(false);
  });

  test('that is stopped notes nothing', async () => {
    const { w, runs, deps } = await world();
    const source = await openNew(w);
    await expect(runDrill(source, deps, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'interrupted',
    });
    await source.close();
    expect(runs.list('drill', 10)).toEqual([]);
    expect(readdirSync(join(w.dataFolder, 'drill'))).toEqual([]);
  });
});

test('a commit of the repository restores like an archive, with folders and links', async () => {
  const { w } = await world();
  const archive = await openNew(w);
  const bytes = new Map<string, Buffer>();
  for await (const { entry, content } of archive.contents(() => true))
    if (content !== null) bytes.set(entry.path, content);
  const root = { rootId: w.rootId, mtimeUs: null, sizeBytes: 0, sha256: null, redactions: 0 };
  const entries: SourceEntry[] = [
    { ...root, path: 'empty folder', kind: 'folder', mode: 0o750, target: null },
    { ...root, path: 'empty folder/link', kind: 'symlink', mode: null, target: '../large.bin' },
    ...archive.entries(),
  ];
  const source = openRepositorySource(
    {
      fingerprint: 'f',
      entries: () => entries,
      contents: (_commit, wanted = () => true) =>
        entries.filter(wanted).map((entry) => ({ entry, content: bytes.get(entry.path) ?? null })),
      readFileChunks: async function* (_commit, _root, path) {
        yield bytes.get(path) ?? Buffer.alloc(0);
      },
      readTable: () => [],
    },
    {
      commit: 'a'.repeat(40),
      createdAtMs: 1,
      deviceId: 'd',
      reason: 'manual',
      tag: null,
      isEncrypted: true,
      redacted: 0,
      incomplete: 0,
      roots: [{ rootId: w.rootId, path: w.root }],
      tables: {},
    },
  );
  const to = join(w.base, 'restored');
  const request = {
    target: { kind: 'folder' as const, folder: to },
    only: [],
    tables: [],
    withFiles: true,
    allowRedacted: false,
    autoMigrate: false,
  };
  await w.restorer.apply(source, await w.restorer.prepare(source, request));
  expect(lstatSync(join(to, 'empty folder')).mode & 0o777).toBe(0o750);
  expect(readlinkSync(join(to, 'empty folder/link'))).toBe('../large.bin');
  expect((await w.restorer.prepare(source, request)).plan.counts).toMatchObject({
    create: { files: 0 },
    overwrite: { files: 0 },
    touch: { files: 0 },
  });
  await archive.close();
  await w.restorer.undo();
  expect(existsSync(to)).toBe(false);
});
