/**
 * What the sync engine asks of a remote. A connector knows the wire and nothing of the vault: it imports no store, gets
 * its key and address when it is made, and answers in values. Every call takes an AbortSignal and has a time limit.
 *
 * A call that fails as a whole throws an AppError with a code `remote.*` (its class: {@link errorClassOf}); what fails
 * for one record alone is an outcome of that record. Connectors never retry by themselves and never wait for a
 * `Retry-After`: they put it into `retryAfterMs` and the engine waits.
 */
import type { AppError, ErrorCode } from '../../shared/errors.ts';
import type { Remote } from '../../shared/model.ts';

/** Tables that a remote can hold, by the names they have everywhere. */
export type SyncTable = 'decision_vault' | 'memories' | 'activities' | 'file_snapshots';
/** Records that a person edits: merged field by field. The other tables are append-only. */
export type MergedTable = Extract<SyncTable, 'decision_vault' | 'memories'>;

export type FieldValue = string | number | boolean | null | readonly string[];
/** Fields by their names in `shared/model.ts` (camelCase), times in `*Ms`. */
export type Fields = Readonly<Record<string, FieldValue>>;

/** The fields that are merged, per table; everything else of a record is carried along. */
export const MERGED_FIELDS = {
  decision_vault: [
    'title',
    'decision',
    'type',
    'category',
    'status',
    'priority',
    'tags',
    'date',
    'sourcePath',
    'sourceSha256',
    'supersedes',
    'deletedAtMs',
  ],
  memories: [
    'title',
    'content',
    'kind',
    'category',
    'status',
    'tags',
    'sourcePath',
    'sourceSha256',
    'supersedes',
    'deletedAtMs',
  ],
} as const satisfies Record<MergedTable, readonly string[]>;

/** The content of a file version on its way out: text only, already redacted. */
export type OutgoingContent =
  | { readonly kind: 'text'; readonly text: string; readonly redactions: number }
  /** Nothing is sent besides the row, and why: no text, a deletion, too large, withheld for its secrets. */
  | { readonly kind: 'none'; readonly reason: 'binary' | 'deleted' | 'too_large' | 'held' };

/** A record as the remote is to hold it. Texts are already redacted. */
export type OutgoingRecord = {
  readonly table: SyncTable;
  readonly id: string;
  /** Its row or page over there, when it is known under another id than ours. */
  readonly remoteId: string | null;
  /** Every field of the table, merged ones and others (`createdAtMs`, `updatedAtMs`, `deviceId`, `origin`, ...). */
  readonly fields: Fields;
  /** What both sides last agreed on: what differs from it is what this push changes. Null: the remote never had it. */
  readonly base: Fields | null;
  /** The version of the remote that `base` was read at, as the connector gave it; null when it never had it. */
  readonly baseVersion: string | null;
  /** Only for `file_snapshots`. */
  readonly content: OutgoingContent | null;
};

/** A record as a remote holds it. */
export type RemoteRecord = {
  readonly table: SyncTable;
  /** Our id; null for one that was created over there and carries none yet. */
  readonly id: string | null;
  readonly remoteId: string;
  /** The fields that could be read. A merged field that is missing here is not merged (see `problems`). */
  readonly fields: Fields;
  /** Fields whose value makes no sense (an unknown status, a missing title): reported, never merged, never overwritten. */
  readonly problems: readonly FieldProblem[];
  /** Opaque; changes whenever the record changes over there. */
  readonly version: string;
  /** When it was last edited over there, by the remote's clock; null when it does not say. */
  readonly editedAtMs: number | null;
};

export type FieldProblem = { readonly field: string; readonly value: string; readonly reason: string };

/** What became of one pushed record. */
export type PushOutcome =
  /** The remote holds `fields` now, durably. `base` is what is to be remembered as agreed. */
  | {
      readonly kind: 'done';
      readonly id: string;
      readonly remoteId: string | null;
      readonly version: string | null;
      readonly base: Fields | null;
    }
  /** It was edited over there since `baseVersion`; nothing was written. To be merged with `current`, then pushed again. */
  | { readonly kind: 'changed'; readonly id: string; readonly current: RemoteRecord }
  /** The remote has it no longer, though it had; nothing was written. */
  | { readonly kind: 'gone'; readonly id: string }
  /** This one record failed; the others are not affected. The class of the code says what to do with it. */
  | { readonly kind: 'failed'; readonly id: string; readonly error: AppError };

export type PullPage = {
  readonly records: readonly RemoteRecord[];
  /** Records that the remote says are gone for good (not retired), by our id. One that is in `records`, too, is there. */
  readonly gone: readonly { readonly table: SyncTable; readonly id: string | null; readonly remoteId: string }[];
  /** Tables that could not be read, each with its reason; the others are whole, and the cursor waits for these. */
  readonly failed?: readonly { readonly table: SyncTable; readonly error: AppError }[];
  /** Where to go on; opaque, safe to store once the records of this page are durable. */
  readonly cursor: string;
  readonly hasMore: boolean;
};

/** One step of a connection test, in the order in which they are tried; the first that fails ends it. */
export type CheckStep = {
  /** `dns`, `tcp`, `tls`, `key`, `permission`, `schema`, `shared`, ... */
  readonly id: string;
  readonly title: string;
  readonly verdict: 'ok' | 'failed' | 'warning' | 'skipped';
  /** What was found, and for a failure what it means. */
  readonly detail: string;
  /** What to do; null when nothing. */
  readonly fix: string | null;
  /** Set when {@link Connector.prepare} can mend it. */
  readonly canPrepare: boolean;
  readonly code: ErrorCode | null;
};

/** What `prepare` would create over there: a value, shown before it is done. */
export type PreparePlan = { readonly steps: readonly string[]; readonly apply: (signal: AbortSignal) => Promise<void> };

export type Connector = {
  readonly remote: Remote;
  /** Tables that this remote is configured to hold. */
  readonly tables: readonly SyncTable[];
  /**
   * Identifies what is at the other end (project and schema, database): when it differs from the one that was known,
   * the remote was recreated or exchanged, and nothing of the old links may be believed.
   */
  readonly identity: (signal: AbortSignal) => Promise<string>;
  /**
   * For a remote that can be given more tables: the identity to remember when `found` is the remote of `known` with a
   * table more or less; null when it is another one. Without it only the same identity is the same remote.
   */
  readonly joinIdentity?: (known: string, found: string) => string | null;
  /**
   * Writes records, each all or nothing; at least once is safe, the effect is exactly once. Never overwrites an edit
   * that the caller has not seen (`changed`). Order within a record is kept by the caller: it never has the same record
   * in two calls at once. Gives one outcome per record, in any order; throws when none could be tried.
   */
  readonly push: (records: readonly OutgoingRecord[], signal: AbortSignal) => Promise<readonly PushOutcome[]>;
  /** How many records one `push` takes at most, adapted to what succeeded. */
  readonly batchSize: () => number;
  /** How many `push` calls may run at the same time; 1 unless told. They never share a record. */
  readonly parallelPushes?: number;
  /**
   * What changed since the cursor (null: everything), oldest first. May repeat what was given before, never skips
   * anything, whatever commits late over there.
   */
  readonly pull: (cursor: string | null, signal: AbortSignal) => Promise<PullPage>;
  /** Reads single records by our ids; missing ones are left out. For reconciling and for tests of what arrived. */
  readonly read: (table: SyncTable, ids: readonly string[], signal: AbortSignal) => Promise<readonly RemoteRecord[]>;
  /**
   * Reads single records by their ids over there, retired or not; `gone` are those that the remote has no longer. For a
   * remote whose listings do not tell of everything.
   */
  readonly readLinked?: (
    links: readonly { readonly table: SyncTable; readonly id: string; readonly remoteId: string }[],
    signal: AbortSignal,
  ) => Promise<PullPage>;
  /** Tests the connection step by step; never throws for what a step can say. */
  readonly check: (signal: AbortSignal) => Promise<readonly CheckStep[]>;
  /** What would have to be created over there; an empty list of steps when nothing. */
  readonly prepare: (signal: AbortSignal) => Promise<PreparePlan>;
  /** Calls back when the remote hints that something changed; pulling on schedule never depends on it. */
  readonly listen: (onHint: () => void) => () => void;
  readonly close: () => Promise<void>;
};

/** What an error of a remote asks for. */
export type ErrorClass =
  /** Try again by itself, later. */
  | 'retry'
  /** The key is not accepted: a person must give another one. */
  | 'reauth'
  /** Something over there must be mended by a person first (permission, schema, sharing). */
  | 'blocked'
  /** This record as it is will never be taken: set it aside and show it. */
  | 'rejected';

/** The class of a failure. What is no known failure of a remote is tried again: it may be the network. */
export function errorClassOf(code: ErrorCode): ErrorClass {
  switch (code) {
    case 'remote.unauthorized':
      return 'reauth';
    case 'remote.forbidden':
    case 'remote.not_shared':
    case 'remote.schema':
    case 'remote.wrong_project':
    case 'remote.quota':
      return 'blocked';
    case 'remote.rejected':
    case 'remote.too_large':
    case 'remote.held':
      return 'rejected';
    default:
      return 'retry';
  }
}
