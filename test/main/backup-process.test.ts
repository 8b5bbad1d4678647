import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRepository } from '../../src/main/backup/open-repository.ts';
import type { BackupProgress } from '../../src/main/backup/repository-types.ts';
import { createBackupProcess } from '../../src/main/backup-process.ts';
import { createTestVault, TEST_SECRET, type TestVault } from '../support/backup-vault.ts';

let vault: TestVault;
beforeEach(() => {
  vault = createTestVault();
  // Thousands of saves, one by one.
  vault.store.db.pragma('synchronous = OFF');
});
afterEach(() => vault.close());

const tasks = createBackupProcess({ roots: () => [], hide: () => [] });
const inTask = tasks.backup;
const job = () => ({
  gitFolder: vault.gitFolder,
  branch: `device/${vault.store.deviceId}`,
  deviceId: vault.store.deviceId,
  dataFolder: vault.dataFolder,
  agentVersion: '0.0.0',
  nowMs: Date.UTC(2026, 10, 25),
  settings: { a: 1 },
  secret: TEST_SECRET,
});

describe('a backup in a task of its own', () => {
  it('is the same as one made here, tells how far it is, and holds up nobody', async () => {
    for (let index = 0; index < 2_000; index += 1)
      vault.save(`dir-${index % 40}/${index}.md`, `note ${index} `.repeat(200));
    const told: BackupProgress[] = [];
    const before = process.cpuUsage();
    const { summary, isNew } = await inTask(job(), {
      reason: 'manual',
      tag: 'mine',
      onProgress: (progress) => void told.push(progress),
    });
    const beside = process.cpuUsage(before);
    expect([isNew, summary]).toEqual([
      true,
      expect.objectContaining({ files: 2_000, tag: 'mine', sequence: 1, createdAtMs: Date.UTC(2026, 10, 25) }),
    ]);
    expect(told.length).toBeGreaterThan(2);
    const again = process.cpuUsage();
    await vault.openWriter({}, TEST_SECRET, 'other').backup({ reason: 'manual' });
    const here = process.cpuUsage(again);
    expect(beside.user + beside.system).toBeLessThan((here.user + here.system) / 2);
    const reader = openRepository({ gitFolder: vault.gitFolder, secret: TEST_SECRET });
    await reader.verify(summary.commit);
    reader.close();
    // A writer in this process goes on from there.
    vault.save('one more.md', 'x');
    const next = await vault.openWriter().backup({ reason: 'change' });
    expect(next.summary).toMatchObject({ sequence: 2, files: 2_001 });
    expect(next.objectsWritten).toBeLessThan(15);
  });

  it('fails as one made here does, with code and advice', async () => {
    vault.save('a.md', 'x');
    await inTask(job(), { reason: 'manual', tag: 'mine' });
    await expect(inTask(job(), { reason: 'manual', tag: 'mine' })).rejects.toMatchObject({
      code: 'usage.bad_argument',
      hint: expect.stringContaining('Choose another tag'),
    });
    await expect(
      inTask({ ...job(), secret: { kind: 'key', key: Buffer.alloc(32, 1) } }, { reason: 'manual' }),
    ).rejects.toMatchObject({ code: 'backup.key_wrong' });
  });

  it('ends when it is cancelled, and leaves the backups before', async () => {
    vault.save('a.md', 'x');
    const first = await inTask(job(), { reason: 'manual' });
    for (let index = 0; index < 2_000; index += 1) vault.save(`${index}.md`, `note ${index}`);
    const abort = new AbortController();
    const outcome = await inTask(job(), {
      reason: 'manual',
      signal: abort.signal,
      onProgress: () => abort.abort(new Error('enough')),
    }).then(
      () => 'done',
      (cause: Error) => cause.message,
    );
    expect(outcome).toBe('enough');
    const reader = openRepository({ gitFolder: vault.gitFolder, secret: TEST_SECRET });
    expect(reader.listBackups().map(({ commit }) => commit)).toEqual([first.summary.commit]);
    reader.close();
  });

  it('writes and proves archives, verifies and tries backups, as this process does', async () => {
    for (let index = 0; index < 300; index += 1) vault.save(`dir-${index % 4}/${index}.md`, `note ${index}`);
    const { summary } = await inTask(job(), { reason: 'manual' });
    const { dataFolder } = vault;
    const folder = join(dataFolder, 'backups', 'archives');
    const wish = { reason: 'manual', tag: null, to: { folder }, compressionLevel: 6, sanityCheck: true };
    const common = { dataFolder, agentVersion: '0.0.0', nowMs: Date.UTC(2026, 10, 25), state: {}, secret: TEST_SECRET };
    const archive = await tasks.archive({ ...common, ...wish, isEncrypted: true }, {});
    expect([archive.files, readdirSync(folder).length]).toEqual([300, 1]);
    const places = [
      { kind: 'repository', gitFolder: vault.gitFolder, commit: summary.commit },
      { kind: 'archive', file: archive.file },
    ] as const;
    const told: unknown[] = [];
    for (const place of places) {
      const here = { dataFolder, secret: TEST_SECRET, place };
      const proven = await tasks.verify(here, { onProgress: (progress) => void told.push(progress) });
      expect(proven?.files ?? 300).toBe(300);
      const { receipt } = await tasks.drill(
        { ...here, nowMs: 5 },
        { onProgress: (progress) => void told.push(progress) },
      );
      expect(receipt).toMatchObject({ outcome: 'ok', files: 300, comparedWithVault: 300, startedMs: 5 });
      await expect(
        tasks.verify({ ...here, secret: { kind: 'key', key: Buffer.alloc(32, 1) } }, {}),
      ).rejects.toMatchObject({ code: 'backup.key_wrong' });
    }
    expect(told.length).toBeGreaterThan(2);
    // A bit of the archive differs.
    const bytes = readFileSync(archive.file);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(archive.file, bytes);
    const changed = { dataFolder, secret: TEST_SECRET, place: places[1] };
    await expect(tasks.verify(changed, {})).rejects.toMatchObject({ code: 'backup.damaged' });
    // What the environment holds is taken out of what anybody may read.
    const secret = ['hunter', 'two'].join('');
    vault.save('secret.md', `the word is ${secret}`);
    const hiding = createBackupProcess({ roots: () => [], hide: () => [secret] });
    const readable = await hiding.archive({ ...common, ...wish, isEncrypted: false }, {});
    expect(readable.redactions?.files.map(({ path }) => path)).toEqual(['secret.md']);
    expect(readFileSync(readable.file).includes(secret)).toBe(false);
  });

  it('gets its key neither by its arguments nor by its environment', async () => {
    for (let index = 0; index < 1_500; index += 1) vault.save(`${index}.md`, `note ${index}`);
    const key = TEST_SECRET.kind === 'key' ? TEST_SECRET.key : Buffer.alloc(0);
    const forms = [key.toString('hex'), key.toString('base64'), key.toString('base64url')];
    const seen: string[] = [];
    await inTask(job(), { reason: 'manual', onProgress: () => void seen.push(...childrenOf(process.pid)) });
    expect(seen.length).toBeGreaterThan(0);
    for (const form of forms) expect(seen.some((text) => text.includes(form))).toBe(false);
  });
});

/** Arguments and environment of every process that this one started. */
function childrenOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(join(`/proc/${pid}/task`, thread, 'children'), 'utf8')
      .split(' ')
      .filter((child) => child !== '')
      .map(
        (child) => readFileSync(`/proc/${child}/cmdline`, 'latin1') + readFileSync(`/proc/${child}/environ`, 'latin1'),
      ),
  );
}
