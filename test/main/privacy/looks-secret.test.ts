import { describe, expect, test } from 'vitest';
import {
  isCommonWord,
  isGenerated,
  isStandIn,
  looksLikeKey,
  looksLikePassword,
  turnsTaken,
} from '../../../src/main/privacy/looks-secret.ts';

test.each([
  ['', 0],
  ['abcdef', 0],
  ['a1B2', 1],
  ['ab12', 1 / 3],
  ['a-1-B', 0],
] as const)('%j takes turns %d', (value, turns) => expect(turnsTaken(value)).toBeCloseTo(turns));

describe('a key', () => {
  test.each([
    '5f1d7a84db00d2fce00b31a7fc73224f',
    'b9Kx2mQ7vT4nR8wZ',
    'aGVsbG8+d29ybGQ/MTIzNDU2Nzg5MA==',
    'xyrAsIDZKYTFNWnZxamcGVkAPRhoDjbT',
    '/7KUZwtKp0p+ciSeOoTmzRiZ+CdchKdb1iWXyjhN2uM=',
  ])('is %s', (value) => expect(looksLikeKey(value)).toBe(true));
  test.each([
    'punctuation.definition.string1',
    'app-settings-of-production-2',
    'EqualsGreaterThanToken',
    'SignInWithPasswordCredentials',
    'Uint8ArrayBufferView',
    'sha256-fingerprint-of-file',
    '2026-11-20T10:00:00.000Z',
    '/home/ada/notes/2026/plan1.md',
    'https://example.com/a1b2c3d4e5f6',
    'your-api-key-1a2b3c4d',
    '1234567890123456',
    'a1b2c3',
  ])('is not %s', (value) => expect(looksLikeKey(value)).toBe(false));
});

describe('a password', () => {
  test.each(['hunter2!', 'Sommer.2024', 'Tr0ub4dor&3', 'p4ssw0rdX', '$sU2Ep~rCK'])('is %s', (value) => {
    expect(looksLikePassword(value, true)).toBe(true);
    expect(looksLikePassword(value, false)).toBe(true);
  });
  test.each([
    'string',
    'Uint8Array',
    'config.auth.pass1',
    'required',
    '12345678',
    'two words1',
    'changeme',
    './x1y2z3',
  ])('is not %s', (value) => expect(looksLikePassword(value, true)).toBe(false));
});

test.each([
  '<password>',
  '$PASSWORD',
  '%TOKEN%',
  '{token}',
  'your-key',
  'xxxxxxxx',
  '*******',
  'process.env.KEY',
  '[key]',
])('%s stands where a secret belongs', (value) => expect(isStandIn(value)).toBe(true));

test('the body of a token was generated, not written', () => {
  expect(isGenerated('A1b2C3d4E5f6G7h8', 0.2)).toBe(true);
  expect(isGenerated('folding-cube-4-inner', 0.2)).toBe(false);
  expect(isGenerated('loading-indicator', 0.2)).toBe(false);
  expect(isGenerated('xxxxxxxxxxxxxxxx', 0.2)).toBe(false);
});

test('passwords that everybody knows are words', () => {
  expect([isCommonWord('Postgres'), isCommonWord('changeme'), isCommonWord('Tr0ub4dor')]).toEqual([true, true, false]);
});
