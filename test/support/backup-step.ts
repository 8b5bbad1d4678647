/**
 * One step of backups in a process that a test strikes: an archive, the clearing of old ones, a commit, the joining of
 * packs. Arguments: step, data folder, time. Exit code 10: the disk is full; 11: anything else that is expected.
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { createArchiveFolder } from '../../src/main/backup/archive-folder.ts';
import { clearArchiveWork, writeArchive } from '../../src/main/backup/archive-write.ts';
import { createRepository } from '../../src/main/backup/open-repository.ts';
import { createRepositoryWriter } from '../../src/main/backup/repository-writer.ts';
import { prune, RETENTION_RULES } from '../../src/main/backup/retention.ts';
import { AppError } from '../../src/shared/errors.ts';
import { testArchiveKey } from './archive-key.ts';
import { TEST_SECRET } from './backup-vault.ts';

const [step = '', dataFolder = '', time = '0'] = process.argv.slice(2);
const nowMs = (): number => Number(time);
const folder = join(dataFolder, 'backups', 'archives');
const kept = createArchiveFolder(folder);

const writer = () =>
  createRepositoryWriter(
    createRepository({ gitFolder: join(dataFolder, 'backups', 'local.git'), secret: TEST_SECRET, deviceId: 'd' }),
    { dataFolder, agentVersion: '0.0.0', settings: () => ({}), nowMs, branch: 'device/d' },
  );

const steps: Readonly<Record<string, () => Promise<void>>> = {
  archive: async () => {
    const receipt = await writeArchive(
      {
        reason: 'manual',
        tag: null,
        to: { folder },
        key: testArchiveKey(),
        isEncrypted: true,
        compressionLevel: 6,
        redact: null,
        sanityCheck: true,
      },
      { dataFolder, agentVersion: '0.0.0', nowMs, state: () => ({ settings: {} }) },
    );
    kept.note(receipt, 'manual');
  },
  prune: async () => {
    const { failed } = await prune(kept, { rules: RETENTION_RULES, nowMs: nowMs(), isDryRun: false });
    if (failed.length > 0) throw new AppError('backup.unreadable', failed.map(({ reason }) => reason).join());
  },
  commit: async () => {
    const own = writer();
    await own.backup({ reason: 'manual' });
    own.close();
  },
  repack: async () => {
    const own = writer();
    own.repack();
    own.close();
  },
  /** What every start does. */
  tidy: async () => {
    clearArchiveWork(dataFolder, folder);
    kept.tidy();
  },
};

try {
  await steps[step]?.();
} catch (cause) {
  const isExpected = cause instanceof AppError;
  process.exitCode = isExpected ? (cause.code === 'data.full' ? 10 : 11) : 1;
  try {
    writeSync(2, `${isExpected ? cause.code : ''} ${cause instanceof Error ? cause.stack : String(cause)}\n`);
  } catch {
    // The disk is full for this, too.
  }
}
