/** Archives of the vault: made, listed and opened. */
import { existsSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { type ArchiveFolder, createArchiveFolder, type ListedArchive } from './archive-folder.ts';
import { openArchive } from './archive-read.ts';
import {
  type ArchiveDeps,
  type ArchiveProgress,
  type ArchiveReceipt,
  clearArchiveWork,
  writeArchive,
} from './archive-write.ts';
import { archiveKeyOf, fernetTextOf, type KeySource } from './key-source.ts';
import type { Redact } from './redact-copy.ts';
import type { BackupSecret } from './repository-types.ts';
import type { RetentionClass } from './retention.ts';
import type { BackupSource } from './source.ts';
import type { BackupTasks } from './tasks.ts';
import { BACKUPS_FOLDER } from './vault-repository.ts';

export type NewArchive = {
  readonly reason: string;
  readonly backupClass: RetentionClass;
  readonly tag: string | null;
  readonly isEncrypted: boolean;
  readonly sanityCheck: boolean;
  /** Exactly this file, which is not kept track of; null for the folder of archives. */
  readonly to: string | null;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ArchiveProgress) => void) | undefined;
};

export type Archives = {
  readonly folder: string;
  readonly kept: ArchiveFolder;
  /** Durable and read back when it resolves. */
  readonly make: (request: NewArchive) => Promise<ArchiveReceipt>;
  /** An archive by its name in the folder, or a file (absolute). The caller closes it. */
  readonly open: (file: string, secret: BackupSecret | null) => Promise<BackupSource>;
  readonly find: (name: string) => ListedArchive | undefined;
  /** What a killed process left is removed. */
  readonly tidy: () => void;
};

export function createArchives(deps: {
  readonly archive: ArchiveDeps;
  readonly keys: KeySource;
  readonly compressionLevel: () => number;
  readonly redact: Redact;
  /** null: archives are made here. */
  readonly tasks: BackupTasks | null;
}): Archives {
  const { dataFolder } = deps.archive;
  const folder = join(dataFolder, BACKUPS_FOLDER, 'archives');
  const kept = createArchiveFolder(folder);
  const write = ({ to, signal, onProgress, backupClass: _, ...wish }: NewArchive): Promise<ArchiveReceipt> => {
    const { secret } = deps.keys.ensure();
    const request = { ...wish, to: to === null ? { folder } : { file: to }, compressionLevel: deps.compressionLevel() };
    const { agentVersion, nowMs, state } = deps.archive;
    if (deps.tasks !== null) {
      const job = { ...request, dataFolder, agentVersion, nowMs: nowMs(), state: state(), secret };
      return deps.tasks.archive(job, { signal, onProgress });
    }
    const redact = request.isEncrypted ? null : deps.redact;
    return writeArchive({ ...request, key: archiveKeyOf(secret), redact, signal, onProgress }, deps.archive);
  };
  return {
    folder,
    kept,
    make: async (request) => {
      const receipt = await write(request);
      if (request.to === null) kept.note(receipt, request.backupClass);
      return receipt;
    },
    open: async (file, secret) => {
      const path = isAbsolute(file) ? file : join(folder, basename(file));
      if (!existsSync(path)) {
        throw new AppError('not_found.backup', `There is no archive ${displayPath(file)}.`, nearest(kept));
      }
      const key = secret === null ? null : archiveKeyOf(secret);
      const fernetKey = secret === null ? null : fernetTextOf(secret);
      return openArchive(path, { key, fernetKey, dataFolder, verify: 'all' });
    },
    find: (name) => kept.archives().find((each) => each.id === name),
    tidy: () => {
      clearArchiveWork(dataFolder, folder);
      kept.tidy();
    },
  };
}

function nearest(kept: ArchiveFolder): { hint: string } | object {
  const names = kept
    .archives()
    .slice(0, 3)
    .map(({ id }) => id);
  return names.length === 0 ? {} : { hint: `The newest ones are ${names.join(', ')}.` };
}
