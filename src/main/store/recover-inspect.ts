import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { APPLICATION_ID, VAULT_FILE } from './database.ts';
import { journalPath } from './journal-lines.ts';
import { readPageContent, type SalvagedRow } from './salvage-page.ts';
import { type Shape, shapeRow } from './salvage-shapes.ts';
import { openBytes, openSource, type SalvageSource } from './salvage-source.ts';

/**
 * Looks at a closed vault as bytes, for damage that SQLite would take for something else, or would make worse by
 * opening the file: it believes any log that lies beside it, drops commits of a damaged one without a word, and
 * takes an empty file for a new vault. Reads the log, but of the file only what it has to: cheap enough for each start.
 * @returns why the vault must be rebuilt, or null
 */
export function inspectVault(dataFolder: string, shapes: readonly Shape[]): string | null {
  const file = join(dataFolder, VAULT_FILE);
  const size = existsSync(file) ? statSync(file).size : 0;
  if (size === 0) return inspectMissing(dataFolder);
  const source = openSource(file, `${file}-wal`, true);
  try {
    const problem = inspectHeader(file, source, shapes) ?? source.log?.problem ?? judgeLog(source, shapes)?.reason;
    return problem ?? (source.missingPages > 0 ? 'the vault file is cut off' : null);
  } finally {
    source.close();
  }
}

/** A folder that holds more than settings had a vault. */
function inspectMissing(dataFolder: string): string | null {
  const log = join(dataFolder, `${VAULT_FILE}-wal`);
  const objects = join(dataFolder, 'objects');
  const journal = journalPath(dataFolder);
  const hadVault =
    (existsSync(log) && statSync(log).size > 0) ||
    (existsSync(journal) && statSync(journal).size > 0) ||
    (existsSync(objects) && readdirSync(objects).length > 0);
  return hadVault ? 'the vault file is missing or empty, though the folder holds other parts of a vault' : null;
}

/** What a vault always has in its header, by offset (fileformat2.html, section 1.3). */
const CONSTANT_BYTES = [
  [20, [0]],
  [21, [64]],
  [22, [32]],
  [23, [32]],
  [44, [0, 0, 0, 4]],
  [56, [0, 0, 0, 1]],
] as const;
/** A version that no program has yet: then the number is damaged, and not from the future. */
const IMPLAUSIBLE_VERSION = 100;

function inspectHeader(file: string, source: SalvageSource, shapes: readonly Shape[]): string | null {
  const bytes = openBytes(file);
  const start = bytes.read(0, 100);
  bytes.close();
  if (start.length < 100 || start.toString('latin1', 0, 16) !== 'SQLite format 3\0') {
    return 'the vault file does not begin like one';
  }
  // Until the first checkpoint the file has only an empty first page: the real one lies in the log.
  const header = source.readNewestPage(1) ?? start;
  const version = header.readUInt32BE(60);
  const isSound =
    header.readUInt32BE(68) === APPLICATION_ID &&
    source.pageSize === start.readUInt16BE(16) &&
    [18, 19].every((offset) => header[offset] === 1 || header[offset] === 2) &&
    CONSTANT_BYTES.every(([offset, expected]) =>
      header.subarray(offset, offset + expected.length).equals(Buffer.from(expected)),
    );
  // A vault without a version was never finished, unless there is something in it.
  if (isSound && version > 0 && version < IMPLAUSIBLE_VERSION) return null;
  return isOurs(source, shapes) ? 'the header of the vault file is damaged' : null;
}

const ROWS_TO_BELIEVE = 3;

/** Whether rows of a vault lie in the file: else it is somebody else's, and is refused rather than rebuilt. */
function isOurs(source: SalvageSource, shapes: readonly Shape[]): boolean {
  let rows = 0;
  for (const { pageNumber, bytes, readers } of source.versions('newest')) {
    const content = readPageContent(bytes, pageNumber, readers[0] ?? source.readFilePage);
    rows +=
      content?.rows.filter((row) => (shapeRow(row, shapes)?.shape.columns.length ?? 0) > 6 || isOurTable(row)).length ??
      0;
    if (rows >= ROWS_TO_BELIEVE) return true;
  }
  return false;
}

const TELLING_TABLES = ['decision_vault', 'file_snapshots', 'record_history'];

/** A row of sqlite_schema that defines one of our tables. */
function isOurTable({ values: [type, name] }: SalvagedRow): boolean {
  return type === 'table' && typeof name === 'string' && TELLING_TABLES.includes(name);
}

export type LogVerdict = { readonly isForeign: boolean; readonly reason: string };

/**
 * Whether the log belongs to the file; null when it does. A number is given to one row only, ever: a log whose
 * rows have other ids under the same numbers is of another vault. One that is older than the file is of this vault,
 * and would bring back old pages.
 */
export function judgeLog(source: SalvageSource, shapes: readonly Shape[]): LogVerdict | null {
  let same = 0;
  let other = 0;
  for (const { pageNumber, bytes, readers } of source.newestInLog()) {
    const before = source.readFilePage(pageNumber);
    if (before === null) continue;
    const known = identities(before, pageNumber, source, shapes);
    for (const [key, id] of identities(bytes, pageNumber, source, shapes, readers[0])) {
      const old = known.get(key);
      if (old === id) same += 1;
      else if (old !== undefined) other += 1;
    }
  }
  if (other > same) return { isForeign: true, reason: 'the write-ahead log beside the vault belongs to another vault' };
  const isOlder = changeCounter(source.readFilePage(1)) > changeCounter(source.readNewestPage(1));
  if (!isOlder) return null;
  return { isForeign: false, reason: 'the write-ahead log beside the vault is older than the vault' };
}

/** Grows whenever SQLite writes the first page (fileformat2.html, section 1.3.7). */
function changeCounter(firstPage: Buffer | null): number {
  return firstPage?.readUInt32BE(24) ?? 0;
}

/** Where the id of a row stands. */
const ID_COLUMN: Readonly<Record<string, number>> = {
  file_snapshots: 1,
  activities: 1,
  contents: 1,
  decision_vault: 0,
  memories: 0,
};

function identities(
  page: Buffer,
  pageNumber: number,
  source: SalvageSource,
  shapes: readonly Shape[],
  read = source.readFilePage,
): Map<string, string> {
  const found = new Map<string, string>();
  for (const row of readPageContent(page, pageNumber, read)?.rows ?? []) {
    const table = shapeRow(row, shapes)?.shape.table ?? '';
    const id = row.values[ID_COLUMN[table] ?? -1];
    if (id !== undefined) found.set(`${table} ${row.rowid}`, Buffer.isBuffer(id) ? id.toString('hex') : String(id));
  }
  if (found.size > 0) return found;
  // The row of the device tells even where nothing was captured yet.
  for (const { values } of readPageContent(page, pageNumber, read)?.rows ?? []) {
    if (values.length === 2 && values[0] === 'device_id') found.set('device_id', String(values[1]));
  }
  return found;
}
