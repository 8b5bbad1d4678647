/** The stand-in against the documentation: forms of errors and answers, every limit, the examples of its reference. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Client } from '@notionhq/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Notion, startNotion } from '../../../support/notion/start.ts';
import type { Database } from './notion-harness.ts';

type Answer = { readonly status: number; readonly headers: Headers; readonly body: Record<string, unknown> };

let notion: Notion;
let database: Database;
const send = async (
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> => {
  const response = await fetch(notion.baseUrl + path, {
    method,
    headers: {
      authorization: `Bearer ${notion.token}`,
      'notion-version': '2025-09-03',
      'content-type': 'application/json',
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
};
const text = (content: string) => ({ text: { content } });
const paragraph = (content = 'x') => ({ paragraph: { rich_text: [text(content)] } });
const PROPERTIES = {
  Name: { title: {} },
  Text: { rich_text: {} },
  Tags: { multi_select: {} },
  Kind: { select: { options: [{ name: 'a' }] } },
  Day: { date: {} },
  Mail: { email: {} },
  Site: { url: {} },
};
const newPage = (properties: unknown, children?: unknown) =>
  send('POST', '/v1/pages', {
    parent: { type: 'data_source_id', data_source_id: database.dataSourceId },
    properties,
    ...(children === undefined ? {} : { children }),
  });

beforeAll(async () => {
  notion = await startNotion();
  database = await notion.call<Database>('database', { title: 'Conformance', properties: PROPERTIES });
});
afterAll(() => notion.stop());

describe('errors have the documented form', () => {
  test('status, code and message', async () => {
    const page = '/v1/pages/0c4e9f35-1b1a-4f43-a7c4-5f5a6e1f0e11';
    const cases: readonly (readonly [Promise<Answer>, number, string, string])[] = [
      [
        send('GET', page),
        404,
        'object_not_found',
        'Could not find page with ID: 0c4e9f35-1b1a-4f43-a7c4-5f5a6e1f0e11. Make sure the relevant pages and databases are shared with your integration.',
      ],
      [
        send('GET', '/v1/users/me', undefined, { authorization: 'Bearer nobody' }),
        401,
        'unauthorized',
        'API token is invalid.',
      ],
      [send('POST', '/v1/search', '{"a":'), 400, 'invalid_json', 'Error parsing JSON body.'],
      [send('GET', '/v1/nothing'), 400, 'invalid_request_url', 'Invalid request URL.'],
      [newPage({ Nope: { rich_text: [] } }), 400, 'validation_error', 'Nope is not a property that exists.'],
      [newPage({ Text: { select: null } }), 400, 'validation_error', 'Text is expected to be rich_text.'],
      [
        newPage({ Tags: { multi_select: [{ name: 'a, b' }] } }),
        400,
        'validation_error',
        'Invalid select option, commas not allowed: a, b',
      ],
      [
        newPage({}, [paragraph(), paragraph('a'.repeat(2001))]),
        400,
        'validation_error',
        'body failed validation: body.children[1].paragraph.rich_text[0].text.content.length should be ≤ `2000`, instead was `2001`.',
      ],
    ];
    for (const [sent, status, code, message] of cases) {
      const answer = await sent;
      expect(answer.body).toEqual({ object: 'error', status, code, message, request_id: expect.any(String) });
      expect(answer.status).toBe(status);
    }
  });

  test('a request without a version', async () => {
    const response = await fetch(`${notion.baseUrl}/v1/users/me`, {
      headers: { authorization: `Bearer ${notion.token}` },
    });
    expect(await response.json()).toMatchObject({ status: 400, code: 'missing_version' });
  });
});

describe('limits', () => {
  const many = <T>(count: number, one: (index: number) => T): T[] =>
    Array.from({ length: count }, (_, index) => one(index));
  test.each([
    [
      '2,000 units of text, pairs counted as two',
      () => newPage({ Text: { rich_text: [text('😀'.repeat(1000))] } }),
      () => newPage({ Text: { rich_text: [text(`😀${'a'.repeat(1999)}`)] } }),
    ],
    [
      '100 elements of rich text',
      () => newPage({ Text: { rich_text: many(100, () => text('a')) } }),
      () => newPage({ Text: { rich_text: many(101, () => text('a')) } }),
    ],
    [
      '100 options',
      () => newPage({ Tags: { multi_select: many(100, (index) => ({ name: `t${index}` })) } }),
      () => newPage({ Tags: { multi_select: many(101, (index) => ({ name: `t${index}` })) } }),
    ],
    [
      '100 characters of an option',
      () => newPage({ Kind: { select: { name: 'k'.repeat(100) } } }),
      () => newPage({ Kind: { select: { name: 'k'.repeat(101) } } }),
    ],
    [
      '200 characters of an e-mail',
      () => newPage({ Mail: { email: 'm'.repeat(200) } }),
      () => newPage({ Mail: { email: 'm'.repeat(201) } }),
    ],
    [
      '2,000 characters of a URL',
      () => newPage({ Site: { url: 'u'.repeat(2000) } }),
      () => newPage({ Site: { url: 'u'.repeat(2001) } }),
    ],
    [
      '1,000 characters of an equation',
      () => newPage({ Text: { rich_text: [{ equation: { expression: 'e'.repeat(1000) } }] } }),
      () => newPage({ Text: { rich_text: [{ equation: { expression: 'e'.repeat(1001) } }] } }),
    ],
    [
      '100 children',
      () =>
        newPage(
          {},
          many(100, () => paragraph()),
        ),
      () =>
        newPage(
          {},
          many(101, () => paragraph()),
        ),
    ],
    [
      'two levels of nesting',
      () => newPage({}, [{ toggle: { rich_text: [], children: [paragraph()] } }]),
      () =>
        newPage({}, [
          { toggle: { rich_text: [], children: [{ toggle: { rich_text: [], children: [paragraph()] } }] } },
        ]),
    ],
    [
      '1,000 blocks',
      () =>
        newPage(
          {},
          many(99, () => ({ toggle: { rich_text: [], children: many(9, () => paragraph()) } })),
        ),
      () =>
        newPage(
          {},
          many(100, () => ({ toggle: { rich_text: [], children: many(10, () => paragraph()) } })),
        ),
    ],
    [
      'a date that is one',
      () => newPage({ Day: { date: { start: '2026-11-24' } } }),
      () => newPage({ Day: { date: { start: 'soon' } } }),
    ],
    [
      'no leftovers of an answer',
      () => newPage({}, [paragraph()]),
      () => newPage({}, [{ ...paragraph(), archived: false }]),
    ],
    [
      'pages of 100',
      () => send('POST', `/v1/data_sources/${database.dataSourceId}/query`, { page_size: 100 }),
      () => send('POST', `/v1/data_sources/${database.dataSourceId}/query`, { page_size: 101 }),
    ],
  ])('%s', async (_name, within, above) => {
    expect((await within()).status).toBe(200);
    expect((await above()).body).toMatchObject({ status: 400, code: 'validation_error' });
  });

  test('500 KB', async () => {
    const big = (count: number) =>
      newPage(
        {},
        many(count, () => ({ paragraph: { rich_text: many(5, () => text('a'.repeat(1950))) } })),
      );
    expect((await big(45)).status).toBe(200);
    expect((await big(55)).status).toBe(413);
  });

  test('10,000 results of a query, and then it says so', async () => {
    const made = await notion.call<Database>('database', { title: 'Many', properties: { Name: { title: {} } } });
    await notion.call('maxResults', { count: 150 });
    for (let index = 0; index < 151; index += 1) await notion.call('page', { dataSourceId: made.dataSourceId });
    const first = await send('POST', `/v1/data_sources/${made.dataSourceId}/query`, {});
    expect(first.body).toMatchObject({ object: 'list', has_more: true, type: 'page_or_data_source' });
    expect(first.body).not.toHaveProperty('request_status');
    const second = await send('POST', `/v1/data_sources/${made.dataSourceId}/query`, {
      start_cursor: first.body.next_cursor,
    });
    await notion.call('maxResults', { count: 10_000 });
    expect(second.body).toMatchObject({
      has_more: false,
      next_cursor: null,
      request_status: { type: 'incomplete', incomplete_reason: 'query_result_limit_reached' },
    });
    expect((second.body.results as unknown[]).length).toBe(50);
    expect(
      (await send('POST', `/v1/data_sources/${made.dataSourceId}/query`, { start_cursor: 'mine' })).body,
    ).toMatchObject({ code: 'validation_error' });
  });

  test('requests: an average with bursts, and a budget per window, each with a Retry-After', async () => {
    await notion.rate({ kind: 'average', perSecond: 3, burst: 3, retryAfterS: 2 });
    const average = await Promise.all(many(5, () => send('GET', '/v1/users/me')));
    await notion.rate({ kind: 'window', budget: 2, windowMs: 60_000 });
    const window = await Promise.all(many(4, () => send('GET', '/v1/users/me')));
    await notion.rate({ kind: 'none' });
    const refused = [...average, ...window].filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(3);
    for (const { headers, body } of refused) {
      expect(body).toMatchObject({
        code: 'rate_limited',
        additional_data: { rate_limit_reason: 'public_api_request_rate_limit' },
      });
      expect(headers.get('retry-after')).toMatch(/^(2|5\d|60)$/);
    }
  });
});

describe('answers have the documented form', () => {
  test('the real client reads what it wrote: database, data source, page, blocks', async () => {
    const client = new Client({ auth: notion.token, baseUrl: notion.baseUrl, retry: false });
    const found = await client.databases.retrieve({ database_id: database.databaseId.replaceAll('-', '') });
    expect(found).toMatchObject({
      object: 'database',
      data_sources: [{ id: database.dataSourceId, name: 'Conformance' }],
    });
    const source = await client.dataSources.retrieve({ data_source_id: database.dataSourceId });
    expect(source.properties).toMatchObject({ Name: { id: 'title', type: 'title' }, Kind: { type: 'select' } });
    const made = await client.pages.create({
      parent: { data_source_id: database.dataSourceId },
      properties: { Name: { title: [text('Bug bash')] }, Kind: { select: { name: 'New' } } },
      children: [{ heading_2: { rich_text: [text('Lacinato kale')] } }],
    });
    expect(made).toMatchObject({
      object: 'page',
      in_trash: false,
      parent: { type: 'data_source_id', data_source_id: database.dataSourceId, database_id: database.databaseId },
      properties: {
        Name: {
          id: 'title',
          type: 'title',
          title: [{ type: 'text', plain_text: 'Bug bash', href: null, text: { content: 'Bug bash', link: null } }],
        },
        Kind: { select: { name: 'New', id: expect.any(String) } },
        Text: { rich_text: [] },
        Day: { date: null },
      },
    });
    const blocks = await client.blocks.children.append({
      block_id: made.id,
      children: [{ paragraph: { rich_text: [text('after it')] } }],
    });
    expect(blocks).toMatchObject({
      object: 'list',
      results: [{ object: 'block', type: 'paragraph', has_children: false }],
    });
    const listed = await client.blocks.children.list({ block_id: made.id });
    expect(listed.results.map((block) => ('type' in block ? block.type : ''))).toEqual(['heading_2', 'paragraph']);
    const [first] = listed.results;
    await client.blocks.children.append({ block_id: made.id, after: first?.id ?? '', children: [{ divider: {} }] });
    expect(
      (await client.blocks.children.list({ block_id: made.id })).results.map((block) =>
        'type' in block ? block.type : '',
      ),
    ).toEqual(['heading_2', 'divider', 'paragraph']);
    expect(await client.blocks.delete({ block_id: first?.id ?? '' })).toMatchObject({ in_trash: true });
    expect(await client.users.me({})).toMatchObject({ object: 'user', type: 'bot' });
  });

  test('times are rounded down to the minute, and an edit of a block moves that of its page', async () => {
    await notion.call('clock', { fixedMs: Date.UTC(2026, 0, 2, 3, 4, 59, 999) });
    const { body } = await newPage({}, [paragraph()]);
    expect(body).toMatchObject({
      created_time: '2026-01-02T03:04:00.000Z',
      last_edited_time: '2026-01-02T03:04:00.000Z',
    });
    await notion.call('clock', { fixedMs: Date.UTC(2026, 0, 2, 3, 9, 30) });
    await send('PATCH', `/v1/blocks/${body.id}/children`, { children: [paragraph()] });
    expect((await send('GET', `/v1/pages/${body.id}`)).body).toMatchObject({
      created_time: '2026-01-02T03:04:00.000Z',
      last_edited_time: '2026-01-02T03:09:00.000Z',
    });
    await notion.call('clock', { fixedMs: null });
  });

  test('the trash: out of the listing, in the listing of the trash, not to be edited, and back', async () => {
    const { body } = await newPage({ Name: { title: [text('Trash me')] } });
    expect((await send('PATCH', `/v1/pages/${body.id}`, { in_trash: true })).body).toMatchObject({
      in_trash: true,
      archived: true,
    });
    const ids = async (more: object) =>
      (
        (
          await send('POST', `/v1/data_sources/${database.dataSourceId}/query`, {
            filter: { property: 'Name', title: { equals: 'Trash me' } },
            ...more,
          })
        ).body.results as { id: string }[]
      ).map(({ id }) => id);
    expect(await ids({})).toEqual([]);
    expect(await ids({ in_trash: true })).toEqual([body.id]);
    const refused = {
      status: 400,
      body: {
        code: 'validation_error',
        message: "Can't edit block that is archived. You must unarchive the block before editing.",
      },
    };
    expect(await send('PATCH', `/v1/pages/${body.id}`, { properties: { Name: { title: [] } } })).toMatchObject(refused);
    expect(await send('PATCH', `/v1/blocks/${body.id}/children`, { children: [paragraph()] })).toMatchObject(refused);
    expect((await send('PATCH', `/v1/pages/${body.id}`, { in_trash: false })).body).toMatchObject({ in_trash: false });
  });

  test('options are made on demand, properties are met by id as well, what is not shared is not there', async () => {
    const source = (await send('GET', `/v1/data_sources/${database.dataSourceId}`)).body.properties as Record<
      string,
      { id: string }
    >;
    const { body } = await newPage({ [source.Kind?.id ?? '']: { select: { name: 'On demand' } } });
    expect(body.properties).toMatchObject({ Kind: { select: { name: 'On demand' } } });
    await notion.call('share', { databaseId: database.databaseId, shared: false });
    for (const path of [
      `/v1/databases/${database.databaseId}`,
      `/v1/data_sources/${database.dataSourceId}`,
      `/v1/pages/${body.id}`,
      `/v1/blocks/${body.id}/children`,
    ]) {
      expect((await send('GET', path)).body).toMatchObject({ status: 404, code: 'object_not_found' });
    }
    await notion.call('share', { databaseId: database.databaseId, shared: true });
  });
});

test('its page shows and edits what it holds, and nothing on it is taken as markup', async () => {
  const name = '<img src=x onerror=alert(1)>';
  await newPage({ Name: { title: [text(name)] } });
  const page = await (await fetch(notion.baseUrl)).text();
  expect(page).toContain('Notion, stand-in');
  expect(page).not.toContain(name);
});

test('it ends when its parent does', async () => {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('../../../support/notion/server.ts', import.meta.url))],
    { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: '' } },
  );
  await once(child.stdout, 'data');
  child.stdin.end();
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
});
