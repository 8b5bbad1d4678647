import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
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

/** The newest whole line, or null; reads no more than the end of the file. */
export function readNewestEntry(dataFolder: string): JournalEntry | null {
  const { bytes } = readEnd(dataFolder, 2);
  const end = bytes.lastIndexOf(NEWLINE);
  if (end < 0) return null;
  const start = end === 0 ? 0 : bytes.lastIndexOf(NEWLINE, end - 1) + 1;
  return decodeLine(bytes.subarray(start, end));
}

/** How the file ends: after a line, after a line that lacks its line break, or inside one that begins at `offset`. */
export function readTail(dataFolder: string): { kind: 'clean' } | { kind: 'whole' } | { kind: 'torn'; offset: number } {
  const { bytes, from } = readEnd(dataFolder, 1);
  const start = bytes.lastIndexOf(NEWLINE) + 1;
  if (start === bytes.length) return { kind: 'clean' };
  return decodeLine(bytes.subarray(start)) === null ? { kind: 'torn', offset: from + start } : { kind: 'whole' };
}

/** Every line in its order; null for one that is damaged, or torn at the end. Holds a piece of the file at a time. */
export function* journalLines(dataFolder: string): Generator<JournalEntry | null> {
  for (const line of rawLines(dataFolder)) yield decodeLine(line);
}

/** How many lines there are, whatever is in them. */
export function countLines(dataFolder: string): number {
  let count = 0;
  for (const _ of rawLines(dataFolder)) count += 1;
  return count;
}

const PIECE_BYTES = 1_048_576;
const END_BYTES = 65_536;

function* rawLines(dataFolder: string): Generator<Buffer> {
  const descriptor = openJournalFile(dataFolder);
  if (descriptor === null) return;
  try {
    let rest: Buffer = Buffer.alloc(0);
    const piece = Buffer.alloc(PIECE_BYTES);
    for (;;) {
      const length = inJournal(() => readSync(descriptor, piece, 0, PIECE_BYTES, null));
      if (length === 0) break;
      const bytes = Buffer.concat([rest, piece.subarray(0, length)]);
      let start = 0;
      for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
        yield bytes.subarray(start, end);
        start = end + 1;
      }
      rest = bytes.subarray(start);
    }
    if (rest.length > 0) yield rest;
  } finally {
    closeSync(descriptor);
  }
}

/** The end of the file with so many line breaks in it, or all of it; `from` is where that begins. */
function readEnd(dataFolder: string, lineBreaks: number): { readonly bytes: Buffer; readonly from: number } {
  const descriptor = openJournalFile(dataFolder);
  if (descriptor === null) return { bytes: Buffer.alloc(0), from: 0 };
  try {
    return inJournal(() => {
      const { size } = fstatSync(descriptor);
      for (let wanted = END_BYTES; ; wanted *= 4) {
        const from = Math.max(0, size - wanted);
        const bytes = Buffer.alloc(size - from);
        const length = readSync(descriptor, bytes, 0, bytes.length, from);
        const found = bytes.subarray(0, length);
        if (from === 0 || countBreaks(found, lineBreaks) >= lineBreaks) return { bytes: found, from };
      }
    });
  } finally {
    closeSync(descriptor);
  }
}

function countBreaks(bytes: Buffer, upTo: number): number {
  let count = 0;
  for (let at = bytes.lastIndexOf(NEWLINE); at >= 0 && count < upTo; at = bytes.lastIndexOf(NEWLINE, at - 1)) {
    count += 1;
    if (at === 0) break;
  }
  return count;
}

function openJournalFile(dataFolder: string): number | null {
  return inJournal(() => {
    try {
      return openSync(journalPath(dataFolder), 'r');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw cause;
    }
  });
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
