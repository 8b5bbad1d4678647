import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  connectNotion,
  createNotionConnector,
  createNotionDatabases,
  type NotionConnection,
} from '../../../../src/main/sync/notion/notion-connector.ts';
import { createNotionNotes } from '../../../../src/main/sync/notion/notion-notes.ts';
import { type Notion, startNotion } from '../../../support/notion/start.ts';
import { type Database, decision, done, dump, outgoing, pushOne, signal } from './notion-harness.ts';

let notion: Notion;
let connection: NotionConnection;
beforeAll(async () => {
  notion = await startNotion();
  connection = connectNotion({ token: notion.token, baseUrl: notion.baseUrl, perSecond: 1000 });
});
afterAll(() => notion.stop());

const titles = async (database: Database): Promise<string[]> =>
  (await dump(notion, database)).map(
    ({ properties }) => ((properties.Title?.title ?? []) as { plain_text: string }[])[0]?.plain_text ?? '',
  );

describe('summaries', () => {
  test('in a database: one a title, also when the answer was lost', async () => {
    const database = await notion.call<Database>('database', { title: 'Log', properties: { Title: { title: {} } } });
    const notes = createNotionNotes(connection, { kind: 'database', id: database.databaseId });
    const text = '# Sync\n\n- 3 sent\n- 1 received';
    await notion.fault({ kind: 'cut-after', method: 'POST', path: '/v1/pages$' });
    await expect(notes.put({ title: 'Run 1', text }, signal)).rejects.toMatchObject({ code: 'remote.unreachable' });
    expect(await notes.put({ title: 'Run 1', text }, signal)).toMatchObject({ created: false });
    await notes.put({ title: 'Run 2', text: 'x' }, signal);
    expect(await titles(database)).toEqual(['Run 1', 'Run 2']);
    expect((await dump(notion, database))[0]?.blocks.map(({ type }) => type)).toEqual([
      'heading_1',
      'bulleted_list_item',
      'bulleted_list_item',
    ]);
  });

  test('below a page: a day collects its runs, each once, and what a person writes stays', async () => {
    const { pageId } = await notion.call<{ pageId: string }>('plainPage', { title: 'Angles' });
    const notes = createNotionNotes(connection, { kind: 'page', id: pageId });
    const first = await notes.append({ title: '2026-11-24', heading: '10:00', text: 'All well.' }, signal);
    expect(first.created).toBe(true);
    await notion.call('append', {
      pageId: first.pageId,
      blocks: [{ paragraph: { rich_text: [{ text: { content: 'Mine' } }] } }],
    });
    await notion.fault({ kind: 'cut-after', method: 'PATCH' });
    await expect(notes.append({ title: '2026-11-24', heading: '11:00', text: 'Still.' }, signal)).rejects.toMatchObject(
      { code: 'remote.unreachable' },
    );
    for (let again = 0; again < 2; again += 1)
      await notes.append({ title: '2026-11-24', heading: '11:00', text: 'Still.' }, signal);
    const list = await fetch(`${notion.baseUrl}/v1/blocks/${first.pageId}/children`, {
      headers: { authorization: `Bearer ${notion.token}`, 'notion-version': '2025-09-03' },
    });
    const { results } = (await list.json()) as {
      results: ({ type: string } & Record<string, { rich_text: { plain_text: string }[] }>)[];
    };
    expect(results.map((block) => block[block.type]?.rich_text[0]?.plain_text)).toEqual([
      '10:00',
      'All well.',
      'Mine',
      '11:00',
      'Still.',
    ]);
  });

  test('one that an earlier try left without its end gets it', async () => {
    const database = await notion.call<Database>('database', { title: 'Long', properties: { Title: { title: {} } } });
    const notes = createNotionNotes(connection, { kind: 'database', id: database.dataSourceId });
    const text = Array.from({ length: 150 }, (_, index) => `Line ${index}`).join('\n\n');
    await notion.fault({ kind: 'cut-before', method: 'PATCH' });
    await expect(notes.put({ title: 'Long', text }, signal)).rejects.toMatchObject({ code: 'remote.unreachable' });
    await notes.put({ title: 'Long', text }, signal);
    expect((await dump(notion, database))[0]?.blocks).toHaveLength(150);
    await expect(notes.append({ title: 'Long', heading: 'h', text }, signal)).rejects.toMatchObject({
      code: 'remote.too_large',
    });
  });
});

test('databases for the tables are created below a page and work at once', async () => {
  const { pageId } = await notion.call<{ pageId: string }>('plainPage', { title: 'Home' });
  const databases = await createNotionDatabases(
    connection,
    ['decision_vault', 'memories', 'activities'],
    pageId,
    signal,
  );
  const connector = createNotionConnector({ token: notion.token, baseUrl: notion.baseUrl, databases }, connection);
  expect((await connector.prepare(signal)).steps).toEqual([]);
  expect((await connector.check(signal)).filter(({ verdict }) => verdict === 'failed')).toEqual([]);
  expect(done(await pushOne(connector, outgoing(decision()))).remoteId).toBeTruthy();
});
