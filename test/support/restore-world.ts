/** A vault with an archive of it, and a restorer: what the tests of plans, restores and undos work on. */
import { join } from 'node:path';
import { openArchive } from '../../src/main/backup/archive-read.ts';
import { type ArchiveReceipt, type ArchiveRequest, writeArchive } from '../../src/main/backup/archive-write.ts';
import { createExclusive } from '../../src/main/backup/exclusive.ts';
import type { RestoreRequest, RestoreTarget } from '../../src/main/backup/plan.ts';
import { createRestorer, type Restorer, type RestorerDeps } from '../../src/main/backup/restorer.ts';
import type { BackupSource } from '../../src/main/backup/source.ts';
import { testArchiveKey } from './archive-key.ts';
import { type BackupVault, newBackupVault } from './archive-vault.ts';

export type RestoreWorld = BackupVault & {
  readonly archive: (request?: Partial<ArchiveRequest>) => Promise<ArchiveReceipt>;
  readonly open: (file: string, verify?: 'all' | 'structure') => Promise<BackupSource>;
  readonly restorer: Restorer;
  readonly restorerWith: (records: RestorerDeps['records']) => Restorer;
  readonly kept: string[];
  readonly pauses: string[];
};

export function newRestoreWorld(more: Partial<RestorerDeps> = {}): RestoreWorld {
  const vault = newBackupVault();
  const kept: string[] = [];
  const pauses: string[] = [];
  const key = testArchiveKey();
  const restorerWith = (records: RestorerDeps['records']): Restorer =>
    createRestorer({
      dataFolder: vault.dataFolder,
      nowMs: () => vault.clock.nowMs,
      exclusive: createExclusive(),
      keepSafe: async (files) => void kept.push(...files.map((file) => file.path)),
      pauseWatching: async () => {
        pauses.push('paused');
        return async () => void pauses.push('resumed');
      },
      records,
      ...more,
    });
  return {
    ...vault,
    restorer: restorerWith(null),
    restorerWith,
    kept,
    pauses,
    archive: (request = {}) =>
      writeArchive(
        {
          reason: 'manual',
          tag: null,
          to: { folder: join(vault.base, 'backups') },
          key,
          isEncrypted: false,
          compressionLevel: 6,
          redact: null,
          sanityCheck: true,
          ...request,
        },
        {
          dataFolder: vault.dataFolder,
          agentVersion: '0.1.0',
          nowMs: () => vault.clock.nowMs,
          state: () => ({ settings: {} }),
        },
      ),
    open: (file, verify = 'all') => openArchive(file, { key, fernetKey: null, dataFolder: vault.dataFolder, verify }),
  };
}

export function toFolder(folder: string, more: Partial<RestoreRequest> = {}): RestoreRequest {
  return request({ kind: 'folder', folder }, more);
}

export function inPlace(more: Partial<RestoreRequest> = {}): RestoreRequest {
  return request({ kind: 'in-place' }, more);
}

function request(target: RestoreTarget, more: Partial<RestoreRequest>): RestoreRequest {
  return { target, only: [], tables: [], withFiles: true, allowRedacted: false, autoMigrate: false, ...more };
}
