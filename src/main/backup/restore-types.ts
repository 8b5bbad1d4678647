/** What restores take and give. */
import type { Exclusive } from './exclusive.ts';
import type { RestorePlan, RestoreRequest } from './plan.ts';
import type { RestoreState, RowChange } from './restore-journal.ts';
import type { BackupSource } from './source.ts';
import type { RecordTarget } from './tables.ts';

export type RestorerDeps = {
  readonly dataFolder: string;
  readonly nowMs: () => number;
  /** No backup and no other restore runs meanwhile. */
  readonly exclusive: Exclusive;
  /**
   * Keeps what will be overwritten once more where it stays beyond the 30 days of undo: as versions in the vault, or in
   * a backup. Its failure ends the restore before anything is written.
   */
  readonly keepSafe: (
    files: readonly { readonly rootId: number; readonly folder: string; readonly path: string }[],
  ) => Promise<void>;
  /** Stops watching; what it gives back starts it again and has it look at everything that changed. */
  readonly pauseWatching: () => Promise<() => Promise<void>>;
  readonly records: RecordTarget | null;
  /** From so many files on several threads write; for tests. */
  readonly lanesFrom?: number;
};

export type RestoreResult = {
  readonly id: string;
  readonly files: number;
  readonly bytes: number;
  readonly rowsInserted: number;
  readonly rowsUpdated: number;
  readonly places: readonly { readonly rootId: number; readonly folder: string }[];
  readonly durationMs: number;
};

export type RestoreProgress = {
  readonly phase: 'keeping' | 'writing' | 'moving' | 'records';
  readonly done: number;
  readonly all: number;
};

export type RestoreOptions = {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RestoreProgress) => void;
};

export type PastRestore = {
  readonly id: string;
  readonly startedAtMs: number;
  readonly backupId: string;
  readonly backupName: string;
  readonly state: RestoreState;
  readonly files: number;
  readonly overwritten: number;
  readonly bytes: number;
  readonly rows: number;
  readonly rowsInserted: number;
  readonly inPlace: boolean;
  readonly places: readonly { readonly rootId: number; readonly folder: string }[];
  /** Until then it can be undone. */
  readonly undoUntilMs: number;
};

/** A plan with what is needed to apply it. */
export type PreparedRestore = {
  readonly plan: RestorePlan;
  readonly request: RestoreRequest;
  readonly changes: readonly RowChange[];
};

export type Restorer = {
  /** Reads only: for a dry run nothing more is called. */
  readonly prepare: (source: BackupSource, request: RestoreRequest) => Promise<PreparedRestore>;
  /**
   * Does what the plan says. Before the first file of the target is touched, everything new is on its disk and
   * everything that it replaces is kept. When it rejects, the target is as it was, or `restore.interrupted` says that
   * not even that could be done yet, and what is kept.
   */
  readonly apply: (source: BackupSource, prepared: PreparedRestore, options?: RestoreOptions) => Promise<RestoreResult>;
  /** Undoes a restore, the newest unless told. Throws `restore.nothing_to_undo`. */
  readonly undo: (id?: string, options?: RestoreOptions) => Promise<PastRestore>;
  /** For the start: finishes or takes back what a crash left, and removes what is older than 30 days. */
  readonly recover: () => Promise<
    readonly {
      readonly id: string;
      readonly outcome: 'completed' | 'rolled-back' | 'undone' | 'failed';
      readonly reason: string | null;
    }[]
  >;
  /** Newest first. */
  readonly list: () => readonly PastRestore[];
};
