/**
 * What becomes of a record that two sides hold. Pure: the same values give the same answer on every device and in
 * every order, because the winner of a field follows from the edit times and the values alone.
 */
import { type Fields, type FieldValue, MERGED_FIELDS, type MergedTable } from './connector.ts';

export type MergeInput = {
  readonly table: MergedTable;
  /** What both sides last agreed on; null when they never met. A field that is missing was never agreed on. */
  readonly base: Fields | null;
  /** As the remote would see it: secrets already taken out. */
  readonly local: Fields;
  /** What could be read over there; a field that is missing is left alone on both sides. */
  readonly remote: Fields;
  /** When a field got its local value; null when nobody knows. */
  readonly localEditedAtMs: (field: string) => number | null;
  readonly remoteEditedAtMs: number | null;
};

export type FieldConflict = {
  readonly field: string;
  /** `delete`: one side retired what the other one edited. */
  readonly kind: 'edit' | 'delete';
  readonly mine: FieldValue;
  readonly theirs: FieldValue;
  /** null when they had never agreed. */
  readonly base: FieldValue;
  readonly mineEditedAtMs: number | null;
  readonly theirsEditedAtMs: number | null;
  readonly winner: 'mine' | 'theirs';
};

export type Merge = {
  /** Every merged field as it is to be on both sides. */
  readonly merged: Fields;
  /** What has to change here. */
  readonly toApply: Fields;
  /** What has to change over there. */
  readonly toPush: Fields;
  /** Where both sides changed a field to different values; the winner is in `merged`. */
  readonly conflicts: readonly FieldConflict[];
  /**
   * The base from now on: what the remote holds, as this side has taken it in. Not `merged`: what is still to be
   * pushed was not agreed yet, and would look like an edit of the remote if it were.
   */
  readonly nextBase: Fields;
  /**
   * Fields that both sides changed to the same value, the remote later: that is when they were edited last, or the
   * next remote to disagree would meet an edit older than it is.
   */
  readonly confirmed: readonly string[];
};

/**
 * Merges field by field. One side changed: its value. Both changed to different values: the newest edit wins, the
 * greater value when the times are equal. Tags merge as sets. An edit beats a retirement. Merging again after both
 * sides took the result changes nothing.
 */
export function mergeRecord(input: MergeInput): Merge {
  const { table, base, local, remote } = input;
  const merged: Record<string, FieldValue> = {};
  const toApply: Record<string, FieldValue> = {};
  const toPush: Record<string, FieldValue> = {};
  const nextBase: Record<string, FieldValue> = {};
  const conflicts: FieldConflict[] = [];
  const confirmed: string[] = [];
  for (const field of MERGED_FIELDS[table]) {
    const mine = local[field] ?? null;
    const theirs = remote[field];
    const known = base?.[field];
    if (theirs === undefined) {
      merged[field] = mine;
      if (known !== undefined) nextBase[field] = known;
      continue;
    }
    nextBase[field] = theirs;
    const { value, conflict } = decideField(input, field, mine, theirs, known);
    merged[field] = value;
    if (!isSame(field, value, mine)) toApply[field] = value;
    if (!isSame(field, value, theirs)) toPush[field] = value;
    if (conflict !== null) conflicts.push(conflict);
    if (known !== undefined && !isSame(field, mine, known) && isSame(field, mine, theirs) && isLater(input, field))
      confirmed.push(field);
  }
  return { merged, toApply, toPush, conflicts, nextBase, confirmed };
}

/** Equal for a person: the order of tags says nothing. */
export function isSame(field: string, one: FieldValue | undefined, other: FieldValue | undefined): boolean {
  if (one === other) return true;
  if (!Array.isArray(one) || !Array.isArray(other)) return (one ?? null) === (other ?? null);
  if (field !== 'tags') return one.length === other.length && one.every((value, index) => value === other[index]);
  const left = new Set<string>(one);
  const right = new Set<string>(other);
  return left.size === right.size && [...left].every((tag) => right.has(tag));
}

type Decision = { readonly value: FieldValue; readonly conflict: FieldConflict | null };
const agreed = (value: FieldValue): Decision => ({ value, conflict: null });

function decideField(
  input: MergeInput,
  field: string,
  mine: FieldValue,
  theirs: FieldValue,
  known: FieldValue | undefined,
): Decision {
  if (isSame(field, mine, theirs)) return agreed(mine);
  if (field === 'deletedAtMs') return decideRetired(input, mine, theirs, known);
  if (known !== undefined) {
    if (isSame(field, mine, known)) return agreed(theirs);
    if (isSame(field, theirs, known)) return agreed(mine);
  }
  if (field === 'tags') return agreed(mergeTags(known, mine, theirs));
  if (known === undefined) {
    // They never met: nothing is lost by taking the one that says something.
    if (isEmpty(mine)) return agreed(theirs);
    if (isEmpty(theirs)) return agreed(mine);
  }
  const times = { mineEditedAtMs: input.localEditedAtMs(field), theirsEditedAtMs: input.remoteEditedAtMs };
  const winner = isNewer(times.theirsEditedAtMs, theirs, times.mineEditedAtMs, mine) ? 'theirs' : 'mine';
  const conflict: FieldConflict = { field, kind: 'edit', mine, theirs, base: known ?? null, ...times, winner };
  return { value: winner === 'mine' ? mine : theirs, conflict };
}

/** A total order over edits that no device and no order of arrival has a part in. */
function isNewer(atMs: number | null, value: FieldValue, otherAtMs: number | null, other: FieldValue): boolean {
  const time = atMs ?? Number.NEGATIVE_INFINITY;
  const otherTime = otherAtMs ?? Number.NEGATIVE_INFINITY;
  if (time !== otherTime) return time > otherTime;
  return JSON.stringify(value) > JSON.stringify(other);
}

function isLater({ localEditedAtMs, remoteEditedAtMs }: MergeInput, field: string): boolean {
  return remoteEditedAtMs !== null && remoteEditedAtMs > (localEditedAtMs(field) ?? Number.NEGATIVE_INFINITY);
}

function isEmpty(value: FieldValue): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

/** What either side added stays, what either side removed goes. */
function mergeTags(known: FieldValue | undefined, mine: FieldValue, theirs: FieldValue): FieldValue {
  const base = new Set(asTags(known));
  const left = new Set(asTags(mine));
  const right = new Set(asTags(theirs));
  const kept = [...base].filter((tag) => left.has(tag) && right.has(tag));
  const added = [...new Set([...left, ...right])].filter((tag) => !base.has(tag)).sort();
  return [...kept, ...added];
}

function asTags(value: FieldValue | undefined): readonly string[] {
  return Array.isArray(value) ? value : [];
}

/** Retired or not. Called only when the two sides differ. */
function decideRetired(
  input: MergeInput,
  mine: FieldValue,
  theirs: FieldValue,
  known: FieldValue | undefined,
): Decision {
  // Both retired it, at different times: nothing to disagree about.
  if (mine !== null && theirs !== null) {
    if (known !== undefined && mine === known) return agreed(theirs);
    if (known !== undefined && theirs === known) return agreed(mine);
    return agreed(Math.max(Number(mine), Number(theirs)));
  }
  // It was retired before, and one side brought it back.
  if (known !== undefined && known !== null) return agreed(null);
  const survivor = mine === null ? 'mine' : 'theirs';
  const isEdited = known === undefined ? mayBeEdited(input, survivor) : isEditedSince(input, survivor);
  if (!isEdited) return agreed(mine ?? theirs);
  const conflict: FieldConflict = {
    field: 'deletedAtMs',
    kind: 'delete',
    mine,
    theirs,
    base: null,
    mineEditedAtMs: mine === null ? newestEdit(input) : Number(mine),
    theirsEditedAtMs: theirs === null ? input.remoteEditedAtMs : Number(theirs),
    winner: survivor,
  };
  return { value: null, conflict };
}

/** Whether the side that did not retire the record changed anything of it since they agreed. */
function isEditedSince({ table, base, local, remote }: MergeInput, side: 'mine' | 'theirs'): boolean {
  const fields = side === 'mine' ? local : remote;
  return MERGED_FIELDS[table].some(
    (field) => field !== 'deletedAtMs' && fields[field] !== undefined && !isSame(field, fields[field], base?.[field]),
  );
}

/** They never met: the retirement counts only when it is later, and of exactly what the other side has. */
function mayBeEdited(input: MergeInput, survivor: 'mine' | 'theirs'): boolean {
  const { table, local, remote } = input;
  const differs = MERGED_FIELDS[table].some(
    (field) => field !== 'deletedAtMs' && remote[field] !== undefined && !isSame(field, local[field], remote[field]),
  );
  if (differs) return true;
  const retiredAtMs = Number(survivor === 'mine' ? remote.deletedAtMs : local.deletedAtMs);
  const editedAtMs = survivor === 'mine' ? newestEdit(input) : input.remoteEditedAtMs;
  return editedAtMs === null || editedAtMs >= retiredAtMs;
}

function newestEdit({ table, localEditedAtMs }: MergeInput): number | null {
  const times = MERGED_FIELDS[table].flatMap((field) => localEditedAtMs(field) ?? []);
  return times.length === 0 ? null : Math.max(...times);
}
