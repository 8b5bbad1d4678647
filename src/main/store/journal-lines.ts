import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import type { EditableRecord } from '../../shared/model.ts';
import { inJournal } from './journal-file.ts';
import type { EditableTable } from './record-fields.ts';
import type { HistoryChange } from './record-history.ts';

/** One write of one record: what it is now (null where an older change is told), and the values that changed. */
export type JournalEntry = {
  readonly table: EditableTable;
  readonly id: string;
  readonly record: EditableRecord | null;
  readonly changes: readonly HistoryChange[];
};

export type JournalContent = {
  readonly entries: readonly JournalEntry[];
  /** Lines that do not match their checksum, or that this version cannot read. */
  readonly damaged: number;
  /** The file ends in the middle of a line: a write that was never acknowledged. */
  readonly torn: boolean;
};

/** `journal/records.jsonl` in the data folder. */
export function journalPath(dataFolder: string): string {
  return join(dataFolder, 'journal', 'records.jsonl');
}

/** Reads what the journal holds; needs no vault. A missing journal is an empty one. */
export function readJournal(dataFolder: string): JournalContent {
  return decodeJournal(readJournalBytes(dataFolder));
}

/** The newest whole line, or null; costs no more than reading the bytes. */
export function readNewestEntry(dataFolder: string): JournalEntry | null {
  const bytes = readJournalBytes(dataFolder);
  const end = bytes.lastIndexOf(NEWLINE);
  if (end < 0) return null;
  const start = end === 0 ? 0 : bytes.lastIndexOf(NEWLINE, end - 1) + 1;
  return decodeLine(bytes.subarray(start, end));
}

/** How the file ends: after a line, after a line that lacks its line break, or inside one that begins at `offset`. */
export function readTail(dataFolder: string): { kind: 'clean' } | { kind: 'whole' } | { kind: 'torn'; offset: number } {
  const bytes = readJournalBytes(dataFolder);
  const offset = bytes.lastIndexOf(NEWLINE) + 1;
  if (offset === bytes.length) return { kind: 'clean' };
  return decodeLine(bytes.subarray(offset)) === null ? { kind: 'torn', offset } : { kind: 'whole' };
}

function readJournalBytes(dataFolder: string): Buffer {
  return inJournal(() => {
    try {
      return readFileSync(journalPath(dataFolder));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
      throw cause;
    }
  });
}

const NEWLINE = 0x0a;
const VERSION = 1;

/** `crc32 json`, with the checksum of the JSON's bytes in hexadecimal; JSON itself holds no line break. */
export function encodeLine(entry: JournalEntry): Buffer {
  const json = JSON.stringify({ v: VERSION, ...entry });
  return Buffer.from(`${checksum(Buffer.from(json))} ${json}\n`);
}

export function decodeJournal(bytes: Buffer): JournalContent {
  const entries: JournalEntry[] = [];
  let damaged = 0;
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
    const entry = decodeLine(bytes.subarray(start, end));
    if (entry === null) damaged += 1;
    else entries.push(entry);
    start = end + 1;
  }
  const rest = decodeLine(bytes.subarray(start));
  if (rest !== null) entries.push(rest);
  return { entries, damaged, torn: start < bytes.length && rest === null };
}

// The values themselves are checked by the vault when they are written into it.
const journalLine = z.object({
  v: z.literal(VERSION),
  table: z.enum(['decision_vault', 'memories']),
  id: z.string().min(1),
  record: z.looseObject({ id: z.string(), changeSeq: z.number().int() }).nullable(),
  changes: z.array(
    z.object({
      seq: z.number().int(),
      field: z.string(),
      before: z.unknown(),
      after: z.unknown(),
      changedAtMs: z.number().int(),
      clock: z.number().int(),
      origin: z.string(),
      deviceId: z.string(),
    }),
  ),
});

/** Null for a line that is damaged or of a version that is not ours. */
export function decodeLine(line: Buffer): JournalEntry | null {
  const json = line.subarray(9);
  if (line.length < 10 || line[8] !== 0x20 || line.toString('latin1', 0, 8) !== checksum(json)) return null;
  const parsed = journalLine.safeParse(JSON.parse(json.toString()));
  if (!parsed.success || (parsed.data.record !== null && parsed.data.record.id !== parsed.data.id)) return null;
  const { table, id, record, changes } = parsed.data;
  // The checksum says that it is what we wrote.
  return { table, id, record: record === null ? null : ({ ...record, table } as EditableRecord), changes };
}

function checksum(bytes: Buffer): string {
  return crc32(bytes).toString(16).padStart(8, '0');
}
