/**
 * The process that is killed: opens the real agent on a data folder, works through the scenario, and tells each step
 * when the agent said that it is done. Arguments: data folder, root, and `changes` to write to the root itself or
 * `scan` to only capture what is there.
 */
import { existsSync, mkdirSync, writeFileSync, writeSync } from 'node:fs';
import { type Agent, openAgent } from '../../src/main/agent.ts';
import type { Host } from '../../src/main/host.ts';
import { packPath, packsFolder } from '../../src/main/store/packs.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { FileState, LedgerLine } from './crash-ledger.ts';
import {
  applyChanges,
  DECISION,
  DECISION_EDIT,
  type DiskChange,
  FIRST_CHANGES,
  MEMORY,
  MEMORY_EDIT,
  SECOND_CHANGES,
} from './crash-scenario.ts';

/** With Supabase configured, everything that changes has to reach the outbox. */
export function crashHost(dataFolder: string): Host {
  return {
    dataFolder,
    environment: { SUPABASE_URL: 'https://project.supabase.co', SUPABASE_KEY: 'sb_secret_0123456789abcdefghij' },
    version: '0.1.0',
    shell: 'test',
    nowMs: Date.now,
    notify: () => undefined,
    onPower: () => () => undefined,
  };
}

/** Of the first lane, with a name that a test can know. */
export const EARLIER_PACK = 2;
/** Beside the data folder: the process makes that pack before its first scan. */
export const earlierPackMark = (dataFolder: string): string => `${dataFolder}.pack`;

function tell(line: LedgerLine): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

async function attempt(step: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    const code = cause instanceof AppError ? cause.code : 'bug';
    tell({ kind: 'failed', step, code, message: cause instanceof Error ? String(cause.stack) : String(cause) });
  }
}

async function watchAndScan(agent: Agent, root: string, step: string, state: Record<string, FileState>): Promise<void> {
  await attempt(step, async () => {
    const { roots } = await agent.api.methods['roots.list']({});
    if (roots.length === 0) await agent.api.methods['roots.add']({ path: root });
    await agent.api.methods['scan.run']({});
    tell({ kind: 'captured', step, files: { ...state } });
  });
}

async function writeRecords(agent: Agent): Promise<void> {
  const { methods } = agent.api;
  await attempt('decision', async () => {
    const table = 'decision_vault';
    const { record } = await methods['records.create']({
      table,
      fields: { ...DECISION, tags: [...DECISION.tags] },
      origin: 'cli',
    });
    tell({ kind: 'recorded', step: 'decision', table, id: record.id, fields: DECISION });
    await methods['records.edit']({ table, id: record.id, fields: DECISION_EDIT, origin: 'cli' });
    tell({ kind: 'recorded', step: 'decision edit', table, id: record.id, fields: DECISION_EDIT });
  });
  await attempt('memory', async () => {
    const table = 'memories';
    const { record } = await methods['records.create']({ table, fields: MEMORY, origin: 'cli' });
    tell({ kind: 'recorded', step: 'memory', table, id: record.id, fields: MEMORY });
    await methods['records.edit']({ table, id: record.id, fields: MEMORY_EDIT, origin: 'cli' });
    tell({ kind: 'recorded', step: 'memory edit', table, id: record.id, fields: MEMORY_EDIT });
  });
}

async function main(dataFolder: string, root: string, mode: string): Promise<void> {
  const state: Record<string, FileState> = {};
  const change = (changes: readonly DiskChange[]): void => {
    if (mode === 'changes') applyChanges(root, changes, state, tell);
  };
  change(FIRST_CHANGES);
  const agent = await openAgent(crashHost(dataFolder), 'offline');
  if (existsSync(earlierPackMark(dataFolder))) {
    mkdirSync(packsFolder(dataFolder), { recursive: true });
    writeFileSync(packPath(dataFolder, EARLIER_PACK), '');
  }
  await attempt('start', agent.start);
  await watchAndScan(agent, root, 'first scan', state);
  change(SECOND_CHANGES);
  await watchAndScan(agent, root, 'second scan', state);
  if (mode === 'changes') await writeRecords(agent);
  await attempt('stop', agent.stop);
  tell({ kind: 'done' });
}

if (process.argv[1]?.endsWith('crash-child.ts') === true) {
  const [dataFolder = '', root = '', mode = 'changes'] = process.argv.slice(2);
  // An open that is refused is an end with a reason; anything that is not expected ends the process by itself.
  await attempt('open', () => main(dataFolder, root, mode));
  process.exit(0);
}
