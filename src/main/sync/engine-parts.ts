/** What the engine is made of, and what it can do. */
import type { AgentMethods } from '../../shared/contract.ts';
import type { SyncStatus, syncMethods } from '../../shared/contract-sync.ts';
import type { EditableRecord, Remote } from '../../shared/model.ts';
import type { RowSides } from './compare-rows.ts';
import type { Connector, MergedTable } from './connector.ts';
import type { CrashGuard } from './crash-guard.ts';
import type { LeaseService } from './leader.ts';
import type { LogService } from './log-sender.ts';
import type { SyncShell, SyncStores } from './parts.ts';
import type { ReportSettings } from './reporting.ts';
import type { NoteService } from './summaries.ts';

export type SyncMethods = Pick<AgentMethods, keyof typeof syncMethods>;

/** The devices that share a project, as that project knows them. */
export type DeviceDirectory = {
  /** Says that this device is there; safe to repeat. */
  readonly seen: (device: DeviceNote, signal: AbortSignal) => Promise<void>;
  readonly list: (signal: AbortSignal) => Promise<readonly (DeviceNote & { readonly lastSeenAtMs: number })[]>;
};
export type DeviceNote = {
  readonly deviceId: string;
  readonly name: string;
  readonly version: string;
  readonly unsent: number;
};

/** What a remote brings: its connector, and where devices meet when it is the one for that. */
export type RemoteParts = {
  readonly connector: Connector;
  readonly leases?: LeaseService;
  readonly devices?: DeviceDirectory;
  /** Where lines of the log and recorded runs go besides. */
  readonly logs?: LogService;
  /** Where summaries are written. */
  readonly notes?: NoteService;
};

/** Keeps the vault and its remotes the same. The agent builds one, starts it, and stops it before the vault closes. */
export type SyncEngine = {
  /** The handlers of the contract. */
  readonly methods: SyncMethods;
  /** What `sync.status` answers; from what is stored and what runs, without asking a remote. */
  readonly status: () => SyncStatus;
  /**
   * Settings or keys changed, or it is the start: connects what is new and lets go of what is gone. Resolves when
   * that is done; never rejects.
   */
  readonly configure: () => Promise<void>;
  /** Syncs by itself from now on. */
  readonly start: () => Promise<void>;
  /** Somebody mended a remote from outside: what was known of its faults is forgotten, and it is tried at once. */
  readonly reconnect: (remote: Remote) => Promise<void>;
  /**
   * Every row of a remote next to the one here, read without changing anything. `records` gives all of a table, retired
   * ones, too. Throws what the remote says.
   */
  readonly compare: (
    remote: Remote,
    records: (table: MergedTable) => Iterable<EditableRecord>,
  ) => Promise<readonly RowSides[]>;
  /** The machine woke, or its network changed. */
  readonly wake: () => void;
  /** A pause began or ended. */
  readonly look: () => void;
  /** Forgets recorded runs that ended before. */
  readonly tidy: (beforeMs: number) => void;
  /** Ends what is in flight; what was not acknowledged is sent by the next start. */
  readonly stop: () => Promise<void>;
};

export type SyncEngineParts = {
  readonly stores: SyncStores;
  readonly shell: SyncShell;
  readonly guard: CrashGuard;
  /** Remotes that have their settings; what each is made from, so that a change is noticed. */
  readonly configured: () => readonly { readonly remote: Remote; readonly key: string }[];
  /** Null when there is no connector for it. Throws AppErrors. */
  readonly connect: (remote: Remote, assertMayWrite: () => void) => Promise<RemoteParts | null>;
  readonly reporting: () => ReportSettings;
  readonly device: { readonly name: string; readonly version: string };
  readonly monotonicMs: () => number;
  readonly exportFolder: string;
  readonly writeFile: (path: string, bytes: Buffer) => void;
};
