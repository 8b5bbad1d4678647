/** Tells a value that somebody wrote over there from one that this device sent without hearing that it arrived. */
import type { EditableRecord } from '../../shared/model.ts';
import type { Link } from '../store/links.ts';
import type { FieldValue } from './connector.ts';
import { type FieldConflict, isSame, type Merge } from './merge.ts';
import type { SyncShell, SyncStores } from './parts.ts';

export type OwnValueParts = {
  readonly stores: Pick<SyncStores, 'records' | 'deviceId'>;
  readonly shell: Pick<SyncShell, 'redact'>;
  readonly local: EditableRecord;
  readonly link: Link | undefined;
};

/**
 * The merge without conflicts that nobody has: the value over there is one that the field had here since the last
 * answer; or the remote never answered for this record, and here the field has had no other value than the one that was
 * sent. Who wins stays as it is.
 */
export function withoutOwn(merge: Merge, { stores, shell, local, link }: OwnValueParts): Merge {
  if (merge.conflicts.length === 0 || local.deviceId !== stores.deviceId) return merge;
  const changes = stores.records.changes(local.table, local.id);
  const answeredSeq = link?.acknowledgedSeq ?? 0;
  const isOwn = ({ field, kind, winner, theirs }: FieldConflict): boolean => {
    if (kind !== 'edit') return false;
    const own = changes.filter((change) => change.field === field);
    if (winner === 'theirs') return (link?.baseJson ?? null) === null && own.length <= 1;
    return own.some(({ seq, after }) => seq > answeredSeq && isSame(field, asSent(after, shell), theirs));
  };
  return { ...merge, conflicts: merge.conflicts.filter((conflict) => !isOwn(conflict)) };
}

/** History holds what was typed; the remote has it without its secrets. */
const asSent = (value: unknown, { redact }: Pick<SyncShell, 'redact'>): FieldValue =>
  typeof value === 'string' ? redact(value).text : (value as FieldValue);
