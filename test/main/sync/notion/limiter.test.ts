import { describe, expect, test } from 'vitest';
import { errorClassOf } from '../../../../src/main/sync/connector.ts';
import { notionFailure, retryAfterMsOf } from '../../../../src/main/sync/notion/failures.ts';
import { createLimiter } from '../../../../src/main/sync/notion/limiter.ts';
import type { AppError, ErrorCode } from '../../../../src/shared/errors.ts';

const signal = new AbortController().signal;

describe('the gate of a connection', () => {
  test('is closed for as long as was asked, then slower, then as fast as before', async () => {
    let nowMs = 0;
    const limiter = createLimiter({ perSecond: 900, monotonicMs: () => nowMs });
    limiter.pause(30_000);
    // Answers to what was under way say it again: that is one refusal, not three.
    limiter.pause(30_000);
    limiter.pause(29_900);
    expect(limiter.ratePerSecond()).toBe(600);
    for (const at of [0, 15_000, 29_999]) {
      nowMs = at;
      const refused = await limiter.run(async () => 'sent', signal).catch((cause: unknown) => cause);
      expect(refused).toMatchObject({ code: 'remote.rate_limited', retryAfterMs: 30_000 - at, retryable: true });
    }
    nowMs = 30_000;
    for (let count = 0; count < 180; count += 1) expect(await limiter.run(async () => 'sent', signal)).toBe('sent');
    expect(limiter.ratePerSecond()).toBe(900);
  });

  test('what waits for its turn when the service closes is not sent', async () => {
    const limiter = createLimiter({ perSecond: 3, monotonicMs: () => performance.now() });
    let sent = 0;
    const work = Array.from({ length: 6 }, () =>
      limiter
        .run(async () => {
          sent += 1;
          if (sent === 3) limiter.pause(60_000);
        }, signal)
        .catch((cause: unknown) => (cause as AppError).code),
    );
    const results = await Promise.all(work);
    expect(sent).toBe(3);
    expect(results.filter((one) => one === 'remote.rate_limited')).toHaveLength(3);
  });

  test('a caller that gives up takes its request out of the queue', async () => {
    const limiter = createLimiter({ perSecond: 1, monotonicMs: () => performance.now() });
    await limiter.run(async () => undefined, signal);
    const caller = new AbortController();
    const waiting = limiter.run(async () => 'sent', caller.signal);
    caller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});

describe('what a failure asks for', () => {
  const answer = (status: number, code: string, message = 'm') =>
    Object.assign(new Error(message), { status, code, headers: new Headers() });
  const cases: readonly (readonly [unknown, ErrorCode, ReturnType<typeof errorClassOf>])[] = [
    [answer(401, 'unauthorized'), 'remote.unauthorized', 'reauth'],
    [answer(403, 'restricted_resource'), 'remote.forbidden', 'blocked'],
    [answer(403, 'restricted_resource', 'This workspace has reached its block limit.'), 'remote.quota', 'blocked'],
    [answer(404, 'object_not_found'), 'remote.not_shared', 'blocked'],
    [answer(404, 'notionhq_client_response_error'), 'remote.bad_answer', 'retry'],
    [answer(400, 'validation_error', 'Status is not a property that exists.'), 'remote.schema', 'blocked'],
    [answer(400, 'validation_error', 'Status is expected to be select.'), 'remote.schema', 'blocked'],
    [
      answer(
        400,
        'validation_error',
        'body failed validation: body.children.length should be ≤ `100`, instead was `101`.',
      ),
      'remote.too_large',
      'rejected',
    ],
    [
      answer(400, 'validation_error', 'body failed validation: body.x should be a string'),
      'remote.rejected',
      'rejected',
    ],
    [answer(413, 'validation_error'), 'remote.too_large', 'rejected'],
    [answer(409, 'conflict_error'), 'remote.unavailable', 'retry'],
    [answer(429, 'rate_limited'), 'remote.rate_limited', 'retry'],
    [answer(529, 'service_overload'), 'remote.unavailable', 'retry'],
    [answer(502, 'notionhq_client_response_error'), 'remote.unavailable', 'retry'],
    [new SyntaxError('Unexpected token <'), 'remote.bad_answer', 'retry'],
    [Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } }), 'remote.unreachable', 'retry'],
    [
      Object.assign(new TypeError('fetch failed'), { cause: { code: 'CERT_HAS_EXPIRED' } }),
      'remote.unreachable',
      'retry',
    ],
  ];
  test.each(cases)('%s', (cause, code, kind) => {
    const failure = notionFailure(cause, 'testing');
    expect(failure.code).toBe(code);
    expect(errorClassOf(failure.code)).toBe(kind);
  });

  test('a Retry-After is whole seconds, and none that is nonsense', () => {
    const of = (value: string) => retryAfterMsOf(new Headers({ 'retry-after': value }));
    expect([of('0'), of('12'), of('86400'), of('soon'), of('-1'), retryAfterMsOf(undefined)]).toEqual([
      0,
      12_000,
      3_600_000,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
