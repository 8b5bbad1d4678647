import Database from 'better-sqlite3';
import { type Migration, migrate } from './migrate.ts';
import type { SalvagedRow, SalvagedValue } from './salvage-page.ts';

/** How the rows of a table look in a page, so that a row tells by itself where it belongs. */
export type Shape = {
  readonly table: string;
  readonly hasRowid: boolean;
  /** Names of the primary key's columns. */
  readonly key: readonly string[];
  /** In the order in which a row has them. */
  readonly columns: readonly Column[];
  /** How many columns a row may have: those of the newest version, and of older ones before a column was added. */
  readonly counts: ReadonlySet<number>;
};

export type Column = {
  readonly name: string;
  readonly type: string;
  readonly isNullable: boolean;
  /** The rowid itself: a row has NULL in its place. */
  readonly isRowid: boolean;
};

type ColumnInfo = { name: string; type: string; notnull: number; pk: number };

/** The tables of the vault after all these migrations. */
export function readShapes(migrations: readonly Migration[]): readonly Shape[] {
  const counts = new Map<string, Set<number>>();
  let shapes: Omit<Shape, 'counts'>[] = [];
  const db = new Database(':memory:');
  try {
    for (const version of migrations.keys()) {
      migrate(db, migrations.slice(0, version + 1));
      shapes = listTables(db);
      for (const { table, columns } of shapes) {
        counts.set(table, (counts.get(table) ?? new Set()).add(columns.length));
      }
    }
  } finally {
    db.close();
  }
  return shapes.map((shape) => ({ ...shape, counts: counts.get(shape.table) ?? new Set() }));
}

function listTables(db: Database.Database): Omit<Shape, 'counts'>[] {
  const tables = db
    .prepare<[], { name: string; wr: number }>(
      "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'",
    )
    .all();
  return tables.map(({ name, wr }) => {
    const info = db
      .prepare<[string], ColumnInfo>('SELECT name, type, "notnull", pk FROM pragma_table_info(?)')
      .all(name);
    const hasRowid = wr === 0;
    const keys = info.filter((column) => column.pk > 0).sort((one, other) => one.pk - other.pk);
    const [onlyKey] = keys;
    const rowid = hasRowid && keys.length === 1 && onlyKey?.type === 'INTEGER' ? onlyKey.name : null;
    // A table without rowids is stored as an index: its key comes first.
    const stored = hasRowid ? info : [...keys, ...info.filter((column) => column.pk === 0)];
    return {
      table: name,
      hasRowid,
      key: keys.map((column) => column.name),
      columns: stored.map((column) => toColumn(column, rowid)),
    };
  });
}

function toColumn(info: ColumnInfo, rowid: string | null): Column {
  return {
    name: info.name,
    type: info.type,
    isNullable: info.notnull === 0 && info.pk === 0,
    isRowid: info.name === rowid,
  };
}

export type ShapedRow = { readonly shape: Shape; readonly values: readonly SalvagedValue[] };

/** The table that a row belongs to, with its values in the order of the shape's columns; null when it fits none. */
export function shapeRow(row: SalvagedRow, shapes: readonly Shape[]): ShapedRow | null {
  for (const shape of shapes) {
    if (shape.hasRowid !== (row.rowid !== null) || !shape.counts.has(row.values.length)) continue;
    const values = row.values.map((value, index) => (shape.columns[index]?.isRowid === true ? row.rowid : value));
    if (row.values.every((value, index) => fits(value, shape.columns[index]))) return { shape, values };
  }
  return null;
}

function fits(value: SalvagedValue, column: Column | undefined): boolean {
  if (column === undefined) return false;
  if (column.isRowid) return value === null;
  if (value === null) return column.isNullable;
  switch (column.type) {
    case 'INTEGER':
      return typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
    case 'REAL':
      return typeof value === 'number';
    case 'TEXT':
      return typeof value === 'string';
    default:
      return Buffer.isBuffer(value);
  }
}
