import type { OpenedBackup } from './repository-reader.ts';
import type { BackupSummary } from './repository-types.ts';

export function toSummary({ commit, manifest }: OpenedBackup, branch: string): BackupSummary {
  return {
    commit,
    parent: manifest.parent,
    branch,
    deviceId: manifest.deviceId,
    sequence: manifest.sequence,
    createdAtMs: manifest.createdAtMs,
    reason: manifest.reason,
    tag: manifest.tag,
    agentVersion: manifest.agentVersion,
    isEncrypted: manifest.isEncrypted,
    roots: manifest.roots.map(({ rootId, path, files, folders, sizeBytes }) => ({
      rootId,
      path,
      files,
      folders,
      sizeBytes,
    })),
    files: manifest.files,
    sizeBytes: manifest.sizeBytes,
    tables: Object.fromEntries(manifest.tables.map(({ name, rows }) => [name, rows])),
    vaultChange: manifest.vaultChange,
    incomplete: manifest.incomplete,
    redacted: manifest.redacted,
  };
}
