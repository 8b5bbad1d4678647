import fc from 'fast-check';
import { expect, it } from 'vitest';
import { folderNode, isPlainNode } from '../../../src/main/backup/format.ts';

const hex = 'a'.repeat(64);
const odd = fc.oneof(
  fc.constantFrom(null, true, '', 'f', 'd', 'x', hex, `${hex}0`, hex.toUpperCase(), `${hex.slice(1)}\n`, {}, []),
  fc.constantFrom(-1, 0, 1, 0.5, 0o7777, 0o10000, 2 ** 53, -(2 ** 53), 2 ** 53 - 1),
  fc.string(),
);
const file = { n: 'a.md', k: 'f', m: 0o644, t: 1_700_000_000_000_000, s: 10, h: hex };
const folder = { n: 'dir', k: 'd', m: 0o755, t: 5, h: hex };
const bare = { n: 'bare', k: 'd', h: hex };
const link = { n: 'link', k: 'l', t: 1, g: '../x' };
const entry = fc
  .tuple(
    fc.constantFrom<Record<string, unknown>>(file, folder, bare, link, { ...file, c: 2 }, { ...file, r: 1, x: 1 }),
    fc.option(fc.tuple(fc.constantFrom('n', 'k', 'm', 't', 's', 'h', 'c', 'r', 'x', 'g', '__proto__', 'other'), odd)),
    fc.option(fc.constantFrom('n', 'k', 'm', 't', 's', 'h', 'g')),
  )
  .map(([base, change, without]) => {
    // As JSON gives it: every key an own one.
    const changed = JSON.parse(JSON.stringify(base)) as Record<string, unknown>;
    if (change !== null)
      Object.defineProperty(changed, change[0], {
        value: change[1],
        enumerable: true,
        configurable: true,
        writable: true,
      });
    if (without !== null) delete changed[without];
    return changed;
  });

it('never takes a folder for a plain one that the schema refuses, nor changes it', () => {
  let plain = 0;
  fc.assert(
    fc.property(
      fc.array(fc.oneof(entry, odd), { maxLength: 3 }),
      fc.option(fc.record({ more: odd })),
      (entries, more) => {
        const value = { entries, ...(more ?? {}) };
        if (!isPlainNode(value)) return;
        plain += 1;
        expect(folderNode.safeParse(value)).toEqual({ success: true, data: value });
      },
    ),
    { numRuns: 5_000 },
  );
  expect(plain).toBeGreaterThan(100);
  expect(isPlainNode({ entries: [file, folder, bare] })).toBe(true);
});
