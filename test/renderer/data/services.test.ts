import { expect, test } from 'vitest';
import {
  isSetUp,
  knownFields,
  missingIn,
  SERVICES,
  tidy,
  valuesOf,
  verdictOf,
} from '../../../src/renderer/data/services.ts';
import { ENVIRONMENT, SERVICE_ENVIRONMENT } from '../../../src/shared/settings.ts';

test('every field is a name that the agent reads, and is a secret where the agent says so', () => {
  for (const { fields } of SERVICES)
    for (const { name, isSecret } of fields)
      expect(SERVICE_ENVIRONMENT.find((one) => one.name === name)?.secret).toBe(isSecret);
});

test.each([
  ['  abc  ', 'abc'],
  ['NOTION_API_KEY=abc', 'abc'],
  ['export GITHUB_TOKEN = "a b"', 'a b'],
  ["'quoted'", 'quoted'],
  ['"open', '"open'],
  ['https://x.supabase.co/?a=b', 'https://x.supabase.co/?a=b'],
  ['aGVsbG8=', 'aGVsbG8='],
])('a pasted %j is %j', (pasted, value) => expect(tidy(pasted)).toBe(value));

test('only what was typed is set, and a link to a database of Notion is its id', () => {
  const id = '0123456789abcdef0123456789abcdef';
  expect(
    valuesOf({
      NOTION_API_KEY: ' x ',
      NOTION_DATABASE_ID: `https://www.notion.so/mira/Decisions-${id}?v=77`,
      GITHUB_REPO: '  ',
    }),
  ).toEqual({ NOTION_API_KEY: 'x', NOTION_DATABASE_ID: id });
  expect(valuesOf({ NOTION_DATABASE_ID: 'https://www.notion.so/nothing' })).toEqual({
    NOTION_DATABASE_ID: 'https://www.notion.so/nothing',
  });
});

test('a service is set up when everything that it needs is; what is missing is named', () => {
  const environment = ENVIRONMENT.map(({ name, secret, enables }) => ({
    name: name as string,
    foundAs: null,
    source: name === 'SUPABASE_KEY' ? ('keychain' as const) : null,
    value: null,
    secret,
    enables,
  }));
  const service = SERVICES[0];
  if (service === undefined) throw new Error('there is no service');
  const fields = knownFields(service, environment);
  expect(isSetUp(fields)).toBe(false);
  expect(missingIn(fields, { SUPABASE_URL: ' ' })).toEqual(['SUPABASE_URL']);
  expect(missingIn(fields, { SUPABASE_URL: 'https://x' })).toEqual([]);
  expect(isSetUp(fields.map((one) => ({ ...one, source: one.isNeeded ? ('.env' as const) : null })))).toBe(true);
});

test('a test is as good as its worst step', () => {
  const step = (verdict: 'ok' | 'failed' | 'warning' | 'skipped') => ({
    id: '',
    title: '',
    verdict,
    detail: '',
    fix: null,
    canPrepare: false,
    code: null,
  });
  expect([
    verdictOf([step('ok'), step('warning'), step('failed'), step('skipped')]),
    verdictOf([step('warning'), step('ok')]),
    verdictOf([step('ok')]),
  ]).toEqual(['failed', 'warning', 'ok']);
});
