import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findJsonProblem } from '../../../src/main/settings/json.ts';

describe('findJsonProblem', () => {
  test.each([
    ['{"a": 1,}', 'the comma before "}" must go', 1, 8],
    ['[1,\r\n 2,\r\n]', 'the comma before "]" must go', 2, 3],
    ['{\n  "a": 1\n  "b": 2\n}', '"," or "}" is expected, but there is """', 3, 3],
    ['{a: 1}', 'a key in double quotes is expected, but there is "a"', 1, 2],
    ["{'a': 1}", 'a key in double quotes is expected, but there is "\'"', 1, 2],
    ['{"a" 1}', '":" is expected after the key, but there is "1"', 1, 6],
    ['{"a": }', 'a value is expected, but there is "}"', 1, 7],
    ['{"a": tru}', 'a value is expected, but there is "t"', 1, 7],
    ['{"a": 01}', 'a value is expected, but there is "0"', 1, 7],
    ['{"a": "open\n}', 'the text that starts here is not closed', 1, 7],
    ['{"a": "C:\\Users"}', 'this escape does not exist in JSON (write \\\\ for a backslash)', 1, 10],
    ['{"a": "tab\there"}', 'this character must be written as an escape: the character U+0009', 1, 11],
    ['{"a": 1', '"," or "}" is expected, but there is the end of the file', 1, 8],
    ['{} {}', 'nothing more may follow, but there is "{"', 1, 4],
    ['// note\n{}', 'a value is expected, but there is "/"', 1, 1],
    ['{"a": 1,\n "a": 2}', 'this key is given twice', 2, 2],
    ['[\u00e9]', 'a value is expected, but there is the character U+00E9', 1, 2],
  ])('explains %j', (text, message, line, column) => {
    expect(findJsonProblem(text)).toEqual({ message, line, column });
  });

  test('refuses nesting that no settings file has, without running out of stack', () => {
    expect(findJsonProblem('['.repeat(500_000))).toEqual({
      message: 'is nested deeper than 32 levels',
      line: 1,
      column: 33,
    });
  });

  test('reads a text of a megabyte', () => {
    expect(findJsonProblem(JSON.stringify({ a: 'x'.repeat(1_000_000) }))).toBeNull();
  });

  test('finds nothing wrong with what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 2, '\t'), (value, indent) => {
        expect(findJsonProblem(JSON.stringify(value, null, indent))).toBeNull();
      }),
    );
  });

  test('agrees with JSON.parse about every damaged text (duplicate keys aside)', () => {
    const damaged = fc
      .tuple(
        fc.jsonValue({ maxDepth: 3 }),
        fc.nat(200),
        fc.constantFrom('', ',', '"', '}', ']', '\\', '\u0001', '0', 'e', '-'),
      )
      .map(([value, at, insert]) => {
        const text = JSON.stringify(value);
        return text.slice(0, at % (text.length + 1)) + insert + text.slice((at % (text.length + 1)) + 1);
      });
    fc.assert(
      fc.property(damaged, (text) => {
        const problem = findJsonProblem(text);
        fc.pre(problem?.message !== 'this key is given twice');
        expect(problem === null).toBe(parses(text));
      }),
      { numRuns: 2_000 },
    );
  });
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
