import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hideText, toPlain } from '../../../src/main/log/plain.ts';
import { createRedactor, redactText } from '../../../src/main/log/redact.ts';

const plain = (value: unknown): unknown => toPlain(value, redactText);

describe('toPlain', () => {
  test('names hide values, but not that something is set, and not amounts', () => {
    expect(
      plain({
        password: 'x',
        apiKey: { inner: 'x' },
        token: 7,
        tokens: 1_200,
        hasToken: true,
        cookie: null,
        secret: '',
        path: '/a',
      }),
    ).toEqual({
      password: '[redacted]',
      apiKey: '[redacted]',
      token: '[redacted]',
      tokens: 1_200,
      hasToken: true,
      cookie: null,
      secret: '',
      path: '/a',
    });
  });

  test('values are hidden at any depth, in keys, lists, maps, sets, errors and their causes', () => {
    const secret = 'ghp_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6';
    const error = Object.assign(new Error(`outer ${secret}`, { cause: new Error(`inner ${secret}`) }), {
      code: 'E',
      detail: [secret],
    });
    const text = JSON.stringify(
      plain({
        [secret]: 1,
        list: [{ deep: secret }],
        map: new Map([['k', secret]]),
        set: new Set([secret]),
        error,
        url: new URL(`https://x/${secret}`),
      }),
    );
    expect(text).not.toContain('A1b2C3d4');
    expect(plain(error)).toMatchObject({
      name: 'Error',
      message: 'outer [redacted]',
      code: 'E',
      cause: { message: 'inner [redacted]' },
    });
  });

  test('odd values become words', () => {
    const circular: Record<string, unknown> = {
      n: 10n,
      f: () => 1,
      u: undefined,
      nan: Number.NaN,
      bytes: Buffer.from('abc'),
      bad: new Date(Number.NaN),
    };
    circular.self = circular;
    Object.defineProperty(circular, 'trap', {
      enumerable: true,
      get: () => {
        throw new Error('no');
      },
    });
    circular.json = {
      toJSON: () => {
        throw new Error('no');
      },
    };
    circular.proxy = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no');
        },
      },
    );
    circular.date = new Date(0);
    expect(plain(circular)).toEqual({
      n: '10',
      f: '[function]',
      u: null,
      nan: 'NaN',
      bytes: '[3 bytes]',
      bad: '[invalid date]',
      self: '[circular]',
      trap: '[unreadable]',
      json: '[unreadable]',
      proxy: '[unreadable]',
      date: '1970-01-01T00:00:00.000Z',
    });
  });

  test('a value that comes twice, but not within itself, is shown twice', () => {
    const shared = { a: 1 };
    expect(plain([shared, shared])).toEqual([{ a: 1 }, { a: 1 }]);
  });

  test('never throws, and never grows large', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          withNullPrototype: true,
        }),
        (value) => {
          expect(JSON.stringify(plain(value)).length).toBeLessThan(100_000);
        },
      ),
    );
    let deep: unknown = 'x'.repeat(1_000_000);
    for (let level = 0; level < 10_000; level += 1)
      deep = { deep, list: Array.from({ length: 3 }, () => 'y'.repeat(1_000_000)) };
    expect(JSON.stringify(plain(deep)).length).toBeLessThan(100_000);
    expect(JSON.stringify(plain(Array.from({ length: 1_000_000 }, (_, n) => ({ n })))).length).toBeLessThan(100_000);
  });
});

describe('hideText', () => {
  test('a cut through a secret leaves no part of it', () => {
    const secret = 'correct horse battery staple 0123456789';
    const redactor = createRedactor();
    redactor.addSecret(secret);
    fc.assert(
      // Many secrets before the cut make the hidden text short enough that its very end would be shown.
      fc.property(fc.integer({ min: 0, max: 405 }), fc.integer({ min: -60, max: 20 }), (secrets, shift) => {
        const start = `${secret}.`.repeat(secrets);
        const text = `${start}${'x'.repeat(Math.max(0, 16_384 + shift - start.length))}${secret}${'y'.repeat(50_000)}`;
        expect(hideText(text, redactor.text)).not.toContain(secret.slice(0, 6));
      }),
      { numRuns: 300 },
    );
  });

  test('says how long the text was', () => {
    expect(hideText('x'.repeat(1_000_000), redactText)).toBe(`${'x'.repeat(8_192)}… (1000000 characters)`);
  });
});
