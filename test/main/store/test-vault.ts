/** A vault of its own for a test: on a real disk, with a clock that the test moves. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createActivityStore } from '../../../src/main/store/activities.ts';
import { openStore } from '../../../src/main/store/database.ts';
import { createOutbox } from '../../../src/main/store/outbox.ts';

export const START_MS = 1_790_000_000_000;

export type TestClock = { nowMs: number };

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'angles-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Closed and removed by itself at the end of the test. */
export function newVault(folder = newFolder()) {
  const clock: TestClock = { nowMs: START_MS };
  const store = openStore({ dataFolder: folder, nowMs: () => clock.nowMs });
  onTestFinished(() => store.close());
  const outbox = createOutbox(store);
  return { folder, clock, store, outbox, activities: createActivityStore(store, outbox) };
}
export type TestVault = ReturnType<typeof newVault>;

/** A bare row of `memories`, written or changed; returns its new change number. */
export function touchMemory(vault: TestVault, id: string): number {
  return vault.store.write((tx) => {
    const changeSeq = tx.takeChange();
    vault.store.db
      .prepare(
        `INSERT INTO memories (id, title, content, kind, category, status, tags, origin, created_at_ms, updated_at_ms,
           device_id, change_seq) VALUES (?, 't', '', 'note', 'general', 'active', '[]', 'test', 0, 0, 'd', ?)
         ON CONFLICT (id) DO UPDATE SET change_seq = excluded.change_seq`,
      )
      .run(id, changeSeq);
    vault.outbox.enqueue(tx, 'memories', id, changeSeq);
    return changeSeq;
  });
}
