/**
 * The agent that is offline: opens the real one on a data folder, makes so many changes as fast as they are durable, and
 * then goes on as agents do. Arguments: data folder, root, changes, and the file that is told what each took, as JSON;
 * then it prints a line.
 * Every tenth change is followed by a bare transaction of the same content, durable in the same way, as the measure of
 * what this disk costs just then.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { openAgent } from '../src/main/agent.ts';

const [dataFolder = '', root = '', changes = '0', resultFile = ''] = process.argv.slice(2);
const BARE_EVERY = 10;
const EDIT_EVERY = 5;
const TEXT = 'We keep it simple, because simple things can be understood when they break. '.repeat(4);

const agent = await openAgent(
  {
    dataFolder,
    environment: process.env,
    version: '0.0.0',
    shell: 'headless',
    nowMs: Date.now,
    notify: () => undefined,
    onPower: () => () => undefined,
  },
  'running',
);
await agent.start();
const { methods } = agent.api;
await methods['roots.add']({ path: root });

const bare = new Database(join(root, '..', 'bare.db'));
bare.pragma('journal_mode = WAL');
bare.pragma('synchronous = FULL');
bare.exec('CREATE TABLE rows (id TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID');
const insert = bare.prepare('INSERT INTO rows VALUES (?, ?)');

const took: number[] = [];
const bareTook: number[] = [];
const ids: string[] = [];
const timed = async (list: number[], work: () => unknown): Promise<void> => {
  const began = performance.now();
  await work();
  list.push(performance.now() - began);
};
for (let index = 0; index < Number(changes); index += 1) {
  const fields = { title: `Decision ${index}`, decision: `${index}: ${TEXT}`, category: `area ${index % 20}` };
  await timed(took, async () => {
    const id = index % EDIT_EVERY === 0 ? ids[(index * 7_919) % Math.max(1, ids.length)] : undefined;
    if (id === undefined) {
      const { record } = await methods['records.create']({ table: 'decision_vault', fields, origin: 'cli' });
      ids.push(record.id);
    } else await methods['records.edit']({ table: 'decision_vault', id, fields, origin: 'cli' });
  });
  if (index % BARE_EVERY === 0)
    await timed(bareTook, () => insert.run(`${index} ${process.pid}`, JSON.stringify(fields)));
  // As between two requests: timers and what the network has to say come to their turn.
  await new Promise((resolve) => setImmediate(resolve));
}
bare.close();
writeFileSync(resultFile, JSON.stringify({ took, bareTook, records: ids.length }));
process.stdout.write('done\n');
process.on('SIGTERM', () => void agent.stop().then(() => process.exit(0)));
setInterval(() => undefined, 1 << 30);
