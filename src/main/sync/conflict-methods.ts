/** Conflicts for people: what the two sides say, and deciding between them. */
import type { AgentMethods } from '../../shared/contract.ts';
import type { Conflict, ConflictChoice } from '../../shared/contract-sync.ts';
import { AppError } from '../../shared/errors.ts';
import type { EditableRecord } from '../../shared/model.ts';
import type { StoredConflict } from '../store/conflicts.ts';
import type { Transaction } from '../store/database.ts';
import type { Fields, FieldValue } from './connector.ts';
import { isSame } from './merge.ts';
import { parseBase } from './outgoing.ts';
import type { SyncShell, SyncStores } from './parts.ts';
import { whyNotField } from './record-check.ts';
import { shortTitle } from './tally.ts';

type ConflictMethods = Pick<AgentMethods, 'conflicts.list' | 'conflicts.show' | 'conflicts.resolve' | 'conflicts.undo'>;

export function createConflictMethods(stores: SyncStores, shell: SyncShell): ConflictMethods {
  const { conflicts } = stores;
  const view = (stored: StoredConflict): Conflict => toView(stored, stores.records.get(stored.table, stored.recordId));
  const each = (ids: readonly string[], work: (tx: Transaction, conflict: StoredConflict) => void) => {
    const done: Conflict[] = [];
    const failed: { id: string; code: string; message: string }[] = [];
    const tables = new Set<StoredConflict['table']>();
    for (const id of ids) {
      try {
        const conflict = conflicts.get(id);
        stores.write((tx) => work(tx, conflict));
        tables.add(conflict.table);
        done.push(view(conflicts.get(conflict.id)));
      } catch (cause) {
        if (!(cause instanceof AppError)) throw cause;
        failed.push({ id, code: cause.code, message: cause.message });
      }
    }
    for (const table of tables) shell.onRecords(table);
    shell.onConflicts();
    return { done, failed };
  };
  return {
    'conflicts.list': async (query) => {
      const { conflicts: found, next } = conflicts.list(query);
      return { conflicts: found.map(view), next, open: conflicts.countOpen() };
    },
    'conflicts.show': async ({ id }) => {
      const conflict = conflicts.get(id);
      const others = conflicts.openOf(conflict.table, conflict.recordId).filter((one) => one.id !== conflict.id);
      return {
        conflict: view(conflict),
        record: stores.records.get(conflict.table, conflict.recordId) ?? null,
        others: others.map(view),
      };
    },
    'conflicts.resolve': async ({ ids, choice, value, origin }) => {
      const { done, failed } = each(ids, (tx, conflict) => {
        if (conflict.resolution === 'gone')
          throw new AppError('record.changed', 'The disagreement ended by itself.', { hint: 'Edit the record.' });
        // Deciding the same once more changes nothing.
        if (conflict.resolution === choice && choice !== 'edited') return;
        const decided = decidedValue(conflict, choice, value);
        put(stores, tx, { conflict, value: decided, origin, kind: 'resolve', choice });
      });
      return { resolved: done, failed };
    },
    'conflicts.undo': async ({ ids, origin }) => {
      const { done, failed } = each(ids, (tx, conflict) => {
        if (conflict.resolvedAtMs === null) return;
        if (!view(conflict).canUndo)
          throw new AppError('record.changed', 'The field was changed since; undoing would take that away.');
        put(stores, tx, { conflict, value: conflict.before as FieldValue, origin, kind: 'undo', choice: null });
      });
      return { undone: done, failed };
    },
  };
}

const JOINED = ['decision', 'content'];

/** The choices that make sense. Pure. */
export function choicesOf({ kind, field }: Pick<StoredConflict, 'kind' | 'field'>): ConflictChoice[] {
  if (kind === 'invalid') return ['mine', 'edited'];
  if (kind === 'delete') return ['mine', 'theirs'];
  const both: ConflictChoice[] = field === 'tags' || JOINED.includes(field) ? ['both'] : [];
  return ['mine', 'theirs', ...both, 'edited'];
}

function toView(stored: StoredConflict, record: EditableRecord | undefined): Conflict {
  const { changeSeq: _seq, before: _before, after, ...rest } = stored;
  const current = record === undefined ? null : inForce(record, stored.field);
  const isDecided = stored.resolvedAtMs !== null && stored.resolution !== 'gone';
  return {
    ...rest,
    recordTitle: record?.title ?? '',
    choices: choicesOf(stored),
    current,
    canUndo: isDecided && record !== undefined && isSame(stored.field, current, after as FieldValue),
  };
}

const inForce = (record: EditableRecord, field: string): FieldValue => (record as unknown as Fields)[field] ?? null;

/** Throws `usage.bad_argument` for a choice that makes no sense, `record.invalid` for a value that the field cannot have. */
function decidedValue(conflict: StoredConflict, choice: ConflictChoice, given: unknown): FieldValue {
  const { field, table } = conflict;
  const allowed = choicesOf(conflict);
  if (!allowed.includes(choice)) {
    const hint = `Choose one of: ${allowed.join(', ')}.`;
    throw new AppError('usage.bad_argument', `"${choice}" makes no sense for the field ${field}.`, { hint });
  }
  const value = choice === 'edited' ? given : chosen(conflict, choice);
  const why = value === undefined ? 'A value is missing.' : whyNotField(table, field, value as FieldValue);
  if (why !== null) throw new AppError('record.invalid', `The field ${field} cannot have this value: ${why}`);
  return value as FieldValue;
}

function chosen({ mine, theirs }: StoredConflict, choice: 'mine' | 'theirs' | 'both'): unknown {
  if (choice === 'mine') return mine;
  if (choice === 'theirs') return theirs;
  if (Array.isArray(mine) && Array.isArray(theirs)) return [...new Set([...mine, ...theirs])];
  return [mine, theirs].filter((text) => text !== '').join('\n\n');
}

type Put = {
  readonly conflict: StoredConflict;
  readonly value: FieldValue;
  readonly origin: string;
  readonly kind: 'resolve' | 'undo';
  readonly choice: ConflictChoice | null;
};

/** Puts a value in force everywhere and notes it, in one transaction. */
function put(stores: SyncStores, tx: Transaction, { conflict, value, origin, kind, choice }: Put): void {
  const { table, recordId, field, remote } = conflict;
  const record = stores.records.get(table, recordId);
  if (record === undefined) throw new AppError('not_found.record', 'The record is not in the vault any more.');
  const before = inForce(record, field);
  const { outbox, links } = stores;
  const remotes = { record: outbox.remotesFor(table), activity: outbox.remotesFor('activities') };
  const edit = { table, id: recordId, origin, editedAtMs: null, confirmed: [], remotes };
  const [written = record] = stores.records.apply(tx, [{ ...edit, fields: { [field]: value } }]);
  if (kind === 'undo') stores.conflicts.reopen(tx, conflict.id);
  else stores.conflicts.resolve(tx, conflict.id, { resolution: choice ?? 'mine', before, after: value });
  if (conflict.kind === 'invalid' && kind === 'resolve') {
    // Never agreed on, so that the next push writes it over what makes no sense there.
    const link = links.find(remote, table, recordId);
    const { [field]: _nonsense, ...base } = parseBase(link) ?? {};
    if (link !== undefined) links.save(tx, { ...link, baseJson: JSON.stringify(base) });
    outbox.enqueueFor(tx, [remote], table, recordId, written.changeSeq);
  }
  stores.activities.append(tx, {
    kind: 'sync.resolved',
    summary: `The conflict about ${field} of ${shortTitle(record.title)} was ${kind === 'undo' ? 'opened again' : `decided: ${choice}`}`,
    rootId: null,
    path: null,
    snapshotId: null,
    recordTable: table,
    recordId,
    origin,
  });
}
