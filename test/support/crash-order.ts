/** What must be on the disk before what, proven from a trace of system calls: what a power cut leaves follows from it. */
import { dirname, join } from 'node:path';
import { decodeHead, decodeItems } from '../../src/main/store/pack-format.ts';
import type { TraceEvent } from './strace.ts';

export type OrderReport = {
  readonly problems: readonly string[];
  /** How many places the rules were applied to: a rule that met nothing proves nothing. */
  readonly checked: {
    readonly objects: number;
    readonly packed: number;
    readonly commits: number;
    readonly acknowledgements: number;
  };
};

/** What strace prints in hexadecimal (`-xx`) as text. */
export function plain(hex: string): string {
  return hex.replace(/\\x([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

/** The file behind the first descriptor: `25</path>`. */
function fileOf(event: TraceEvent): string {
  return plain(/^\d+<([^>]*)>/.exec(event.args)?.[1] ?? '');
}

function pathsOf(event: TraceEvent): string[] {
  return [...event.args.matchAll(/"([^"]*)"/g)].map((match) => plain(match[1] ?? ''));
}

const isSync = (event: TraceEvent): boolean => !event.failed && (event.call === 'fsync' || event.call === 'fdatasync');
const isWrite = (event: TraceEvent): boolean => event.call === 'write' || event.call === 'pwrite64';

/**
 * Rules: a pack, its name and its folder are synced after a block was written and before the log of SQLite refers to a
 * content in it; the bytes of an object file are synced before it gets its name; the name, and each folder made for it, is
 * synced before the log of SQLite refers to it; the journal is synced before the log has the same record; the log is
 * synced, and its own name, before anything is acknowledged.
 */
export function checkOrder(events: readonly TraceEvent[], dataFolder: string): OrderReport {
  const problems: string[] = [];
  const publications = events.filter(
    (event) => event.call === 'rename' && !event.failed && pathsOf(event)[1]?.startsWith(join(dataFolder, 'objects')),
  );
  for (const publication of publications) checkObject(events, publication, dataFolder, problems);
  const packed = events.filter((event) => isWrite(event) && /\/packs\/[0-9a-f]{12}\.pack$/.test(fileOf(event)));
  const contents = packed.reduce((sum, write) => sum + checkPack(events, write, problems), 0);
  const log = join(dataFolder, 'vault.db-wal');
  const commits = events.filter((event) => isWrite(event) && fileOf(event) === log);
  checkJournal(events, commits, join(dataFolder, 'journal', 'records.jsonl'), problems);
  const told = events.filter((event) => event.call === 'write' && event.args.startsWith('1<') && isTelling(event));
  for (const acknowledgement of told) checkTold(events, commits, acknowledgement, dataFolder, problems);
  return {
    problems,
    checked: { objects: publications.length, packed: contents, commits: commits.length, acknowledgements: told.length },
  };
}

function isTelling(event: TraceEvent): boolean {
  return /"kind":"(captured|recorded)"/.test(pathsText(event));
}

function pathsText(event: TraceEvent): string {
  return plain(/"(.*)"/s.exec(event.args)?.[1] ?? '');
}

function checkObject(
  events: readonly TraceEvent[],
  publication: TraceEvent,
  dataFolder: string,
  problems: string[],
): void {
  const [temporary = '', target = ''] = pathsOf(publication);
  const lastWrite = events.findLast(
    (event) => isWrite(event) && fileOf(event) === temporary && event.begin < publication.begin,
  );
  if (lastWrite === undefined || !isSyncedBetween(events, temporary, lastWrite.end, publication.begin))
    problems.push(`${target} got its name before its bytes were synced`);
  const sha256 = (target.split('/').at(-1) ?? '').replace(/../g, '\\x$&');
  const reference = events.find(
    (event) => event.call === 'pwrite64' && event.args.includes(sha256) && fileOf(event).endsWith('-wal'),
  );
  if (reference === undefined) {
    problems.push(`nothing refers to ${target}`);
    return;
  }
  // The name of the file, and the name of every folder above it that was made for it.
  for (let entry = target, made = publication.end; entry !== dataFolder; entry = dirname(entry)) {
    const mkdir = events.find((event) => event.call === 'mkdir' && !event.failed && pathsOf(event)[0] === entry);
    if (entry !== target) made = mkdir?.end ?? -1;
    if (made >= 0 && !isSyncedBetween(events, dirname(entry), made, reference.begin))
      problems.push(`${entry}: its folder was not synced before the vault referred to it`);
  }
}

/** How many contents of the block that this call begins were found referred to. */
function checkPack(events: readonly TraceEvent[], write: TraceEvent, problems: string[]): number {
  const pack = fileOf(write);
  const folder = dirname(pack);
  const bytes = Buffer.from(plain(/"([^"]*)"/.exec(write.args)?.[1] ?? ''), 'latin1');
  const head = decodeHead(bytes, 0);
  if (head === null) return 0;
  let found = 0;
  for (const { sha256 } of decodeItems(bytes, 0, head)) {
    const printed = sha256.toString('hex').replace(/../g, '\\x$&');
    const reference = events.find(
      (event) => event.call === 'pwrite64' && event.args.includes(printed) && fileOf(event).endsWith('-wal'),
    );
    if (reference === undefined) continue;
    found += 1;
    // The stored bytes follow in a call of their own.
    const last = events.findLast(
      (event) =>
        isWrite(event) && fileOf(event) === pack && event.begin < reference.begin && event.begin >= write.begin,
    );
    if (!isSyncedBetween(events, pack, (last ?? write).end, reference.begin))
      problems.push(`${pack} was not synced before the vault referred to what is in it`);
    if (!isSyncedBetween(events, folder, -1, reference.begin))
      problems.push(`${pack}: its folder was not synced before the vault referred to it`);
    const mkdir = events.find((event) => event.call === 'mkdir' && !event.failed && pathsOf(event)[0] === folder);
    if (mkdir !== undefined && !isSyncedBetween(events, dirname(folder), mkdir.end, reference.begin))
      problems.push(`${folder}: its folder was not synced before the vault referred to it`);
  }
  return found;
}

function isSyncedBetween(events: readonly TraceEvent[], file: string, afterEnd: number, beforeBegin: number): boolean {
  return events.some(
    (event) => isSync(event) && fileOf(event) === file && event.begin > afterEnd && event.end < beforeBegin,
  );
}

/** A line of the journal is durable before the commit that it belongs to. */
function checkJournal(
  events: readonly TraceEvent[],
  commits: readonly TraceEvent[],
  journal: string,
  problems: string[],
): void {
  for (const line of events.filter((event) => isWrite(event) && fileOf(event) === journal)) {
    const commit = commits.find((event) => event.begin > line.end);
    if (commit !== undefined && !isSyncedBetween(events, journal, line.end, commit.begin))
      problems.push('a line of the journal was not synced before its commit');
  }
}

function checkTold(
  events: readonly TraceEvent[],
  commits: readonly TraceEvent[],
  told: TraceEvent,
  dataFolder: string,
  problems: string[],
): void {
  const log = join(dataFolder, 'vault.db-wal');
  const commit = commits.findLast((event) => event.begin < told.begin);
  const what = pathsText(told).slice(0, 60);
  if (commit === undefined) problems.push(`${what} was acknowledged and nothing was written`);
  else if (!isSyncedBetween(events, log, commit.end, told.begin))
    problems.push(`${what} was acknowledged before the log was synced`);
  const first = commits[0];
  if (first !== undefined && !isSyncedBetween(events, dataFolder, -1, told.begin))
    problems.push(`${what} was acknowledged before the name of the log was synced`);
}
