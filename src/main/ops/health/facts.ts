import type { MethodOutput } from '../../../shared/contract.ts';
import type { BackupStatus } from '../../../shared/contract-backup.ts';
import type { SyncStatus } from '../../../shared/contract-sync.ts';
import type { RootInfo } from '../../../shared/model.ts';

/** Everything that the checks look at: plain values, gathered by the agent, so that the verdicts are a pure function. */
export type DoctorFacts = SystemFacts & {
  /** null when it could not be read; the reason is then in `settings.warnings` or the log. */
  readonly backup: BackupStatus | null;
  readonly nowMs: number;
  readonly lock: LockFacts;
  readonly vault: {
    readonly sqliteVersion: string;
    /** The answer of `PRAGMA quick_check`: `ok`, or what is wrong; null when it was not run. */
    readonly quickCheck: string | null;
    /** The newest wall time that the vault's clock has seen; null for a new vault. */
    readonly newestMs: number | null;
  };
  readonly contents: {
    /** How many were looked at. */
    readonly checked: number;
    /** Hashes, in hex; at most a few, the counts are whole. */
    readonly missing: Sample;
    readonly damaged: Sample;
    /** Were broken and have been stored again from watched files, just now. */
    readonly mended: number;
  };
  readonly roots: readonly RootInfo[];
  readonly search: {
    readonly waiting: number;
    /** Since when the oldest of them waits; null when none does. */
    readonly waitingSinceMs: number | null;
  };
  readonly log: {
    readonly failing: string | null;
    readonly droppedFromDisk: number;
    readonly droppedFromVault: number;
    readonly folder: string;
  };
  readonly settings: Pick<MethodOutput<'settings.show'>, 'warnings' | 'off'>;
  readonly sync: {
    readonly status: SyncStatus;
    /** From so many changes on that no service has, a warning and an error. */
    readonly warnUnsent: number;
    readonly errorUnsent: number;
  };
  /** Folders that are watched; null when nothing watches (no agent runs). */
  readonly watchedFolders: number | null;
};

export type Sample = { readonly count: number; readonly sample: readonly string[] };

/** `self`: this agent holds the folder. `none`: a command works on the vault by itself, and nothing captures. */
export type LockFacts =
  | { readonly holder: 'self'; readonly pid: number }
  | { readonly holder: 'other'; readonly description: string }
  | { readonly holder: 'none' };

/** What only the operating system knows; null where it does not say. */
export type SystemFacts = {
  readonly platform: NodeJS.Platform;
  readonly nodeVersion: string;
  readonly dataFolder: { readonly path: string; readonly exists: boolean; readonly writable: boolean };
  /** Files and folders of ours that other users may reach: only those that exist. */
  readonly modes: readonly { readonly path: string; readonly kind: 'file' | 'folder'; readonly mode: number }[];
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | null;
  readonly inotify: { readonly maxUserWatches: number; readonly maxUserInstances: number } | null;
};
