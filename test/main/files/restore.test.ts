import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { restoreFile } from '../../../src/main/files/restore.ts';
import type { FileEntry, Snapshot } from '../../../src/shared/model.ts';

const capturedAtMs = Date.UTC(2026, 10, 20, 14, 3, 22);

function place(path: string) {
  const root = mkdtempSync(join(tmpdir(), 'angles-restore-'));
  writeFileSync(join(root, path), 'now');
  const file = { root, path, rootId: 1 } as FileEntry;
  const snapshot = { capturedAtMs } as Snapshot;
  const parts = { captureNow: async () => 'safety', dataFolder: '/nowhere' };
  const restore = (options: { to?: string; inPlace?: boolean } = {}) =>
    restoreFile(
      { file, snapshot, bytes: Buffer.from('before'), to: options.to, inPlace: options.inPlace ?? false },
      parts,
    );
  return { root, restore };
}

describe('restoring a version', () => {
  it('writes beside the original, with the time in the name, and again with a number', async () => {
    const { root, restore } = place('report.md');
    await restore();
    await restore();
    expect(readdirSync(root).sort()).toEqual([
      'report (2026-11-20 14.03.22).md',
      'report (2026-11-20 14.03.22, 2).md',
      'report.md',
    ]);
    expect(readFileSync(join(root, 'report.md'), 'utf8')).toBe('now');
  });

  it('makes room for the time in a name that is as long as names can be', async () => {
    const { root, restore } = place(`${'é'.repeat(126)}.md`);
    const { writtenTo } = await restore();
    const name = writtenTo.slice(root.length + 1);
    expect([
      Buffer.byteLength(name) <= 255,
      name.endsWith(' (2026-11-20 14.03.22).md'),
      readFileSync(writtenTo, 'utf8'),
    ]).toEqual([true, true, 'before']);
  });

  it('overwrites the original only in place, and only after it was captured', async () => {
    const { root, restore } = place('a.md');
    await expect(restore({ to: join(root, 'a.md') })).rejects.toMatchObject({ code: 'usage.bad_argument' });
    const { safetySnapshotId } = await restore({ inPlace: true });
    expect([safetySnapshotId, readFileSync(join(root, 'a.md'), 'utf8')]).toEqual(['safety', 'before']);
  });

  it('touches no other file that exists', async () => {
    const { root, restore } = place('a.md');
    writeFileSync(join(root, 'b.md'), 'mine');
    await expect(restore({ to: join(root, 'b.md') })).rejects.toMatchObject({ code: 'file.exists' });
    expect(readFileSync(join(root, 'b.md'), 'utf8')).toBe('mine');
  });
});
