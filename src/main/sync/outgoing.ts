/** What leaves this machine: a record as the vault has it, its secrets taken out. */
import { isUtf8 } from 'node:buffer';
import { AppError, type ErrorCode } from '../../shared/errors.ts';
import type { Remote } from '../../shared/model.ts';
import type { Link, OutboxTable } from '../store/links.ts';
import type { Payload } from '../store/payloads.ts';
import { type Fields, type FieldValue, MERGED_FIELDS, type OutgoingContent, type OutgoingRecord } from './connector.ts';
import type { Redaction, SyncShell, SyncStores } from './parts.ts';
import { isMerged } from './record-check.ts';

/** Texts larger than this are not sent; the row says so. */
export const LARGEST_TEXT_BYTES = 10_000_000;

/** Fields that a person writes: only these are searched. A path that was changed would name another file. */
const TEXT_FIELDS: Readonly<Record<OutboxTable, readonly string[]>> = {
  decision_vault: ['title', 'decision', 'type', 'category', 'tags'],
  memories: ['title', 'content', 'category', 'tags'],
  activities: ['summary'],
  file_snapshots: [],
};

export type Prepared =
  | {
      readonly kind: 'send';
      readonly record: OutgoingRecord;
      readonly redactions: number;
      readonly kinds: readonly string[];
      /** What was agreed on of fields whose value over there makes no sense: it stays so whatever is answered. */
      readonly unread: Readonly<Record<string, FieldValue | undefined>>;
      /** About how much it is, for batches. */
      readonly sizeBytes: number;
    }
  /** Not in the vault any more: nothing to send. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'park'; readonly code: ErrorCode; readonly message: string };

/** The fields of a record as a remote may see them, and what was taken out of them. Pure. */
export function redactFields(
  table: OutboxTable,
  fields: Readonly<Record<string, unknown>>,
  redact: (text: string) => Redaction,
): { readonly fields: Fields; readonly redactions: number; readonly kinds: readonly string[] } {
  let redactions = 0;
  const kinds = new Set<string>();
  const clean = (text: string): string => {
    const result = redact(text);
    redactions += result.redactions;
    for (const kind of result.kinds) kinds.add(kind);
    return result.text;
  };
  const entries = Object.entries(fields).map(([field, value]): [string, FieldValue] => {
    if (!TEXT_FIELDS[table].includes(field)) return [field, value as FieldValue];
    if (Array.isArray(value)) return [field, [...new Set(value.map((each) => clean(String(each))))]];
    return [field, typeof value === 'string' ? clean(value) : (value as FieldValue)];
  });
  return { fields: Object.fromEntries(entries), redactions, kinds: [...kinds].sort() };
}

/** The merged fields of a record only. Pure. */
export function mergedFields(table: OutboxTable, fields: Fields): Fields {
  if (!isMerged(table)) return fields;
  return Object.fromEntries(MERGED_FIELDS[table].map((field) => [field, fields[field] ?? null]));
}

export function parseBase(link: Link | undefined): Fields | null {
  return link === undefined || link.baseJson === null ? null : (JSON.parse(link.baseJson) as Fields);
}

export type Outgoing = {
  /** Reads and redacts one record for one remote. */
  readonly prepare: (remote: Remote, table: OutboxTable, id: string) => Promise<Prepared>;
  /** What would be sent, also when it is held back; null for a record that is not in the vault. */
  readonly preview: (remote: Remote, table: OutboxTable, id: string) => Promise<Preview | null>;
};
type Preview = Omit<Extract<Prepared, { kind: 'send' }>, 'kind'> & { readonly isHeld: boolean };

export function createOutgoing(stores: SyncStores, shell: SyncShell): Outgoing {
  const preview: Outgoing['preview'] = async (remote, table, id) => {
    const payload = stores.payloads.read(table, id);
    if (payload === undefined) return null;
    const { fields, redactions: inFields, kinds: kindsOfFields } = redactFields(table, payload.fields, shell.redact);
    const content = await readText(stores, shell, payload);
    const redactions = inFields + (content?.redactions ?? 0);
    const kinds = [...new Set([...kindsOfFields, ...(content?.kinds ?? [])])].sort();
    const link = stores.links.find(remote, table, id);
    const known = parseBase(link);
    const invalid = invalidFields(stores, remote, table, id);
    // Left alone over there: it counts as agreed, so that no push changes it.
    const alone = Object.fromEntries(invalid.map((field) => [field, fields[field] ?? null]));
    const record: OutgoingRecord = {
      table,
      id,
      remoteId: link?.remoteId ?? null,
      fields: table === 'file_snapshots' ? { ...fields, redactions } : fields,
      base: known === null ? null : { ...known, ...alone },
      baseVersion: link?.baseVersion ?? null,
      content: table === 'file_snapshots' ? (content?.outgoing ?? { kind: 'none', reason: 'deleted' }) : null,
    };
    const unread = Object.fromEntries(invalid.map((field) => [field, known?.[field]]));
    const isHeld = redactions > 0 && shell.settings().onSecret === 'hold';
    return { record, redactions, kinds, unread, sizeBytes: sizeOf(record), isHeld };
  };
  return {
    preview,
    prepare: async (remote, table, id) => {
      const seen = await preview(remote, table, id);
      if (seen === null) return { kind: 'nothing' };
      const { isHeld, ...rest } = seen;
      if (!isHeld) return { kind: 'send', ...rest };
      const message = `It contains ${rest.redactions} secrets (${rest.kinds.join(', ')}).`;
      return { kind: 'park', code: 'remote.held', message };
    },
  };
}

function invalidFields(stores: SyncStores, remote: Remote, table: OutboxTable, id: string): string[] {
  if (!isMerged(table)) return [];
  const open = stores.conflicts.openOf(table, id);
  return open.filter((one) => one.kind === 'invalid' && one.remote === remote).map((one) => one.field);
}

type ReadText = {
  readonly outgoing: OutgoingContent;
  readonly redactions: number;
  readonly kinds: readonly string[];
};

async function readText(stores: SyncStores, shell: SyncShell, { content }: Payload): Promise<ReadText | null> {
  if (content === null) return null;
  const none = (reason: 'binary' | 'too_large'): ReadText => ({
    outgoing: { kind: 'none', reason },
    redactions: 0,
    kinds: [],
  });
  if (content.sizeBytes > LARGEST_TEXT_BYTES) return none('too_large');
  const bytes = readIfThere(stores, content.sha256);
  if (bytes === null || !isUtf8(bytes) || bytes.includes(0)) return none('binary');
  const text = bytes.toString('utf8');
  const redacted = await (shell.redactThoroughly?.(text) ?? shell.redact(text));
  return {
    outgoing: { kind: 'text', text: redacted.text, redactions: redacted.redactions },
    redactions: redacted.redactions,
    kinds: redacted.kinds,
  };
}

/** A content that is missing or damaged is told by `angles doctor`; its row goes out without it. */
function readIfThere(stores: SyncStores, sha256: Buffer): Buffer | null {
  try {
    return stores.readContent(sha256);
  } catch (cause) {
    if (cause instanceof AppError && cause.code.startsWith('content.')) return null;
    throw cause;
  }
}

function sizeOf({ fields, content }: OutgoingRecord): number {
  let size = content?.kind === 'text' ? content.text.length : 0;
  for (const value of Object.values(fields)) if (typeof value === 'string') size += value.length;
  return size + 400;
}
