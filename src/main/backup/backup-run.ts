/** What the parts of one backup share. */
import type { BackupIndex } from '../store/backup-index.ts';
import type { BackupSource } from '../store/backup-source.ts';
import type { Redact } from './content-writer.ts';
import type { ObjectWriter } from './object-writer.ts';
import type { OpenRepository } from './open-repository.ts';
import type { OpenedBackup } from './repository-reader.ts';
import type { BackupRequest } from './repository-types.ts';
import type { LookAtFolders } from './tree-writer.ts';

export type WriterDeps = {
  readonly nowMs: () => number;
  readonly dataFolder: string;
  readonly agentVersion: string;
  /** Settings as they are kept, without secrets. */
  readonly settings: () => Readonly<Record<string, unknown>>;
  /** Needed where nothing is encrypted. */
  readonly redact?: Redact;
  /** Empty folders, symbolic links, modes and times of folders; without it a backup has what the vault knows. */
  readonly lookAtFolders?: LookAtFolders;
  /** `device/<device id>` when left out. */
  readonly branch?: string;
  /** For tests. */
  readonly chunkBytes?: number;
};

export type Context = { readonly repository: OpenRepository; readonly deps: WriterDeps; readonly index: BackupIndex };

/** One backup while it is made. */
export type Run = Context & {
  readonly request: BackupRequest;
  readonly source: BackupSource;
  readonly out: ObjectWriter;
  readonly branch: string;
  readonly base: OpenedBackup | null;
  readonly tag: string | null;
};

const YIELD_EVERY_FILES = 200;

export type Clock = {
  readonly onFile: () => Promise<void> | null;
  readonly report: (phase: 'reading' | 'writing' | 'verifying') => void;
  readonly turn: () => Promise<void>;
};

/** Tells how far a backup is, and lets others have their turn. */
export function createClock(request: BackupRequest, out: ObjectWriter, filesAll: number): Clock {
  let filesDone = 0;
  const report: Clock['report'] = (phase) =>
    request.onProgress?.({ phase, filesDone: Math.min(filesDone, filesAll), filesAll, bytesWritten: out.sizeBytes() });
  const giveTurn = async (): Promise<void> => {
    if (request.signal?.aborted === true) throw request.signal.reason;
    await new Promise<void>((resolve) => setImmediate(resolve));
  };
  return {
    report,
    turn: giveTurn,
    onFile: () => {
      filesDone += 1;
      if (filesDone % YIELD_EVERY_FILES !== 0) return null;
      report('writing');
      return giveTurn();
    },
  };
}
