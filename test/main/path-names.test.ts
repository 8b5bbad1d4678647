import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameFromBytes, nameToBytes, topmost } from '../../src/main/path-names.ts';

describe('file names', () => {
  it('keeps every name of bytes apart and gives its bytes back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
        expect(nameToBytes(nameFromBytes(bytes))).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 5_000 },
    );
  });

  it('gives names of valid UTF-8 as they are, emoji and combining marks included', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        fc.pre(!/[\uf780-\uf7ff]/.test(name));
        expect(nameFromBytes(Buffer.from(name))).toBe(name);
      }),
    );
  });

  it('maps characters of the private range so that they cannot pass for bytes', () => {
    const name = Buffer.from('a\uf7c0b');
    expect([nameFromBytes(name) === 'a\uf7c0b', nameToBytes(nameFromBytes(name)).equals(name)]).toEqual([false, true]);
  });

  it('tells NFC and NFD twins apart', () => {
    expect(nameFromBytes(Buffer.from('é'.normalize('NFC')))).not.toBe(nameFromBytes(Buffer.from('é'.normalize('NFD'))));
  });
});

describe('topmost folders', () => {
  it.each([
    [
      ['a/b', 'a', 'a-b', 'a/b/c', 'b/c'],
      ['a', 'a-b', 'b/c'],
    ],
    [['x', ''], ['']],
    [[], []],
    [['a', 'a'], ['a']],
  ])('of %j are %j', (dirs, expected) => {
    expect(topmost(dirs)).toEqual(expected);
  });
});
