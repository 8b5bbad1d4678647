import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkDisk, checkVault, type Problem } from '../support/crash-check.ts';
import { type Ledger, readLedger, toLedger } from '../support/crash-ledger.ts';
import { createSandbox, REMOTES, type Sandbox } from '../support/crash-run.ts';
import { CRASH_CHILD, nodeArgs, run } from '../support/strace.ts';

let sandbox: Sandbox;
let ledger: Ledger;

beforeAll(async () => {
  sandbox = createSandbox();
  const [command = '', ...args] = nodeArgs(CRASH_CHILD, [sandbox.dataFolder, sandbox.root]);
  ledger = toLedger(readLedger((await run(command, args)).stdout));
});
afterAll(() => sandbox.remove());

test('the checker finds nothing in a folder that no fault met', () => {
  expect(ledger.isDone).toBe(true);
  expect(check(() => undefined)).toEqual([]);
});

const sql =
  (text: string) =>
  (folder: string): void => {
    const db = new Database(join(folder, 'vault.db'));
    db.exec(text);
    db.close();
  };

function objectFile(folder: string): string {
  const objects = join(folder, 'objects');
  const name = readdirSync(objects, { recursive: true, encoding: 'utf8' }).find((each) => /[0-9a-f]{64}$/.test(each));
  return join(objects, name ?? 'there is no object');
}

function flipByte(file: string): void {
  const bytes = readFileSync(file);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

/** What would be wrong after a bug of ours, and the kind under which the checker must report it. */
const PLANTED: readonly [string, Problem['kind'], (folder: string) => void][] = [
  ['a version that is not there', 'lost', sql("DELETE FROM file_snapshots WHERE path = 'notes/five.md'")],
  [
    'a deletion that is not there',
    'lost',
    sql("DELETE FROM file_snapshots WHERE path = 'two.md' AND change = 'deleted'"),
  ],
  [
    'a version recorded twice',
    'duplicated',
    sql(`INSERT INTO file_snapshots SELECT 999999, 'twice', device_id, root_id, path, previous_path, change, sha256,
      size_bytes, mtime_us, mode, captured_at_ms, clock, still_open, redactions FROM file_snapshots WHERE path = 'notes/five.md'`),
  ],
  [
    'a content that nobody wrote',
    'half-written',
    sql("UPDATE file_snapshots SET sha256 = (SELECT sha256 FROM contents WHERE size_bytes = 11) WHERE path = 'one.md'"),
  ],
  ['a content of other bytes', 'half-written', sql("UPDATE contents SET data = x'00' WHERE size_bytes = 11")],
  ['a content without its row', 'half-written', sql('DELETE FROM contents WHERE size_bytes = 11')],
  ['an object file that was cut', 'half-written', (folder) => truncateSync(objectFile(folder), 1_000)],
  ['an object file that is gone', 'half-written', (folder) => rmSync(objectFile(folder))],
  ['an index that disagrees', 'inconsistent', sql("UPDATE files SET state = 'deleted' WHERE name = 'five.md'")],
  ['a version without its activity', 'lost', sql("DELETE FROM activities WHERE path = 'notes/five.md'")],
  [
    'an outbox without an entry',
    'lost',
    sql('DELETE FROM outbox WHERE record_id = (SELECT id FROM file_snapshots LIMIT 1)'),
  ],
  [
    'an outbox with an entry too many',
    'duplicated',
    sql(
      "INSERT INTO outbox SELECT remote, table_name, 'nothing', change_seq, state, 0, 0, NULL, NULL, 0, NULL, NULL FROM outbox LIMIT 1",
    ),
  ],
  ['a value missing in the history', 'lost', sql("DELETE FROM record_history WHERE field = 'decision'")],
  ['a record that is gone', 'lost', sql('DELETE FROM memories')],
  ['a record with an old value', 'inconsistent', sql("UPDATE memories SET content = 'Said so twice.'")],
  ['a damaged line in the journal', 'half-written', (folder) => flipByte(join(folder, 'journal', 'records.jsonl'))],
  ['a journal that is gone', 'lost', (folder) => rmSync(join(folder, 'journal', 'records.jsonl'))],
];

test.each(PLANTED)('the checker finds %s', (_, kind, plant) => {
  expect(check(plant).map((problem) => problem.kind)).toContain(kind);
});

test('the checker finds a file whose newest version is not captured', () => {
  writeFileSync(join(sandbox.root, 'unseen.md'), 'saved after the last scan');
  const problems = checkDisk(sandbox.dataFolder, sandbox.root);
  rmSync(join(sandbox.root, 'unseen.md'));
  expect(problems.map(({ kind, what }) => [kind, what.slice(0, 9)])).toEqual([['lost', 'unseen.md']]);
});

function check(plant: (folder: string) => void): Problem[] {
  const copy = join(sandbox.base, 'planted');
  cpSync(sandbox.dataFolder, copy, { recursive: true });
  try {
    plant(copy);
    return checkVault(copy, ledger, REMOTES);
  } finally {
    rmSync(copy, { recursive: true });
  }
}
