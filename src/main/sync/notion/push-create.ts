/** Makes the page of a record that has none. */
import type { Client } from '@notionhq/client';
import type { FieldValue, OutgoingRecord, PushOutcome } from '../connector.ts';
import { appendBlocks } from './body-writer.ts';
import type { Mapping } from './mapping.ts';
import { EMPTY_STATE, exactOf, fieldsHash, formatState, hashOf, type PageState, propertyValue } from './page-fields.ts';
import { versionOf } from './page-records.ts';
import type { PushContext } from './push.ts';
import type { Access } from './sources.ts';
import { fieldsOf } from './table-specs.ts';
import { batchesOf, textToBody } from './text-blocks.ts';
import { pageShape } from './wire.ts';

export type Properties = NonNullable<Parameters<Client['pages']['create']>[0]['properties']>;
type Children = NonNullable<Parameters<Client['pages']['create']>[0]['children']>;

/** The fields of a record that a page holds, the body left out. */
export function pageFields(mapping: Mapping, record: OutgoingRecord): Record<string, FieldValue> {
  const { body } = mapping.spec;
  const names = fieldsOf(mapping.spec).filter((field) => field !== body);
  return Object.fromEntries(
    names.flatMap((field) => (record.fields[field] === undefined ? [] : [[field, record.fields[field]]])),
  );
}

/** Properties for the API, by their ids, so that a renamed one is met all the same. */
export function propertiesOf(mapping: Mapping, fields: Readonly<Record<string, FieldValue>>): Record<string, unknown> {
  const properties: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(fields)) {
    const mapped = mapping.byField.get(field);
    if (mapped) properties[mapped.id] = propertyValue(mapped.type, value);
  }
  return properties;
}

export const bodyTextOf = (mapping: Mapping, record: OutgoingRecord): string | null => {
  const { body } = mapping.spec;
  return body === null ? null : String(record.fields[body] ?? '');
};

/** The version of a page that holds exactly these fields and this text. */
export const versionOfFields = (
  mapping: Mapping,
  fields: Readonly<Record<string, FieldValue>>,
  text: string | null,
): string => versionOf(fieldsHash(fields, [], mapping.spec.body), text === null ? '-' : hashOf(text));

/**
 * Creates the page with as much of its text as one request takes, then the rest. Until all of it is there, the page says
 * so, and who finds it by its `Angles ID` goes on where this ended.
 */
export async function createPage(
  context: PushContext,
  access: Access,
  record: OutgoingRecord,
  signal: AbortSignal,
): Promise<PushOutcome> {
  const { api } = context;
  const { mapping, dataSourceId } = access;
  const fields = pageFields(mapping, record);
  const text = bodyTextOf(mapping, record);
  const [first = [], ...rest] = batchesOf(textToBody(text ?? ''));
  const exact = exactOf(mapping, fields, EMPTY_STATE);
  const writing = { from: hashOf(''), to: hashOf(text ?? ''), atMs: api.serverNowMs() ?? 0 };
  const state: PageState = { v: 1, exact, ...(rest.length > 0 ? { writing } : {}) };
  const page = await api.call(
    'creating a page',
    pageShape,
    (client) =>
      client.pages.create({
        parent: { type: 'data_source_id', data_source_id: dataSourceId },
        properties: propertiesOf(mapping, { ...fields, id: record.id, state: formatState(state) }) as Properties,
        ...(first.length > 0 ? { children: first as Children } : {}),
      }),
    signal,
  );
  context.pageIds.set(record.id, page.id);
  await appendBlocks(api, page.id, rest, null, signal);
  const retired = typeof fields.deletedAtMs === 'number';
  if (rest.length > 0 || retired) {
    const properties = propertiesOf(mapping, { state: formatState({ v: 1, exact }) }) as Properties;
    await api.call(
      'finishing a page',
      pageShape,
      (client) => client.pages.update({ page_id: page.id, properties, ...(retired ? { in_trash: true } : {}) }),
      signal,
    );
  }
  return {
    kind: 'done',
    id: record.id,
    remoteId: page.id,
    version: versionOfFields(mapping, fields, text),
    base: record.fields,
  };
}
