/** What has to happen here because of what a remote has: a value, made by reading only. */
import { z } from 'zod';
import { activityKind, type EditableRecord, type Remote, recordTable } from '../../shared/model.ts';
import type { ForeignActivity } from '../store/activities.ts';
import { uuidv5 } from '../store/ids.ts';
import type { Link } from '../store/links.ts';
import type { FieldProblem, Fields, FieldValue, MergedTable, RemoteRecord, SyncTable } from './connector.ts';
import { type FieldConflict, isSame, type Merge, mergeRecord } from './merge.ts';
import { mergedFields, parseBase, redactFields } from './outgoing.ts';
import { withoutOwn } from './own-values.ts';
import type { SyncShell, SyncStores } from './parts.ts';
import { putBack } from './put-back.ts';
import { checkRemote, isMerged } from './record-check.ts';

/** One thing that a remote tells. */
export type Incoming =
  | { readonly kind: 'record'; readonly record: RemoteRecord }
  | { readonly kind: 'gone'; readonly table: SyncTable; readonly id: string | null; readonly remoteId: string };

export type MergeChange = {
  readonly kind: 'merge';
  readonly table: MergedTable;
  readonly id: string;
  readonly record: RemoteRecord;
  /** The record as it is here; null creates it. */
  readonly local: EditableRecord | null;
  readonly link: Link | undefined;
  /** What changes here, as it is written: with the secrets that never left. */
  readonly apply: Fields;
  readonly confirmed: readonly string[];
  /** What the remote still has to hear, and what of it. */
  readonly push: readonly string[];
  /** The row over there does not carry our id yet. */
  readonly needsId: boolean;
  readonly conflicts: readonly FieldConflict[];
  readonly problems: readonly FieldProblem[];
  readonly nextBase: Fields;
  /** What would be taken away here, for the breaker. */
  readonly loss: 'delete' | 'overwrite' | null;
};

export type GoneChange = {
  readonly kind: 'gone';
  readonly table: MergedTable;
  readonly id: string;
  readonly link: Link;
  readonly local: EditableRecord;
  /** `retire` follows the remote; `recreate`: an edit here beats it; `forget`: it was retired here before. */
  readonly action: 'retire' | 'recreate' | 'forget';
  readonly loss: 'delete' | null;
};

export type Change =
  | { readonly kind: 'none'; readonly loss: null }
  | {
      readonly kind: 'activity';
      readonly activity: ForeignActivity;
      readonly record: RemoteRecord;
      readonly loss: null;
    }
  | MergeChange
  | GoneChange;

const NONE: Change = { kind: 'none', loss: null };

export type Planner = (remote: Remote, incoming: Incoming) => Change;

export function createPlanner(stores: SyncStores, shell: Pick<SyncShell, 'redact'>): Planner {
  return (remote, incoming) => {
    if (incoming.kind === 'gone') return planGone(stores, shell, remote, incoming);
    const { record } = incoming;
    if (isMerged(record.table)) return planRecord(stores, shell, remote, record.table, record);
    return record.table === 'activities' ? planActivity(stores, remote, record) : NONE;
  };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Which record of ours a row is. Its link decides before the id that it carries: a page that was duplicated over there
 * carries the id of the first one, and is another record. An id that is none of ours is made from the row's own.
 */
export function recordIdOf(stores: SyncStores, remote: Remote, record: RemoteRecord): string {
  const linked = stores.links.findByRemoteId(remote, record.table, record.remoteId);
  if (linked !== undefined) return linked.recordId;
  const own = uuidv5(`${remote}:${record.table}:${record.remoteId}`);
  const given = record.id?.toLowerCase() ?? null;
  if (given === null || !UUID.test(given)) return own;
  const other = stores.links.find(remote, record.table, given)?.remoteId ?? null;
  return other === null || other === record.remoteId ? given : own;
}

function planRecord(
  stores: SyncStores,
  shell: Pick<SyncShell, 'redact'>,
  remote: Remote,
  table: MergedTable,
  record: RemoteRecord,
): Change {
  const id = recordIdOf(stores, remote, record);
  const { fields, problems: found } = checkRemote(table, record);
  const local = stores.records.get(table, id) ?? null;
  const link = stores.links.find(remote, table, id);
  const base = parseBase(link);
  const left = found.filter((problem) => isLeftEmpty(problem, base)).map(({ field }) => field);
  const problems = found.filter(({ field }) => !left.includes(field));
  const common = { kind: 'merge', table, id, record, local, link, problems, needsId: record.id !== id } as const;
  if (local === null) {
    // Nothing to call it by: somebody is about to write it over there.
    if (fields.title === undefined) return NONE;
    const created = { apply: fields, confirmed: [], push: left, conflicts: [], nextBase: fields, loss: null };
    return { ...common, ...created };
  }
  const raw = mergedFields(table, local as unknown as Fields);
  const seen = mergedFields(table, redactFields(table, raw, shell.redact).fields);
  let times: ReadonlyMap<string, number> | null = null;
  const merged = mergeRecord({
    table,
    base,
    local: seen,
    remote: fields,
    localEditedAtMs: (field) => {
      times ??= stores.records.times(table, id);
      return times.get(field) ?? local.createdAtMs;
    },
    remoteEditedAtMs: record.editedAtMs,
  });
  const merge = withoutOwn(merged, { stores, shell, local, link });
  const isTold = problems.length + left.length === 0 && !common.needsId && !hasInvalid(stores, remote, table, id);
  if (isTold && isEcho(merge, link, record)) return NONE;
  const { apply, lost } = withSecrets(merge, raw, seen, shell.redact, record.editedAtMs);
  return {
    ...common,
    apply,
    confirmed: merge.confirmed,
    push: [...Object.keys(merge.toPush), ...left],
    conflicts: [...merge.conflicts.map((conflict) => ({ ...conflict, mine: raw[conflict.field] ?? null })), ...lost],
    nextBase: merge.nextBase,
    loss: lossOf(local, apply, merge.conflicts),
  };
}

/** Fields that every record has, and that a person who makes one over there need not fill in. */
const CHOICES = ['status', 'priority', 'kind'];
/** As long as nothing was agreed on it is no mistake: the record has the value of every new one, and the remote hears of it. */
const isLeftEmpty = ({ field, value }: FieldProblem, base: Fields | null): boolean =>
  value === '' && CHOICES.includes(field) && base?.[field] === undefined;

/** Nothing new: what we know already, or what we wrote ourselves. */
function isEcho(merge: Merge, link: Link | undefined, record: RemoteRecord): boolean {
  const isQuiet =
    Object.keys(merge.toApply).length + Object.keys(merge.toPush).length + merge.conflicts.length === 0 &&
    merge.confirmed.length === 0;
  return isQuiet && link !== undefined && link.baseVersion === record.version && link.remoteId === record.remoteId;
}

function hasInvalid(stores: SyncStores, remote: Remote, table: MergedTable, id: string): boolean {
  return stores.conflicts.openOf(table, id).some((one) => one.kind === 'invalid' && one.remote === remote);
}

/** Secrets that never left are put back into texts that were edited over there; where that fails, ours is kept aside. */
function withSecrets(
  merge: Merge,
  raw: Fields,
  seen: Fields,
  redact: SyncShell['redact'],
  editedAtMs: number | null,
): { readonly apply: Fields; readonly lost: readonly FieldConflict[] } {
  const lost: FieldConflict[] = [];
  const entries = Object.entries(merge.toApply).map(([field, value]): [string, FieldValue] => {
    const mine = raw[field] ?? null;
    const shown = seen[field] ?? null;
    if (isSame(field, mine, shown)) return [field, value];
    if (typeof mine === 'string' && typeof shown === 'string' && typeof value === 'string') {
      const whole = putBack(mine, shown, value);
      if (whole !== null && redact(whole).text === value) return [field, whole];
    }
    if (!merge.conflicts.some((conflict) => conflict.field === field)) {
      const times = { mineEditedAtMs: null, theirsEditedAtMs: editedAtMs };
      lost.push({ field, kind: 'edit', mine, theirs: value, base: shown, ...times, winner: 'theirs' });
    }
    return [field, value];
  });
  return { apply: Object.fromEntries(entries), lost };
}

const TEXTS = ['title', 'decision', 'content'];

function lossOf(
  local: EditableRecord,
  apply: Fields,
  conflicts: readonly FieldConflict[],
): 'delete' | 'overwrite' | null {
  if (local.deletedAtMs === null && (apply.deletedAtMs ?? null) !== null) return 'delete';
  const values = local as unknown as Fields;
  const isEmptied = TEXTS.some((field) => apply[field] === '' && values[field] !== '');
  const isBeaten = conflicts.some((one) => one.winner === 'theirs' && one.kind === 'edit' && TEXTS.includes(one.field));
  return isEmptied || isBeaten ? 'overwrite' : null;
}

function planGone(
  stores: SyncStores,
  shell: Pick<SyncShell, 'redact'>,
  remote: Remote,
  { table, id: givenId, remoteId }: Extract<Incoming, { kind: 'gone' }>,
): Change {
  if (!isMerged(table)) return NONE;
  const link =
    stores.links.findByRemoteId(remote, table, remoteId) ??
    (givenId === null ? undefined : stores.links.find(remote, table, givenId));
  // A row that was moved to another one of the same record says nothing about the record.
  if (link === undefined || (link.remoteId !== null && link.remoteId !== remoteId)) return NONE;
  const base = parseBase(link);
  const local = stores.records.get(table, link.recordId);
  if (base === null || local === undefined) return NONE;
  const common = { kind: 'gone', table, id: link.recordId, link, local } as const;
  const seen = redactFields(table, mergedFields(table, local as unknown as Fields), shell.redact).fields;
  const edited = Object.keys(base).filter((field) => !isSame(field, seen[field], base[field]));
  // Retired on both sides; only what was edited besides has still to be told.
  if (local.deletedAtMs !== null && edited.every((field) => field === 'deletedAtMs'))
    return { ...common, action: 'forget', loss: null };
  return edited.length > 0
    ? { ...common, action: 'recreate', loss: null }
    : { ...common, action: 'retire', loss: 'delete' };
}

const nullable = z.string().nullable().catch(null);
const foreignActivity = z.object({
  kind: activityKind,
  summary: nullable,
  path: nullable,
  snapshotId: nullable,
  recordTable: recordTable.nullable().catch(null),
  recordId: nullable,
  origin: z.string().catch('unknown'),
  occurredAtMs: z.number().int(),
  deviceId: z.string(),
});

/** What another device noted is added as it is; what this version does not know stays where it is. */
function planActivity(stores: SyncStores, remote: Remote, record: RemoteRecord): Change {
  const { id } = record;
  if (id === null || stores.links.find(remote, 'activities', id) !== undefined) return NONE;
  const parsed = foreignActivity.safeParse(record.fields);
  return parsed.success ? { kind: 'activity', activity: { id, ...parsed.data }, record, loss: null } : NONE;
}
