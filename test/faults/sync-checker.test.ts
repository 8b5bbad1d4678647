/** The checker of the proofs of sync goes red for what it is there to find. */
import { expect, onTestFinished, test } from 'vitest';
import { createMemoryRemote } from '../support/memory-connector.ts';
import { auditVault, missingThere, type RowsThere } from '../support/sync-audit.ts';
import { openDevice, type SyncDevice } from '../support/sync-device.ts';

type Planted = (device: SyncDevice) => void;
const sql =
  (statement: string): Planted =>
  ({ store }) =>
    void store.db.prepare(statement).run();

/** A device with three records over there and one that waits, with something planted; and what is found wrong with it. */
async function found(planted: Planted): Promise<string[]> {
  let nowMs = 1_790_000_000_000;
  const clock = (): number => (nowMs += 1);
  const supabase = createMemoryRemote({ remote: 'supabase', nowMs: clock });
  const device = openDevice({ remotes: [supabase], nowMs: clock });
  onTestFinished(() => device.close());
  const write = (title: string): string =>
    device.records.create({ table: 'memories', fields: { title, content: 'x' }, origin: 'cli' }).record.id;
  for (const title of ['one', 'two', 'three']) write(title);
  await device.run('supabase');
  write('waits');
  planted(device);
  const audit = auditVault(device.store.dataFolder);
  const there: RowsThere = {
    remote: 'supabase',
    table: 'memories',
    ids: new Set(supabase.rows('memories').map(({ remoteId }) => remoteId)),
  };
  return [...audit.problems, ...missingThere(audit, [there])];
}

test('what is acknowledged or waits is accounted for', async () => {
  expect(await found(() => undefined)).toEqual([]);
});

test.each<[string, Planted, RegExp]>([
  ['an entry of the outbox that is dropped', sql('DELETE FROM outbox'), /neither acknowledged/],
  ['an edit that is not enqueued', sql(`UPDATE memories SET change_seq = change_seq + 100`), /neither acknowledged/],
  [
    'an acknowledgement that nobody gave',
    sql(`INSERT INTO links (remote, table_name, record_id, remote_id, acknowledged_seq, acknowledged_at_ms)
         SELECT 'supabase', 'memories', id, id, change_seq, 1 FROM memories WHERE title = 'waits'`),
    /acknowledged by supabase, which has nothing of it/,
  ],
  [
    'half of a pull',
    sql(`UPDATE memories SET title = 'half' WHERE title = 'one'`),
    /title of memories \S+ is "half", agreed with supabase is "one"/,
  ],
])('%s is found', async (_name, planted, problem) => {
  expect((await found(planted)).join('\n')).toMatch(problem);
});
