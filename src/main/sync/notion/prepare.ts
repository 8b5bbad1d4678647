/** What has to be created in Notion: missing properties, and databases for tables that have none yet. */
import type { Client } from '@notionhq/client';
import type { PreparePlan } from '../connector.ts';
import { type MissingProperty, propertyRequest } from './mapping.ts';
import type { NotionApi } from './notion-api.ts';
import type { Sources } from './sources.ts';
import { type NotionTable, TABLE_SPECS } from './table-specs.ts';
import { databaseShape, dataSourceShape } from './wire.ts';

type Schema = NonNullable<Parameters<Client['dataSources']['update']>[0]['properties']>;

/** See {@link Connector.prepare}. Running it twice creates nothing twice: what is missing is looked up again. */
export async function planProperties(api: NotionApi, sources: Sources, signal: AbortSignal): Promise<PreparePlan> {
  const plans: { readonly table: NotionTable; readonly missing: readonly MissingProperty[] }[] = [];
  for (const table of sources.tables) {
    const { missing } = await sources.map(table, signal);
    if (missing.length > 0) plans.push({ table, missing });
  }
  return {
    steps: plans.flatMap(({ table, missing }) =>
      missing.map(
        ({ name, spec }) => `Add the property "${name}" (${spec.types[0]}) to ${TABLE_SPECS[table].title} in Notion`,
      ),
    ),
    apply: async (applySignal) => {
      for (const { table } of plans) {
        // The plan may be old: what exists by now is left alone.
        const { missing, dataSourceId } = await sources.map(table, applySignal);
        if (missing.length === 0) continue;
        const properties = Object.fromEntries(missing.map(({ name, spec }) => [name, propertyRequest(spec)])) as Schema;
        await api.call(
          'adding properties',
          dataSourceShape,
          (client) => client.dataSources.update({ data_source_id: dataSourceId, properties }),
          applySignal,
        );
        await sources.access(table, applySignal, true);
      }
    },
  };
}

type InitialSchema = NonNullable<
  NonNullable<Parameters<Client['databases']['create']>[0]['initial_data_source']>['properties']
>;

/** Creates a database for a table below a page, with all its properties, and gives its id. */
export async function createDatabase(
  api: NotionApi,
  table: NotionTable,
  parentPageId: string,
  signal: AbortSignal,
): Promise<string> {
  const spec = TABLE_SPECS[table];
  const properties = Object.fromEntries(
    spec.properties.map((one) => [one.name, propertyRequest(one)]),
  ) as InitialSchema;
  const database = await api.call(
    'creating a database',
    databaseShape,
    (client) =>
      client.databases.create({
        parent: { type: 'page_id', page_id: parentPageId },
        title: [{ text: { content: spec.title } }],
        initial_data_source: { properties },
      }),
    signal,
  );
  return database.id;
}
