import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NotionConnector } from '../../../../src/main/sync/notion/notion-connector.ts';
import type { NotionTable } from '../../../../src/main/sync/notion/table-specs.ts';
import { type Notion, startNotion } from '../../../support/notion/start.ts';
import { connect, create, type Database, decision, dump, signal } from './notion-harness.ts';

describe('databases for memories and activities', () => {
  let notion: Notion;
  beforeAll(async () => {
    notion = await startNotion();
  });
  afterAll(async () => notion?.stop());

  const inPage = async (): Promise<Database> => {
    const { pageId } = await notion.call<{ pageId: string }>('plainPage', { title: 'Team' });
    return notion.call<Database>('database', {
      title: 'Team decisions',
      properties: { Name: { title: {} } },
      parentPageId: pageId,
    });
  };
  const made: [NotionTable, string][] = [];
  const wanting = (database: Database, ...tables: NotionTable[]): NotionConnector => {
    made.length = 0;
    const onCreated = (table: NotionTable, id: string): void => void made.push([table, id]);
    return connect(notion, { decision_vault: database.databaseId }, { newDatabases: { tables, onCreated } });
  };
  const databaseSteps = async (connector: NotionConnector) =>
    (await connector.check(signal)).filter(({ id }) => /^shared\.(memories|activities)$/.test(id));
  const makeAll = async (connector: NotionConnector): Promise<readonly string[]> => {
    const { steps, apply } = await connector.prepare(signal);
    await apply(signal);
    return steps;
  };

  test('are not asked for by themselves; the test of the connection says how', async () => {
    const connector = wanting(await inPage());
    await makeAll(connector);
    const steps = await databaseSteps(connector);
    expect(steps.map(({ verdict, canPrepare }) => [verdict, canPrepare])).toEqual([
      ['skipped', false],
      ['skipped', false],
    ]);
    expect(steps[0]?.fix).toContain('angles config set sync.notion_memories create');
    expect((await connector.prepare(signal)).steps).toEqual([]);
  });

  test('are made beside the decisions when they are wanted, and hold records then', async () => {
    const database = await inPage();
    const before = wanting(database, 'memories', 'activities');
    const steps = await makeAll(before);
    expect(steps).toEqual(expect.arrayContaining([expect.stringContaining('Add the property "Angles ID"')]));
    expect(steps.slice(-2)).toEqual([
      'Make the database "Memories" beside "Team decisions" in Notion',
      'Make the database "Activities" beside "Team decisions" in Notion',
    ]);
    const ids = Object.fromEntries(made);
    expect(Object.keys(ids)).toEqual(['memories', 'activities']);
    const after = connect(notion, { decision_vault: database.databaseId, ...ids });
    expect(after.tables).toEqual(['decision_vault', 'memories', 'activities']);
    expect((await after.check(signal)).filter(({ verdict }) => verdict !== 'ok' && verdict !== 'skipped')).toEqual([]);
    const { type: _, priority: __, date: ___, decision: content, ...common } = decision();
    await create(after, { ...common, content: content ?? '', kind: 'note', status: 'active' }, 'memories');
    const memories = await notion.call<{ data_sources: { id: string }[] }>('dump', { dataSourceId: ids.memories });
    expect(memories).toEqual([]);
    const sourceId = (await after.identity(signal)).match(/memories=([\w-]+)/)?.[1] ?? '';
    const pages = await dump(notion, { databaseId: String(ids.memories), dataSourceId: sourceId });
    expect(pages).toHaveLength(1);
  });

  test('are found again instead of made twice, when the id of one was lost', async () => {
    const database = await inPage();
    await makeAll(wanting(database, 'memories'));
    const [first] = made.slice();
    await makeAll(wanting(database, 'memories'));
    expect(made).toEqual([first]);
  });

  test('cannot be made where the decisions lie in no page: said, and the rest is made', async () => {
    const atTop = await notion.call<Database>('database', { title: 'At the top', properties: { Name: { title: {} } } });
    const connector = wanting(atTop, 'memories');
    expect((await makeAll(connector)).every((step) => step.startsWith('Add the property'))).toBe(true);
    expect(made).toEqual([]);
    const [step] = await databaseSteps(connector);
    expect(step).toMatchObject({ verdict: 'failed', canPrepare: false, code: 'remote.forbidden' });
    expect(step?.fix).toContain('page');
  });

  test('a table more or less is the same Notion; another database for one is not', async () => {
    const database = await inPage();
    const connector = wanting(database, 'memories', 'activities');
    await makeAll(connector);
    const ids = Object.fromEntries(made);
    const identityWith = (more: Partial<Record<NotionTable, string>>): Promise<string> =>
      connect(notion, { decision_vault: database.databaseId, ...more }).identity(signal);
    const alone = await identityWith({});
    const both = await identityWith({ memories: String(ids.memories) });
    const other = await identityWith({ memories: String(ids.activities) });
    const join = connector.joinIdentity ?? (() => null);
    expect(join(alone, both)).toBe(both);
    expect(join(both, alone)).toBe(both);
    expect(join(both, other)).toBeNull();
    expect(join(join(both, alone) ?? '', other)).toBeNull();
  });
});
