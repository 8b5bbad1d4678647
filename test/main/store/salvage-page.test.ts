import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { readPageContent, type SalvagedValue } from '../../../src/main/store/salvage-page.ts';
import { openSource } from '../../../src/main/store/salvage-source.ts';
import { newFolder } from './test-vault.ts';

const value: fc.Arbitrary<SalvagedValue> = fc.oneof(
  fc.constant(null),
  fc.maxSafeInteger(),
  fc.bigInt({ min: 2n ** 60n, max: 2n ** 63n - 1n }),
  fc.double({ noNaN: true, noInteger: true }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  // Long ones are spread over pages of overflow; what they hold is of no interest.
  fc.nat(60_000).map((length) => 'long '.repeat(length / 5)),
  fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(60_000))
    .map(([bytes, length]) => Buffer.alloc(length, bytes)),
);

/** Every row that page by page reading finds in the file. */
function readRows(file: string): SalvagedValue[][] {
  const source = openSource(file, `${file}-wal`, true);
  onTestFinished(() => source.close());
  return [...source.versions('newest')].flatMap(({ pageNumber, bytes }) =>
    (readPageContent(bytes, pageNumber, source.readNewestPage)?.rows ?? []).flatMap((row) =>
      row.rowid === null || row.values[0] === 'table' ? [] : [[row.rowid, ...row.values]],
    ),
  );
}

test('rows read out of single pages are what SQLite says they are, for every page size and value', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(512, 1_024, 4_096, 8_192, 65_536),
      fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 12 }),
      (pageSize, rows) => {
        const file = join(newFolder(), 'test.db');
        const db = new Database(file);
        db.pragma(`page_size = ${pageSize}`);
        db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)');
        const insert = db.prepare('INSERT INTO t (a, b) VALUES (?, ?)');
        for (const row of rows) insert.run(...row);
        const expected = db.prepare('SELECT id, a, b FROM t').safeIntegers().raw().all() as SalvagedValue[][];
        db.close();
        const found = readRows(file).map(([rowid = null, , a = null, b = null]) => [rowid, a, b].map(normal));
        expect(found.toSorted(byId)).toEqual(expected.map((row) => row.map(normal)).toSorted(byId));
      },
    ),
    { numRuns: 60 },
  );
});

function byId(one: readonly unknown[], other: readonly unknown[]): number {
  return Number(one[0]) - Number(other[0]);
}

/** Whole numbers compare as big ones; SQLite stores a real number that is whole as an integer. */
function normal(found: SalvagedValue): SalvagedValue {
  return typeof found === 'number' && Number.isInteger(found) ? BigInt(found) : found;
}

test('whatever bytes a page has, reading it ends without an error', () => {
  const types = fc.constantFrom(0x02, 0x05, 0x0a, 0x0d, 0x00, 0xff);
  fc.assert(
    fc.property(types, fc.uint8Array({ minLength: 511, maxLength: 511 }), fc.nat(4), (type, bytes, cells) => {
      const page = Buffer.from([type, ...bytes]);
      page.writeUInt16BE(cells, 3);
      const content = readPageContent(page, 2, () => page);
      expect((content?.rows.length ?? 0) + (content?.brokenCells ?? 0)).toBeLessThanOrEqual(cells);
    }),
    { numRuns: 2_000 },
  );
});
