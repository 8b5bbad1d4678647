import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/main/headless/client.ts';
import type { AgentClient } from '../../src/shared/contract.ts';
import { AppError } from '../../src/shared/errors.ts';
import { checkDisk, checkVault } from '../support/crash-check.ts';
import { type FileState, type LedgerLine, sha256Of, toLedger } from '../support/crash-ledger.ts';
import { createSandbox, REMOTES } from '../support/crash-run.ts';
import { noise, save } from '../support/crash-scenario.ts';
import { type DaemonPlace, endOf, spawnDaemon, startDaemon } from '../support/daemon.ts';

const KILLS = Number(process.env.KILLS ?? (process.env.FAULTS === 'all' ? 200 : 25));
const SEED = Number(process.env.SEED ?? 20_261_121);
const PATHS = 12;
/** A start takes about half a second: kills meet it, the first scan, live captures and quiet. */
const LONGEST_LIFE_MS = 5_000;

/** Mulberry32: small, and the same everywhere. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Writer = { readonly lines: LedgerLine[]; readonly stop: () => Promise<void> };

/** Saves files, and decisions through whichever agent is alive, until it is stopped; tells what it did. */
function startWriter(place: DaemonPlace, random: () => number): Writer {
  const lines: LedgerLine[] = [];
  let isStopped = false;
  const saveOne = (turn: number): void => {
    const path = `notes/note-${Math.floor(random() * PATHS)}.md`;
    // Now and then one that becomes an object file.
    const content = turn % 40 === 7 ? noise(`turn ${turn}`, 1_100_000) : Buffer.from(`turn ${turn} `.repeat(40));
    lines.push({ kind: 'writes', path, sha256: sha256Of(content) });
    save(place.root, path, content, null);
  };
  const loop = async (): Promise<void> => {
    for (let turn = 0; !isStopped; turn += 1) {
      saveOne(turn);
      if (turn % 5 === 0) lines.push(...(await decide(place, turn)));
      await delay(10 + random() * 60);
    }
  };
  const running = loop();
  return {
    lines,
    stop: async () => {
      isStopped = true;
      await running;
    },
  };
}

/** A decision counts when the agent answered; no agent, or one that died over it, is no promise. */
async function decide(place: DaemonPlace, turn: number): Promise<LedgerLine[]> {
  const fields = { title: `Decision ${turn}`, decision: `Made in turn ${turn}.` };
  let client: AgentClient | null = null;
  try {
    client = (await connect(place.dataFolder, 500))?.client ?? null;
    if (client === null) return [];
    const { record } = await client.call('records.create', { table: 'decision_vault', fields, origin: 'cli' });
    return [{ kind: 'recorded', step: `turn ${turn}`, table: 'decision_vault', id: record.id, fields }];
  } catch (cause) {
    // Only the end of the connection is expected; what the agent itself refuses is a failure of the test.
    if (cause instanceof AppError && cause.code.startsWith('agent.')) return [];
    throw cause;
  } finally {
    client?.close();
  }
}

/** What the agent says is captured right now, from the files it lists. */
async function captured(client: AgentClient): Promise<Record<string, FileState>> {
  await client.call('scan.run', {});
  const { files } = await client.call('files.list', { limit: 1_000 });
  return Object.fromEntries(files.map((file) => [file.path, file.sha256]));
}

test(`${KILLS} random kills on one folder under a live writer lose, repeat and halve nothing, seed ${SEED}`, {
  timeout: 120_000 + KILLS * 5_000,
}, async () => {
  const { base, root, dataFolder, remove } = createSandbox();
  onTestFinished(remove);
  const place = { dataFolder, root, home: base };
  const random = createRandom(SEED);
  const writer = startWriter(place, random);
  for (let kill = 0; kill < KILLS; kill += 1) {
    const daemon = spawnDaemon(place);
    const ended = endOf(daemon);
    daemon.stdout?.resume();
    daemon.stderr?.resume();
    await delay(random() * LONGEST_LIFE_MS);
    daemon.kill('SIGKILL');
    // Null is the end by a signal: it did not end by itself before.
    expect([kill, await ended]).toEqual([kill, null]);
  }
  await writer.stop();
  const last = await startDaemon(place);
  const { client } = await last.connect();
  writer.lines.push({ kind: 'captured', step: 'the end', files: await captured(client) });
  client.close();
  expect(await last.stop()).toBe(0);
  const ledger = toLedger(writer.lines);
  const problems = [...checkVault(dataFolder, ledger, REMOTES), ...checkDisk(dataFolder, root)];
  const of = (kind: string) => problems.filter((problem) => problem.kind === kind).length;
  process.stdout.write(
    `${KILLS} kills, ${writer.lines.length} writes, ${ledger.records.length} acknowledged decisions: ${of('lost')} lost, ` +
      `${of('duplicated')} duplicated, ${of('half-written')} half-written. ` +
      `Replay: SEED=${SEED} KILLS=${KILLS} npx vitest run test/faults/crash-random.test.ts\n`,
  );
  expect(problems).toEqual([]);
  expect(ledger.records.length).toBeGreaterThan(0);
});
