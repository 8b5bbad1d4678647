import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { migrate, readMigrations } from '../../../src/main/store/migrate.ts';
import { readShapes } from '../../../src/main/store/salvage-shapes.ts';

const migrations = readMigrations(join(import.meta.dirname, '../../../migrations/local'));

test('the schema after all migrations is the one that was reviewed', async () => {
  const db = new Database(':memory:');
  onTestFinished(() => void db.close());
  migrate(db, migrations);
  const objects = db
    .prepare<[], { sql: string }>('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type DESC, name')
    .all();
  const text = `${objects.map(({ sql }) => sql).join(';\n\n')};\n`;
  await expect(text).toMatchFileSnapshot('schema.sql');
});

test('every table is STRICT, so that no value changes its type on the way in', () => {
  const db = new Database(':memory:');
  onTestFinished(() => void db.close());
  migrate(db, migrations);
  const loose = db
    .prepare(
      "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'",
    )
    .all();
  expect(loose).toEqual([]);
});

/** Recovery tells by the form of a row which table it is of: a migration that blurs this makes it blind. */
test('no row of one table could be taken for a row of another', () => {
  const shapes = readShapes(migrations);
  const form = ({ hasRowid, columns }: (typeof shapes)[number], count: number): string =>
    `${hasRowid} ${columns
      .slice(0, count)
      .map((column) => (column.isRowid ? 'rowid' : column.type))
      .join(' ')}`;
  const seen = new Map<string, string>();
  const mixed = shapes.flatMap((shape) =>
    [...shape.counts].flatMap((count) => {
      const other = seen.get(form(shape, count));
      seen.set(form(shape, count), shape.table);
      return other === undefined || other === shape.table ? [] : [`${other} and ${shape.table}`];
    }),
  );
  expect(mixed).toEqual([]);
});
