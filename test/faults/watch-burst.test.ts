import { hash } from 'node:crypto';
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { VAULT_FILE } from '../../src/main/store/database.ts';
import { createSandbox, type Sandbox } from '../support/crash-run.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { NODE, run } from '../support/strace.ts';
import { burstFiles } from '../support/writer-burst.ts';

const isAll = process.env.FAULTS === 'all';
const FILES = isAll ? 50_000 : 10_000;
const FOLDERS = 100;
const WRITER = join(import.meta.dirname, '../support/writer-burst.ts');
const PATIENCE_MS = isAll ? 240_000 : 60_000;
const results: string[] = [];

afterAll(() => {
  process.stdout.write(`${results.join('; ')}. All: FAULTS=all npx vitest run test/faults/watch-burst.test.ts\n`);
});

let sandbox: Sandbox;
let daemon: Daemon | null = null;
afterEach(async () => {
  await daemon?.kill();
  daemon = null;
  sandbox.remove();
});

async function start(): Promise<Daemon> {
  daemon = await startDaemon({ dataFolder: sandbox.dataFolder, root: sandbox.root, home: sandbox.base });
  return daemon;
}

const burst = (files: number) => run(NODE, ['--no-warnings', WRITER, sandbox.root, String(files), String(FOLDERS)]);
const wanted = (files: number, more = ''): Map<string, string> => {
  const edited = oneOfEachFolder(files);
  return new Map(
    [...burstFiles(files, FOLDERS)].map(([path, text]) => [
      path,
      hash('sha256', edited.has(path) ? text + more : text, 'hex'),
    ]),
  );
};
/** The last file of each folder. */
const oneOfEachFolder = (files: number): ReadonlySet<string> =>
  new Set(new Map([...burstFiles(files, FOLDERS)].map(([path]) => [dirname(path), path])).values());

/** What the vault holds, read by a second connection while the agent runs. */
function captured(): Map<string, string> {
  const db = new Database(join(sandbox.dataFolder, VAULT_FILE), { readonly: true });
  try {
    const rows = db
      .prepare<[], { path: string; sha256: string }>(
        "SELECT dir || '/' || name AS path, lower(hex(sha256)) AS sha256 FROM files WHERE state = 'present'",
      )
      .all();
    return new Map(rows.map(({ path, sha256 }) => [path, sha256]));
  } finally {
    db.close();
  }
}

/** How many snapshots the vault has: a file captured twice would show. */
function snapshots(): number {
  const db = new Database(join(sandbox.dataFolder, VAULT_FILE), { readonly: true });
  try {
    return db.prepare<[], { count: number }>('SELECT count(*) AS count FROM file_snapshots').get()?.count ?? 0;
  } finally {
    db.close();
  }
}

/** Waits until nothing is missing; then what is there must be exactly what was written. */
async function allCaptured(files: Map<string, string>, sinceMs: number): Promise<number> {
  const missing = (): string[] => {
    const have = captured();
    return [...files].filter(([path, sha256]) => have.get(path) !== sha256).map(([path]) => path);
  };
  while (missing().length > 0) {
    if (performance.now() - sinceMs > PATIENCE_MS)
      throw new Error(`${missing().length} of ${files.size} files are not captured: ${missing().slice(0, 5)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  expect(captured()).toEqual(files);
  return Math.round(performance.now() - sinceMs);
}

describe('a burst of new files', () => {
  it('is captured whole, each file once', async () => {
    sandbox = createSandbox();
    await start();
    const beganMs = performance.now();
    await burst(FILES);
    const wroteMs = Math.round(performance.now() - beganMs);
    const tookMs = await allCaptured(wanted(FILES), beganMs);
    expect(snapshots()).toBe(FILES);
    results.push(`${FILES} files written in ${wroteMs} ms, 0 lost, durable after ${tookMs} ms`);
  });

  it('that overflows the queue of events, as the agent is stopped, is captured, and every new folder watched', async () => {
    sandbox = createSandbox();
    for (let index = 0; index < FOLDERS / 2; index += 1)
      mkdirSync(join(sandbox.root, `d${index}/sub`), { recursive: true });
    const { pid } = await start();
    process.kill(pid, 'SIGSTOP');
    // Two events a file: the half in folders that are watched fill the queue (16,384), the new folders come after it.
    const files = Math.max(20_000, FILES);
    await burst(files);
    process.kill(pid, 'SIGCONT');
    await allCaptured(wanted(files), performance.now());
    // No scan comes by itself now: what is seen is seen by the watch of each folder.
    for (const path of oneOfEachFolder(files)) appendFileSync(join(sandbox.root, path), 'more');
    const tookMs = await allCaptured(wanted(files, 'more'), performance.now());
    expect(snapshots()).toBe(files + FOLDERS);
    results.push(`${files} files while stopped: 0 lost; ${FOLDERS} edits after it seen within ${tookMs} ms`);
  });

  it('in which the agent is killed is captured by the next start', async () => {
    sandbox = createSandbox();
    const { pid } = await start();
    const writing = burst(FILES);
    while (captured().size < FILES / 20) await new Promise((resolve) => setTimeout(resolve, 10));
    process.kill(pid, 'SIGKILL');
    const before = captured().size;
    await writing;
    await daemon?.kill();
    const beganMs = performance.now();
    await start();
    await allCaptured(wanted(FILES), beganMs);
    expect(snapshots()).toBe(FILES);
    results.push(`killed after ${before} of ${FILES} files: 0 lost`);
  });
});
