import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createRepository } from '../../../src/main/backup/open-repository.ts';
import { openRepositorySource } from '../../../src/main/backup/repository-source.ts';
import { createRepositoryWriter } from '../../../src/main/backup/repository-writer.ts';
import type { BackupSource } from '../../../src/main/backup/source.ts';
import { TEST_SECRET } from '../../support/backup-vault.ts';
import { newRestoreWorld, toFolder } from '../../support/restore-world.ts';

/** A hole with a few bytes here and there. `LARGE_BYTES=5368709120` is a real 5 GB, and takes minutes. */
const BYTES = Number(process.env.LARGE_BYTES ?? 36_000_000);
/** So small that the file has as many chunks as one of 5 GB. */
const CHUNK = process.env.LARGE_BYTES === undefined ? 400 : undefined;

function writeSparse(path: string): void {
  const descriptor = openSync(path, 'wx');
  ftruncateSync(descriptor, BYTES);
  for (let each = 0; each < 100; each += 1)
    writeSync(descriptor, `part ${each} `.repeat(20), Math.floor((BYTES - 1_000) * (each / 99)));
  closeSync(descriptor);
}

test(`a file of ${BYTES} bytes is backed up in chunks and as an archive, and comes back from both`, async () => {
  const w = newRestoreWorld();
  onTestFinished(w.remove);
  w.put('small.md', 'beside it');
  writeSparse(join(w.root, 'large.img'));
  await w.capture();
  const gitFolder = join(w.dataFolder, 'backups', 'local.git');
  mkdirSync(join(w.dataFolder, 'backups'));
  const writer = createRepositoryWriter(createRepository({ gitFolder, secret: TEST_SECRET, deviceId: 'd' }), {
    dataFolder: w.dataFolder,
    agentVersion: '0.0.0',
    settings: () => ({}),
    nowMs: () => w.clock.nowMs,
    ...(CHUNK === undefined ? {} : { chunkBytes: CHUNK }),
  });
  onTestFinished(() => writer.close());
  const { summary } = await writer.backup({ reason: 'manual' });
  expect(summary).toMatchObject({ files: 2, incomplete: 0 });
  await writer.reader.verify(summary.commit);
  const { file } = await w.archive({ isEncrypted: true });
  const sources: Readonly<Record<string, BackupSource>> = {
    repository: openRepositorySource(writer.reader, summary),
    archive: await w.open(file),
  };
  for (const [name, source] of Object.entries(sources)) {
    const to = join(w.base, name);
    await w.restorer.apply(source, await w.restorer.prepare(source, toFolder(to)));
    await source.close();
    execFileSync('cmp', [join(w.root, 'large.img'), join(to, 'large.img')]);
    expect(statSync(join(to, 'large.img')).size).toBe(BYTES);
  }
}, 1_800_000);
