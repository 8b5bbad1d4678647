/** A connector against the stand-in, and records to send. */
import { randomUUID } from 'node:crypto';
import type {
  Connector,
  Fields,
  OutgoingRecord,
  PushOutcome,
  RemoteRecord,
} from '../../../../src/main/sync/connector.ts';
import { propertyRequest } from '../../../../src/main/sync/notion/mapping.ts';
import {
  createNotionConnector,
  type NotionConnector,
  type NotionOptions,
} from '../../../../src/main/sync/notion/notion-connector.ts';
import { type NotionTable, TABLE_SPECS } from '../../../../src/main/sync/notion/table-specs.ts';
import { type Notion, startNotion } from '../../../support/notion/start.ts';

export type Database = { readonly databaseId: string; readonly dataSourceId: string };

/** Never ends: for calls that no test interrupts. */
export const signal = new AbortController().signal;

export async function makeDatabase(
  notion: Notion,
  table: NotionTable,
  properties?: Record<string, unknown>,
): Promise<Database> {
  const spec = TABLE_SPECS[table];
  const all = Object.fromEntries(spec.properties.map((one) => [one.name, propertyRequest(one)]));
  return notion.call<Database>('database', { title: spec.title, properties: properties ?? all });
}

export type Harness = { readonly notion: Notion; readonly database: Database; readonly connector: NotionConnector };

export const connect = (
  notion: Notion,
  databases: NotionOptions['databases'],
  more: Partial<NotionOptions> = {},
): NotionConnector =>
  createNotionConnector({ token: notion.token, baseUrl: notion.baseUrl, databases, perSecond: 1000, ...more });

export async function startHarness(more: Partial<NotionOptions> = {}): Promise<Harness> {
  const notion = await startNotion();
  const database = await makeDatabase(notion, 'decision_vault');
  return { notion, database, connector: connect(notion, { decision_vault: database.databaseId }, more) };
}

/** A new database on a running stand-in, so that tests do not see each other's pages. */
export async function freshDatabase(notion: Notion, more: Partial<NotionOptions> = {}): Promise<Harness> {
  await notion.call('clearFaults');
  await notion.call('clearLog');
  await notion.rate({ kind: 'none' });
  const database = await makeDatabase(notion, 'decision_vault');
  return { notion, database, connector: connect(notion, { decision_vault: database.databaseId }, more) };
}

export const decision = (more: Fields = {}): Fields => ({
  title: 'Use SQLite',
  decision: 'Because it is everywhere.',
  type: 'architecture',
  category: 'storage',
  status: 'accepted',
  priority: 'medium',
  tags: ['db', 'local'],
  date: '2026-11-24',
  sourcePath: 'notes/sqlite.md',
  sourceSha256: 'ab'.repeat(32),
  supersedes: null,
  deletedAtMs: null,
  ...more,
});

export const outgoing = (fields: Fields, more: Partial<OutgoingRecord> = {}): OutgoingRecord => ({
  table: 'decision_vault',
  id: randomUUID(),
  remoteId: null,
  fields,
  base: null,
  baseVersion: null,
  content: null,
  ...more,
});

type Done = Extract<PushOutcome, { kind: 'done' }>;
export function done(outcome: PushOutcome | undefined): Done {
  if (outcome?.kind !== 'done')
    throw new Error(
      `not done: ${JSON.stringify(outcome, null, 2)} ${outcome?.kind === 'failed' ? outcome.error.message : ''}`,
    );
  return outcome;
}

export async function pushOne(connector: Connector, record: OutgoingRecord): Promise<PushOutcome> {
  const [outcome] = await connector.push([record], signal);
  if (!outcome) throw new Error('no outcome');
  return outcome;
}

/** Pushes a new record and gives what the next push of it starts from. */
export async function create(
  connector: Connector,
  fields: Fields,
  table: OutgoingRecord['table'] = 'decision_vault',
): Promise<OutgoingRecord> {
  const record = outgoing(fields, { table });
  return settled(record, await pushOne(connector, record));
}

export const settled = (record: OutgoingRecord, outcome: PushOutcome): OutgoingRecord => {
  const { remoteId, version, base } = done(outcome);
  return { ...record, remoteId, baseVersion: version, base };
};

export const edit = (record: OutgoingRecord, fields: Fields): OutgoingRecord => ({
  ...record,
  fields: { ...record.fields, ...fields },
});

/** Pushes a change of a record and gives what the next push of it starts from. */
export async function change(connector: Connector, record: OutgoingRecord, fields: Fields): Promise<OutgoingRecord> {
  const next = edit(record, fields);
  return settled(next, await pushOne(connector, next));
}

/** Everything since a cursor, page after page. */
export async function pullAll(
  connector: Connector,
  cursor: string | null = null,
): Promise<{ readonly records: RemoteRecord[]; readonly cursor: string }> {
  const records: RemoteRecord[] = [];
  let at = cursor;
  for (;;) {
    const page = await connector.pull(at, signal);
    records.push(...page.records);
    at = page.cursor;
    if (!page.hasMore) return { records, cursor: at };
  }
}

/** The merged fields of a record. */
export const merged = (record: RemoteRecord | undefined): Fields => {
  const { createdAtMs: _, updatedAtMs: __, origin: ___, ...fields } = record?.fields ?? {};
  return fields;
};

export type DumpedPage = {
  readonly id: string;
  readonly in_trash: boolean;
  readonly properties: Record<string, { type: string } & Record<string, unknown>>;
  readonly blocks: readonly ({ id: string; type: string } & Record<string, unknown>)[];
};
export const dump = (notion: Notion, database: Database): Promise<DumpedPage[]> =>
  notion.call<DumpedPage[]>('dump', { dataSourceId: database.dataSourceId });
