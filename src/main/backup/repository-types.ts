/**
 * What the backup repository offers to the rest of the backup: plans, archives, drift, drills. Everything here is a
 * plain value; reading blocks the calling thread and never returns bytes that were not proven by their checksum.
 * `docs/BACKUP-FORMAT.md` says how these values lie in git objects.
 */
import type { RepositoryKeys } from './crypto.ts';

/** What opens a repository. A passphrase becomes a key with the salt that the repository carries. */
export type BackupSecret =
  | { readonly kind: 'key'; readonly key: Buffer }
  | { readonly kind: 'passphrase'; readonly passphrase: string };

/** Why a backup was made. */
export const BACKUP_REASONS = [
  'manual',
  'daily',
  'change',
  'config',
  'emergency',
  /** The copy that a restore takes first. */
  'safety',
  /** Only the wrapping of the key changed. */
  'rotation',
] as const;
export type BackupReason = (typeof BACKUP_REASONS)[number];

export type BackupRoot = {
  readonly rootId: number;
  /** Where the folder was on the device that made the backup: absolute, in our names. */
  readonly path: string;
  readonly files: number;
  readonly folders: number;
  readonly sizeBytes: number;
};

/** One backup as its authenticated manifest says. */
export type BackupSummary = {
  /** The commit, 40 hexadecimal digits: the id of the backup. */
  readonly commit: string;
  /** The commit before; null for the first. */
  readonly parent: string | null;
  /** `device/<device id>`. */
  readonly branch: string;
  readonly deviceId: string;
  /** Counts from 1 on each branch, without gaps. */
  readonly sequence: number;
  readonly createdAtMs: number;
  readonly reason: BackupReason;
  readonly tag: string | null;
  readonly agentVersion: string;
  readonly isEncrypted: boolean;
  readonly roots: readonly BackupRoot[];
  readonly files: number;
  readonly sizeBytes: number;
  /** Rows by table. */
  readonly tables: Readonly<Record<string, number>>;
  /** The change number of the vault that the backup holds everything up to. */
  readonly vaultChange: number;
  /** Files whose newest content the vault does not have; the one before it is in the backup when there was one. */
  readonly incomplete: number;
  /** Files of which redacted copies are in the backup (only where it is not encrypted). */
  readonly redacted: number;
};

/** `path` is relative to the root, `/` between names, in our names (`path-names.ts`). */
export type BackupEntry = {
  readonly rootId: number;
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'symlink';
  /** Permission bits (07777); null when not known (folders that only the paths of files tell of). */
  readonly mode: number | null;
  readonly mtimeUs: number | null;
  readonly sizeBytes: number;
  /** Hex, of the bytes that {@link RepositoryReader.readFile} gives; null for folders. */
  readonly sha256: string | null;
  /** Places that were redacted; 0 for an exact copy. */
  readonly redactions: number;
  /** True when the file changed after the content in here was read. */
  readonly isStale: boolean;
  /** Where a symbolic link points; null for everything else. */
  readonly target: string | null;
};

/** As much of an entry as is needed to find it. */
export type BackupFile = Pick<
  BackupEntry,
  'rootId' | 'path' | 'kind' | 'mode' | 'mtimeUs' | 'sizeBytes' | 'sha256' | 'redactions' | 'target'
>;

export type BackupRow = Readonly<Record<string, string | number | null>>;

export type VerifyReport = {
  readonly commit: string;
  readonly objects: number;
  readonly files: number;
  readonly sizeBytes: number;
  readonly durationMs: number;
};

/**
 * Reads one repository. Errors: `not_found.backup` for a commit, tag or path that is not there (nearest ones are
 * named), `backup.damaged` for anything that does not match what the manifest says, `backup.from_future`.
 */
export type RepositoryReader = {
  readonly gitFolder: string;
  readonly repositoryId: string;
  readonly isEncrypted: boolean;
  /** Of the key that opened it; null without encryption. */
  readonly fingerprint: string | null;
  /** Newest first, over all branches. */
  readonly listBackups: (options?: {
    readonly limit?: number;
    readonly before?: string;
    readonly branch?: string;
  }) => readonly BackupSummary[];
  /** A commit (8 digits or more), a tag, or `latest`. */
  readonly find: (name: string) => BackupSummary;
  /** The newest backup made at or before this time. */
  readonly findAt: (timeMs: number, branch?: string) => BackupSummary;
  /** What lies directly in a folder (`''` is the root's own), by name. */
  readonly readFolder: (commit: string, rootId: number, path: string) => readonly BackupEntry[];
  readonly stat: (commit: string, rootId: number, path: string) => BackupEntry | undefined;
  /** Every entry of the backup, folders before what is in them. */
  readonly entries: (commit: string, below?: readonly BelowPath[]) => Iterable<BackupEntry>;
  /** Whole content of a file; for large ones use {@link RepositoryReader.readFileChunks}. */
  readonly readFile: (commit: string, rootId: number, path: string) => Buffer;
  /**
   * The content in pieces of at most 8 MiB. The checksum is proven at the end: write to a place of its own, and use it
   * only after the last piece came without an error.
   */
  readonly readFileChunks: (commit: string, rootId: number, path: string) => AsyncIterable<Buffer>;
  /**
   * All files of a backup in the order in which they lie on the disk, which is the fast way to restore many. `content`
   * is the whole proven content up to 32 MiB, null above: read those with {@link RepositoryReader.readFileChunks}.
   */
  readonly contents: (
    commit: string,
    wanted?: (entry: BackupEntry) => boolean,
  ) => Iterable<{ readonly entry: BackupEntry; readonly content: Buffer | null }>;
  /**
   * Where these files lie, in the order of the packs: `oid` is the object of the whole content, null above 32 MiB. The
   * entries are those that {@link RepositoryReader.entries} gave.
   */
  readonly places: (
    commit: string,
    entries: readonly BackupFile[],
  ) => readonly { readonly entry: BackupFile; readonly oid: string | null }[];
  /** What another thread needs to read the contents of a backup. It has the keys in it: never log it or send it away. */
  readonly share: (commit: string) => SharedRepository;
  /** Rows by table, as they are in the vault (names and values of its columns); order of rows is not defined. */
  readonly readTable: (commit: string, table: string) => Iterable<BackupRow>;
  /** The settings at that time, without secrets. */
  readonly readSettings: (commit: string) => Readonly<Record<string, unknown>>;
  /** Proves every object that the backup needs, down to the checksum of each file. */
  readonly verify: (
    commit: string,
    options?: { readonly signal?: AbortSignal; readonly onProgress?: (done: number, all: number) => void },
  ) => Promise<VerifyReport>;
  /** Looks for objects that came since it was opened (another process wrote a backup). */
  readonly refresh: () => void;
  readonly close: () => void;
};

/** Plain values, for a thread of this process. */
export type SharedRepository = {
  readonly gitFolder: string;
  readonly repositoryId: string;
  readonly keys: RepositoryKeys | null;
};

/** A file or folder of a root, and everything below it. */
export type BelowPath = { readonly rootId: number; readonly path: string };

export type BackupRequest = {
  readonly reason: BackupReason;
  readonly tag?: string | null;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BackupProgress) => void;
};

export type BackupProgress = {
  readonly phase: 'reading' | 'writing' | 'verifying';
  readonly filesDone: number;
  readonly filesAll: number;
  readonly bytesWritten: number;
};

export type BackupResult = {
  readonly summary: BackupSummary;
  /** False when nothing had changed and no tag was asked for: `summary` is the newest backup then. */
  readonly isNew: boolean;
  readonly objectsWritten: number;
  readonly bytesWritten: number;
  readonly durationMs: number;
  /** Size of the repository in bytes, and what should be said about it. */
  readonly repositoryBytes: number;
  readonly warnings: readonly string[];
};

/** Writes backups of one vault into one repository. One at a time: `backup.busy`. */
export type RepositoryWriter = {
  /**
   * Writes, reads back and only then counts. Repeating is safe. Errors: `data.full` (earlier backups are untouched),
   * `backup.busy`, `backup.damaged` when what was read back is not what was written, `backup.refused`.
   */
  readonly backup: (request: BackupRequest) => Promise<BackupResult>;
  /**
   * From now on `next` opens the repository, its older backups included; the key before does not open what comes.
   * `persist` keeps the new key: it is called when both open it, so that a kill at any moment leaves one that does.
   * Whoever has the key before and a copy from that time can still read: after a leak, start a fresh repository.
   */
  readonly rotateKey: (next: BackupSecret, persist: () => void) => Promise<BackupResult>;
  /** The key that opens the repository now; null without encryption. */
  readonly fingerprint: () => string | null;
  /** Joins many small packs into one. Returns false when there was nothing to do. */
  readonly repack: () => boolean;
  readonly reader: RepositoryReader;
  readonly close: () => void;
};
