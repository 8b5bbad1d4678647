/** Which data sources hold our tables, and which of their properties hold which field. */
import { AppError } from '../../../shared/errors.ts';
import { type BodyCache, createBodyCache } from './body-cache.ts';
import {
  type DataSourceIds,
  type KnownProperties,
  knownOf,
  type Mapping,
  type MappingResult,
  mapProperties,
} from './mapping.ts';
import type { NotionApi } from './notion-api.ts';
import { type NotionTable, TABLE_SPECS } from './table-specs.ts';
import { databaseShape, dataSourceShape, type NotionDataSource, plainText } from './wire.ts';

export type Access = { readonly dataSourceId: string; readonly mapping: Mapping; readonly bodies: BodyCache };

export type Sources = {
  readonly tables: readonly NotionTable[];
  /** The data source of a table. Throws `remote.not_shared`, or `remote.schema` when there are several. */
  readonly dataSourceId: (table: NotionTable, signal: AbortSignal) => Promise<string>;
  readonly dataSource: (table: NotionTable, signal: AbortSignal) => Promise<NotionDataSource>;
  /** Its properties, read anew. */
  readonly map: (table: NotionTable, signal: AbortSignal) => Promise<MappingResult & { readonly dataSourceId: string }>;
  /** Ready to be read and written; from memory unless `fresh`. Throws `remote.schema` naming what does not fit. */
  readonly access: (table: NotionTable, signal: AbortSignal, fresh?: boolean) => Promise<Access>;
  /** Ids of properties by data source, to be kept with the cursor. */
  readonly known: () => Readonly<Record<string, KnownProperties>>;
  readonly learn: (known: Readonly<Record<string, KnownProperties>>) => void;
};

/** The id in what a person pastes: an id with or without dashes, or the address of a page or database. */
export function idIn(text: string): string | null {
  const path = text.trim().split(/[?#]/)[0] ?? '';
  const all = path.match(/[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}/gi);
  return all?.at(-1)?.replaceAll('-', '').toLowerCase() ?? null;
}

const isNotShared = (cause: unknown): boolean => cause instanceof AppError && cause.code === 'remote.not_shared';

export function createSources(api: NotionApi, databases: DataSourceIds): Sources {
  const tables = (Object.keys(TABLE_SPECS) as NotionTable[]).filter((table) => databases[table] !== undefined);
  const ids = new Map<NotionTable, string>();
  const accesses = new Map<NotionTable, Access>();
  let known: Readonly<Record<string, KnownProperties>> = {};

  const readDataSource = (id: string, signal: AbortSignal): Promise<NotionDataSource> =>
    api.call(
      'reading the data source',
      dataSourceShape,
      (client) => client.dataSources.retrieve({ data_source_id: id }),
      signal,
    );

  const findDataSource = async (table: NotionTable, signal: AbortSignal): Promise<string> => {
    const id = idIn(databases[table] ?? '');
    const { title } = TABLE_SPECS[table];
    if (id === null) {
      throw new AppError('remote.not_shared', `what is set for ${title.toLowerCase()} is not the id of a database`, {
        hint: 'Copy the link of the database in Notion and set it, or the 32 characters of its id.',
      });
    }
    try {
      const database = await api.call(
        'reading the database',
        databaseShape,
        (client) => client.databases.retrieve({ database_id: id }),
        signal,
      );
      return onlyOne(database.data_sources, title);
    } catch (cause) {
      if (!isNotShared(cause)) throw cause;
      // It may be the id of a data source: that is how one of several is chosen.
      return (await readDataSource(id, signal)).id;
    }
  };
  const bodies = createBodyCache();
  const dataSourceId = async (table: NotionTable, signal: AbortSignal): Promise<string> => {
    const found = ids.get(table) ?? (await findDataSource(table, signal));
    ids.set(table, found);
    return found;
  };
  const dataSource = async (table: NotionTable, signal: AbortSignal): Promise<NotionDataSource> =>
    readDataSource(await dataSourceId(table, signal), signal);
  const map: Sources['map'] = async (table, signal) => {
    const source = await dataSource(table, signal);
    const result = mapProperties(TABLE_SPECS[table], source, known[source.id] ?? {});
    if (result.wrong.length === 0)
      known = { ...known, [source.id]: { ...known[source.id], ...knownOf(result.mapping) } };
    return { ...result, dataSourceId: source.id };
  };
  return {
    tables,
    dataSourceId,
    dataSource,
    map,
    access: async (table, signal, fresh = false) => {
      const held = accesses.get(table);
      if (held && !fresh) return held;
      accesses.delete(table);
      const { mapping, missing, wrong, dataSourceId: id } = await map(table, signal);
      const [bad] = wrong;
      const [gone] = missing;
      if (bad) throw wrongType(table, bad.name, bad.found, bad.spec.types[0]);
      if (gone) throw missingProperty(table, known[id]?.[gone.spec.field] === undefined, gone.name);
      const access = { dataSourceId: id, mapping, bodies };
      accesses.set(table, access);
      return access;
    },
    known: () => known,
    learn: (more) => {
      known = { ...more, ...known };
    },
  };
}

function onlyOne(sources: readonly { readonly id: string; readonly name: string }[], title: string): string {
  const [first, ...others] = sources;
  if (!first) throw new AppError('remote.schema', `the database for ${title.toLowerCase()} has no data source`);
  if (others.length === 0) return first.id;
  const list = sources.map(({ id, name }) => `"${name}" (${id})`).join(', ');
  throw new AppError(
    'remote.schema',
    `the database for ${title.toLowerCase()} has ${sources.length} data sources: ${list}`,
    {
      hint: 'Set the id of the one to use instead of the id of the database.',
    },
  );
}

export const wrongType = (table: NotionTable, name: string, found: string, wanted: string): AppError =>
  new AppError(
    'remote.schema',
    `the property "${name}" of ${TABLE_SPECS[table].title} is of type ${found}, it has to be ${wanted}`,
    {
      hint: `Change its type back to ${wanted} in Notion. Or delete it there and let Angles create it again: its values are still here.`,
    },
  );

export const missingProperty = (table: NotionTable, never: boolean, name: string): AppError =>
  new AppError('remote.schema', `${TABLE_SPECS[table].title} has no property "${name}"${never ? '' : ' any more'}`);

export const nameOf = (source: NotionDataSource): string => plainText(source.title) || source.id;
