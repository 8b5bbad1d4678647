/** The record methods of the fake agent, over lists in memory. */

import type { AgentEvent, AgentMethods } from '../../src/shared/contract.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { DecisionRecord, EditableRecord, FieldChange, MemoryRecord } from '../../src/shared/model.ts';
import { FAKE_DEVICE, fakeId } from './fake-data.ts';

const HOUR = 3_600_000;
type DecisionSeed = readonly [
  title: string,
  status: DecisionRecord['status'],
  category: string,
  priority: DecisionRecord['priority'],
  tags: string[],
];
const DECISIONS: readonly DecisionSeed[] = [
  ['Keep every version in SQLite', 'accepted', 'storage', 'high', ['sqlite', 'vault']],
  ['One writer per data folder', 'accepted', 'storage', 'critical', ['lock']],
  ['Search runs in the agent', 'accepted', 'search', 'medium', ['fts5']],
  ['Ship the dashboard on port 5000', 'proposed', 'dashboard', 'low', ['http']],
  ['Encrypt backups by default', 'open', 'backup', 'high', ['crypto', 'backup']],
  ['Use Electron for the tray', 'deprecated', 'desktop', 'low', ['electron']],
  ['Poll Notion each minute', 'rejected', 'sync', 'medium', ['notion']],
];
type MemorySeed = readonly [title: string, kind: MemoryRecord['kind'], content: string, tags: string[]];
const MEMORIES: readonly MemorySeed[] = [
  ['Mira prefers short answers', 'preference', 'No preamble; code first, then two sentences of why.', ['style']],
  ['Production runs Debian 12', 'fact', 'Two cores, 4 GB of memory, systemd.', ['infrastructure']],
  ['Write dates as ISO', 'instruction', 'Use 2026-11-20, never 20/11.', ['style', 'dates']],
  ['Atlas is the internal name of the importer', 'context', 'Outside it is called Ingest.', ['atlas']],
];

function common(
  id: string,
  index: number,
  nowMs: number,
): Omit<
  DecisionRecord,
  'table' | 'title' | 'decision' | 'type' | 'category' | 'status' | 'priority' | 'tags' | 'date'
> {
  return {
    id,
    sourcePath: null,
    sourceSha256: null,
    supersedes: null,
    origin: 'cli',
    createdAtMs: nowMs - (index + 2) * 26 * HOUR,
    updatedAtMs: nowMs - (index + 1) * 5 * HOUR,
    deletedAtMs: null,
    deviceId: FAKE_DEVICE,
    ownerId: null,
    changeSeq: 5_000 + index,
  };
}

export function createRecords(nowMs: number): EditableRecord[] {
  const decisions = DECISIONS.map(
    ([title, status, category, priority, tags], index): DecisionRecord => ({
      ...common(fakeId('decision', index), index, nowMs),
      table: 'decision_vault',
      title,
      decision: `${title}.\n\nIt was weighed against two others; this one needs no account and no network.`,
      type: 'architecture',
      category,
      status,
      priority,
      tags,
      date: `2026-11-${String(18 - index).padStart(2, '0')}`,
    }),
  );
  const memories = MEMORIES.map(
    ([title, kind, content, tags], index): MemoryRecord => ({
      ...common(fakeId('memory', index), index, nowMs),
      table: 'memories',
      title,
      content,
      kind,
      category: 'work',
      status: 'active',
      tags,
    }),
  );
  return [...decisions, ...memories];
}

type RecordMethods = Pick<
  AgentMethods,
  'records.list' | 'records.show' | 'records.create' | 'records.edit' | 'records.retire' | 'records.supersede'
>;

/** Works like the agent: ids may be cut to a unique part, an old `ifChangeSeq` is refused, retired ones stay. */
export function createRecordMethods(
  records: EditableRecord[],
  nowMs: () => number,
  emit: (event: AgentEvent) => void,
): RecordMethods {
  const history = new Map<string, FieldChange[]>();
  let seq = 9_000;
  const find = (table: EditableRecord['table'], id: string): EditableRecord => {
    const hits = records.filter(
      (record) => record.table === table && (record.id.startsWith(id) || record.id.endsWith(id)),
    );
    if (hits.length > 1) throw new AppError('ambiguous.id', `${hits.length} records begin with ${id}.`);
    const [hit] = hits;
    if (hit === undefined) throw new AppError('not_found.record', `There is no record ${id}.`);
    return hit;
  };
  const save = (record: EditableRecord): EditableRecord => {
    const at = records.findIndex((other) => other.id === record.id);
    if (at === -1) records.unshift(record);
    else records[at] = record;
    emit({ event: 'records', payload: { table: record.table } });
    return record;
  };
  const change = (before: EditableRecord, fields: Record<string, unknown>, origin: string): EditableRecord => {
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
    const changes = Object.entries(given).map(([field, after]): FieldChange => {
      seq += 1;
      const old = (before as Record<string, unknown>)[field] ?? null;
      return { seq, field, before: old, after, changedAtMs: nowMs(), origin, deviceId: FAKE_DEVICE };
    });
    history.set(before.id, [...changes, ...(history.get(before.id) ?? [])]);
    return save({ ...before, ...given, updatedAtMs: nowMs(), changeSeq: seq } as EditableRecord);
  };
  const create = (
    table: EditableRecord['table'],
    fields: Record<string, unknown>,
    origin: string,
    supersedes: string | null,
  ): EditableRecord => {
    seq += 1;
    const base = {
      ...common(fakeId('new', seq), 0, nowMs()),
      createdAtMs: nowMs(),
      updatedAtMs: nowMs(),
      origin,
      supersedes,
      changeSeq: seq,
    };
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
    return save(
      table === 'decision_vault'
        ? ({
            ...base,
            table,
            title: '',
            decision: '',
            type: '',
            category: '',
            status: 'proposed',
            priority: 'medium',
            tags: [],
            date: null,
            ...given,
          } as DecisionRecord)
        : ({
            ...base,
            table,
            title: '',
            content: '',
            kind: 'note',
            category: '',
            status: 'active',
            tags: [],
            ...given,
          } as MemoryRecord),
    );
  };

  return {
    'records.list': async (input) => {
      const found = records.filter(
        (record) =>
          record.table === input.table &&
          (input.includeRetired === true || record.deletedAtMs === null) &&
          (input.status === undefined || record.status === input.status) &&
          (input.category === undefined || record.category === input.category) &&
          (input.tag === undefined || record.tags.includes(input.tag)),
      );
      const start = Number(input.cursor ?? 0);
      const end = start + (input.limit ?? 100);
      return { records: found.slice(start, end), next: end < found.length ? String(end) : null };
    },
    'records.show': async ({ table, id }) => {
      const record = find(table, id);
      const supersededBy = records.find((other) => other.supersedes === record.id)?.id ?? null;
      return { record, history: history.get(record.id) ?? [], supersededBy };
    },
    'records.create': async (input) => ({ record: create(input.table, input.fields, input.origin, null) }),
    'records.edit': async (input) => {
      const before = find(input.table, input.id);
      if (input.ifChangeSeq !== undefined && input.ifChangeSeq !== before.changeSeq) {
        throw new AppError('record.changed', `${before.title} was changed in the meantime.`);
      }
      return { record: change(before, input.fields, input.origin) };
    },
    'records.retire': async ({ table, id, retired, origin }) => ({
      record: change(find(table, id), { deletedAtMs: retired ? nowMs() : null }, origin),
    }),
    'records.supersede': async (input) => {
      const old = find(input.table, input.id);
      const superseded = change(old, { status: 'superseded' }, input.origin);
      const kept =
        old.table === 'decision_vault' ? { ...pick(old), status: 'accepted' } : { ...pick(old), status: 'active' };
      return { record: create(input.table, { ...kept, ...input.fields }, input.origin, old.id), superseded };
    },
  };
}

function pick(record: EditableRecord): Record<string, unknown> {
  return record.table === 'decision_vault'
    ? {
        title: record.title,
        decision: record.decision,
        type: record.type,
        category: record.category,
        priority: record.priority,
        tags: record.tags,
        date: record.date,
      }
    : { title: record.title, content: record.content, kind: record.kind, category: record.category, tags: record.tags };
}
