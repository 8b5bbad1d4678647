/** Sends what waits for one remote: leases, reads, redacts, pushes, and notes what became of each record. */
import { AppError, type ErrorCode } from '../../shared/errors.ts';
import type { Remote } from '../../shared/model.ts';
import type { Acknowledgement, LeasedEntry } from '../store/outbox.ts';
import { HELD } from '../store/record-remote.ts';
import { backoffMs } from './backoff.ts';
import { mustHold } from './breaker.ts';
import {
  type Connector,
  errorClassOf,
  type Fields,
  MERGED_FIELDS,
  type OutgoingRecord,
  type PushOutcome,
  type RemoteRecord,
  type SyncTable,
} from './connector.ts';
import { withDeadline } from './deadline.ts';
import { mergedFields, type Outgoing, type Prepared } from './outgoing.ts';
import type { SyncShell, SyncStores } from './parts.ts';
import type { Incoming } from './plan-change.ts';
import { isMerged } from './record-check.ts';
import type { Tally } from './tally.ts';

export const PUSH_LIMIT_MS = 120_000;
const LEASE_MS = 15 * 60_000;
/** Text of one batch; what is above waits for the next one. */
const BATCH_BYTES = 8_000_000;

export type PausedTable = { readonly code: ErrorCode; readonly message: string; readonly hint: string };

export type PushOrder = {
  readonly connector: Connector;
  readonly signal: AbortSignal;
  readonly tally: Tally;
  /** At most so many records per call: few while the remote has trouble. */
  readonly batchSize: () => number;
  readonly pausedTables: () => readonly SyncTable[];
  readonly pause: (table: SyncTable, why: PausedTable) => void;
  /** Retirements that a person agreed to send. */
  readonly allowance: () => number;
  readonly hold: (deletes: number, total: number, sample: readonly string[]) => void;
  /** Before each call: throws when this device may not write just now. */
  readonly assertMayWrite: () => void;
  /** True ends it after what is in flight: something else is due. */
  readonly shouldEnd: () => boolean;
  readonly onDone: (records: number) => void;
};

/** What was found over there while sending: to be merged before these records are sent again. */
export type PushEnd = { readonly found: readonly FoundChange[]; readonly error: unknown };
export type FoundChange = {
  /** The record as it was to be sent. */
  readonly record: OutgoingRecord;
  readonly incoming: Incoming;
};

export type Pusher = (remote: Remote, order: PushOrder) => Promise<PushEnd>;

export type PusherParts = { readonly stores: SyncStores; readonly shell: SyncShell; readonly outgoing: Outgoing };

type Found = FoundChange & { readonly entry: LeasedEntry };
type Job = {
  readonly entry: LeasedEntry;
  readonly record: OutgoingRecord;
  readonly unread: Extract<Prepared, { kind: 'send' }>['unread'];
};

export function createPusher(parts: PusherParts): Pusher {
  const { stores } = parts;
  return async (remote, order) => {
    const found: Found[] = [];
    const inFlight = new Set<Promise<void>>();
    let error: unknown = null;
    const lease = (): readonly LeasedEntry[] => {
      if (error !== null || order.signal.aborted || order.shouldEnd()) return [];
      return stores.outbox.lease(remote, Math.max(1, order.batchSize()), LEASE_MS, order.pausedTables());
    };
    for (;;) {
      while (inFlight.size < (order.connector.parallelPushes ?? 1)) {
        const entries = lease();
        if (entries.length === 0) break;
        const batch = pushBatch(parts, remote, order, entries, found).catch((cause: unknown) => {
          error ??= cause;
        });
        inFlight.add(batch);
        void batch.then(() => inFlight.delete(batch));
      }
      if (inFlight.size === 0) break;
      await Promise.race(inFlight);
    }
    // Only now: what has to be merged first would be sent again and again.
    stores.outbox.release(found.map(({ entry }) => entry));
    return { found: found.map(({ record, incoming }) => ({ record, incoming })), error };
  };
}

async function pushBatch(
  parts: PusherParts,
  remote: Remote,
  order: PushOrder,
  entries: readonly LeasedEntry[],
  found: Found[],
): Promise<void> {
  const { stores } = parts;
  let open: readonly LeasedEntry[] = entries;
  try {
    const jobs = holdRetirements(parts, remote, order, await prepare(parts, remote, entries));
    open = jobs.map((job) => job.entry);
    if (jobs.length === 0) return;
    order.assertMayWrite();
    const records = jobs.map((job) => job.record);
    const outcomes = await withDeadline(PUSH_LIMIT_MS, order.signal, (signal) => order.connector.push(records, signal));
    settleOutcomes(parts, order, jobs, outcomes, found);
    open = [];
  } catch (cause) {
    giveBack(parts, open, cause);
    throw cause;
  } finally {
    // Whatever happened, no lease outlives its batch.
    stores.outbox.release(open);
  }
}

/** Reads the payloads; what is not to be sent is settled here. */
async function prepare({ stores, outgoing }: PusherParts, remote: Remote, entries: readonly LeasedEntry[]) {
  const jobs: Job[] = [];
  const gone: Acknowledgement[] = [];
  let bytes = 0;
  for (const [index, entry] of entries.entries()) {
    if (bytes > BATCH_BYTES) {
      stores.outbox.release(entries.slice(index));
      break;
    }
    const prepared = await outgoing.prepare(remote, entry.table, entry.recordId);
    if (prepared.kind === 'send') {
      bytes += prepared.sizeBytes;
      jobs.push({ entry, record: prepared.record, unread: prepared.unread });
    } else if (prepared.kind === 'park') {
      stores.outbox.park([entry], prepared.code, prepared.message);
    } else {
      gone.push({ entry, remoteId: null, baseJson: null, baseVersion: null });
    }
  }
  if (gone.length > 0) stores.outbox.complete(gone);
  return jobs;
}

const isRetirement = ({ record: { table, fields, base } }: Job): boolean =>
  isMerged(table) && base !== null && (fields.deletedAtMs ?? null) !== null && (base.deletedAtMs ?? null) === null;

/** Retirements that are too many at once are set aside until a person decides; everything else goes on. */
function holdRetirements(
  { stores, shell }: PusherParts,
  remote: Remote,
  order: PushOrder,
  jobs: readonly Job[],
): readonly Job[] {
  const retirements = jobs.filter(isRetirement);
  const held = retirements.filter(({ record }) => {
    if (!isMerged(record.table)) return false;
    const own = retirements.filter((job) => job.record.table === record.table).length;
    const deletes = own + stores.records.pendingRetirements(remote, record.table);
    const total = stores.records.count(record.table) + deletes;
    return deletes > order.allowance() && mustHold({ deletes, overwrites: 0, total }, shell.settings().limits);
  });
  if (held.length === 0) return jobs;
  const [first] = held;
  stores.outbox.park(
    held.map((job) => job.entry),
    HELD,
    'Many records would be retired over there at once.',
  );
  if (first !== undefined && isMerged(first.record.table)) {
    const { table } = first.record;
    const deletes = stores.records.pendingRetirements(remote, table);
    const sample = held.slice(0, 10).map(({ record }) => `Retire over there: ${String(record.fields.title ?? '')}`);
    order.hold(deletes, stores.records.count(table) + deletes, sample);
  }
  return jobs.filter((job) => !held.includes(job));
}

function settleOutcomes(
  parts: PusherParts,
  order: PushOrder,
  jobs: readonly Job[],
  outcomes: readonly PushOutcome[],
  found: Found[],
): void {
  const { stores, shell } = parts;
  const byId = new Map(outcomes.map((outcome) => [outcome.id, outcome]));
  const done: Acknowledgement[] = [];
  const failures: { readonly job: Job; readonly error: AppError }[] = [];
  let changed = 0;
  for (const job of jobs) {
    const outcome = byId.get(job.record.id);
    if (outcome?.kind === 'done') done.push(acknowledge(job, outcome));
    else if (outcome?.kind === 'failed') failures.push({ job, error: outcome.error });
    else if (outcome === undefined) failures.push({ job, error: silent() });
    else {
      changed += 1;
      const { entry, record } = job;
      found.push({ entry, record, incoming: incomingOf(job, outcome.kind === 'changed' ? outcome.current : null) });
    }
  }
  if (done.length > 0) {
    stores.outbox.complete(done);
    for (const { record } of jobs) {
      if (byId.get(record.id)?.kind !== 'done') continue;
      order.tally.push(record.table, String(record.fields.title ?? ''), isRetirement({ record } as Job));
    }
    order.onDone(done.length);
    const nowMs = shell.nowMs();
    shell.onSent?.(done.map(({ entry }) => nowMs - entry.enqueuedAtMs));
  }
  const rest = failures.filter((failure) => !settleFailure(parts, order, failure.job, failure.error));
  const [first] = rest;
  // Where nothing at all got through it is the remote that has trouble, not these records.
  if (first !== undefined && done.length + changed === 0 && rest.length === jobs.length) throw first.error;
  if (rest.some(({ error }) => errorClassOf(error.code) === 'reauth')) throw first?.error;
}

const silent = (): AppError => new AppError('remote.bad_answer', 'The answer says nothing of this record.');

function acknowledge({ entry, record, unread }: Job, outcome: Extract<PushOutcome, { kind: 'done' }>): Acknowledgement {
  const { table } = record;
  const base = isMerged(table) ? (outcome.base ?? mergedFields(table, record.fields)) : null;
  return {
    entry,
    remoteId: outcome.remoteId,
    // What is undefined is not written: such a field was never agreed on.
    baseJson: base === null ? null : JSON.stringify({ ...heldFields(table, base), ...unread }),
    baseVersion: outcome.version,
  };
}

/** The merged fields that the remote can hold at all. */
function heldFields(table: SyncTable, base: Fields): Fields {
  const known: readonly string[] = isMerged(table) ? MERGED_FIELDS[table] : [];
  return Object.fromEntries(Object.entries(base).filter(([field]) => known.includes(field)));
}

function incomingOf({ record }: Job, current: RemoteRecord | null): Incoming {
  if (current !== null) return { kind: 'record', record: current };
  return { kind: 'gone', table: record.table, id: record.id, remoteId: record.remoteId ?? record.id };
}

/** What one record's failure means for it; true when nobody else has to hear of it. */
function settleFailure(
  { stores, shell }: PusherParts,
  order: PushOrder,
  { entry, record }: Job,
  error: AppError,
): boolean {
  switch (errorClassOf(error.code)) {
    case 'rejected':
      stores.outbox.park([entry], error.code, error.message);
      return true;
    case 'blocked':
      stores.outbox.release([entry]);
      order.pause(record.table, { code: error.code, message: error.message, hint: error.hint });
      return true;
    case 'reauth':
      stores.outbox.release([entry]);
      return false;
    case 'retry': {
      const waitMs = backoffMs(entry.attempts + 1, shell.random, error.retryAfterMs);
      stores.outbox.retryLater([entry], shell.nowMs() + waitMs, error.code, error.message);
      return false;
    }
  }
}

/** A call that failed as a whole. One record alone may be what it fails of: then the next probe takes another one. */
function giveBack({ stores, shell }: PusherParts, entries: readonly LeasedEntry[], cause: unknown): void {
  const [only] = entries;
  if (entries.length !== 1 || only === undefined || !(cause instanceof AppError)) return;
  if (errorClassOf(cause.code) === 'rejected') stores.outbox.park([only], cause.code, cause.message);
  else if (cause.code === 'remote.bad_answer' || cause.code === 'remote.unavailable') {
    const waitMs = backoffMs(only.attempts + 1, shell.random, cause.retryAfterMs);
    stores.outbox.retryLater([only], shell.nowMs() + waitMs, cause.code, cause.message);
  }
}
