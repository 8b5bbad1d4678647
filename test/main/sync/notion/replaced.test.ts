import { expect, test } from 'vitest';
import { change, connect, create, decision, dump, pullAll, signal, startHarness } from './notion-harness.ts';

test('a property that was deleted and made again empties no record: what a page lacks is filled by its next push', async () => {
  const { notion, database, connector } = await startHarness();
  try {
    const one = await create(connector, decision());
    const { cursor } = await pullAll(connector);
    for (const name of ['Category', 'Priority', 'Tags'])
      await notion.call('deleteProperty', { dataSourceId: database.dataSourceId, name });
    await expect(connector.pull(cursor, signal)).rejects.toMatchObject({ code: 'remote.schema' });
    await (await connector.prepare(signal)).apply(signal);
    const again = await pullAll(connector, cursor);
    expect(again.records.map(({ id, problems }) => [id, problems])).toEqual([[one.id, []]]);
    for (const field of ['category', 'priority', 'tags']) expect(again.records[0]?.fields).not.toHaveProperty(field);
    expect(again.records[0]?.fields).toMatchObject({ title: 'Use SQLite', status: 'accepted' });

    // The next run knows it from the cursor, and the next edit brings everything back.
    const next = connect(notion, { decision_vault: database.databaseId });
    const [seen] = (await pullAll(next, again.cursor)).records;
    expect(seen?.fields ?? {}).not.toHaveProperty('category');
    await change(next, { ...one, baseVersion: again.records[0]?.version ?? null }, { title: 'Edited here' });
    const [page] = await dump(notion, database);
    expect(page?.properties.Category).toMatchObject({ select: { name: 'storage' } });
    expect(page?.properties.Priority).toMatchObject({ select: { name: 'medium' } });
    // What a person types there counts as ever.
    await notion.call('set', { pageId: page?.id, properties: { Category: 'by hand' } });
    const edited = (await pullAll(next, again.cursor)).records.find(({ id }) => id === one.id);
    expect(edited?.fields.category).toBe('by hand');
  } finally {
    await notion.stop();
  }
});
