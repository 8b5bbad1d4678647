/** What a session is made of, what it can do, and what it knows while it runs. */
import type { RemoteStatus, SyncHold, SyncPlan } from '../../shared/contract-sync.ts';
import type { OutboxSummary, Remote } from '../../shared/model.ts';
import type { Connector, SyncTable } from './connector.ts';
import type { IntakeParts, LossAnswer } from './intake.ts';
import type { Leader } from './leader.ts';
import type { PausedTable, Pusher } from './push.ts';

export type SessionParts = IntakeParts & {
  readonly remote: Remote;
  readonly push: Pusher;
  /** null where every device may talk to the remote. */
  readonly leader: Leader | null;
  readonly isSafeMode: () => boolean;
  /** How often changes are read without a hint. */
  readonly pullEveryMs: number;
  readonly monotonicMs: () => number;
};

export type RunOptions = {
  /** A person asked: waits for a later attempt are not kept. */
  readonly isAsked: boolean;
  /** `first` reads what changed; `if_needed` reads only when sending finds edits over there; `never` leaves these waiting. */
  readonly pull: 'first' | 'if_needed' | 'never';
  readonly push: boolean;
  readonly reconcile?: boolean;
  readonly answer?: LossAnswer;
};

export type Session = {
  readonly remote: Remote;
  /** Another connector, or none: forgets what went wrong with the one before. */
  readonly connect: (connector: Connector | null) => void;
  readonly connector: () => Connector | null;
  /** Reads and sends once, after what runs already. Never rejects: what went wrong is in the answer. */
  readonly run: (options: RunOptions) => Promise<SyncPlan>;
  /** What a run would do, without doing any of it. */
  readonly plan: (options: { readonly pull: boolean }) => Promise<SyncPlan>;
  /** See `sync.decide`. Throws `not_found.entry` when nothing is held. */
  readonly decide: (decision: 'accept' | 'refuse') => Promise<void>;
  readonly status: (summary: OutboxSummary) => RemoteStatus;
  /** Runs by itself from now on. */
  readonly start: () => void;
  /** Something may be due: looks again. `isHint`: the remote says that it changed. */
  readonly wake: (why: 'queued' | 'hint' | 'network') => void;
  /** Ends after what is in flight was given up; nothing is lost by it. */
  readonly stop: () => Promise<void>;
};

export type Holds = { readonly [K in SyncHold['kind']]?: SyncHold };

/** What is forgotten at the end: everything else is in the vault. Times are of the monotonic clock. */
export type SessionState = {
  connector: Connector | null;
  isIdentified: boolean;
  isRunning: boolean;
  isStopped: boolean;
  /** Runs that are going on. */
  active: number;
  pullDueAtMs: number;
  /** Hints so far: one that comes while a pull runs asks for another one. */
  hints: number;
  reconcileDueAtMs: number;
  triedAtMs: number;
  /** Tables that the last look could not read; the rest was. */
  unread: ReadonlyMap<SyncTable, PausedTable>;
};

export const newSessionState = (): SessionState => ({
  connector: null,
  isIdentified: false,
  isRunning: false,
  isStopped: false,
  active: 0,
  pullDueAtMs: 0,
  hints: 0,
  reconcileDueAtMs: Number.POSITIVE_INFINITY,
  triedAtMs: Number.NEGATIVE_INFINITY,
  unread: new Map(),
});
