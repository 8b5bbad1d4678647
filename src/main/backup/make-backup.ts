/** Makes one backup: the repository first, then an archive where one is wanted. */
import { hash } from 'node:crypto';
import type { BackupFacts } from '../store/backup-facts.ts';
import type { ArchiveReceipt } from './archive-write.ts';
import type { Archives } from './archives.ts';
import type { Memory } from './memory.ts';
import type { Operations } from './operation.ts';
import { toStored } from './problems.ts';
import type { BackupReason, BackupResult } from './repository-types.ts';
import type { VaultRepository } from './vault-repository.ts';

export type MakeDeps = {
  readonly memory: Memory;
  readonly facts: BackupFacts;
  readonly repository: VaultRepository;
  readonly archives: Archives;
  readonly operations: Operations;
  readonly nowMs: () => number;
  /** Settings as they are kept, without secrets. */
  readonly storedSettings: () => Readonly<Record<string, unknown>>;
  /** Keeps a copy of the settings file; see `config-copies.ts`. */
  readonly keepConfig: () => void;
  /** A backup is made and verified; for figures. Must not throw. */
  readonly onMade?: ((result: BackupResult) => void) | undefined;
  readonly signal: AbortSignal;
};

export type ArchiveWish = {
  readonly isEncrypted: boolean;
  readonly sanityCheck: boolean;
  readonly exportTo: string | null;
};

/** Writes, reads back and remembers. Everything captured before the call is in it. */
export async function makeBackup(reason: BackupReason, tag: string | null, deps: MakeDeps): Promise<BackupResult> {
  const { memory, facts, repository, operations, nowMs } = deps;
  const change = facts.newestChange();
  const configSha256 = hashOf(deps.storedSettings());
  const writer = await repository.writer();
  const result = await operations.show('backup', (report) =>
    writer.backup({
      reason,
      tag,
      signal: deps.signal,
      onProgress: ({ phase, filesDone, filesAll, bytesWritten }) =>
        report({ phase, doneItems: filesDone, totalItems: filesAll, doneBytes: bytesWritten }),
    }),
  );
  if (memory.read().configSha256 !== configSha256) deps.keepConfig();
  const atMs = nowMs();
  memory.update({
    coveredChange: change,
    lastSuccessAtMs: atMs,
    failures: 0,
    notBeforeMs: null,
    problem: null,
    firstBackupAtMs: memory.read().firstBackupAtMs ?? atMs,
    configSha256,
    lastConfigAtMs: memory.read().configSha256 === configSha256 ? memory.read().lastConfigAtMs : atMs,
    repositoryBytes: result.repositoryBytes,
    warnings: result.warnings,
    ...(reason === 'daily' ? { lastDailyAtMs: atMs } : {}),
  });
  deps.onMade?.(result);
  return result;
}

export function isConfigChanged(memory: Memory, settings: Readonly<Record<string, unknown>>): boolean {
  const { configSha256, firstBackupAtMs } = memory.read();
  return firstBackupAtMs !== null && configSha256 !== hashOf(settings);
}

function hashOf(settings: Readonly<Record<string, unknown>>): string {
  return hash('sha256', JSON.stringify(settings), 'hex');
}

/** Writes an archive into the folder of archives, or to a file of its own. What goes wrong is remembered and thrown. */
export async function makeArchive(
  wish: ArchiveWish & { readonly reason: BackupReason; readonly tag: string | null },
  deps: MakeDeps,
): Promise<ArchiveReceipt> {
  const { memory, operations, archives, nowMs } = deps;
  const change = deps.facts.newestChange();
  try {
    const receipt = await operations.show('archive', (report) =>
      archives.make({
        reason: wish.reason,
        backupClass: wish.reason === 'daily' ? 'daily' : 'manual',
        tag: wish.tag,
        isEncrypted: wish.isEncrypted,
        sanityCheck: wish.sanityCheck,
        to: wish.exportTo,
        signal: deps.signal,
        onProgress: ({ phase, filesDone, filesAll }) => report({ phase, doneItems: filesDone, totalItems: filesAll }),
      }),
    );
    if (wish.exportTo === null)
      memory.update({ archivedChange: change, lastArchiveAtMs: nowMs(), archiveProblem: null });
    return receipt;
  } catch (cause) {
    if (wish.exportTo === null) memory.update({ archiveProblem: toStored(cause) });
    throw cause;
  }
}
