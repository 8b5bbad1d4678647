/** The steps of backups that a test strikes: an archive, the clearing of old ones, a commit, the joining of packs. */
import { join } from 'node:path';
import { createArchiveFolder } from '../../src/main/backup/archive-folder.ts';
import { clearArchiveWork, writeArchive } from '../../src/main/backup/archive-write.ts';
import { createRepository } from '../../src/main/backup/open-repository.ts';
import { createRepositoryWriter } from '../../src/main/backup/repository-writer.ts';
import { prune, RETENTION_RULES } from '../../src/main/backup/retention.ts';
import { AppError } from '../../src/shared/errors.ts';
import { testArchiveKey } from './archive-key.ts';
import { TEST_SECRET } from './backup-vault.ts';

export const STEPS = ['archive', 'prune', 'commit', 'repack'] as const;
export type Step = (typeof STEPS)[number];

/** Does one step; `tidy` is what every start does. */
export async function runStep(step: Step | 'tidy', dataFolder: string, nowMs: number): Promise<void> {
  const folder = join(dataFolder, 'backups', 'archives');
  const kept = createArchiveFolder(folder);
  const open = () =>
    createRepositoryWriter(
      createRepository({ gitFolder: join(dataFolder, 'backups', 'local.git'), secret: TEST_SECRET, deviceId: 'd' }),
      { dataFolder, agentVersion: '0.0.0', settings: () => ({}), nowMs: () => nowMs, branch: 'device/d' },
    );
  switch (step) {
    case 'archive': {
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
        { dataFolder, agentVersion: '0.0.0', nowMs: () => nowMs, state: () => ({ settings: {} }) },
      );
      kept.note(receipt, 'manual');
      return;
    }
    case 'prune': {
      const { failed } = await prune(kept, { rules: RETENTION_RULES, nowMs, isDryRun: false });
      if (failed.length > 0) throw new AppError('backup.unreadable', failed.map(({ reason }) => reason).join());
      return;
    }
    case 'commit': {
      const writer = open();
      try {
        await writer.backup({ reason: 'manual' });
      } finally {
        writer.close();
      }
      return;
    }
    case 'repack': {
      const writer = open();
      try {
        writer.repack();
      } finally {
        writer.close();
      }
      return;
    }
    case 'tidy':
      clearArchiveWork(dataFolder, folder);
      kept.tidy();
  }
}
