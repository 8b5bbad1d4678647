import { createActivityStore } from '../../src/main/store/activities.ts';
import type { Store } from '../../src/main/store/database.ts';
import { createOutbox } from '../../src/main/store/outbox.ts';
import { changedFields } from '../../src/main/store/record-fields.ts';
import { prepareHistory } from '../../src/main/store/record-history.ts';
import type { RestoreSave } from '../../src/main/store/record-restore.ts';
import { prepareRows } from '../../src/main/store/record-rows.ts';

/** A write of a record with its row, history, outbox entry and activity. */
export function createTestSave(store: Store): RestoreSave {
  const rows = { decision_vault: prepareRows(store.db, 'decision_vault'), memories: prepareRows(store.db, 'memories') };
  const history = prepareHistory(store.db);
  const outbox = createOutbox(store);
  const activities = createActivityStore(store, outbox);
  return (tx, { kind, before, after, origin }) => {
    const changes = changedFields(before, after);
    if (before !== null && changes.length === 0) return;
    const seq = tx.takeChange();
    const stamp = { seq, changedAtMs: store.nowMs(), origin, deviceId: store.deviceId, clock: store.clock.tick() };
    rows[after.table].save({ ...after, updatedAtMs: store.nowMs(), changeSeq: seq });
    history.add(
      after.table,
      after.id,
      changes.map((change) => ({ ...stamp, ...change })),
    );
    outbox.enqueue(tx, after.table, after.id, seq);
    const where = { rootId: null, path: null, snapshotId: null, recordTable: after.table, recordId: after.id };
    activities.append(tx, { kind, summary: `${kind} ${after.id}`, ...where, origin });
  };
}
