/**
 * The process that is killed: restores an archive in place, undoes the newest restore, goes on after a crash, or only
 * plans. Arguments: what, data folder, archive.
 */
import { writeSync } from 'node:fs';
import { openArchive } from '../../src/main/backup/archive-read.ts';
import { createExclusive } from '../../src/main/backup/exclusive.ts';
import { createRestorer } from '../../src/main/backup/restorer.ts';
import { testArchiveKey } from './archive-key.ts';

const [what = '', dataFolder = '', file = ''] = process.argv.slice(2);
const restorer = createRestorer({
  dataFolder,
  nowMs: Date.now,
  exclusive: createExclusive(),
  keepSafe: async () => undefined,
  pauseWatching: async () => async () => undefined,
  records: null,
});

async function main(): Promise<unknown> {
  if (what === 'undo') return restorer.undo();
  if (what === 'recover') return restorer.recover();
  const source = await openArchive(file, { key: testArchiveKey(), fernetKey: null, dataFolder, verify: 'all' });
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
