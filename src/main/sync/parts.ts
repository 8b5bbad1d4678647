/** What the engine works with: the parts of the vault, and what the shell around it supplies. */
import type { Remote } from '../../shared/model.ts';
import type { ActivityStore } from '../store/activities.ts';
import type { ConflictStore } from '../store/conflicts.ts';
import type { Store } from '../store/database.ts';
import type { Links } from '../store/links.ts';
import type { LogStore } from '../store/logs.ts';
import type { Meta } from '../store/meta.ts';
import type { Outbox } from '../store/outbox.ts';
import type { Payloads } from '../store/payloads.ts';
import type { RemoteRecords } from '../store/record-remote.ts';
import type { RemoteStates } from '../store/remote-state.ts';
import type { RunStore } from '../store/runs.ts';
import type { BreakerLimits } from './breaker.ts';
import type { MergedTable } from './connector.ts';

export type SyncStores = {
  readonly write: Store['write'];
  readonly deviceId: string;
  readonly outbox: Outbox;
  readonly links: Links;
  readonly records: RemoteRecords;
  readonly activities: ActivityStore;
  readonly conflicts: ConflictStore;
  readonly states: RemoteStates;
  readonly payloads: Payloads;
  readonly meta: Meta;
  readonly runs: RunStore;
  readonly logs: LogStore;
  /** The bytes of a content. Throws `content.missing` or `content.damaged`. */
  readonly readContent: (sha256: Buffer) => Buffer;
};

export type Redaction = { readonly text: string; readonly redactions: number; readonly kinds: readonly string[] };

export type SyncSettings = {
  readonly limits: BreakerLimits;
  readonly batchSize: number;
  readonly reconcileMs: number;
  readonly onSecret: 'redact' | 'hold';
};

type Write = (message: string, data?: Readonly<Record<string, unknown>>) => void;
export type SyncLogger = { readonly info: Write; readonly warn: Write; readonly error: Write };

export type SyncShell = {
  readonly settings: () => SyncSettings;
  /** Until when a person lets sending rest; null when not. What a person asks for is done all the same. */
  readonly pausedUntilMs?: (() => number | null) | undefined;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly log: SyncLogger;
  /** Replaces secrets; the same text always gives the same answer. */
  readonly redact: (text: string) => Redaction;
  /** The same for contents of files, where more time may be taken; `redact` unless told. */
  readonly redactThoroughly?: ((text: string) => Promise<Redaction>) | undefined;
  /** Records of a table changed here. */
  readonly onRecords: (table: MergedTable) => void;
  /** The state of a remote, or the conflicts, changed. */
  readonly onState: (remote: Remote | null) => void;
  readonly onConflicts: () => void;
  /** A remote acknowledged records that had waited for so long; for figures. */
  readonly onSent?: ((waitedMs: readonly number[]) => void) | undefined;
};
