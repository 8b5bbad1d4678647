/** Work on backups that takes long, done beside the agent. The secrets go from process to process, and nowhere else. */
import type { ArchiveProgress, ArchiveReceipt } from './archive-write.ts';
import type { DrillOutcome } from './drill.ts';
import type { BackupRequest, BackupResult, BackupSecret, VerifyReport } from './repository-types.ts';
import type { RestoreProgress } from './restore-types.ts';

export type BackupJob = {
  readonly gitFolder: string;
  readonly branch: string;
  readonly deviceId: string;
  readonly dataFolder: string;
  readonly agentVersion: string;
  readonly nowMs: number;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly secret: BackupSecret;
};

export type ArchiveJob = {
  readonly dataFolder: string;
  readonly agentVersion: string;
  readonly nowMs: number;
  readonly state: Readonly<Record<string, unknown>>;
  readonly secret: BackupSecret;
  readonly reason: string;
  readonly tag: string | null;
  readonly to: { readonly folder: string } | { readonly file: string };
  readonly isEncrypted: boolean;
  readonly compressionLevel: number;
  readonly sanityCheck: boolean;
};

/** A backup on this disk. */
export type BackupPlace =
  | { readonly kind: 'repository'; readonly gitFolder: string; readonly commit: string }
  | { readonly kind: 'archive'; readonly file: string };

export type PlaceJob = {
  readonly dataFolder: string;
  readonly secret: BackupSecret | null;
  readonly place: BackupPlace;
};

export type TaskOptions<Progress> = {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
};

/** Each rejects as the same work does in this process. */
export type BackupTasks = {
  readonly backup: (job: BackupJob, request: BackupRequest) => Promise<BackupResult>;
  readonly archive: (job: ArchiveJob, options: TaskOptions<ArchiveProgress>) => Promise<ArchiveReceipt>;
  /** Proves every byte; of an archive nothing but that it is sound is told. */
  readonly verify: (
    job: PlaceJob,
    options: TaskOptions<readonly [done: number, all: number]>,
  ) => Promise<VerifyReport | null>;
  readonly drill: (
    job: PlaceJob & { readonly nowMs: number },
    options: TaskOptions<RestoreProgress>,
  ) => Promise<DrillOutcome>;
};
