/** The suite of every connector, against the stand-in of Notion. */
import type { Fields, MergedTable } from '../../../../src/main/sync/connector.ts';
import { TABLE_SPECS } from '../../../../src/main/sync/notion/table-specs.ts';
import { connectorSuite } from '../../../support/connector-suite.ts';
import { startNotion } from '../../../support/notion/start.ts';
import { connect, makeDatabase } from './notion-harness.ts';

/** What a person types, by the names of the properties. */
function typed(table: MergedTable, fields: Fields): Record<string, unknown> {
  const { properties } = TABLE_SPECS[table];
  return Object.fromEntries(
    properties.flatMap(({ field, name }) =>
      fields[field] === undefined || fields[field] === null ? [] : [[name, fields[field]]],
    ),
  );
}

connectorSuite('Notion', async () => {
  const notion = await startNotion();
  const databases = {
    decision_vault: await makeDatabase(notion, 'decision_vault'),
    memories: await makeDatabase(notion, 'memories'),
  };
  const edit = async (table: MergedTable, pageId: string, fields: Fields): Promise<void> =>
    void (await notion.call('set', { pageId, properties: typed(table, fields) }));
  return {
    connector: connect(notion, {
      decision_vault: databases.decision_vault.databaseId,
      memories: databases.memories.databaseId,
    }),
    edit,
    create: async (table, fields) => {
      const text = String(fields[TABLE_SPECS[table].body ?? ''] ?? '');
      const { pageId } = await notion.call<{ pageId: string }>('page', {
        dataSourceId: databases[table].dataSourceId,
        properties: typed(table, fields),
        blocks: [{ paragraph: { rich_text: [{ text: { content: text } }] } }],
      });
      return pageId;
    },
    remove: async (_, pageId) => void (await notion.call('erase', { pageId })),
    spoil: async (table, pageId) => {
      await edit(table, pageId, { status: 'finished' });
      return 'status';
    },
    close: notion.stop,
  };
});
