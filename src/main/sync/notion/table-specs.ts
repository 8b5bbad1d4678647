/** Which property of a data source holds which field of a record, per table. Names are what a person sees in Notion. */
import { decisionStatus, memoryKind, memoryStatus, priority } from '../../../shared/model.ts';
import type { SyncTable } from '../connector.ts';

export type NotionTable = Extract<SyncTable, 'decision_vault' | 'memories' | 'activities'>;
export type PropertyType = 'title' | 'rich_text' | 'select' | 'multi_select' | 'date';

export type PropertySpec = {
  /** A field of the record, or `id` (which record it is) and `state` (what Notion itself cannot hold). */
  readonly field: string;
  readonly name: string;
  /** Types that can hold it; the first is what is created. */
  readonly types: readonly [PropertyType, ...PropertyType[]];
  /** Values that make sense; created as options. */
  readonly options: readonly string[] | null;
  /** Whether a missing value is null; otherwise it is an empty text. */
  readonly nullable: boolean;
};

export type TableSpec = {
  readonly table: NotionTable;
  /** Title of a database that is created for it. */
  readonly title: string;
  readonly properties: readonly PropertySpec[];
  /** The field that is the body of the page; null when the body is the person's alone. */
  readonly body: 'decision' | 'content' | null;
};

const property = (
  field: string,
  name: string,
  types: PropertySpec['types'],
  more: { readonly options?: readonly string[]; readonly nullable?: boolean } = {},
): PropertySpec => ({ field, name, types, options: more.options ?? null, nullable: more.nullable ?? false });

const SOURCE: readonly PropertySpec[] = [
  property('sourcePath', 'Source', ['rich_text'], { nullable: true }),
  property('sourceSha256', 'Source hash', ['rich_text'], { nullable: true }),
  property('supersedes', 'Supersedes', ['rich_text'], { nullable: true }),
];
const OURS: readonly PropertySpec[] = [
  property('id', 'Angles ID', ['rich_text']),
  property('state', 'Angles State', ['rich_text']),
];

export const TABLE_SPECS: Readonly<Record<NotionTable, TableSpec>> = {
  decision_vault: {
    table: 'decision_vault',
    title: 'Decisions',
    body: 'decision',
    properties: [
      property('title', 'Name', ['title']),
      property('status', 'Status', ['select'], { options: decisionStatus.options }),
      property('priority', 'Priority', ['select'], { options: priority.options }),
      property('type', 'Type', ['select', 'rich_text']),
      property('category', 'Category', ['select', 'rich_text']),
      property('tags', 'Tags', ['multi_select']),
      property('date', 'Date', ['date'], { nullable: true }),
      ...SOURCE,
      ...OURS,
    ],
  },
  memories: {
    table: 'memories',
    title: 'Memories',
    body: 'content',
    properties: [
      property('title', 'Name', ['title']),
      property('kind', 'Kind', ['select'], { options: memoryKind.options }),
      property('status', 'Status', ['select'], { options: memoryStatus.options }),
      property('category', 'Category', ['select', 'rich_text']),
      property('tags', 'Tags', ['multi_select']),
      ...SOURCE,
      ...OURS,
    ],
  },
  activities: {
    table: 'activities',
    title: 'Activities',
    body: null,
    properties: [
      property('summary', 'Name', ['title']),
      property('kind', 'Kind', ['select']),
      property('occurredAtMs', 'When', ['date']),
      property('path', 'Path', ['rich_text'], { nullable: true }),
      property('recordId', 'Record', ['rich_text'], { nullable: true }),
      property('origin', 'Origin', ['rich_text']),
      property('id', 'Angles ID', ['rich_text']),
    ],
  },
};

/** Fields that are no property: the body, and being retired, which is being in the trash. */
export const fieldsOf = (spec: TableSpec): string[] => [
  ...spec.properties.map(({ field }) => field).filter((field) => field !== 'id' && field !== 'state'),
  ...(spec.body === null ? [] : [spec.body, 'deletedAtMs']),
];
