/**
 * The process that is killed while it sends and takes in: opens the real agent on a data folder with two services, works
 * through the scenario, and tells each step when the agent said that it is done. Arguments: data folder, root. The
 * services come with the environment; a line on standard input says that people have edited over there.
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { openAgent } from '../../src/main/agent.ts';
import type { Host } from '../../src/main/host.ts';
import type { EditableTable } from '../../src/main/store/record-fields.ts';
import type { LedgerLine } from './crash-ledger.ts';

/** Steps between the lines of the ledger. */
export type StepLine = LedgerLine | { readonly kind: 'ready' } | { readonly kind: 'asks' };

export function syncHost(dataFolder: string, services: Readonly<Record<string, string | undefined>>): Host {
  return {
    dataFolder,
    environment: services,
    version: '0.1.0',
    shell: 'test',
    nowMs: Date.now,
    notify: () => undefined,
    onPower: () => () => undefined,
  };
}

/** What is created first; titles are unique, so that a double is seen. */
export const FIRST: readonly (readonly [EditableTable, string])[] = [
  ['decision_vault', 'Edited on both sides'],
  ['decision_vault', 'Edited in the table editor'],
  ['decision_vault', 'Edited in Notion'],
  ['decision_vault', 'Put into the trash'],
  ['memories', 'Retired over there'],
];

function tell(line: StepLine): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

async function main(dataFolder: string, root: string): Promise<void> {
  const agent = await openAgent(syncHost(dataFolder, process.env), 'offline');
  await agent.start();
  const { methods } = agent.api;
  const origin = 'cli' as const;
  const create = async (table: EditableTable, title: string): Promise<string> => {
    const fields = { title, [table === 'memories' ? 'content' : 'decision']: `Text of "${title}".` };
    const { record } = await methods['records.create']({ table, fields, origin } as never);
    tell({ kind: 'recorded', step: title, table, id: record.id, fields });
    return record.id;
  };
  // How it comes to be is the matter of another sweep: what is struck begins here.
  tell({ kind: 'ready' });
  await methods['roots.add']({ path: root });
  await methods['scan.run']({});
  const ids: string[] = [];
  for (const [table, title] of FIRST) ids.push(await create(table, title));
  await methods['sync.run']({});
  tell({ kind: 'asks' });
  await new Promise((resolve) => createInterface({ input: process.stdin }).once('line', resolve));
  const [both = ''] = ids;
  const fields = { decision: 'Edited here meanwhile.' };
  await methods['records.edit']({ table: 'decision_vault', id: both, fields, origin });
  tell({ kind: 'recorded', step: 'edit', table: 'decision_vault', id: both, fields });
  await create('decision_vault', 'Created while people edit');
  await methods['sync.run']({});
  await methods['sync.run']({});
  await agent.stop();
  tell({ kind: 'done' });
}

if (process.argv[1]?.endsWith('sync-crash-child.ts') === true) {
  const [dataFolder = '', root = ''] = process.argv.slice(2);
  await main(dataFolder, root);
  process.exit(0);
}
