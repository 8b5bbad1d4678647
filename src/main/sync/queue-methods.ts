/** The queue for people: what waits, what exactly would be sent, and what to do with what was set aside. */
import { join } from 'node:path';
import type { AgentMethods } from '../../shared/contract.ts';
import type { OutgoingView, QueueEntry, QueueKey } from '../../shared/contract-sync.ts';
import { AppError, ERROR_CATALOGUE, type ErrorCode } from '../../shared/errors.ts';
import type { OutboxEntry } from '../store/outbox.ts';
import { HELD } from '../store/record-remote.ts';
import type { OutgoingRecord } from './connector.ts';
import { isSame } from './merge.ts';
import type { Outgoing } from './outgoing.ts';
import type { SyncShell, SyncStores } from './parts.ts';
import { isMerged } from './record-check.ts';

type QueueMethods = Pick<AgentMethods, 'queue.list' | 'queue.show' | 'queue.retry' | 'queue.discard'>;

export type QueueParts = {
  readonly stores: SyncStores;
  readonly shell: SyncShell;
  readonly outgoing: Outgoing;
  /** Where exports go when nobody says where; absolute. */
  readonly exportFolder: string;
  /** Writes a new file durably; the folder is made when it is missing. Throws `file.exists`, `file.unwritable`, `data.full`. */
  readonly writeFile: (path: string, bytes: Buffer) => void;
};

const DEFAULT_LIMIT = 100;
const MOST_PARKED = 100_000;
const SHOWN_TEXT = 100_000;

export function createQueueMethods(parts: QueueParts): QueueMethods {
  const { stores, shell } = parts;
  const { outbox } = stores;
  return {
    'queue.list': async ({ remote, state, table, limit = DEFAULT_LIMIT, cursor }) => {
      const offset = parseOffset(cursor);
      const { entries, total } = outbox.list({ remote, state, table, limit, offset });
      const next = offset + entries.length < total && entries.length > 0 ? String(offset + entries.length) : null;
      return { entries: entries.map((entry) => toView(stores, entry)), next, total };
    },
    'queue.show': async ({ id, remote }) => {
      const found = outbox
        .like(id.toLowerCase(), 10)
        .filter((entry) => remote === undefined || entry.remote === remote);
      if (found.length === 0) throw new AppError('not_found.entry', `Nothing with the id ${JSON.stringify(id)} waits.`);
      if (new Set(found.map((entry) => entry.recordId)).size > 1)
        throw new AppError('ambiguous.id', `More than one waiting record has an id like ${JSON.stringify(id)}.`);
      const entries = await Promise.all(
        found.map(async (entry) => ({ entry: toView(stores, entry), outgoing: await show(parts, entry) })),
      );
      return { entries };
    },
    'queue.retry': async ({ keys, remote }) => {
      const parked =
        keys ??
        outbox
          .list({ remote, state: 'parked', limit: MOST_PARKED, offset: 0 })
          // These wait for a decision, not for another try.
          .entries.filter((entry) => entry.errorCode !== HELD);
      const retried = outbox.unpark(parked);
      for (const key of keys ?? []) outbox.hurry(key.remote, [key]);
      shell.onState(null);
      return { retried };
    },
    'queue.discard': async ({ keys, exportTo }) => {
      const parked = keys.flatMap((key) => {
        const entry = outbox.find(key);
        return entry?.state === 'parked' ? [entry] : [];
      });
      if (parked.length === 0) throw new AppError('not_found.entry', 'None of these entries is set aside.');
      const path = exportTo ?? join(parts.exportFolder, `queue-${stamp(shell.nowMs())}.json`);
      parts.writeFile(path, exportOf(stores, parked, shell.nowMs()));
      const discarded = outbox.discard(parked);
      shell.onState(null);
      return { discarded, exportedTo: path };
    },
  };
}

function parseOffset(cursor: string | null | undefined): number {
  if (cursor === null || cursor === undefined) return 0;
  if (!/^\d{1,9}$/.test(cursor)) throw new AppError('usage.bad_argument', 'The position in the list is not valid.');
  return Number(cursor);
}

function toView(stores: SyncStores, entry: OutboxEntry): QueueEntry {
  const code = entry.errorCode;
  const known = code !== null && Object.hasOwn(ERROR_CATALOGUE, code) ? ERROR_CATALOGUE[code as ErrorCode] : null;
  return {
    remote: entry.remote,
    table: entry.table,
    recordId: entry.recordId,
    title: stores.payloads.title(entry.table, entry.recordId),
    state: entry.state,
    attempts: entry.attempts,
    enqueuedAtMs: entry.enqueuedAtMs,
    nextTryAtMs: entry.state === 'pending' && entry.notBeforeMs > 0 ? entry.notBeforeMs : null,
    code,
    reason: code === null ? null : [known?.title, entry.errorMessage].filter(Boolean).join(' '),
    fix: known?.fix ?? null,
  };
}

/** null for a record that is not in the vault any more: then nothing is sent. */
async function show({ outgoing }: QueueParts, { remote, table, recordId }: QueueKey): Promise<OutgoingView | null> {
  const prepared = await outgoing.preview(remote, table, recordId);
  if (prepared === null) return null;
  const { record, redactions, kinds, isHeld } = prepared;
  return {
    remote,
    table,
    recordId,
    remoteId: record.remoteId,
    action: actionOf(record),
    fields: { ...record.fields },
    changes: changesOf(record),
    content: contentOf(record),
    redactions,
    redactedKinds: [...kinds],
    held: isHeld,
  };
}

function actionOf({ table, base, fields }: OutgoingRecord): OutgoingView['action'] {
  if (!isMerged(table)) return 'append';
  if (base === null) return 'create';
  return (fields.deletedAtMs ?? null) !== null && (base.deletedAtMs ?? null) === null ? 'retire' : 'change';
}

function changesOf({ base, fields }: OutgoingRecord): OutgoingView['changes'] {
  if (base === null) return [];
  return Object.entries(base)
    .filter(([field, before]) => !isSame(field, before, fields[field]))
    .map(([field, before]) => ({ field, before, after: fields[field] ?? null }));
}

function contentOf({ content }: OutgoingRecord): OutgoingView['content'] {
  if (content === null) return null;
  if (content.kind === 'none') return { ...content };
  const isCut = content.text.length > SHOWN_TEXT;
  const sizeBytes = Buffer.byteLength(content.text);
  return { kind: 'text', text: content.text.slice(0, SHOWN_TEXT), sizeBytes, isCut };
}

/** Everything about the entries, as this vault has it: the file stays on this machine. */
function exportOf(stores: SyncStores, entries: readonly OutboxEntry[], nowMs: number): Buffer {
  const items = entries.map((entry) => {
    const payload = stores.payloads.read(entry.table, entry.recordId);
    const sha256 = payload?.content?.sha256.toString('hex') ?? null;
    return { ...entry, fields: payload?.fields ?? null, sha256 };
  });
  return Buffer.from(`${JSON.stringify({ schema: 1, exportedAtMs: nowMs, entries: items }, null, 2)}\n`);
}

const stamp = (timeMs: number): string => new Date(timeMs).toISOString().replaceAll(':', '-').replace('.', '-');
