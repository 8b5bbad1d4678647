/** Finds the properties of a data source: by id once known, so that a renamed one is followed, else by name. */
import type { NotionTable, PropertySpec, PropertyType, TableSpec } from './table-specs.ts';
import type { NotionDataSource } from './wire.ts';

export type MappedProperty = {
  readonly spec: PropertySpec;
  readonly id: string;
  readonly name: string;
  readonly type: PropertyType;
  /** It was made in the place of one that was deleted: that it is empty on a page says nothing of the value. */
  readonly isReplaced: boolean;
};
export type Mapping = { readonly spec: TableSpec; readonly byField: ReadonlyMap<string, MappedProperty> };

/** Before the name of a field whose property was replaced. */
const REPLACED = '!';
/** Ids of properties by field, per data source: what is worth remembering between runs. */
export type KnownProperties = Readonly<Record<string, string>>;

export type MissingProperty = { readonly spec: PropertySpec; readonly name: string };
export type WrongProperty = { readonly spec: PropertySpec; readonly name: string; readonly found: string };
export type MappingResult = {
  readonly mapping: Mapping;
  /** Can be created. */
  readonly missing: readonly MissingProperty[];
  /** Exist with a type that cannot hold the field; only a person can decide what becomes of their values. */
  readonly wrong: readonly WrongProperty[];
};

const fits = (spec: PropertySpec, type: string): type is PropertyType =>
  (spec.types as readonly string[]).includes(type);

/** The second name, for when the person has a property of that name with another meaning. */
export const otherName = (spec: PropertySpec): string =>
  spec.name.startsWith('Angles') ? `${spec.name} (text)` : `Angles ${spec.name.toLowerCase()}`;

export function mapProperties(spec: TableSpec, source: NotionDataSource, known: KnownProperties): MappingResult {
  const all = Object.values(source.properties);
  const byField = new Map<string, MappedProperty>();
  const missing: MissingProperty[] = [];
  const wrong: WrongProperty[] = [];
  for (const one of spec.properties) {
    const take = (found: { id: string; name: string; type: string } | undefined): boolean => {
      if (!found || !fits(one, found.type)) return false;
      const before = known[one.field] ?? found.id;
      const isReplaced = one.types[0] !== 'title' && (before !== found.id || known[REPLACED + one.field] === found.id);
      byField.set(one.field, { spec: one, id: found.id, name: found.name, type: found.type, isReplaced });
      return true;
    };
    const remembered = all.find(({ id }) => id === known[one.field]);
    const named = all.find(({ name }) => name === one.name);
    const other = all.find(({ name }) => name === otherName(one));
    if (one.types[0] === 'title') take(all.find(({ type }) => type === 'title'));
    else if (take(remembered)) continue;
    else if (remembered) wrong.push({ spec: one, name: remembered.name, found: remembered.type });
    else if (!take(named) && !take(other)) missing.push({ spec: one, name: named ? otherName(one) : one.name });
  }
  return { mapping: { spec, byField }, missing, wrong };
}

export const knownOf = (mapping: Mapping): KnownProperties =>
  Object.fromEntries(
    [...mapping.byField].flatMap(([field, { id, isReplaced }]) => [
      [field, id],
      ...(isReplaced ? [[REPLACED + field, id]] : []),
    ]),
  );

const EMPTY_CONFIG: Readonly<Record<PropertyType, object>> = {
  title: {},
  rich_text: {},
  select: {},
  multi_select: {},
  date: {},
};

/** A property as the API creates it. */
export function propertyRequest(spec: PropertySpec): Record<string, unknown> {
  const [type] = spec.types;
  const options =
    type === 'select' && spec.options ? { options: spec.options.map((name) => ({ name })) } : EMPTY_CONFIG[type];
  return { [type]: options };
}

export type DataSourceIds = Readonly<Partial<Record<NotionTable, string>>>;
