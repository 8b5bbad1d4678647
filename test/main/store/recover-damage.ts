/** Real damage to real files, and what of the original is provably still there. */
import { cpSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EditableRecord } from '../../../src/shared/model.ts';
import type { WrittenSnapshot } from './recover-fixture.ts';

const PAGE = 8_192;
const LOG_HEADER = 32;
const FRAME = PAGE + 24;
/** The type of a page that holds rows of a table. */
const TABLE_LEAF = 0x0d;

export type Template = { readonly folder: string; readonly file: Buffer; readonly log: Buffer };

export function readTemplate(folder: string): Template {
  const log = join(folder, 'vault.db-wal');
  const none = Buffer.alloc(0);
  return { folder, file: readFileSync(join(folder, 'vault.db')), log: existsSync(log) ? readFileSync(log) : none };
}

type Random = () => number;
type Damage = {
  readonly name: string;
  /** It makes other bytes of some, where the others only take away. */
  readonly changesBytes?: true;
  readonly apply: (folder: string, random: Random, foreign: Template) => void;
};

const file = (folder: string): string => join(folder, 'vault.db');
const log = (folder: string): string => join(folder, 'vault.db-wal');

function change(path: string, work: (bytes: Buffer) => void): void {
  const bytes = readFileSync(path);
  work(bytes);
  writeFileSync(path, bytes);
}

const pick = (random: Random, count: number): number => Math.floor(random() * count);

function flip(bytes: Buffer, random: Random, count: number): void {
  for (let index = 0; index < count; index += 1) {
    const offset = pick(random, bytes.length);
    bytes[offset] = (bytes[offset] ?? 0) ^ (1 << pick(random, 8));
  }
}

function zeroPages(bytes: Buffer, random: Random, count: number): void {
  for (let index = 0; index < count; index += 1) {
    const page = pick(random, Math.floor(bytes.length / PAGE));
    bytes.fill(0, page * PAGE, (page + 1) * PAGE);
  }
}

export const DAMAGES: readonly Damage[] = [
  {
    name: 'one byte flipped',
    changesBytes: true,
    apply: (folder, random) => change(file(folder), (bytes) => flip(bytes, random, 1)),
  },
  {
    name: 'many bytes flipped',
    changesBytes: true,
    apply: (folder, random) => change(file(folder), (bytes) => flip(bytes, random, 60)),
  },
  { name: 'a page zeroed', apply: (folder, random) => change(file(folder), (bytes) => zeroPages(bytes, random, 1)) },
  { name: 'pages zeroed', apply: (folder, random) => change(file(folder), (bytes) => zeroPages(bytes, random, 12)) },
  {
    name: 'a page overwritten with noise',
    changesBytes: true,
    apply: (folder, random) =>
      change(file(folder), (bytes) => {
        const start = pick(random, Math.floor(bytes.length / PAGE)) * PAGE;
        for (let offset = start; offset < start + PAGE; offset += 1) bytes[offset] = pick(random, 256);
      }),
  },
  {
    name: 'cut off anywhere',
    apply: (folder, random) => truncateSync(file(folder), 1 + pick(random, readFileSync(file(folder)).length - 1)),
  },
  { name: 'header zeroed', apply: (folder) => change(file(folder), (bytes) => bytes.fill(0, 0, 100)) },
  { name: 'first page zeroed', apply: (folder) => change(file(folder), (bytes) => bytes.fill(0, 0, PAGE)) },
  {
    name: 'a byte of the header flipped',
    changesBytes: true,
    apply: (folder, random) => change(file(folder), (bytes) => flip(bytes.subarray(0, 100), random, 1)),
  },
  { name: 'log missing', apply: (folder) => rmSync(log(folder), { force: true }) },
  { name: 'log of another vault', apply: (folder, _, foreign) => writeFileSync(log(folder), foreign.log) },
  {
    name: 'a byte of the log flipped',
    changesBytes: true,
    apply: (folder, random) => {
      if (existsSync(log(folder))) change(log(folder), (bytes) => flip(bytes, random, 1));
    },
  },
  {
    name: 'log cut off',
    apply: (folder, random) => {
      if (existsSync(log(folder))) truncateSync(log(folder), pick(random, readFileSync(log(folder)).length));
    },
  },
  { name: 'empty file', apply: (folder) => truncateSync(file(folder), 0) },
  { name: 'file missing', apply: (folder) => rmSync(file(folder)) },
  { name: 'a text file instead', apply: (folder) => writeFileSync(file(folder), 'Dear diary,\n'.repeat(5_000)) },
];

/** A copy of the template with one kind of damage. */
export function damageCopy(template: Template, to: string, damage: Damage, random: Random, foreign: Template): void {
  cpSync(template.folder, to, { recursive: true });
  rmSync(join(to, 'vault.db-shm'), { force: true });
  damage.apply(to, random, foreign);
}

/**
 * Which pages with rows are still there, byte for byte: in the file, or in the log together with what proves them.
 * Found by comparing bytes with the original.
 */
export function intactParts(template: Template, folder: string): readonly Buffer[] {
  return intactPages(template, folder).filter((page) => page[0] === TABLE_LEAF);
}

/** Whether the damage is only in the first page of the file (which has no rows) or in what was never the vault's. */
export function hasAllRows(template: Template, folder: string): boolean {
  const isLogWhole = template.log.length === 0 || readOr(log(folder)).equals(template.log);
  return isLogWhole && readOr(file(folder)).subarray(PAGE).equals(template.file.subarray(PAGE));
}

function intactPages(template: Template, folder: string): readonly Buffer[] {
  const now = { file: readOr(file(folder)), log: readOr(log(folder)) };
  const parts: Buffer[] = [];
  for (let start = 0; start < template.file.length; start += PAGE) {
    const page = template.file.subarray(start, start + PAGE);
    if (now.file.subarray(start, start + PAGE).equals(page)) parts.push(page);
  }
  // The last frame is the commit of the last transaction: without it, that one never happened.
  const frames = Math.floor((template.log.length - LOG_HEADER) / FRAME);
  const isSame = (start: number, end: number): boolean =>
    end <= now.log.length && now.log.subarray(start, end).equals(template.log.subarray(start, end));
  if (!isSame(0, LOG_HEADER)) return parts;
  const intact = Array.from({ length: Math.max(0, frames) }, (_, index) => {
    const start = LOG_HEADER + index * FRAME;
    return isSame(index === 0 ? 0 : start - FRAME, start + FRAME);
  });
  const isCommit = (index: number): boolean => template.log.readUInt32BE(LOG_HEADER + index * FRAME + 4) > 0;
  const last = intact.findLastIndex((isIntact, index) => isIntact && isCommit(index));
  for (let index = 0; index <= last; index += 1) {
    const start = LOG_HEADER + index * FRAME + 24;
    if (intact[index] === true) parts.push(template.log.subarray(start, start + PAGE));
  }
  return parts;
}

function readOr(path: string): Buffer {
  return existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
}

/** The row of a snapshot begins with its id and the id of the device: nothing else in the file has both together. */
export function hasRow(parts: readonly Buffer[], snapshot: WrittenSnapshot, deviceId: string): boolean {
  const row = Buffer.from(`${snapshot.id}${deviceId}`);
  return parts.some((part) => holds(part, row));
}

/** Whether the page has these bytes near the start of a row; what lies between its rows was deleted or moved. */
function holds(page: Buffer, bytes: Buffer): boolean {
  const rows = Array.from({ length: page.readUInt16BE(3) }, (_, index) => page.readUInt16BE(8 + 2 * index));
  for (let at = page.indexOf(bytes); at >= 0; at = page.indexOf(bytes, at + 1)) {
    if (rows.some((start) => start < at && at - start < 80)) return true;
  }
  return false;
}

/** Whether the stored bytes lie whole in one intact part; longer ones are spread over several pages. */
export function hasContent(parts: readonly Buffer[], snapshot: WrittenSnapshot): boolean {
  const { stored } = snapshot;
  return stored !== null && stored.length < 4_000 && parts.some((part) => holds(part, stored));
}

/** Whether the row of a record lies whole in one intact part. */
export function hasRecord(parts: readonly Buffer[], record: EditableRecord): boolean {
  const row = Buffer.from(
    `${record.id}${record.title}${record.table === 'memories' ? record.content : record.decision}`,
  );
  return parts.some((part) => holds(part, row));
}
