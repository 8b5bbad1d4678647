/** What we read of the answers of the API. Everything else in them may be anything. */
import { z } from 'zod';

const richItem = z.looseObject({
  type: z.string().optional(),
  plain_text: z.string().default(''),
  href: z.string().nullish(),
  text: z.looseObject({ content: z.string() }).optional(),
  equation: z.looseObject({ expression: z.string() }).optional(),
  annotations: z.looseObject({ code: z.boolean().optional(), color: z.string().optional() }).optional(),
});
export const richText = z.array(richItem);
export type RichText = z.infer<typeof richText>;

const parent = z
  .looseObject({
    type: z.string().optional(),
    page_id: z.string().optional(),
    block_id: z.string().optional(),
    database_id: z.string().optional(),
  })
  .optional();

const user = z.looseObject({ id: z.string() }).nullish();

export const pageShape = z.looseObject({
  object: z.literal('page'),
  id: z.string(),
  created_time: z.string(),
  last_edited_time: z.string(),
  last_edited_by: user,
  in_trash: z.boolean().optional(),
  archived: z.boolean().optional(),
  parent: z.looseObject({ data_source_id: z.string().optional(), database_id: z.string().optional() }),
  properties: z.record(z.string(), z.looseObject({ id: z.string(), type: z.string() })),
  url: z.string().optional(),
});
export type NotionPage = z.infer<typeof pageShape>;

export const pageListShape = z.looseObject({
  object: z.literal('list'),
  results: z.array(z.looseObject({ object: z.string(), id: z.string() })),
  next_cursor: z.string().nullable(),
  has_more: z.boolean(),
  request_status: z.looseObject({ type: z.string() }).optional(),
});

export const blockShape = z.looseObject({
  object: z.literal('block'),
  id: z.string(),
  type: z.string(),
  has_children: z.boolean().default(false),
  in_trash: z.boolean().optional(),
  last_edited_by: user,
  parent,
});
export type NotionBlock = z.infer<typeof blockShape>;

export const blockListShape = z.looseObject({
  object: z.literal('list'),
  results: z.array(blockShape),
  next_cursor: z.string().nullable(),
  has_more: z.boolean(),
});

export const databaseShape = z.looseObject({
  object: z.literal('database'),
  id: z.string(),
  in_trash: z.boolean().optional(),
  parent,
  data_sources: z.array(z.looseObject({ id: z.string(), name: z.string().default('') })),
});

export const dataSourceShape = z.looseObject({
  object: z.literal('data_source'),
  id: z.string(),
  title: richText.default([]),
  parent,
  properties: z.record(z.string(), z.looseObject({ id: z.string(), name: z.string(), type: z.string() })),
});
export type NotionDataSource = z.infer<typeof dataSourceShape>;

export const userShape = z.looseObject({ object: z.literal('user'), id: z.string(), name: z.string().nullish() });

export const plainText = (rich: RichText): string => rich.map(({ plain_text }) => plain_text).join('');
