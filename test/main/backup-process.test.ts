import { readdirSync, readFileSync } from 'node:fs';
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

const inTask = createBackupProcess(() => []);
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
