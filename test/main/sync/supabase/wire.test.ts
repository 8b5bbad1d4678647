import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Answer, errorOfAnswer, retryAfterMs } from '../../../../src/main/sync/supabase/answer-error.ts';
import { createBatchSize, cutBatches } from '../../../../src/main/sync/supabase/batch-size.ts';
import { readCursor } from '../../../../src/main/sync/supabase/cursor.ts';
import { stageOf, unreachable } from '../../../../src/main/sync/supabase/network-error.ts';
import { kindOfKey, projectMismatch, projectUrl } from '../../../../src/main/sync/supabase/project.ts';
import { decodeText, encodeJson, encodeText } from '../../../../src/main/sync/supabase/wire-text.ts';
import { timeFromWire, timeToWire } from '../../../../src/main/sync/supabase/wire-time.ts';
import { AppError } from '../../../../src/shared/errors.ts';

const RUNS = Number(process.env.RUNS ?? 2_000);
/** Any string of UTF-16 units, with what matters more often than chance has it. */
const anyText = fc
  .array(
    fc.oneof(
      fc.constantFrom('\0', '\\', 'u', '{', '}', '0', '5c', 'd83d', '\\u{', '\\u{5c}', '\ud83d', '\ude00', '😀'),
      fc.string({ unit: 'binary' }),
    ),
  )
  .map((parts) => parts.join(''));

describe('texts on the wire', () => {
  test('every string comes back, and what is sent can be stored', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const wire = encodeText(text);
        expect(wire.isWellFormed() && !wire.includes('\0')).toBe(true);
        expect(decodeText(wire)).toBe(text);
      }),
      { numRuns: RUNS },
    );
  });
  test('different strings stay different, ordinary ones stay themselves', () => {
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        expect(encodeText(a) === encodeText(b)).toBe(a === b);
      }),
      { numRuns: RUNS },
    );
    for (const text of ['', 'C:\\users', '\\u0000', '\\u{41}', '\\u{1F600}', 'ü😀\u202e'])
      expect(encodeText(text)).toBe(text);
  });
  test('JSON values are safe at every depth', () => {
    expect(encodeJson({ 'a\0': ['\ud800', { b: 1, c: null }] })).toEqual({
      'a\\u{0}': ['\\u{d800}', { b: 1, c: null }],
    });
  });
});

describe('times on the wire', () => {
  test('every millisecond that Postgres can hold comes back', () => {
    // 4713 BC to the end of JavaScript's calendar.
    fc.assert(
      fc.property(fc.integer({ min: -210_000_000_000_000, max: 8_640_000_000_000_000 }), (ms) => {
        expect(timeFromWire(timeToWire(ms))).toBe(ms);
      }),
      { numRuns: RUNS },
    );
  });
  test.each([
    ['2026-01-02T03:04:05.678901+00:00', Date.UTC(2026, 0, 2, 3, 4, 5, 678)],
    ['2026-01-02 03:04:05+02', Date.UTC(2026, 0, 2, 1, 4, 5)],
    ['2026-01-02T03:04:05.6-03:30', Date.UTC(2026, 0, 2, 6, 34, 5, 600)],
    ['infinity', null],
    ['', null],
    ['2026-13-45T00:00:00Z', null],
  ])('%s is read', (text, ms) => expect(timeFromWire(text)).toBe(ms));
});

const answer = (status: number, body: unknown, more: Partial<Answer> = {}): Answer => ({
  status,
  contentType: 'application/json',
  retryAfter: null,
  location: null,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  ...more,
});

describe('what an answer means', () => {
  test.each<[string, Answer, object | null]>([
    ['a good one', answer(200, { a: 1 }), null],
    ['an empty one', answer(204, ''), null],
    ['a key that is wrong', answer(401, { message: 'Invalid API key' }), { code: 'remote.unauthorized' }],
    [
      'a token that is over',
      answer(401, { code: 'PGRST301', message: 'JWT expired' }),
      { code: 'remote.unauthorized' },
    ],
    [
      'a permission that is missing',
      answer(403, { code: '42501', message: 'permission denied for table x' }),
      { code: 'remote.forbidden' },
    ],
    ['the same for nobody', answer(401, { code: '42501', message: 'permission denied' }), { code: 'remote.forbidden' }],
    [
      'a table that is missing',
      answer(404, { code: '42P01', message: 'relation "public.x" does not exist' }),
      { code: 'remote.schema', message: expect.stringContaining('public.x') },
    ],
    [
      'the same, newer',
      answer(404, { code: 'PGRST205', message: `Could not find the table 'public.x'` }),
      { code: 'remote.schema' },
    ],
    [
      'a column that is missing',
      answer(400, { code: '42703', message: 'column d.title does not exist' }),
      { code: 'remote.schema', message: expect.stringContaining('d.title') },
    ],
    [
      'a column of another type',
      answer(400, { code: '42804', message: 'column "tags" is of type jsonb' }),
      { code: 'remote.schema' },
    ],
    [
      'a function that is missing',
      answer(404, { code: 'PGRST202', message: 'Could not find the function' }),
      { code: 'remote.schema' },
    ],
    [
      'a row that is refused',
      answer(400, { code: '23514', message: 'violates check constraint' }),
      { code: 'remote.rejected', retryable: false },
    ],
    [
      'a value that is none',
      answer(400, { code: '22P02', message: 'invalid input syntax' }),
      { code: 'remote.rejected' },
    ],
    [
      'a row twice',
      answer(500, { code: '21000', message: 'cannot affect row a second time' }),
      { code: 'remote.rejected' },
    ],
    [
      'a statement that took too long',
      answer(500, { code: '57014', message: 'canceling statement' }),
      { code: 'remote.unavailable', retryable: true },
    ],
    [
      'a deadlock',
      answer(500, { code: '40P01', message: 'deadlock detected' }),
      { code: 'remote.unavailable', retryable: true },
    ],
    ['a full disk', answer(503, { code: '53100', message: 'disk full' }), { code: 'remote.quota' }],
    ['a database that only reads', answer(405, { code: '25006', message: 'read-only' }), { code: 'remote.quota' }],
    [
      'too many requests, seconds',
      answer(429, '', { retryAfter: '7' }),
      { code: 'remote.rate_limited', retryable: true, retryAfterMs: 7_000 },
    ],
    ['too many requests, a page', answer(429, '<html>', { contentType: 'text/html' }), { code: 'remote.rate_limited' }],
    [
      'a gateway in trouble',
      answer(502, '<html>bad gateway', { contentType: 'text/html' }),
      { code: 'remote.unavailable', retryable: true },
    ],
    ['a paused project', answer(540, ''), { code: 'remote.unavailable', hint: expect.stringContaining('paused') }],
    ['a restricted project', answer(402, { message: 'exceed_egress_quota' }), { code: 'remote.quota' }],
    [
      'a page instead of JSON',
      answer(200, '<html>sign in', { contentType: 'text/html' }),
      { code: 'remote.bad_answer', retryable: true },
    ],
    ['a page that is not found', answer(404, '<html>', { contentType: 'text/html' }), { code: 'remote.bad_answer' }],
    [
      'JSON that is cut',
      answer(200, '{"done":[['),
      { code: 'remote.bad_answer', message: expect.stringContaining('cut off') },
    ],
    [
      'a redirect',
      answer(302, '', { location: 'https://portal.test/login?x=1' }),
      { code: 'remote.bad_answer', message: expect.stringContaining('portal.test') },
    ],
    ['too much', answer(413, '{}'), { code: 'remote.too_large' }],
    [
      'an object that is too large',
      answer(413, { statusCode: '413', error: 'Payload too large', message: 'x' }),
      { code: 'remote.too_large' },
    ],
    [
      'a bucket that is missing',
      answer(400, { statusCode: '404', error: 'Bucket not found', message: 'Bucket not found' }),
      { code: 'remote.schema' },
    ],
    [
      'a wrong password',
      answer(400, { code: 400, error_code: 'invalid_credentials', msg: 'Invalid login credentials' }),
      { code: 'remote.unauthorized' },
    ],
  ])('%s', (_, given, expected) => {
    const error = errorOfAnswer(given, true, 0);
    if (expected === null) expect(error).toBe(null);
    else expect(error).toMatchObject(expected);
  });
  test('Retry-After is seconds or a date', () => {
    expect(retryAfterMs('1.5', 0)).toBe(1_500);
    expect(retryAfterMs('Fri, 02 Jan 2026 00:00:10 GMT', Date.UTC(2026, 0, 2))).toBe(10_000);
    expect(retryAfterMs('Fri, 02 Jan 2026 00:00:00 GMT', Date.UTC(2027, 0, 2))).toBe(0);
    expect(retryAfterMs('soon', 0)).toBe(undefined);
  });
});

describe('why nothing answered', () => {
  test.each([
    ['ENOTFOUND', 'dns'],
    ['EAI_AGAIN', 'dns'],
    ['ECONNREFUSED', 'tcp'],
    ['ECONNRESET', 'tcp'],
    ['UND_ERR_SOCKET', 'tcp'],
    ['CERT_HAS_EXPIRED', 'tls'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls'],
    ['UND_ERR_CONNECT_TIMEOUT', 'time'],
  ])('%s is %s', (code, stage) => {
    const cause = Object.assign(new Error('x'), { code });
    expect(stageOf(new TypeError('fetch failed', { cause }))).toBe(stage);
    expect(stageOf(new TypeError('fetch failed', { cause: new AggregateError([cause]) }))).toBe(stage);
    expect(unreachable(new TypeError('fetch failed', { cause }), 'h.test')).toMatchObject({
      code: 'remote.unreachable',
      retryable: true,
      message: expect.stringContaining(code),
    });
  });
});

const jwt = (claims: object): string =>
  ['eyJhbGciOiJIUzI1NiJ9', Buffer.from(JSON.stringify(claims)).toString('base64url'), 'sig'].join('.');

describe('address and key', () => {
  test.each([
    ['https://abcdefghijklmnopqrst.supabase.co/', 'https://abcdefghijklmnopqrst.supabase.co'],
    [' https://abcdefghijklmnopqrst.supabase.co/rest/v1/ ', 'https://abcdefghijklmnopqrst.supabase.co'],
    ['http://127.0.0.1:54321', 'http://127.0.0.1:54321'],
  ])('%s is used as %s', (text, origin) => expect(projectUrl(text).origin).toBe(origin));
  test.each([
    ['abcdefghijklmnopqrst.supabase.co', /no address/],
    ['https://supabase.com/dashboard/project/abcdefghijklmnopqrst/editor', /dashboard/],
    ['http://abcdefghijklmnopqrst.supabase.co', /not encrypted/],
    ['postgresql://db', /no address/],
  ])('%s is refused', (text, message) => {
    expect(() => projectUrl(text)).toThrowError(message);
  });
  test('a key in the place of the address is not shown', () => {
    const key = ['sb', 'secret', 'abcdefghij'].join('_');
    expect(() => projectUrl(key)).toThrowError(/\(a key\)/);
  });
  test('another project is noticed by the key, where it says so', () => {
    const url = new URL('https://abcdefghijklmnopqrst.supabase.co');
    expect(projectMismatch(url, jwt({ ref: 'zzzzzzzzzzzzzzzzzzzz', role: 'anon' }))).toMatchObject({
      code: 'remote.wrong_project',
    });
    expect(projectMismatch(url, jwt({ ref: 'abcdefghijklmnopqrst', role: 'anon' }))).toBe(null);
    expect(projectMismatch(url, 'sb_publishable_x')).toBe(null);
    expect(projectMismatch(new URL('https://api.example.test'), jwt({ ref: 'other' }))).toBe(null);
    expect([
      kindOfKey(jwt({ role: 'service_role' })),
      kindOfKey(jwt({ role: 'anon' })),
      kindOfKey('sb_secret_x'),
      kindOfKey('x'),
    ]).toEqual(['secret', 'publishable', 'secret', 'unknown']);
  });
});

test('batches keep order and limits, whatever the sizes', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 100 })),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 200 }),
      (items, rows, bytes) => {
        const batches = cutBatches(items, (item) => item, { rows, bytes });
        expect(batches.flat()).toEqual(items);
        for (const batch of batches) {
          expect(batch.length >= 1 && batch.length <= rows).toBe(true);
          expect(batch.length === 1 || batch.reduce((sum, item) => sum + item, 0) <= bytes).toBe(true);
        }
      },
    ),
  );
});

test('a request that is too much halves the next ones; success lets them grow back, to the limit and no further', () => {
  const size = createBatchSize(400);
  size.tooMuch(400);
  expect(size.rows()).toBe(200);
  size.tooMuch(50);
  expect(size.rows()).toBe(25);
  for (let count = 0; count < 40; count += 1) size.succeeded(size.rows());
  expect(size.rows()).toBe(400);
  for (let count = 0; count < 40; count += 1) size.tooMuch(1);
  expect(size.rows()).toBe(1);
});

test('a cursor that cannot be read starts anew; a table that it does not know starts at its beginning', () => {
  expect(readCursor('nonsense', ['memories'])).toEqual({ memories: [0, 0, 0, 0] });
  expect(readCursor('{"memories":[1,2,3,-4]}', ['memories'])).toEqual({ memories: [0, 0, 0, 0] });
  expect(readCursor('{"memories":[1,2,3,4]}', ['memories', 'activities'])).toEqual({
    memories: [1, 2, 3, 4],
    activities: [0, 0, 0, 0],
  });
});

test('an answer’s failure is an AppError with the status for those who decide by it', () => {
  const error = errorOfAnswer(answer(400, { statusCode: '409', error: 'Duplicate', message: 'exists' }), true, 0);
  expect(error).toBeInstanceOf(AppError);
  expect(error?.cause).toEqual({ status: 409, code: 'Duplicate' });
});
