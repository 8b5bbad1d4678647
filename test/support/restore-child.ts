/**
 * The process that is killed: restores an archive in place (with `lanes` a repository, by threads), undoes the newest restore, goes on after a crash, or only
 * plans. Arguments: what, data folder, archive or repository.
 */
import { writeSync } from 'node:fs';
import { openArchive } from '../../src/main/backup/archive-read.ts';
import { createExclusive } from '../../src/main/backup/exclusive.ts';
import { openRepository } from '../../src/main/backup/open-repository.ts';
import { openRepositorySource } from '../../src/main/backup/repository-source.ts';
import { createRestorer } from '../../src/main/backup/restorer.ts';
import type { BackupSource } from '../../src/main/backup/source.ts';
import { testArchiveKey } from './archive-key.ts';
import { TEST_SECRET } from './backup-vault.ts';

const [what = '', dataFolder = '', file = ''] = process.argv.slice(2);
const isInLanes = what === 'lanes';
const restorer = createRestorer({
  dataFolder,
  nowMs: Date.now,
  exclusive: createExclusive(),
  keepSafe: async () => undefined,
  pauseWatching: async () => async () => undefined,
  records: null,
  lanesFrom: isInLanes ? 1 : Number.POSITIVE_INFINITY,
});

/** The archive, or with `lanes` the repository, from which several threads restore. */
async function openSource(): Promise<BackupSource> {
  if (!isInLanes) return openArchive(file, { key: testArchiveKey(), fernetKey: null, dataFolder, verify: 'all' });
  const reader = openRepository({ gitFolder: file, secret: TEST_SECRET });
  const source = openRepositorySource(reader, reader.find('latest'));
  return { ...source, close: async () => reader.close() };
}

async function main(): Promise<unknown> {
  if (what === 'undo') return restorer.undo();
  if (what === 'recover') return restorer.recover();
  const source = await openSource();
  const prepared = await restorer.prepare(source, {
    target: { kind: 'in-place' },
    only: [],
    tables: [],
    withFiles: true,
    allowRedacted: false,
    autoMigrate: false,
  });
  writeSync(2, 'planned\n');
  const result = what === 'plan' ? prepared.plan.counts : await restorer.apply(source, prepared);
  await source.close();
  return result;
}

try {
  writeSync(1, `${JSON.stringify(await main())}\n`);
} catch (cause) {
  writeSync(1, `${JSON.stringify({ code: (cause as { code?: string }).code, message: String(cause) })}\n`);
  process.exitCode = 1;
}
