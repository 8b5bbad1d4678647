/** Carries out what was planned, inside the caller's transaction: record, history, conflicts, link and outbox together. */
import type { Remote } from '../../shared/model.ts';
import type { Transaction } from '../store/database.ts';
import type { NewLink } from '../store/links.ts';
import type { RemoteEdit } from '../store/record-remote.ts';
import type { SyncShell, SyncStores } from './parts.ts';
import type { Change, GoneChange, MergeChange } from './plan-change.ts';

export type Applier = {
  /** Of different records each. */
  readonly apply: (tx: Transaction, remote: Remote, changes: readonly Change[]) => void;
  /** The opposite answer to a loss: this vault's state stays, and the remote is to get it again. */
  readonly refuse: (tx: Transaction, remote: Remote, change: Change) => void;
};

export function createApplier(stores: SyncStores, shell: Pick<SyncShell, 'nowMs'>): Applier {
  return {
    apply: (tx, remote, changes) => {
      const edits = changes.map((change) => editOf(stores, shell, remote, change));
      const written = stores.records.apply(
        tx,
        edits.flatMap((edit) => edit ?? []),
      );
      const seqs = new Map(written.map((record) => [record.id, record.changeSeq]));
      for (const change of changes) settle(stores, tx, remote, change, seqs);
    },
    refuse: (tx, remote, change) => {
      if (change.kind === 'gone') settleGone(stores, tx, remote, { ...change, action: 'recreate' }, 0);
      if (change.kind === 'merge') refuseMerge(stores, tx, remote, change);
    },
  };
}

const needsPush = (change: MergeChange): boolean => change.push.length > 0 || change.needsId;
const isChanged = ({ local, apply }: MergeChange): boolean => local === null || Object.keys(apply).length > 0;

/** What has to be written of the record itself; null when nothing. */
function editOf(
  stores: SyncStores,
  shell: Pick<SyncShell, 'nowMs'>,
  remote: Remote,
  change: Change,
): RemoteEdit | null {
  if (change.kind !== 'merge' && change.kind !== 'gone') return null;
  const { table, id } = change;
  const except = (one: Remote): boolean => one !== remote;
  const others = stores.outbox.remotesFor(table).filter(except);
  const activity = stores.outbox.remotesFor('activities').filter(except);
  if (change.kind === 'gone') {
    if (change.action !== 'retire') return null;
    const fields = { deletedAtMs: shell.nowMs() };
    const remotes = { record: others, activity };
    return { table, id, fields, origin: remote, editedAtMs: null, confirmed: [], remotes };
  }
  const { confirmed, local, apply } = change;
  if (!isChanged(change) && confirmed.length === 0) return null;
  // Also of a value that was only confirmed: the time of that decides merges elsewhere.
  const record = [...others, ...(needsPush(change) ? [remote] : [])];
  return {
    table,
    id,
    fields: local === null ? { ...carriedFields(change), ...apply } : apply,
    origin: remote,
    editedAtMs: change.record.editedAtMs,
    confirmed,
    remotes: { record, activity },
  };
}

/** Everything besides the record: link, outbox, conflicts. */
function settle(
  stores: SyncStores,
  tx: Transaction,
  remote: Remote,
  change: Change,
  seqs: ReadonlyMap<string, number>,
): void {
  if (change.kind === 'activity') applyActivity(stores, tx, remote, change);
  if (change.kind === 'gone') settleGone(stores, tx, remote, change, seqs.get(change.id) ?? change.local.changeSeq);
  if (change.kind !== 'merge') return;
  const { table, id, local, link } = change;
  const seq = seqs.get(id) ?? local?.changeSeq ?? 0;
  if (needsPush(change)) stores.outbox.enqueueFor(tx, [remote], table, id, seq);
  stores.links.save(tx, linkOf(remote, change, needsPush(change) ? (link?.acknowledgedSeq ?? 0) : seq));
  if (!needsPush(change)) stores.outbox.settle(tx, { remote, table, recordId: id });
  noteConflicts(stores, tx, remote, change);
  noteInvalid(stores, tx, remote, change);
}

function linkOf(remote: Remote, change: MergeChange, acknowledgedSeq: number): NewLink {
  return {
    remote,
    table: change.table,
    recordId: change.id,
    remoteId: change.record.remoteId,
    baseJson: JSON.stringify(change.nextBase),
    baseVersion: change.record.version,
    acknowledgedSeq,
  };
}

/** What a new record brings besides its merged fields. */
function carriedFields({ record }: MergeChange): Readonly<Record<string, unknown>> {
  const { createdAtMs, deviceId, ownerId, origin } = record.fields;
  return { createdAtMs, deviceId, ownerId, origin };
}

function noteConflicts(stores: SyncStores, tx: Transaction, remote: Remote, change: MergeChange): void {
  for (const conflict of change.conflicts) {
    stores.conflicts.add(tx, { remote, table: change.table, recordId: change.id, reason: null, ...conflict });
  }
  if (change.conflicts.length === 0) return;
  const fields = change.conflicts.map((conflict) => conflict.field).join(', ');
  const title = change.local?.title ?? String(change.apply.title ?? '');
  stores.activities.append(
    tx,
    {
      kind: 'sync.conflict',
      summary: `"${title.slice(0, 80)}" was changed here and in ${remote}: ${fields}; both values are kept`,
      rootId: null,
      path: null,
      snapshotId: null,
      recordTable: change.table,
      recordId: change.id,
      origin: remote,
    },
    stores.outbox.remotesFor('activities').filter((one) => one !== remote),
  );
}

/** Values that make no sense are told once each; when they make sense again, that is noted by itself. */
function noteInvalid(stores: SyncStores, tx: Transaction, remote: Remote, change: MergeChange): void {
  const { table, id, problems, local } = change;
  const open = stores.conflicts.openOf(table, id).filter((one) => one.kind === 'invalid' && one.remote === remote);
  for (const one of open) {
    const problem = problems.find(({ field }) => field === one.field);
    if (problem === undefined || problem.value !== one.theirs) {
      const current = (local as Readonly<Record<string, unknown>> | null)?.[one.field];
      stores.conflicts.resolve(tx, one.id, { resolution: 'gone', before: current, after: current });
    }
  }
  for (const { field, value, reason } of problems) {
    if (open.some((one) => one.field === field && one.theirs === value)) continue;
    const mine = (local as Readonly<Record<string, unknown>> | null)?.[field] ?? null;
    stores.conflicts.add(tx, {
      remote,
      table,
      recordId: id,
      field,
      kind: 'invalid',
      mine,
      theirs: value,
      base: change.nextBase[field] ?? null,
      mineEditedAtMs: null,
      theirsEditedAtMs: change.record.editedAtMs,
      winner: 'mine',
      reason,
    });
  }
}

function refuseMerge(stores: SyncStores, tx: Transaction, remote: Remote, change: MergeChange): void {
  const { table, id, local, link } = change;
  stores.links.save(tx, linkOf(remote, change, link?.acknowledgedSeq ?? 0));
  if (local !== null) stores.outbox.enqueueFor(tx, [remote], table, id, local.changeSeq);
}

function settleGone(
  stores: SyncStores,
  tx: Transaction,
  remote: Remote,
  { table, id, local, link, action }: GoneChange,
  seq: number,
): void {
  stores.links.remove(tx, remote, table, id);
  if (action === 'recreate') {
    stores.outbox.enqueueFor(tx, [remote], table, id, local.changeSeq);
    return;
  }
  // The remote has nothing of it, and knows that it is retired: an entry for it would only bring it back.
  stores.links.save(tx, { ...link, remoteId: null, baseJson: null, baseVersion: null, acknowledgedSeq: seq });
  stores.outbox.settle(tx, { remote, table, recordId: id });
}

function applyActivity(
  stores: SyncStores,
  tx: Transaction,
  remote: Remote,
  { activity, record }: Extract<Change, { kind: 'activity' }>,
): void {
  const others = stores.outbox.remotesFor('activities').filter((one) => one !== remote);
  stores.activities.addForeign(tx, activity, others);
  const seq = stores.activities.get(activity.id)?.changeSeq ?? 0;
  stores.links.save(tx, {
    remote,
    table: 'activities',
    recordId: activity.id,
    remoteId: record.remoteId,
    baseJson: null,
    baseVersion: record.version,
    acknowledgedSeq: seq,
  });
  stores.outbox.settle(tx, { remote, table: 'activities', recordId: activity.id });
}
